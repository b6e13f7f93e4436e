#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Roots that are on a block device, or in a file behind a loop device: for the guest to mount."""

import os
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../network")]
from harness import main, test  # noqa: E402
from pods import MEMBER, SANDBOX  # noqa: E402
from ttrpc import pb  # noqa: E402
from world import Task, World, eventually, fails  # noqa: E402


def loop_of(path):
    """The loop devices that the file is behind."""
    done = subprocess.run(["losetup", "-nO", "NAME", "-j", path], check=True, capture_output=True, text=True)
    return done.stdout.split()


def made_with(lab, name):
    return next(args for verb, args in lab.danchid.requests if verb == "pod-container-create" and args["id"] == name)


@test()
def a_root_on_a_device_goes_to_the_guest_and_is_mounted_nowhere(lab):
    image = f"{lab.directory}/image"
    subprocess.run(["mkfs.ext4", "-q", image, "4M"], check=True)
    mount = pb.Mount(type="ext4", source=image, options=["rw", "loop"])
    lab.bundle("l1", ("sleep", "1000"))
    task = Task(lab, "l1", lab.connect(lab.start("l1")), rootfs=[mount])
    device, = loop_of(image)
    made = made_with(lab, "l1")
    assert (made["root_device"], made["root_device_is_readonly"]) == (device, False) and "rootfs" not in made, made
    assert next(args for verb, args in lab.danchid.requests if verb == "pod-create")["block_roots"] == 1
    assert os.listdir(f"{lab.directory}/bundles/l1/rootfs") == []
    # Nobody mounts on the host what a guest has, as nobody mounts a mounted device twice.
    done = subprocess.run(["mount", "-t", "ext4", device, f"{lab.directory}/bundles/l1/rootfs"], capture_output=True)
    assert done.returncode != 0 and b"busy" in done.stderr, done
    # The device is there until danchid has said that the guest has it no more.
    lab.danchid.faults["pod-remove"] = event = threading.Event()
    task.kill(9)
    deletion = threading.Thread(target=task.delete)
    deletion.start()
    eventually(lambda: "pod-remove" in lab.danchid.verbs(), "the guest's end is asked for")
    assert loop_of(image) == [device]
    event.set()
    deletion.join(10)
    assert loop_of(image) == []
    del lab.danchid.faults["pod-remove"]
    task.shutdown()

    # A block device is taken as it is, by its own name; a read-only one is said to be.
    shown = subprocess.run(["losetup", "-f", "--show", image], check=True, capture_output=True, text=True)
    device = shown.stdout.strip()
    try:
        link = f"{lab.directory}/snapshot"
        os.symlink(device, link)
        lab.bundle("d1", ("sleep", "1000"))
        snapshot = pb.Mount(type="ext4", source=link, options=["ro", "discard"])
        task = Task(lab, "d1", lab.connect(lab.start("d1")), rootfs=[snapshot])
        made = made_with(lab, "d1")
        assert (made["root_device"], made["root_device_is_readonly"]) == (device, True), made
        task.kill(9)
        task.delete()
        task.shutdown()
        assert loop_of(image) == [device]
        # One that this host has mounted is refused, and nothing is asked of danchid.
        place = f"{lab.directory}/mounted"
        os.mkdir(place)
        subprocess.run(["mount", "-t", "ext4", device, place], check=True)
        lab.bundle("m1", ("sleep", "1000"))
        asked = len(lab.danchid.requests)
        task = Task(lab, "m1", lab.connect(lab.start("m1")), streams="", creates=False, rootfs=[snapshot])
        assert "in use" in fails(2, task.create)
        assert lab.danchid.verbs()[asked:] == []
        subprocess.run(["umount", place], check=True)
    finally:
        subprocess.run(["losetup", "-d", device], check=True)

    # What guests have no driver for is mounted here, as ever.
    lab.bundle("x1", ("sleep", "1000"))
    task = Task(lab, "x1", lab.connect(lab.start("x1")), streams="", creates=False,
                rootfs=[pb.Mount(type="ext4", source=f"{lab.directory}/none", options=["loop"])])
    assert "none" in fails(2, task.create)
    assert loop_of(image) == []


@test()
def loop_devices_of_a_shim_that_is_killed_go_with_its_pod(lab):
    images = [f"{lab.directory}/{name}" for name in ("p1", "c1", "q1")]
    for image in images:
        subprocess.run(["mkfs.ext4", "-q", image, "4M"], check=True)
    mounts = [pb.Mount(type="ext4", source=image, options=["loop"]) for image in images]
    lab.bundle("p1", annotations=SANDBOX, network="/run/netns/x")
    lab.bundle("c1", ("sleep", "1000"), annotations=MEMBER)
    lab.bundle("q1", ("sleep", "1000"))
    sandbox = Task(lab, "p1", lab.connect(lab.start("p1")), streams="", rootfs=[mounts[0]])
    assert next(args for verb, args in lab.danchid.requests if verb == "pod-create")["block_roots"] == 16
    # The sandbox's own root is nobody's: no process runs in it.
    assert loop_of(images[0]) == []
    Task(lab, "c1", lab.connect(lab.start("c1")), rootfs=[mounts[1]])
    other = Task(lab, "q1", lab.connect(lab.start("q1")), rootfs=[mounts[2]])
    assert [len(loop_of(image)) for image in images] == [0, 1, 1]
    os.kill(sandbox.shim_pid, 9)
    # A container's own delete takes nothing from a guest that may be there still; the pod's does.
    lab.delete("c1")
    assert [len(loop_of(image)) for image in images] == [0, 1, 1]
    lab.delete("p1")
    assert [len(loop_of(image)) for image in images] == [0, 0, 1]
    other.kill(9)
    other.delete()
    assert loop_of(images[2]) == []
    other.shutdown()


if __name__ == "__main__":
    sys.exit(main(World))
