# SPDX-License-Identifier: Apache-2.0
"""Snapshots that are file systems on devices: the guest mounts them, and not this host."""

import itertools
import os
import shutil
import subprocess

from areas import test
from areas.ctr import ctr, tasks
from machine import TOP, expect, expect_equal, wait_until

NAME = "docker.io/danchi/of-root:test"
numbers = itertools.count(1)


def mounted_here(path):
    with open("/proc/self/mountinfo") as file:
        return [line for line in file if path in line]


def load(node):
    """An image whose user is root: ctr has no option for another."""
    if NAME in ctr("images", "ls", "-q")[0]:
        return
    root = os.path.join(node.directory, "root-of-root")
    os.makedirs(f"{root}/bin")
    shutil.copy("/bin/busybox", f"{root}/bin/busybox")
    for applet in "sh", "sleep", "mount", "stat", "cp", "chown", "mknod", "dd", "echo", "mkdir", "touch":
        os.symlink("busybox", f"{root}/bin/{applet}")
    subprocess.run([f"{TOP}/tests/images/make-image.py", root, f"{root}.tar", "docker", "--name", NAME, "--cmd",
                    "/bin/sh"], check=True, capture_output=True)
    ctr("images", "import", f"{root}.tar")


def begin(node, snapshotter, *more):
    load(node)
    name = f"on-device-{next(numbers)}"
    ctr("run", "-d", "--runtime", "io.containerd.danchi.v2", "--snapshotter", snapshotter, *more, NAME, name, "sleep",
        "1000")
    return name, node.snapshots_beside.named(snapshotter, name)


def execute(name, script, status=0):
    return ctr("task", "exec", "--exec-id", f"e{len(script)}", name, "sh", "-c", script, status=status)[0]


def end(name):
    ctr("task", "kill", "-s", "KILL", name)
    wait_until(lambda: tasks().get(name) == "STOPPED", f"{name} ends")
    ctr("task", "delete", name)


def device_of(snapshotter, snapshot):
    device = snapshot.device or subprocess.run(["losetup", "-nO", "NAME", "-j", snapshot.path], check=True,
                                               capture_output=True, text=True).stdout.strip()
    expect(os.path.exists(device), f"{snapshotter}: there is no device")
    expect_equal(mounted_here(device + " "), [], f"{snapshotter}: what is mounted of it on this host")
    return device


def remove(name, snapshotter, snapshot):
    ctr("containers", "rm", name)
    wait_until(lambda: not os.path.exists(snapshot.path), f"{snapshotter}: the snapshot is removed", 30)
    left = subprocess.run(["losetup", "-a"], check=True, capture_output=True, text=True).stdout
    expect(snapshot.path not in left, f"{snapshotter}: loop devices that are left: {left}")


@test("R2.2", "R5.7", seconds=180, only_danchi=True, not_crio="has no snapshotters")
def a_snapshot_in_a_file_is_mounted_in_the_guest_alone(node):
    """As the blockfile snapshotter has it: mount option "loop"."""
    name, snapshot = begin(node, "files")
    device_of("files", snapshot)
    expect(" / ext4 " in execute(name, "mount | sed 's/.* on / /; s/ type//'"), "its root")
    # Its files are root's there as on the disk, and what is another user's is that one's.
    execute(name, "cp /bin/busybox /own; mkdir /all; echo mine > /all/file; chown 1000:1000 /all/file")
    expect_equal(execute(name, "stat -c %u:%g /bin/busybox /own").split(), ["0:0", "0:0"], "owners")
    # No other disk of this host's, or of the guest's, is to be had in the container.
    expect_equal(execute(name, "mknod /d b 254 0 2>/dev/null && dd if=/d count=1; true"), "", "a disk")
    end(name)
    # With the answer to Delete all of it is written, and nobody has the device any more.
    expect_equal(subprocess.run(["e2fsck", "-fn", snapshot.path], capture_output=True).returncode, 0,
                 "the file system as it was left")
    seen = subprocess.run(["debugfs", "-R", "stat /all/file", snapshot.path], capture_output=True, text=True).stdout
    expect("User:  1000" in seen, f"whose a file is: {seen}")
    remove(name, "files", snapshot)


@test("R2.2", "R5.7", seconds=180, only_danchi=True, not_crio="has no snapshotters")
def a_snapshot_on_a_device_is_nobody_elses_while_a_guest_has_it(node):
    """As the devmapper snapshotter has it; and a root that is read-only on it."""
    name, snapshot = begin(node, "blocks", "--read-only")
    device = device_of("blocks", snapshot)
    execute(name, "echo x > /no || exit 0; exit 1")
    # ctr looks users up in a snapshot by mounting it: of what a guest has, nobody does.
    _, err = ctr("task", "exec", "--exec-id", "u", "--user", "1000", name, "true", status=1)
    expect("busy" in err, err)
    end(name)
    # Its maker can take it away now, which fails with whoever has it open.
    subprocess.run(["mount", "-o", "ro", device, "/mnt"], check=True)
    expect(not os.path.exists("/mnt/no"), "what was written to a read-only root")
    subprocess.run(["umount", "/mnt"], check=True)
    remove(name, "blocks", snapshot)
