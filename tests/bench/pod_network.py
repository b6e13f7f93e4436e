#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`make bench`: what a pod's network costs, beside the same guest's card without CNI, and a plain namespace.

    pod_network.py [--rounds N] [--seconds N]     in a cell

One machine, one connection, the same two programs everywhere (tests/images/net-server.c and net-client.c).  A
card that CNI's bridge has made and a guest takes the place of, the card of a guest of Danchi's own network, one
of QEMU's by hand at a tap: what these differ by is not the guest's.  Then runc's pod, where there is no guest.

They take turns, and the best of the rounds is shown: other work on the machine makes a round slower and none
quicker.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [HERE] + [os.path.join(TESTS, name) for name in ("network", "cri", "e2e")]
from bare_card import BareCard  # noqa: E402
from client import CriError  # noqa: E402
from network import PORT, TO, Table, build  # noqa: E402
from node import Node  # noqa: E402
from peers import CannotRun  # noqa: E402
from suite import image  # noqa: E402
from test_network import networked  # noqa: E402
from wire import Internet  # noqa: E402

BRIDGE = "10.89.0.1"


class Best:
    """Of several lines of net-client's."""

    def __init__(self):
        self.rows = {}

    def add(self, name, line):
        numbers = [float(word) for word in line.split()]
        if len(numbers) != 4:
            raise CannotRun(f"its client said '{line}'")
        best = self.rows.setdefault(name, numbers)
        self.rows[name] = [min(pair) if place == 2 else max(pair) for place, pair in enumerate(zip(best, numbers))]

    def print(self, table, is_out):
        for name, numbers in self.rows.items():
            table.row(name, " ".join(map(str, numbers)), is_out)


class Subjects:
    """What is measured, all of it there at the same time."""

    def __init__(self, node, table, programs, ends):
        self.node, self.table, self.programs = node, table, programs
        self.accelerator = node.machine.accelerator
        self.ins, self.outs = Best(), Best()
        self.pods = {}
        for runtime, name in (("danchi", f"Danchi: a pod at CNI's bridge ({self.accelerator})"),
                              ("runc", "runc: a pod at CNI's bridge")):
            pod = ends.enter_context(node.pod(runtime=runtime))
            self.pods[name] = pod, pod.run("net-server", str(PORT))
        context = ends.enter_context(networked(node.machine, "mode = egress"))
        self.box = node.machine.danchi("run", "-d", "--context", context, image(node.machine), "sleep", "100000",
                                       timeout=300).stdout.strip()

    def ask(self, place):
        """By a client of the node's, once the server answers."""
        words = [self.programs[1], *self.table.words(place)]
        for _ in range(300):
            done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=120)
            if done.returncode == 0:
                return done.stdout
            time.sleep(0.1)
        raise CannotRun(f"{place} does not answer")

    def measure_pods(self):
        """To them from the node, as kubelet's probes and services come, and from them to the node."""
        for name, (pod, container) in self.pods.items():
            self.ins.add(name, self.ask(pod.status().network.ip))
            self.outs.add(name, container.execute("net-client", *self.table.words(BRIDGE), timeout=120))

    def measure_own(self):
        """From it alone: nobody but danchi-publish reaches such a guest from outside."""
        done = self.node.machine.danchi("exec", self.box, "net-client", *self.table.words(TO), timeout=300)
        self.outs.add(f"Danchi: its own network ({self.accelerator})", done.stdout)

    def measure_bare(self):
        name = f"QEMU by hand: a tap ({self.accelerator})"
        with BareCard("tap", self.accelerator, self.programs) as bare:
            with bare.guest():
                self.ins.add(name, self.ask(bare.place()[0]))
            with bare.guest(self.table.words(TO)) as guest:
                self.outs.add(name, guest.client_line())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1)
    options = parser.parse_args()
    internet = Internet()
    node = Node()
    node.start()
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as ends:
        os.chmod(directory, 0o755)
        ends.callback(internet.end)
        ends.callback(node.end)
        programs = build(directory)
        table = Table(programs[1], options.seconds)
        for place in [], ["ip", "netns", "exec", "internet"]:
            server = subprocess.Popen([*place, programs[0], str(PORT)])
            ends.callback(server.wait)
            ends.callback(server.kill)
        subjects = Subjects(node, table, programs, ends)
        for _ in range(options.rounds):
            subjects.measure_pods()
            subjects.measure_own()
            subjects.measure_bare()
        table.title(f"pods' network, best of {options.rounds} rounds: to a server inside")
        subjects.ins.print(table, False)
        table.title("from a client inside")
        subjects.outs.print(table, True)


if __name__ == "__main__":
    try:
        main()
    except CriError as error:
        sys.exit(f"pods' network: {error}")
