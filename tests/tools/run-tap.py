#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs test programs that speak TAP and counts what they report.

    run-tap.py PART [--jobs N] [--timeout S] PROGRAM...

A program that is missing, ends badly, is over its time or reports fewer tests than it planned has
failed, whatever it printed.  One that prints no TAP is a single test: its exit status counts, 77
is a skip.
"""

import argparse
import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from tally import Tally, forget_tally  # noqa: E402

SKIP_STATUS = 77
RESULT = re.compile(r"^(not ok|ok) \d+(?: -)? ?(.*)$")
LINES_SHOWN = 40
PLAN = re.compile(r"^1\.\.(\d+)")


def words(name):
    """/relay/log/drops-what-is-too-much  →  relay: log: drops what is too much"""
    return ": ".join(part for part in name.strip().strip("/").replace("-", " ").replace("_", " ").split("/"))


def run_program(program, timeout):
    name = os.path.basename(program)
    if not os.path.exists(program):
        return name, None, "could not be built", ""
    environment = dict(os.environ, G_TEST_SRCDIR=os.path.abspath("tests"),
                       G_DEBUG="fatal-warnings" if "test-" in name else "",
                       ASAN_OPTIONS="detect_leaks=1:abort_on_error=0:handle_abort=0",
                       UBSAN_OPTIONS="print_stacktrace=1")
    # GTest prints TAP when asked; programs without GTest get no argument they do not know.
    arguments = ["--tap", "-k"] if name.startswith("test-") else []
    # A file, not a pipe: what a program that failed has left running may hold it open for ever.
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen([program] + arguments, stdin=subprocess.DEVNULL, stdout=said,
                                   stderr=subprocess.STDOUT, env=environment, start_new_session=True)
        why = ""
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            why = f"is over its time of {timeout} s"
        said.seek(0)
        output = said.read().decode(errors="replace")
    return name, process.returncode, why, output


def count(tally, name, status, why, output):
    if status is None:
        tally.fails(name, why)
        return
    planned, seen, failed_before, said = 0, 0, tally.failed, []
    for line in output.splitlines():
        if match := PLAN.match(line):
            planned = int(match[1])
        elif match := RESULT.match(line):
            seen += 1
            report(tally, name, match[1] == "ok", match[2], "\n".join(said[-LINES_SHOWN:]))
            said = []
        else:
            said.append(line)
    if planned == 0 and seen == 0:
        report_untapped(tally, name, status, why, output)
    elif why or seen < planned or (status != 0 and tally.failed == failed_before):
        reason = why or (f"ended with status {status} after {seen} of {planned} tests")
        tally.fails(name, "\n".join([reason] + output.splitlines()[-LINES_SHOWN:]))


def report(tally, program, is_ok, text, why):
    """`why`: what was said since the result before."""
    text, _, directive = text.partition(" # ")
    label, own = words(text), program.removeprefix("test-")
    if not label.startswith(own.replace("-", " ")):
        label = f"{own}: {label}"
    if directive.upper().startswith("SKIP"):
        tally.skips(label, directive[4:].strip() or "no reason given")
    elif is_ok:
        tally.passes(label)
    else:
        tally.fails(label, why)


def report_untapped(tally, name, status, why, output):
    if status == 0 and not why:
        tally.passes(name)
    elif status == SKIP_STATUS:
        tally.skips(name, output.strip().splitlines()[-1] if output.strip() else "no reason given")
    else:
        tally.fails(name, "\n".join([why or f"ended with status {status}"]
                                    + output.splitlines()[-LINES_SHOWN:]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("part")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--timeout", type=float, default=240)
    parser.add_argument("programs", nargs="*")
    options = parser.parse_intermixed_args()
    forget_tally(options.part)
    tally = Tally(options.part)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        # Reported in the order of the names, so that two runs compare.
        for result in pool.map(lambda p: run_program(p, options.timeout), options.programs):
            count(tally, *result)
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
