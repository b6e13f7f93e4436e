#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Starts real programs under each profile and has them do real work.

    run.py [all | PROGRAM...]      without words: those that CI has time for

Environment: COMPAT_PROFILES='strict standard' (words), E2E_MODE, E2E_KERNEL, E2E_PATIENCE as for the
end-to-end tests.  Images are in build/compat, made by tests/compat/build.sh.  One line for each
program and profile: the seconds, and which system calls were refused on the way.
"""

import os
import sys
import time
import traceback

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "e2e"),
                os.path.join(os.path.dirname(HERE), "tools")]
import programs  # noqa: E402
from machine import Failure, Machine, expect  # noqa: E402
from tally import Tally, forget_tally  # noqa: E402

IMAGES = "build/compat"


def load(machine, program):
    machine.danchi("load", "-i", f"{IMAGES}/{program.archive}.tar", timeout=600)


def refused(machine, name):
    calls = [f"{entry['call']} {entry['action']} x{entry['count']}"
             for entry in machine.inspect(name).get("refused", [])]
    return f", refused: {', '.join(calls)}" if calls else ""


def restart(machine, program, name):
    """In a guest anew: what is on the volume is all that it still has, and the volume is its own."""
    before = machine.inspect(name)["guest"]["id"]
    machine.danchi("restart", "-t", "30", name)
    expect(machine.inspect(name)["guest"]["id"] != before, "its guest is the one from before")
    program.again(machine, name)


def work(machine, program, profile):
    """Returns what the line says."""
    name = f"compat-{program.name}"
    started = time.monotonic()
    try:
        run = ["run", "--name", name, "--profile", profile, *program.flags]
        if program.volume:
            run += ["-v", f"{name}:{program.volume}"]
        if program.check:
            machine.danchi(*run, "-d", program.image, *program.command)
            program.check(machine, name)
            if program.again:
                restart(machine, program, name)
        else:
            result = machine.danchi(*run, program.image, *program.command, timeout=program.seconds, check=False)
            expect(result.status == 0 and result.stdout.endswith("done\n"),
                   f"exit status {result.status}{refused(machine, name)}\n"
                   f"{result.stdout[-1000:]}{result.stderr[-2000:]}")
        return f"{time.monotonic() - started:.1f} s{refused(machine, name)}"
    finally:
        machine.danchi("rm", "-f", name, check=False)
        if program.volume:
            machine.danchi("volume", "rm", name, check=False)


def run_all(machine, tally, wanted, profiles):
    for program in wanted:
        label = f"{program.name}: its image loads"
        try:
            started = time.monotonic()
            load(machine, program)
            tally.passes(label, f"{time.monotonic() - started:.1f} s")
            for profile in [one for one in profiles if one in (program.profiles or profiles)]:
                label = f"{program.name}: works under {profile}"
                tally.passes(label, work(machine, program, profile))
        except Failure as failure:
            tally.fails(label, str(failure))
        except Exception:
            tally.fails(label, traceback.format_exc())


def main():
    words = sys.argv[1:]
    known = {program.name for program in programs.ALL}
    if set(words) - known - {"all"}:
        sys.exit(f"run.py: unknown program: {' '.join(set(words) - known)}")
    wanted = [program for program in programs.ALL
              if "all" in words or program.name in words or (not words and program.in_ci)]
    forget_tally("compat")
    tally = Tally("compat")
    machine = Machine("compat")
    machine.start()
    try:
        run_all(machine, tally, wanted, os.environ.get("COMPAT_PROFILES", "strict standard").split())
        machine.remove_all()
    finally:
        machine.end_clients()
        machine.stop()
        machine.remove_directories()
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
