# SPDX-License-Identifier: Apache-2.0
"""Many pods, probes, and a node whose disk is full."""

import concurrent.futures
import os
import subprocess
import time

from areas import test
from areas.weight import weigh
from machine import expect, expect_equal, wait_until

PODS = 20


def read_clock(container):
    """The guest's clock, and this host's in the middle of that."""
    before = time.monotonic()
    uptime = float(container.execute("cat", "/proc/uptime").split()[0])
    return uptime, (before + time.monotonic()) / 2


def expect_true_clocks(containers):
    """However busy the host was when the guests' kernels looked for the pace of time."""
    first = [read_clock(container) for container in containers]
    time.sleep(3)
    last = [read_clock(container) for container in containers]
    paces = [(end[0] - begin[0]) / (end[1] - begin[1]) for begin, end in zip(first, last)]
    expect(all(0.8 < pace < 1.25 for pace in paces), f"paces of the guests' clocks: {paces}")


@test("R5.16", seconds=600)
def twenty_pods_start_at_once_and_end_at_once(node):
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(PODS) as pool:
        pods = list(pool.map(lambda _: node.pod(timeout=400), range(PODS)))
        print(f"       {PODS} pods in {time.monotonic() - begun:.1f} s", flush=True)
        try:
            containers = list(pool.map(lambda pod: pod.sh("hostname; exec sleep 1000"), pods))
            for pod, container in zip(pods, containers):
                container.log_has(pod.name)
            expect_equal({container.state() for container in containers}, {"running"}, "their states")
            addresses = {pod.status().network.ip for pod in pods}
            expect_equal(len(addresses), PODS, "addresses")
            expect_true_clocks(containers)
            if node.runtime == "danchi":
                weigh(node, PODS)
        finally:
            list(pool.map(lambda pod: pod.remove(), pods))
    left = set(node.statuses()) - {node.shared.id if node.shared else None}
    expect_equal(left, set(), "pods afterwards")


@test("R5.16", seconds=120)
def probes_by_exec_follow_what_they_look_at(node):
    """As kubelet probes readiness: again and again, by ExecSync."""
    with node.shared_pod() as pod:
        container = pod.sh("sleep 2; touch /tmp/ready; exec sleep 1000")

        def is_ready():
            return container.execute("cat", "/tmp/ready", check=False).exit_code == 0
        expect(not is_ready(), "it is ready before its time")
        wait_until(is_ready, "the probe succeeds", 20)
        for _ in range(20):
            expect(is_ready(), "a probe failed")


@test(seconds=120)
def a_full_disk_costs_a_log_and_nothing_else(node):
    directory = os.path.join(node.directory, "full")
    os.makedirs(directory)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "full", directory], check=True)
    try:
        with node.pod(log_directory=directory) as pod:
            container = pod.sh("head -c 3000000 /dev/zero | tr '\\0' x | fold -w 100; exit 3")
            expect_equal(container.wait().exit_code, 3, "the exit code of what wrote too much")
            expect_equal(pod.sh("exec sleep 1000").execute("echo", "here"), "here\n", "an exec beside it")
    finally:
        subprocess.run(["umount", directory], check=True)
