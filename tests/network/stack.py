# SPDX-License-Identifier: Apache-2.0
"""A guest without a machine: its kernel's part is a network namespace of this one, with a card behind
the tap that danchi-gateway made, so that whole programs can be the guest's."""

import contextlib
import fcntl
import os
import select
import struct
import subprocess
import threading

from wire import IFF_NO_PI, IFF_TAP, IFF_VNET_HDR, TUNSETIFF, inside, run

FRAME_MAX = 70000


def open_tap(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
    return fd


class Guest:
    """The addresses are those of the guest's first container."""

    def __init__(self, plan, name):
        self.plan, self.name = plan, name
        self.address4, self.address6 = str(plan.container4(0)), str(plan.container6(0))
        run("ip", "netns", "add", name)
        with inside(name):
            self.card = open_tap("eth0")
        self.tap = open_tap(plan.tap)
        self.set_up()
        self.stop, self.stopping = os.pipe()
        self.thread = threading.Thread(target=self.pump, daemon=True)
        self.thread.start()

    def set_up(self):
        def ip(*words):
            run("ip", "-n", self.name, *words)

        mac = ":".join(f"{byte:02x}" for byte in self.plan.guest_mac)
        host_mac = ":".join(f"{byte:02x}" for byte in self.plan.host_mac)
        with contextlib.suppress(subprocess.CalledProcessError):
            run("ip", "netns", "exec", self.name, "sysctl", "-qw", "net.ipv6.conf.eth0.accept_ra=0")
        ip("link", "set", "lo", "up")
        ip("link", "set", "eth0", "address", mac, "up")
        ip("address", "add", f"{self.address4}/25", "dev", "eth0")
        ip("address", "add", f"{self.address6}/64", "dev", "eth0", "nodad")
        for gateway in self.plan.gateway4, self.plan.gateway6:
            ip("neighbour", "replace", str(gateway), "lladdr", host_mac, "dev", "eth0", "nud", "permanent")
            ip("route", "add", "default", "via", str(gateway))

    def pump(self):
        """QEMU's part: what one end has is the other's."""
        other = {self.tap: self.card, self.card: self.tap}
        while True:
            ready = select.select([self.tap, self.card, self.stop], [], [])[0]
            if self.stop in ready:
                return
            for end in ready:
                for _ in range(64):
                    try:
                        frame = os.read(end, FRAME_MAX)
                    except BlockingIOError:
                        break
                    with contextlib.suppress(OSError):  # full, or down: it is lost, as on any wire
                        os.write(other[end], frame)

    def run(self, *words, **how):
        return subprocess.run(["ip", "netns", "exec", self.name, *words], **how)

    def close(self):
        os.write(self.stopping, b"x")
        self.thread.join()
        for fd in self.tap, self.card, self.stop, self.stopping:
            os.close(fd)
        run("ip", "netns", "del", self.name)
