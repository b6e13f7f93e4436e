# SPDX-License-Identifier: Apache-2.0
"""What the host's side of pods weighs, and that it does not grow with what they did."""

import concurrent.futures
import os

from areas import test
from machine import all_commands, expect, wait_until

CYCLES, AT_ONCE = 50, 5
# MiB for each of many pods: some three times what was measured (docs/kubernetes.md).
LIMITS_MIB = {"containerd-shim-danchi-v2": 2.5, "danchi-relay": 2, "virtiofsd": 2}
DANCHID_MIB = 24
# What a process may have grown by after 40 more containers: arenas of its threads, no more.
GROWTH_MIB = 3


def pss_mib(pid):
    """Its share of what it has mapped; the guest's memory, which virtiofsd maps as QEMU does, left out."""
    total, is_counted = 0, True
    with open(f"/proc/{pid}/smaps") as file:
        for line in file:
            words = line.split()
            if "-" in words[0] and not words[0].endswith(":"):
                is_counted = not any("memfd" in word or "/dev/zero" in word or "qemu" in word for word in words[5:])
            elif words[0] == "Pss:" and is_counted:
                total += int(words[1])
    return total / 1024


def pids_of(program):
    return [pid for pid, words in all_commands() if os.path.basename(words[0]) == program]


def weigh(node, pods):
    """Of each program, by pod and as a whole; printed, and within its bound."""
    for program, limit in LIMITS_MIB.items():
        weights = [pss_mib(pid) for pid in pids_of(program)]
        print(f"       {program}: {len(weights)}, {sum(weights) / len(weights):.1f} MiB each, "
              f"{max(weights):.1f} at most", flush=True)
        expect(len(weights) >= pods and max(weights) < limit, f"{program}: {weights} MiB")
    danchid = pss_mib(node.machine.daemon.pid)
    print(f"       danchid: {danchid:.1f} MiB with {pods} pods", flush=True)
    expect(danchid < DANCHID_MIB, f"danchid: {danchid:.1f} MiB")


def size_of(pid):
    """(MiB that are its own, descriptors)"""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        own = sum(int(line.split()[1]) for line in file if line.startswith("Private_"))
    return own / 1024, len(os.listdir(f"/proc/{pid}/fd"))


@test("R5.14", seconds=400, only_danchi=True)
def fifty_containers_one_after_the_other_leave_no_trace_in_memory(node):
    known = set(pids_of("containerd-shim-danchi-v2"))
    with node.pod() as pod, concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        [shim] = set(pids_of("containerd-shim-danchi-v2")) - known
        watched = {"the shim": shim, "danchid": node.machine.daemon.pid}

        def cycle(_number):
            container = pod.sh("echo here; exit 3")
            expect(container.wait().exit_code == 3, container.status())
            container.remove()
        list(pool.map(cycle, range(10)))
        first = {name: size_of(pid) for name, pid in watched.items()}
        list(pool.map(cycle, range(CYCLES - 10)))
        for name, pid in watched.items():
            wait_until(lambda: size_of(pid)[1] <= first[name][1] + 1,
                       f"descriptors of {name}: {first[name][1]}, then {size_of(pid)[1]}", 10)
            grown = size_of(pid)[0] - first[name][0]
            print(f"       {name}: {first[name][0]:.1f} MiB of its own, {grown:+.1f} after {CYCLES - 10} more",
                  flush=True)
            expect(grown < GROWTH_MIB, f"{name} has grown by {grown:.1f} MiB")
