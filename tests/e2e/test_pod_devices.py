# SPDX-License-Identifier: Apache-2.0
"""Roots of a pod's containers that are block devices of the host's: disks of the guest's, mounted there."""

import concurrent.futures
import contextlib
import json
import os
import shutil
import signal
import struct
import subprocess

from machine import EMULATION, expect, expect_equal, kill9, wait_until
from suite import test
from test_pods import config, pods

USER, WRITE, READ = 0x02, 2, 4
BUSYBOX = "sh", "cat", "id", "sleep", "echo", "ls", "stat", "touch", "mknod", "dd", "chown", "sync"


class Device:
    """A file system in a file behind a loop device, as the shim has one made."""

    def __init__(self, top, name):
        self.image = f"{top}/{name}.img"
        tree = f"{top}/{name}"
        os.makedirs(f"{tree}/bin")
        for directory in "etc", "proc", "dev", "sys", "run", "tmp":
            os.makedirs(f"{tree}/{directory}")
        shutil.copy(shutil.which("busybox"), f"{tree}/bin/busybox")
        for applet in BUSYBOX:
            os.symlink("busybox", f"{tree}/bin/{applet}")
        with open(f"{tree}/etc/name", "w") as file:
            file.write(f"{name}\n")
        os.chown(file.name, 33, 33)
        subprocess.run(["mkfs.ext4", "-qF", "-d", tree, self.image, "24M"], check=True, capture_output=True)
        shutil.rmtree(tree)
        self.path = subprocess.run(["losetup", "-f", "--show", self.image], check=True, capture_output=True,
                                   text=True).stdout.strip()

    def free(self):
        subprocess.run(["losetup", "-d", self.path], check=True)

    def users(self):
        """The uids that its ACL names, and what they may."""
        try:
            value = os.getxattr(self.path, "system.posix_acl_access")
        except OSError:
            return {}
        return {uid: rights for tag, rights, uid in struct.iter_unpack("<HHI", value[4:]) if tag == USER}

    def opens_for(self, uid, flag="rb"):
        """Whether that user, with no other right, gets at it, as a QEMU that was taken over would try."""
        done = subprocess.run(["python3", "-c", f"open({self.path!r}, {flag!r}).read(1)"], user=uid, group=uid,
                              extra_groups=[], capture_output=True)
        return done.returncode == 0

    def check(self):
        """Whether all is written that was to be, and the file system as after an unmounting."""
        subprocess.run(["e2fsck", "-fn", self.image], check=True, capture_output=True)

    def look(self, path):
        """What the disk says, without anybody's having mounted it."""
        done = subprocess.run(["debugfs", "-R", f"stat {path}", self.image], capture_output=True, text=True)
        words = done.stdout.split()
        return int(words[words.index("User:") + 1]) if "User:" in words else None

    def read(self, path):
        return subprocess.run(["debugfs", "-R", f"cat {path}", self.image], capture_output=True, text=True).stdout


@contextlib.contextmanager
def devices(machine, *names):
    top = f"{machine.state}-roots"
    os.makedirs(top)
    made = []
    try:
        for name in names:
            made.append(Device(top, name))
        yield made
    finally:
        for device in made:
            device.free()
        shutil.rmtree(top)


def run(one, pod, name, device, document, readonly=False):
    made = one.ok("pod-container-create", {"pod": pod, "id": name, "config": document, "root_device": device.path,
                                           "root_device_is_readonly": readonly})
    one.ok("container-start", {"container": made["id"]})
    return made["id"]


def uid_of(pid):
    return os.stat(f"/proc/{pid}").st_uid


