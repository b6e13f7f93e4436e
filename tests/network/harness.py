# SPDX-License-Identifier: Apache-2.0
"""Tests as functions whose names are their sentences, reported as TAP."""

import sys
import time
import traceback

TESTS = []


def test(*demands):
    def keep(function):
        TESTS.append((function, demands))
        return function
    return keep


def main(make_world):
    """Runs the tests of the calling program that have one of its words, or all."""
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    chosen = [(f, demands) for f, demands in TESTS
              if not words or any(word in f.__name__ or word in demands for word in words)]
    failed = 0
    print(f"1..{len(chosen)}", flush=True)
    world = make_world()
    for number, (function, demands) in enumerate(chosen, 1):
        name = function.__name__.replace("_", " ") + "".join(f" ({demand})" for demand in demands)
        begun = time.monotonic()
        try:
            with world.fresh() as fresh:
                function(fresh)
            print(f"ok {number} {name}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            for line in traceback.format_exc().splitlines():
                print(f"# {line}", flush=True)
            print(f"not ok {number} {name}", flush=True)
        print(f"# {time.monotonic() - begun:.2f} s", flush=True)
    world.end()
    return 1 if failed else 0
