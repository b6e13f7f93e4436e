#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`make check-lab` and `check-lab-cri`: tests in the lab, with their tally brought out of it.

    check.py [--part NAME] [--share K/N] [WORD...]     as for tests/e2e/run.py
    check.py --script cri.sh [--part NAME] [WORD...]   as for tests/cri/run.py

The lab never skips: where it cannot boot, that is a failure.  LAB_E2E_TIMEOUT: seconds for all.

Shares run beside each other in labs of one processor each: what goes on in a lab is mostly one thing
after the other, so that a second processor is of little use to it.

The lab's own machine is an emulation of hardware that emulates hardware, and now and then dies of
that: with two processors QEMU 7.2 lets an interrupt through beside VMRUN where a processor holds it
back, and the lab's kernel panics; with one, a halted processor is sometimes left for good.  That says
nothing about Danchi, whose tests it hits at random.  So the tests that had not ended then, the one that
was under way among them, run in a new machine, and what happened is shown.  A test that brings the
machine down by itself does so every time, and fails.
"""

import argparse
import contextlib
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tools"))
from tally import TALLY_DIR, Tally, forget_tally, read_tally  # noqa: E402

PASSED_ON = ("E2E_PATIENCE", "E2E_BIG_BYTES_LAB", "E2E_KERNEL", "CHAOS_ROUNDS_LAB", "CHAOS_SEED", "CHAOS_VICTIMS",
             "DN_TESTS_MUST_RUN")
DEFAULT_TIMEOUT = "3000"
LAB_FAILED = 125  # as lab.py has it
MACHINES_MOST = 6
# Machines one after the other that end before a single test does: by then it is not their bad luck.
BARREN_MOST = 3
RESULT = re.compile(r"(ok|not ok|skip) +(.*?)(?:  # .*)?$")
TROUBLE = re.compile(r"panic|BUG:|Oops|Out of memory|Killed process|lab-init:")


def why_it_ended(status, console):
    """The console tells best: the first line about a kernel in trouble, and the last ones."""
    try:
        with open(console, errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        lines = []
    trouble = [line for line in lines if TROUBLE.search(line)][:1]
    return "\n".join([f"exit status {status}{': ' if trouble else ''}{''.join(trouble)}"] + lines[-8:])


def run_machine(command, ended):
    """Runs one lab and notes in @ended which tests ended in it, and how.  Returns its exit status."""
    lab = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                           errors="replace")
    for line in lab.stdout:
        print(line, end="", flush=True)
        result = RESULT.match(line.rstrip("\n"))
        if result and not result[2].startswith("end: "):
            ended[result[2]] = result[1]
    return lab.wait()


def add_up(part, ended, last):
    """The tally of all machines: what ended in earlier ones, and the last one's own."""
    if last is None:
        return None
    tally = Tally(part)
    words = list(ended.values())
    tally.passed = last.passed + words.count("ok")
    tally.failed = last.failed + words.count("not ok")
    tally.skipped = last.skipped + words.count("skip")
    tally.failures = [name for name, word in ended.items() if word == "not ok"] + last.failures
    return tally


def lab_command(options, files, done):
    command = [f"{HERE}/lab.py", "--timeout", os.environ.get("LAB_E2E_TIMEOUT", DEFAULT_TIMEOUT),
               "--cpus", "2" if options.share == "1/1" else "1", "--files", files,
               "--env", f"E2E_DONE={os.path.realpath(done)}"]
    for name in PASSED_ON:
        if name in os.environ:
            command += ["--env", f"{name.removesuffix('_LAB')}={os.environ[name]}"]
    share = ["--share", options.share] if options.share else []
    return command + [f"{HERE}/{options.script}", "--part", options.part, *share, *options.words]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", default="lab")
    parser.add_argument("--share")
    parser.add_argument("--script", default="e2e.sh")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    part, files = options.part, os.path.join(TALLY_DIR, options.part)
    os.makedirs(files, exist_ok=True)
    for directory in TALLY_DIR, files:
        forget_tally(part, directory)
    console, done = os.path.join(files, "lab-console.log"), os.path.join(files, "done")
    command = lab_command(options, files, done)
    ended, before, barren = {}, {}, 0
    for number in range(MACHINES_MOST):
        before = dict(ended)
        with open(done, "w") as file:
            file.writelines(f"{name}\n" for name in before)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(console)
        status = run_machine(command, ended)
        barren = barren + 1 if len(ended) == len(before) else 0
        if status != LAB_FAILED or barren == BARREN_MOST:
            break
        print(f"lab: machine {number + 1} itself ended, {why_it_ended(status, console)}\nlab: another "
              f"goes on after {len(ended)} tests", flush=True)
    tally = add_up(part, before, read_tally(part, files))
    if tally is None:
        tally = Tally(part)
        tally.fails("lab: the tests ran to their end", why_it_ended(status, console))
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