@test("R2.2", "R4.1", "R5.11")
def a_root_on_a_device_is_the_guests_disk_and_nobody_elses(machine):
    with devices(machine, "one", "two", "other") as (first, second, other), pods(machine) as one:
        made = one.create("p1", block_roots=2)
        uid = uid_of(made["guest"]["qemu_pid"])
        a = run(one, "p1", "c1", first, config("sh", "-c", "cat /etc/name; id -u; sleep 1000"))
        b = run(one, "p1", "c2", second, config("sleep", "1000", uid=1000), readonly=True)

        def sh(container, script):
            return machine.out("exec", container, "sh", "-c", script)
        wait_until(lambda: machine.out("logs", a).split() == ["one", "0"], "what the container says")
        # Owners are the container's own; and what the host gave read-only is.
        expect_equal(sh(a, "stat -c %u:%g /etc/name; echo x > /new; chown 7:8 /new; stat -c %u:%g /new").split(),
                     ["33:33", "7:8"], "owners")
        expect("Read-only" in machine.danchi("exec", "--user", "0", b, "touch", "/x", check=False).stderr,
               "a read-only device can be written")
        # The guest has two disks of these, and the container none; no node on a root would be one.
        expect("not permitted" in sh(a, "mknod /disk b 254 0 2>&1 || true"), "a device can be made")
        expect_equal(sh(a, "ls /sys/block/*/serial >/dev/null 2>&1; ls /dev/vd* 2>/dev/null || true"), "", "disks")
        # On the host each is its guest's uid's, with the rights that were asked for, and no other.
        expect_equal([device.users() for device in (first, second, other)],
                     [{uid: READ | WRITE}, {uid: READ}, {}], "ACLs of the devices")
        expect(first.opens_for(uid) and first.opens_for(uid, "rb+"), "the guest's uid does not get at its disk")
        expect(second.opens_for(uid) and not second.opens_for(uid, "rb+"), "rights at a read-only disk")
        expect(not other.opens_for(uid), "the guest's uid gets at another disk")
        # Ports are as many as the pod was made with.
        one.refused("pod-container-create", {"pod": "p1", "id": "no", "config": config("sh"), "rootfs": "/x",
                                             "root_device": other.path}, "usage")
        for path in other.image, "/dev/null", "/dev/../etc/passwd", "/dev/no-such":
            answer = one.ask("pod-container-create", {"pod": "p1", "id": "no", "config": config("sh"),
                                                      "root_device": path})
            expect(answer.error is not None, f"{path} goes through")
        third = one.ok("pod-container-create", {"pod": "p1", "id": "c3", "config": config("sh"),
                                                "root_device": other.path})["id"]
        one.refused("container-start", {"container": third}, "ports")
        expect_equal(other.users(), {}, "an ACL of what could not be attached")
        one.ok("container-remove", {"container": third})

        # danchid goes and comes; whoever is in the guest stays, and its device is let go of all the same.
        kill9(machine.daemon.pid)
        machine.daemon.wait()
        machine.start()
        sh(a, "echo after > /after")
        promised = machine.danchi("--format", "json", "verify", check=False, timeout=120)
        broken = [line for line in json.loads(promised.stdout) if line["verdict"] != "ok"]
        expect_equal((promised.status, broken), (0, []), "what verify finds")
        one.ok("container-remove", {"container": a, "force": True})
        # When that is answered all is on the disk, the guest has it no more, and nobody a right to it.
        expect_equal((first.users(), first.opens_for(uid)), ({}, False), "rights at a disk that was given back")
        first.check()
        expect_equal((first.look("/new"), first.read("/after")), (7, "after\n"), "what is on the disk")
        # Its port is free again.
        again = run(one, "p1", "c4", first, config("sleep", "1000"))
        expect_equal(sh(again, "cat /after"), "after", "what the next one finds")
        # A pod that is removed as it is leaves nobody a right, either.
        expect(one.remove("p1"), "the pod was not there")
        expect_equal([device.users() for device in (first, second)], [{}, {}], "ACLs after the pod")
        expect_equal(second.look("/x"), None, "what was written to a read-only disk")


@test("R2.2", "R5.14", only=EMULATION)
def a_guest_that_does_not_let_go_of_its_root_is_ended(machine):
    """libvirt does not answer: to danchid it is all one who it is that does not give the disk back."""
    with devices(machine, "one") as (device,), pods(machine) as one:
        made = one.create("p1", block_roots=1)
        qemu = made["guest"]["qemu_pid"]
        uid = uid_of(qemu)
        container = run(one, "p1", "c1", device, config("sh", "-c", "echo kept > /kept; sleep 1000"))
        wait_until(lambda: machine.danchi("exec", container, "cat", "/kept", check=False).stdout == "kept\n",
                   "the container runs")
        with open("/run/danchi-host/libvirtd.pid") as file:
            libvirtd = int(file.read().split()[0])
        os.kill(libvirtd, signal.SIGSTOP)
        try:
            with concurrent.futures.ThreadPoolExecutor() as pool:
                answer = pool.submit(one.ask, "container-remove", {"container": container, "force": True})
                wait_until(lambda: not os.path.exists(f"/proc/{qemu}"), "the guest is ended", 50)
                os.kill(libvirtd, signal.SIGCONT)
                expect(answer.result(30).ok is not None, f"the removal: {answer.result().error}")
        finally:
            os.kill(libvirtd, signal.SIGCONT)
        expect_equal((device.users(), device.opens_for(uid)), ({}, False), "rights at the disk")
        device.check()
        expect_equal(device.read("/kept"), "kept\n", "what was written")
        # The pod is told of as one whose guest has ended.
        one.refused("container-start", {"container": one.ok("pod-container-create", {
            "pod": "p1", "id": "c2", "config": config("sh"), "root_device": device.path})["id"]}, "has ended")
