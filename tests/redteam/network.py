# SPDX-License-Identifier: Apache-2.0
"""A card in the wrong hands: a container's, and the guest root's, which first takes the guest's own rules
away.  Around it are a small internet, servers at all of the host's addresses, and another guest."""

import contextlib
import os
import re
import socket
import sys
import threading
import time

from machine import Failure, expect, expect_equal, wait_until

TESTS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.append(os.path.join(TESTS, "network"))
from wire import Internet, output  # noqa: E402

# Of spoof.h; so many forged frames spoof.c has.
MARK, HONEST, FORGED = b"redteam-spoof", b"redteam-honest", 19
PORTS = (22, 111, 2375, 5900, 9090, 10250, 16509)


@contextlib.contextmanager
def host_servers():
    """Management interfaces, as a careless host has them."""
    with contextlib.ExitStack() as stack:
        for family in socket.AF_INET, socket.AF_INET6:
            for port in PORTS:
                server = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
                if family == socket.AF_INET6:
                    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                server.bind(("", port))
                server.listen()
        yield


class Sniffer:
    """The forged and the honest frames that a device of the host's receives and sends, seen before any
    rule looks at them."""

    def __init__(self, device):
        self.marked, self.honest, self.received = [], 0, 0
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((device, 0))
        # A scan's packets would fill what the kernel keeps for it.
        threading.Thread(target=self.take, daemon=True).start()

    def take(self):
        with contextlib.suppress(OSError):  # of a device that has gone
            while True:
                frame, address = self.socket.recvfrom(70000)
                self.honest += HONEST in frame
                if MARK in frame:
                    self.marked.append(frame)
                    # The other way go refusals, which quote what they refuse.
                    self.received += address[2] != socket.PACKET_OUTGOING


def state_of_host():
    """What a guest's lies could change."""
    return "\n".join(output("ip", *words) for words in (
        ("address",), ("route",), ("-6", "route"), ("neighbour", "show", "nud", "permanent")))


def is_lasting(text):
    """Without the counters and times that change by themselves."""
    return re.sub(r"\d+sec|expires \S+", "", text)


class CardTest:
    def __init__(self, machine, image):
        self.machine, self.image = machine, image
        self.internet = None

    def start(self, context):
        machine = self.machine
        machine.danchi("context", "create", "--tenant", "acme", "--stage", "test", "--tier", "backend", context)
        with open(f"{machine.config}/contexts.d/{context}.conf", "a") as file:
            file.write("[network]\nmode = egress\n")
        machine.danchi("run", "-d", "--name", context, "--context", context, self.image, "--neighbour")
        return machine.inspect(context)["guest"]

    def run(self, read_console):
        """Returns: the lines of the guest's root, as the probe prints them."""
        machine = self.machine
        self.internet = Internet(is_default=False)
        try:
            with host_servers():
                other = self.start("card-bystander")
                sniffers = {"the other guest's tap": Sniffer(other["tap"]), "the uplink": Sniffer("up0")}
                guest = self.start("red-network")
                tap = Sniffer(guest["tap"])
                before = is_lasting(state_of_host())
                self.ask_container()
                text = self.await_card(read_console, guest["id"], [tap, *sniffers.values()])
                expect_equal(re.findall(r"redteam-spoof\t(-?\d+)\t(-?\d+)", text), [("0", str(FORGED))],
                             "rules taken away, and forged frames sent")
                self.judge(tap, sniffers)
                expect_equal(is_lasting(state_of_host()), before, "the host's addresses, routes and neighbours")
            for context in "red-network", "card-bystander":
                machine.danchi("context", "rm", "-f", context)
            return re.findall(r"redteam\t(networks\.\S+)\t(\S+)\t(\S+)", text)
        finally:
            self.internet.end()

    @staticmethod
    def await_card(read_console, guest, sniffers):
        def is_used():
            return "redteam-spoof" in read_console(guest) and sniffers[0].honest >= 2
        try:
            wait_until(is_used, "the guest's root has used the card", 150)
        except Failure as failure:
            seen = [(one.honest, len(one.marked)) for one in sniffers]
            raise Failure(f"{failure}; honest and forged: {seen}\n{read_console(guest).strip()[-1500:]}") from failure
        time.sleep(0.5)
        return read_console(guest)

    def ask_container(self):
        done = self.machine.danchi("exec", "red-network", "/redteam-probe", "networks", check=False, timeout=120)
        lines = [line.split("\t") for line in done.stdout.splitlines() if line.count("\t") == 2]
        bad = [" ".join(line) for line in lines if line[1] not in ("refused", "permitted")]
        expect(len(lines) == self.count() and not bad, f"from a container: {bad or done.stdout + done.stderr}")

    def count(self):
        return sum(line.startswith("networks.") for line in self.machine.probe_list)

    @staticmethod
    def judge(tap, sniffers):
        # Each left the guest, or nothing is shown by its not having come further.
        expect_equal(tap.received, FORGED, "forged frames at the guest's own tap")
        for name, sniffer in sniffers.items():
            expect(not sniffer.marked, f"{name} has {[frame.hex() for frame in sniffer.marked]}")
        expect(sniffers["the uplink"].honest >= 2, "the honest ones have not come out")
