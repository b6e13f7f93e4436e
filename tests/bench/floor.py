# SPDX-License-Identifier: Apache-2.0
"""The floor: QEMU by hand, with the kernel, initramfs, root disk and devices of a real guest.

Nothing of Danchi or libvirt takes part; what a start of ours costs above this is ours or libvirt's.
"""

import os
import select
import shutil
import socket
import subprocess
import tempfile
import time

PUMP_BYTES = 256 << 20


def make_initramfs(build, work, source="ready-init.c", base="initramfs.cpio", more=()):
    """Guests' own initramfs with /init replaced: cpio archives may follow one another.

    more: other files of the directory `work` that it has."""
    program = os.path.join(work, "init")
    source = os.path.join(os.path.dirname(os.path.realpath(__file__)), source)
    subprocess.run(["gcc", "-O2", "-static", "-o", program, source], check=True)
    names = "".join(f"{name}\n" for name in ("init", *more)).encode()
    addition = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=names, cwd=work,
                              stdout=subprocess.PIPE, check=True).stdout
    path = os.path.join(work, "initramfs")
    with open(path, "wb") as out:
        with open(f"{build}/images/{base}", "rb") as original:
            shutil.copyfileobj(original, out)
        out.write(addition)
    return path


class Floor:
    def __init__(self, build, accelerator, memory_mib=256):
        self.work = tempfile.mkdtemp(prefix="danchi-floor-")
        self.initramfs = make_initramfs(build, self.work)
        self.build, self.accelerator, self.memory_mib = build, accelerator, memory_mib
        with open(f"{build}/images/cmdline") as file:
            self.cmdline = file.read().strip()

    def close(self):
        shutil.rmtree(self.work, ignore_errors=True)

    def command(self, mode):
        cpu = "host" if self.accelerator == "kvm" else "max"
        port = os.path.join(self.work, "port")
        return [
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
            "-no-reboot", "-machine", "q35,vmport=off,smm=off,hpet=off,i8042=off,sata=off,smbus=off", "-accel",
            self.accelerator, "-cpu", cpu, "-m", str(self.memory_mib), "-sandbox", "on",
            "-kernel", f"{self.build}/images/vmlinuz", "-initrd", self.initramfs,
            "-append", f"{self.cmdline} danchi.bench={mode}",
            "-drive", f"file={self.build}/images/guest.erofs,format=raw,if=none,id=root,"
                      "readonly=on",
            "-device", "virtio-blk-pci-non-transitional,drive=root,serial=root",
            "-device", "virtio-serial-pci-non-transitional",
            "-chardev", f"socket,id=agent,path={port},server=on,wait=off",
            "-device", "virtserialport,chardev=agent,name=org.danchi.bench",
            "-serial", "stdio",
        ]

    def start(self, mode):
        return subprocess.Popen(self.command(mode), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)

    @staticmethod
    def wait_for_ready(qemu, seconds=120):
        text, end = b"", time.monotonic() + seconds
        while b"ready" not in text:
            if not select.select([qemu.stdout], [], [], max(0, end - time.monotonic()))[0]:
                raise RuntimeError(f"the floor's guest never said ready: {text[-500:]!r}")
            piece = os.read(qemu.stdout.fileno(), 4096)
            if not piece:
                raise RuntimeError(f"the floor's QEMU ended: {text[-500:]!r}")
            text += piece

    def time_ready(self):
        """Seconds from starting QEMU to the guest's word."""
        started = time.monotonic()
        qemu = self.start("ready")
        try:
            self.wait_for_ready(qemu)
            return time.monotonic() - started
        finally:
            qemu.kill()
            qemu.wait()

    def serial_throughput(self):
        """Bytes per second out of the guest over a bare virtio-serial port."""
        path = os.path.join(self.work, "port")
        if os.path.exists(path):
            os.unlink(path)  # of the QEMU before
        qemu = self.start("pump")
        try:
            while not os.path.exists(path):
                time.sleep(0.01)
            with socket.socket(socket.AF_UNIX) as port:
                port.connect(path)
                self.wait_for_ready(qemu)
                received, started = 0, time.monotonic()
                while received < PUMP_BYTES:
                    piece = port.recv(1 << 20)
                    if not piece:
                        break
                    received += len(piece)
                return received / (time.monotonic() - started)
        finally:
            qemu.kill()
            qemu.wait()
