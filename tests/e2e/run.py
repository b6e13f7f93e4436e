#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the end-to-end tests against a danchid of their own.

    run.py [--part NAME] [--list] [--share K/N] [WORD...]

WORDs choose the tests whose group or sentence has one of them; of these, N runs with K from 1 to N
take about the same time each.

Environment: E2E_MODE=auto|emulation|kvm, E2E_KERNEL=debian|tuned, E2E_PATIENCE (a factor for all
waits), E2E_BIG_BYTES, CHAOS_ROUNDS, CHAOS_SEED,
E2E_DONE (a file with tests to leave out), DN_TESTS_MUST_RUN=1.  Ends with a check that nothing was left behind.
"""

import argparse
import glob
import importlib
import os
import signal
import sys
import time
import traceback

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "tools")]
import leftovers  # noqa: E402
from machine import PATIENCE, Failure, Machine, libvirt_answers, start_libvirt  # noqa: E402
from suite import BOX, Skip, tests  # noqa: E402
from tally import Tally, forget_tally, labels_done  # noqa: E402


class TimeIsUp(BaseException):
    """Not an Exception: no test shall catch it by accident."""


def ring(_number, _frame):
    raise TimeIsUp()


def label(test):
    demands = f" [{' '.join(test.demands)}]" if test.demands else ""
    return f"{test.group}: {test.sentence}{demands}"


def is_wanted(test, words):
    text = label(test).lower().replace("_", " ")
    return not words or any(word.lower().replace("_", " ") in text for word in words)


def share_of(chosen, share):
    """The tests of run K of N: the longest first, each to the run that has least to do so far."""
    number, count = map(int, share.split("/"))
    loads, shares = [0] * count, [[] for _ in range(count)]
    for test in sorted(chosen, key=lambda test: -test.seconds):
        least = loads.index(min(loads))
        shares[least].append(test)
        loads[least] += test.seconds
    return [test for test in chosen if test in shares[number - 1]]


def run_test(test, machine, tally):
    started = time.monotonic()
    signal.alarm(int(test.seconds * PATIENCE))
    try:
        test(machine)
        signal.alarm(0)
        tally.passes(label(test), f"{time.monotonic() - started:.1f} s")
    except Skip as reason:
        tally.skips(label(test), str(reason))
    except Failure as failure:
        where = traceback.extract_tb(failure.__traceback__)
        line = next((frame for frame in reversed(where) if "test_" in frame.filename), where[-1])
        tally.fails(label(test), f"{os.path.basename(line.filename)}:{line.lineno}: {failure}")
    except TimeIsUp:
        tally.fails(label(test), f"time is up after {test.seconds * PATIENCE:.0f} s\n"
                    f"danchid's log ends with:\n{machine.log_tail()}")
    except Exception:  # noqa: BLE001 - whatever a test raises is that test's failure
        tally.fails(label(test), traceback.format_exc())
    finally:
        signal.alarm(0)
    tidy_up(test, machine, tally)


def tidy_up(test, machine, tally):
    """A test that failed must not make the next ones fail."""
    signal.alarm(int(120 * PATIENCE))
    try:
        machine.end_clients()
        if not libvirt_answers():
            start_libvirt()
        if machine.daemon is None or machine.daemon.poll() is not None:
            machine.start()
        machine.remove_all(keep=(BOX,))
    except (Exception, TimeIsUp):  # noqa: BLE001
        tally.fails(f"{test.group}: the machine is in order after '{test.sentence}'",
                    traceback.format_exc() + machine.log_tail())
    finally:
        signal.alarm(0)


def end_machine(machine, before, tally):
    """The last test: everything is removed by the ordinary commands, and nothing is left."""
    name = "end: nothing is left of containers, contexts and danchid"
    signal.alarm(int(180 * PATIENCE))
    try:
        machine.remove_all()
        for entry in machine.json("context", "ls"):
            machine.danchi("context", "rm", "-f", entry["name"])
        found = leftovers.guest_files(machine)
        machine.stop()
        left = [f"a guest's file: {path}" for path in sorted(found)]
        left += leftovers.difference(before, leftovers.snapshot())
        if left:
            raise Failure("left behind:\n" + "\n".join(left))
        tally.passes(name)
    except (Exception, TimeIsUp) as error:  # noqa: BLE001
        why = str(error) if isinstance(error, Failure) else traceback.format_exc()
        tally.fails(name, why + "\n" + machine.log_tail())
        machine.daemon and machine.kill_daemon()
    finally:
        signal.alarm(0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", default="e2e")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--share", default="1/1", metavar="K/N")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    for path in sorted(glob.glob(f"{HERE}/test_*.py")):
        importlib.import_module(os.path.basename(path)[:-3])
    machine, done = Machine(options.part), labels_done()
    # Those of the other mode are no skips: there is where they belong, and CI runs both.
    wanted = [test for test in tests
              if is_wanted(test, options.words) and test.only in (None, machine.mode)]
    chosen = [test for test in share_of(wanted, options.share) if label(test) not in done]
    if options.list:
        print("\n".join(label(test) for test in chosen))
        return 0

    forget_tally(options.part)
    signal.signal(signal.SIGALRM, ring)
    tally = Tally(options.part)
    print(f"mode {machine.mode}: {machine.accelerator}, {machine.transport}, {machine.kernel} kernel",
          flush=True)
    before = leftovers.snapshot()
    try:
        machine.start()
    except Failure as failure:
        tally.fails("start: danchid answers", str(failure))
        return tally.end()
    for test in chosen:
        run_test(test, machine, tally)
    end_machine(machine, before, tally)
    if not tally.failed:
        machine.remove_directories()
    else:
        print(f"kept: {machine.log_path} {machine.state}")
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
