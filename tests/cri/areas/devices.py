# SPDX-License-Identifier: Apache-2.0
"""Snapshots that are file systems on devices: the guest mounts them, and not this host."""

import os
import subprocess

from areas import test
from areas.ctr import ctr, run, tasks
from machine import expect, expect_equal, wait_until


def mounted_here(path):
    with open("/proc/self/mountinfo") as file:
        return [line for line in file if path in line]


def begin(node, snapshotter, *more):
    node.snapshots()
    words, name = run(node, "-d", *more)
    words[words.index("--snapshotter") + 1] = snapshotter
    ctr(*words, name, "sh", "-c", "cp /bin/busybox /own; exec sleep 1000")
    return name, node.snapshots().snapshots[snapshotter, name]


def execute(name, script, user="0", status=0):
    return ctr("task", "exec", "--exec-id", f"e{len(script)}-{user}", "--user", user, name, "sh", "-c", script,
               status=status)[0]


def end(name):
    ctr("task", "kill", "-s", "KILL", name)
    wait_until(lambda: tasks().get(name) == "STOPPED", f"{name} ends")
    ctr("task", "delete", name, status=137)


@test("R2.2", "R5.7", seconds=180, only_danchi=True)
def snapshots_on_devices_are_mounted_in_the_guest_alone(node):
    """A file that is to be behind a loop device, as the blockfile snapshotter has it; and a block device, as
    devmapper's are."""
    for snapshotter in "files", "blocks":
        name, snapshot = begin(node, snapshotter, "--user", "0")
        device = snapshot.device or subprocess.run(["losetup", "-nO", "NAME", "-j", snapshot.path], check=True,
                                                   capture_output=True, text=True).stdout.strip()
        expect(os.path.exists(device), f"{snapshotter}: there is no device")
        expect_equal(mounted_here(device + " "), [], f"{snapshotter}: what is mounted of it on this host")
        expect(" / ext4 " in execute(name, "mount | sed 's/.* on / /; s/ type//'"), f"{snapshotter}: its root")
        # Its files are root's there as on the disk, and what another user writes is that one's.
        expect_equal(execute(name, "stat -c %u:%g /bin/busybox /own").split(), ["0:0", "0:0"], "owners")
        execute(name, "mkdir -m 1777 /all")
        execute(name, "echo mine > /all/file; touch /no || exit 0; exit 1", user="1000")
        # No other disk of this host's, or of the guest's, is to be had in the container.
        expect_equal(execute(name, "mknod /d b 254 0 2>/dev/null && dd if=/d count=1; true"), "", "a disk")
        end(name)
        # With the answer to Delete all of it is written, and nobody has the device any more.
        expect_equal(subprocess.run(["e2fsck", "-fn", snapshot.path], capture_output=True).returncode, 0,
                     f"{snapshotter}: the file system as it was left")
        seen = subprocess.run(["debugfs", "-R", "stat /all/file", snapshot.path], capture_output=True, text=True).stdout
        expect("User:  1000" in seen, f"{snapshotter}: whose a file is: {seen}")
        ctr("containers", "rm", name)
        expect(not os.path.exists(snapshot.path), f"{snapshotter}: the snapshot is there")
        left = subprocess.run(["losetup", "-a"], check=True, capture_output=True, text=True).stdout
        expect(snapshot.path not in left, f"{snapshotter}: loop devices that are left: {left}")

    # What the container may not write to is so, on a disk that could be written to.
    name, snapshot = begin(node, "files", "--read-only", "--user", "0")
    execute(name, "echo x > /no || exit 0; exit 1")
    end(name)
    ctr("containers", "rm", name)
