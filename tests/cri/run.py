#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of pods: containerd, the shim, danchid and CNI plug-ins in one cell.

    run.py [--part NAME] [--core] [--runtime danchi|runc] [--programs DIR | --crio DIR] [WORD...]

WORDs choose by area or sentence, --core what the lab runs.  DIR has another containerd than Debian's, and its ctr;
or CRI-O.  E2E_DONE and E2E_PATIENCE as for the end-to-end tests.

Debian's own Python, for its gRPC.  With --runtime runc the tests themselves are tested: what they
say of a pod has to hold there, but for those that say what only Danchi promises.
"""

import argparse
import os
import signal
import sys
import time
import traceback

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "e2e"), os.path.join(os.path.dirname(HERE), "tools")]
import areas  # noqa: E402
from client import CriError  # noqa: E402
from crio import CrioNode  # noqa: E402
from machine import PATIENCE, Failure, all_commands, wait_until  # noqa: E402
from node import Node  # noqa: E402
from tally import Tally, forget_tally, labels_done  # noqa: E402


PODS_PROGRAMS = ("containerd-shim", "qemu-system", "virtiofsd", "danchi-relay")


class TimeIsUp(BaseException):
    """Not an Exception: no test shall catch it by accident."""


def ring(_number, _frame):
    raise TimeIsUp()


def label_of(test):
    return f"{test.area}: {test.sentence}" + (f" [{' '.join(test.demands)}]" if test.demands else "")


def run_one(node, test, tally):
    label = label_of(test)
    begun = time.monotonic()
    signal.alarm(int(test.seconds * PATIENCE))
    try:
        test(node)
        signal.alarm(0)
        tally.passes(label, f"{time.monotonic() - begun:.1f} s")
    except TimeIsUp:
        tally.fails(label, f"time is up after {test.seconds * PATIENCE:.0f} s\n"
                    f"{traceback.format_exc()}\n{node.log_tail()}")
    except (Failure, CriError) as failure:
        tally.fails(label, f"{failure}\n{traceback.format_exc()}\n{node.log_tail()}")
    except Exception:  # pylint: disable=broad-except
        tally.fails(label, f"{traceback.format_exc()}\n{node.log_tail()}")
    finally:
        signal.alarm(0)
        for pod in [pod for pod in node.pods if pod is not node.shared]:
            try:
                pod.remove()
            except CriError as error:
                tally.fails(f"{label}: afterwards", str(error))


def left_of_pods(node):
    """A cell or a lab has no other's processes."""
    return [f"pod {name}" for name in node.statuses()] + [
        f"process {pid}: {words[0]}" for pid, words in all_commands()
        if os.path.basename(words[0]).startswith(PODS_PROGRAMS)]


def end_node(node, tally):
    """The last test: pods are removed as kubelet removes them, and nothing is left."""
    name = "end: nothing is left of pods, shims and guests"
    signal.alarm(int(180 * PATIENCE))
    try:
        for pod in list(node.pods):
            pod.remove()
        try:
            wait_until(lambda: not left_of_pods(node), "nothing is left", 20)
        except Failure:
            raise Failure("\n".join(left_of_pods(node))) from None
        tally.passes(name)
    except (Exception, TimeIsUp) as error:  # pylint: disable=broad-except
        why = str(error) if isinstance(error, (Failure, CriError)) else traceback.format_exc()
        tally.fails(name, f"{why}\n{node.log_tail()}")
    finally:
        signal.alarm(0)
        node.end()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", default="cri")
    parser.add_argument("--core", action="store_true")
    parser.add_argument("--runtime", default="danchi", choices=("danchi", "runc"))
    parser.add_argument("--programs", default="/usr/bin")
    parser.add_argument("--crio")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    signal.signal(signal.SIGALRM, ring)
    forget_tally(options.part)
    tally, done = Tally(options.part), labels_done()
    chosen = [test for test in areas.TESTS if label_of(test) not in done
              and (options.runtime == "danchi" or not test.is_danchis) and (test.is_core or not options.core)]
    if options.words:
        chosen = [test for test in chosen if any(word.replace("_", " ") in f"{test.area}: {test.sentence}"
                                                 for word in options.words)]
    if options.crio:
        node = CrioNode(options.runtime, os.path.realpath(options.crio))
    else:
        node = Node(options.runtime, programs=os.path.realpath(options.programs))
    node.start()
    try:
        for test in chosen:
            if options.crio and test.not_crio:
                tally.skips(label_of(test), f"CRI-O: {test.not_crio}")
                continue
            run_one(node, test, tally)
    finally:
        end_node(node, tally)
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
