# SPDX-License-Identifier: Apache-2.0
"""A guest of QEMU's with a virtio-net card and nothing of Danchi: the floor of its networks.

The kernel and drivers are those of Danchi's guests; its init is net-init.c.
"""

import contextlib
import os
import re
import select
import shutil
import subprocess
import tempfile
import time

from floor import make_initramfs
from peers import run

HERE = os.path.dirname(os.path.realpath(__file__))
BUILD = os.environ.get("DN_TEST_BUILD", os.path.join(os.path.dirname(os.path.dirname(HERE)), "build"))
GUEST, HOST, TAP = "10.0.2.15", "10.0.2.2", "bare0"
FORWARDING = "/proc/sys/net/ipv4/ip_forward"
LINE = re.compile(rb"^([\d.]+ [\d.]+ [\d.]+ [\d.]+)\r?$", re.M)


class BareCard:
    KINDS = {"tap": "a tap", "user": "its user network"}
    FORWARDED = 9103

    def __init__(self, kind, accelerator, programs):
        self.kind, self.accelerator = kind, accelerator
        self.work = tempfile.mkdtemp(prefix="danchi-bare-")
        for program in programs:
            shutil.copy(program, self.work)
        self.initramfs = make_initramfs(BUILD, self.work, source="net-init.c", base="initramfs-network.cpio",
                                        more=[os.path.basename(program) for program in programs])
        self.forwarding = None
        if kind == "tap":
            self.make_tap()

    def make_tap(self):
        """The host routes; no rule looks at a packet."""
        run("ip", "tuntap", "add", TAP, "mode", "tap")
        run("ip", "address", "add", f"{HOST}/24", "dev", TAP)
        run("ip", "link", "set", TAP, "up")
        run("ip", "-n", "internet", "route", "replace", "10.0.2.0/24", "via", "192.168.77.2")
        with open(FORWARDING) as file:
            self.forwarding = file.read()
        with open(FORWARDING, "w") as file:
            file.write("1")

    def place(self):
        return (GUEST, 9000) if self.kind == "tap" else ("127.0.0.1", self.FORWARDED)

    def command(self, client):
        with open(f"{BUILD}/images/cmdline") as file:
            line = file.read().strip()
        if client:
            line += f" danchi.client={','.join(client)}"
        card = {"tap": f"tap,id=card,ifname={TAP},script=no,downscript=no,vhost=off",
                "user": f"user,id=card,hostfwd=tcp:127.0.0.1:{self.FORWARDED}-{GUEST}:9000"}[self.kind]
        return ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine",
                "q35,vmport=off,smm=off,hpet=off,i8042=off,sata=off,smbus=off", "-accel", self.accelerator, "-cpu",
                "host" if self.accelerator == "kvm" else "max", "-m", "256", "-kernel", f"{BUILD}/images/vmlinuz",
                "-initrd", self.initramfs, "-append", line, "-netdev", card, "-device",
                "virtio-net-pci-non-transitional,netdev=card", "-serial", "stdio"]

    @contextlib.contextmanager
    def guest(self, client=None):
        process = subprocess.Popen(self.command(client), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        try:
            yield Bare(process)
        finally:
            process.kill()
            process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.work, ignore_errors=True)
        if self.forwarding:
            run("ip", "link", "del", TAP)
            with open(FORWARDING, "w") as file:
                file.write(self.forwarding)


class Bare:
    def __init__(self, process):
        self.process = process

    def client_line(self, seconds=180):
        """What net-client said on the console."""
        text, end = b"", time.monotonic() + seconds
        while b"ready" not in text:
            if not select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0]:
                raise RuntimeError(f"the bare guest says nothing more after {text[-200:]!r}")
            piece = os.read(self.process.stdout.fileno(), 4096)
            if not piece:
                raise RuntimeError(f"the bare guest's QEMU ended: {text[-200:]!r}")
            text += piece
        found = LINE.search(text)
        if not found:
            raise RuntimeError(f"the bare guest's client said nothing: {text[-200:]!r}")
        return found[1].decode()
