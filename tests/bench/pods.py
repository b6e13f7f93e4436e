#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`make bench`: what a pod costs under containerd, by Danchi, runc and runsc side by side.

    pods.py [--runs N] [--runtimes danchi,runc,runsc]

Needs a cell.  The runtimes take turns, so that a slow minute of the machine hits all.  Of one that does not run
it says why: Debian's package runsc has no shim, which is to be put into PATH from elsewhere.
"""

import argparse
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), name) for name in ("cri", "e2e")]
from client import CriError  # noqa: E402
from machine import Failure  # noqa: E402
from node import Node  # noqa: E402

ROWS = (("pod", "sandbox: RunPodSandbox", "ms"),
        ("container", "first container, to its first line", "ms"),
        ("exec", "ExecSync of true", "ms"),
        ("second", "second container of the pod", "ms"),
        ("end", "stop and remove of the pod", "ms"),
        ("memory", "the pod's processes on the host, PSS", "MiB"),
        ("shim", "of it the shim", "MiB"),
        ("relay", "of it danchi-relay", "MiB"))


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))


def processes():
    """Every process of the cell: pid to its name."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                name = os.path.basename(file.read().split(b"\0")[0].decode(errors="replace"))
        except OSError:
            continue
        if name:
            found[int(pid)] = name
    return found


def memory(before):
    """By name, KiB of what has been started since."""
    sizes = {}
    for pid, name in processes().items():
        if pid not in before:
            try:
                sizes[name] = sizes.get(name, 0) + pss_kib(pid)
            except OSError:
                continue
    return sizes


class Clock:
    def __init__(self, samples):
        self.samples, self.begun = samples, time.monotonic()

    def lap(self, name):
        now = time.monotonic()
        self.samples.setdefault(name, []).append((now - self.begun) * 1000)
        self.begun = now


def one_round(node, runtime, samples):
    before = processes()
    clock = Clock(samples)
    pod = node.pod(runtime=runtime)
    try:
        clock.lap("pod")
        container = pod.sh("echo here; exec sleep 1000")
        container.log_has("here")
        clock.lap("container")
        container.execute("true")
        clock.lap("exec")
        pod.sh("echo here; exec sleep 1000").log_has("here")
        clock.lap("second")
        sizes = memory(before)
        for name, kib in (("memory", sum(sizes.values())),
                          ("shim", sum(size for name, size in sizes.items() if name.startswith("containerd-shim"))),
                          ("relay", sizes.get("danchi-relay", 0))):
            samples.setdefault(name, []).append(kib / 1024)
    finally:
        clock.begun = time.monotonic()
        pod.remove()
        clock.lap("end")


def print_table(results, reasons, runs):
    print(f"\npods under containerd, medians of {runs} runs, {os.cpu_count()} processors\n")
    print(f"{'':<40}" + "".join(f"{runtime:>12}" for runtime in results))
    for key, what, unit in ROWS:
        cells = [f"{statistics.median(samples[key]):.1f} {unit}" if samples.get(key) else "-"
                 for samples in results.values()]
        print(f"{what:<40}" + "".join(f"{cell:>12}" for cell in cells))
    for runtime, reason in reasons.items():
        print(f"{runtime} does not run here: {reason}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--runtimes", default="danchi,runc,runsc")
    options = parser.parse_args()
    runtimes = options.runtimes.split(",")
    node = Node("danchi" if "danchi" in runtimes else runtimes[0])
    results, reasons = {runtime: {} for runtime in runtimes}, {}
    node.start()
    try:
        for number in range(options.runs + 1):
            for runtime in [one for one in runtimes if one not in reasons]:
                try:
                    one_round(node, runtime, results[runtime] if number else {})  # the first one warms up
                except (CriError, Failure) as error:
                    reasons[runtime] = str(error).splitlines()[0][:300]
        print_table(results, reasons, options.runs)
    finally:
        node.end()


if __name__ == "__main__":
    main()
