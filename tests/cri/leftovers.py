# SPDX-License-Identifier: Apache-2.0
"""What pods have on a node, and that nothing of it is left."""

import collections
import contextlib
import os
import subprocess

from machine import Failure, all_commands, wait_until

PROGRAMS = ("containerd-shim-danchi-v2", "qemu-system-x86_64", "danchi-relay", "virtiofsd")
BUNDLES = "/run/containerd/io.containerd.runtime.v2.task/k8s.io"
SOCKETS = "/run/containerd/s"
# What only grows, what danchid keeps for itself, and what it keeps to have it sooner the next time.
GROWING = ("audit", "events", "log", "danchid.log", "danchid.sock", "forensics", "boot", "seccomp", "kvm-probe")


def names_in(directory):
    return sorted(os.listdir(directory)) if os.path.isdir(directory) else []


def files_below(directory):
    """Their paths, but for what grows."""
    found = []
    for top, directories, files in os.walk(directory):
        if top == directory:
            directories[:] = [name for name in directories if name not in GROWING]
        found += [os.path.relpath(os.path.join(top, name), directory) for name in files
                  if not name.startswith(GROWING)]
    return sorted(found)


def control_groups():
    """Of guests of this cell; those of others can be seen, and libvirt's logs of them cannot."""
    ours = {name.removesuffix(".log") for name in names_in("/var/log/libvirt/qemu")}
    found = set()
    for top, directories, _files in os.walk("/sys/fs/cgroup"):
        found |= {os.path.relpath(os.path.join(top, name), "/sys/fs/cgroup") for name in directories
                  if any(one in name for one in ours)}
        directories[:] = [name for name in directories if "qemu-" not in name]
    return sorted(found)


def held(node):
    """What there is now, each kind by its name."""
    programs = collections.Counter(os.path.basename(words[0]) for _pid, words in all_commands())
    with open("/proc/self/mounts") as file:
        mounts = sum(node.directory in line or "/run/containerd/io" in line or "danchi" in line for line in file)
    rules = subprocess.run(["nft", "list", "tables"], capture_output=True, check=False, text=True).stdout
    found = {"processes": {name: programs[name] for name in PROGRAMS}, "mounts": mounts,
             "network namespaces": names_in("/run/netns"), "cards": names_in("/sys/class/net"),
             "nftables": sorted(rules.splitlines()), "control groups": control_groups(),
             "bundles": names_in(BUNDLES), "sockets": names_in(SOCKETS)}
    if node.runtime == "danchi":
        found |= {"guests": node.machine.guest_ids(),
                  "contexts": sorted(one["name"] for one in node.machine.json("context", "ls")),
                  "files of danchid's state": files_below(node.machine.state),
                  "files of danchid's run": files_below(node.machine.run)}
    return found


def differences(before, now):
    return {kind: (before[kind], now[kind]) for kind in before if before[kind] != now[kind]}


@contextlib.contextmanager
def nothing_left(node, seconds=30):
    """Afterwards there is what there was, at the latest after a danchi gc."""
    before = held(node)
    yield
    try:
        wait_until(lambda: not differences(before, held(node)), "as before", seconds)
    except Failure:
        if node.runtime == "danchi":
            node.machine.danchi("gc")
        left = differences(before, held(node))
        if left:
            raise Failure(f"left, (before, now): {left}") from None
