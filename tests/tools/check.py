#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs parts of the tests and adds their tallies up.

    check.py GROUP...          a group is CHAIN or CHAIN+CHAIN+...: its members run side by side
                               a chain is PART or PART,PART,...: one after the other
    check.py --name NAME ...   also writes the sum as the tally of NAME

Each part is `make check-PART`.  Its lines are shown as they come, each behind the part's name, and
kept in build/check/PART.log.  A part that left no tally, or was unhappy with one that shows no
failure, counts as one failure.  What failed is listed once more at the end; the last line is the sum.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from tally import TALLY_DIR, Tally, forget_tally, read_tally  # noqa: E402

running = []
FAILURES_SHOWN = 12


def run_part(part, results):
    forget_tally(part)
    started = time.monotonic()
    command = [os.environ.get("MAKE", "make"), "--no-print-directory", f"check-{part}"]
    # A make of its own: the job slots of the one that called us do not reach through a recipe.
    # Variables of its command line do, as they are in the environment.
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    running.append(process)
    with open(os.path.join(TALLY_DIR, f"{part}.log"), "wb") as log:
        for line in process.stdout:
            log.write(line)
            sys.stdout.write(f"{part:<6}| {line.decode(errors='replace').rstrip()}\n")
            sys.stdout.flush()
    status = process.wait()
    tally = read_tally(part) or Tally(part)
    if tally.failed == 0 and (status != 0 or tally.passed == 0):
        tally.failed = 1
        tally.failures.append(f"`make check-{part}` ended with exit status {status}")
    results[part] = (tally, time.monotonic() - started)


def run_chain(parts, results):
    """What goes wrong here must not make a part vanish from the sum."""
    for part in parts:
        lost = Tally(part)
        lost.failed, lost.failures = 1, ["it was not run to its end: see above"]
        results[part] = (lost, 0)
    for part in parts:
        run_part(part, results)


def run_groups(groups):
    results = {}
    for group in groups:
        threads = [threading.Thread(target=run_chain, args=(chain.split(","), results))
                   for chain in group.split("+")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return results


def end_everything(number, _frame):
    """Parts have sessions of their own: an interrupt must be passed on to each of them."""
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
    sys.exit(128 + number)


def print_failures(failures):
    """Once more at the end, where a reader of a long log looks first."""
    if failures:
        print(f"\n{len(failures)} failed:")
    for failure in failures[:FAILURES_SHOWN]:
        print(f"  {failure}")
    if len(failures) > FAILURES_SHOWN:
        print(f"  and {len(failures) - FAILURES_SHOWN} more: see {TALLY_DIR}/PART.log")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--name")
    parser.add_argument("groups", nargs="+")
    options = parser.parse_args()
    for number in signal.SIGINT, signal.SIGTERM:
        signal.signal(number, end_everything)
    os.makedirs(TALLY_DIR, exist_ok=True)
    results = run_groups(options.groups)

    total = Tally(options.name or "check")
    for part, (tally, _) in results.items():
        total.passed += tally.passed
        total.failed += tally.failed
        total.skipped += tally.skipped
        total.failures += [f"{part}: {failure}" for failure in tally.failures]
    print_failures(total.failures)
    print()
    for part, (tally, seconds) in results.items():
        print(f"{part:<12} {tally.passed:5} passed {tally.failed:5} failed "
              f"{tally.skipped:5} skipped {seconds:7.0f} s")
    if options.name:
        return total.end()
    print(total.words(), flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
