#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a tenant that takes all it can costs its neighbour: exec in a quiet container, while nothing
else runs, beside a hog, and beside a hog with limits; and the same between two containers of Podman.

    neighbour.py [--samples N]     in a cell
"""

import argparse
import contextlib
import glob
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "e2e"), HERE]
import hog  # noqa: E402
import peers  # noqa: E402
from machine import BUILD, Machine  # noqa: E402
from suite import box  # noqa: E402

ARCHIVE = os.path.join(os.path.dirname(os.path.dirname(HERE)), "build", "test-images", "busybox.tar")
# What the hog's limits are for Podman: the same words.
LIMITS = "--cpus", "0.5", "-m", "100m", "--pids-limit", "50"


def measure_danchi(count):
    machine = Machine("bench-neighbour")
    machine.start()
    try:
        name = box(machine)
        hog.samples(machine, name, 2)
        found = [hog.samples(machine, name, count)]
        with hog.Hog(machine) as busy:
            time.sleep(2)
            found.append(hog.samples(machine, name, count))
            busy.limit()
            time.sleep(1)
            found.append(hog.samples(machine, name, count))
        return f"danchi, two guests ({machine.accelerator})", found
    finally:
        machine.remove_all()
        machine.stop()
        machine.remove_directories()


class Pod:
    """Two containers of Podman, with control groups: one is quiet, one burns."""

    def __init__(self, directory):
        self.peer = peers.Podman(directory)
        self.peer.load(ARCHIVE)
        self.image = peers.run(*self.peer.words, "images", "-q").split()[0]
        self.start("box", "sleep 100000")

    def start(self, name, script, *flags):
        peers.run(*self.peer.words, "run", "-d", "--name", name, "--network", "none", "--log-driver",
                  "k8s-file", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--tmpfs",
                  "/fill:size=80m", "--tmpfs", "/var:size=80m", *flags, self.image, "sh", "-c", script)

    def samples(self, count):
        return [peers.timed(*self.peer.words, "exec", "box", "sh", "-c", "echo here") for _ in range(count)]

    def beside(self, count, *flags):
        script = " & ".join(f"({one})" for one in (hog.BURN, hog.FILL, hog.WRITE, hog.PRINT)) + " & wait"
        self.start("hog", script, *flags)
        time.sleep(2)
        try:
            return self.samples(count)
        finally:
            self.peer.end(["hog"])


def measure_podman(directory, count):
    pod = Pod(directory)
    try:
        pod.samples(2)
        found = [pod.samples(count), pod.beside(count), pod.beside(count, *LIMITS)]
    finally:
        pod.peer.end(["box"])
        # Podman's own, which it leaves.
        for path in sorted(glob.glob("/sys/fs/cgroup/*/libpod_parent/**/", recursive=True), reverse=True):
            with contextlib.suppress(OSError):
                os.rmdir(path)
    return pod.peer.version + ", two containers", found


def ask_podman(count):
    """In namespaces of its own; or a reason."""
    for tool in peers.Podman.tools:
        if not shutil.which(tool):
            return "podman", f"{tool} is not installed"
    directory = os.path.join(BUILD, "bench", "neighbour")
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    try:
        done = subprocess.run(["unshare", "--mount", "--propagation", "private", "--pid", "--fork",
                               "--kill-child", "--mount-proc", sys.executable, __file__, "--podman",
                               directory, "--samples", str(count)], stdout=subprocess.PIPE)
        name, found = json.loads(done.stdout or b'["podman", "ended without a word"]')
        return name, found
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def row(name, found):
    if isinstance(found, str):
        print(f"{name:<40} {found}")
        return
    idle, open_median, limited = (statistics.median(one) * 1000 for one in found)
    print(f"{name:<40} {idle:>7.0f} {open_median:>10.0f} {open_median / idle:>6.1f} "
          f"{limited:>10.0f} {limited / idle:>6.1f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=15)
    parser.add_argument("--podman")
    options = parser.parse_args()
    if options.podman:
        try:
            found = measure_podman(options.podman, options.samples)
        except (peers.CannotRun, OSError, subprocess.SubprocessError) as error:
            found = "podman", str(error)
        json.dump(found, sys.stdout)
        return
    print(f"\n{'exec beside a hog, median ms':<40} {'alone':>7} {'hog':>10} {'times':>6} "
          f"{'limited':>10} {'times':>6}   {os.cpu_count()} processors")
    row(*measure_danchi(options.samples))
    row(*ask_podman(options.samples))


if __name__ == "__main__":
    main()
