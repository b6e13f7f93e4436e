#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether the makefile rebuilds what a changed flag makes stale, and nothing else.

Prints TAP.  Builds one object of each kind in a build directory of its own; after that only
`make -n` is asked what it would do.
"""

import os
import subprocess
import sys
import tempfile

# A program for containers is compiled and linked in one.
HELPER = "tests/agent/probe"
OBJECTS = ("host/protocol/pack.o", "guest/protocol/pack.o", "fuzz/protocol/pack.o",
           "redteam/obj/tests/redteam/devices.o")


def make(build, *words):
    """Returns what make printed.  Its own variables, not those of the make that runs this."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MODE", "CI", "PREFIX")}
    done = subprocess.run(["make", "V=1", f"B={build}", f"UNIT_TESTS={build}/{HELPER}", "tests-build-unit"]
                          + [f"{build}/{name}" for name in OBJECTS] + list(words),
                          env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise AssertionError(f"make {' '.join(words)}: status {done.returncode}\n{done.stdout}")
    return done.stdout


def would_build(build, *words):
    printed = make(build, "-n", *words)
    return {name for name in OBJECTS + (HELPER,) if f"-o {build}/{name} " in printed}


def expect(got, wanted):
    if got != set(wanted):
        raise AssertionError(f"make would build {sorted(got)}, not {sorted(wanted)}")


def another_prefix_rebuilds_all_that_has_it_compiled_in(build):
    expect(would_build(build, "PREFIX=/elsewhere"), OBJECTS + (HELPER,))


def another_version_rebuilds(build):
    expect(would_build(build, "VERSION=9"), OBJECTS + (HELPER,))


def another_compiler_rebuilds(build):
    expect(would_build(build, "CC=gcc -pipe"), OBJECTS + (HELPER,))


def stricter_warnings_rebuild(build):
    expect(would_build(build, "CI=1"), OBJECTS + (HELPER,))


def the_same_flags_build_nothing_though_others_were_asked_about(build):
    expect(would_build(build), ())


def the_flags_of_the_last_make_count(build):
    make(build, "PREFIX=/elsewhere")
    expect(would_build(build, "PREFIX=/elsewhere"), ())
    expect(would_build(build), OBJECTS + (HELPER,))


def a_tree_that_was_moved_marks_its_build_anew(build):
    mark = f"{build}/build-tree"
    make(build, mark)
    expect_text(mark, os.getcwd())
    with open(mark, "w") as file:
        file.write("/where/it/was/before\n")
    make(build, mark)
    expect_text(mark, os.getcwd())
    if f"> {mark}" in make(build, "-n", mark):
        raise AssertionError("make would write the mark a third time")


def expect_text(path, wanted):
    with open(path) as file:
        got = file.read()
    if got != wanted + "\n":
        raise AssertionError(f"{path}: {got!r}, not {wanted!r}")


def main():
    # In this order: the last two say what those before them left.
    tests = (another_prefix_rebuilds_all_that_has_it_compiled_in, another_version_rebuilds,
             another_compiler_rebuilds, stricter_warnings_rebuild,
             a_tree_that_was_moved_marks_its_build_anew,
             the_same_flags_build_nothing_though_others_were_asked_about, the_flags_of_the_last_make_count)
    failed = False
    print(f"1..{len(tests)}")
    with tempfile.TemporaryDirectory() as build:
        make(build)
        for number, function in enumerate(tests, 1):
            try:
                function(build)
                word = "ok"
            except AssertionError as error:
                print("\n".join("# " + line for line in str(error).splitlines()))
                word, failed = "not ok", True
            print(f"{word} {number} {function.__name__.replace('_', ' ')}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
