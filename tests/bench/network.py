#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a network costs: TCP in and out, a byte's way there and back, connections a second.

    network.py [--seconds N]     in a cell

On one machine, one after the other, measured by the same two programs (tests/images/net-server.c and
net-client.c): a server that this host's clients reach, in a namespace, behind danchi-publish, in a
container of Danchi's and of others, in a guest of QEMU's without any of it; then a client in each of
them with a server of a small internet.  What does not run here says why.
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
sys.path[:0] = [HERE] + [os.path.join(TESTS, name) for name in ("network", "e2e")]
import publish as pub  # noqa: E402
from bare_card import BareCard  # noqa: E402
from machine import Failure, Machine  # noqa: E402
from network_peers import PODMAN_NETWORKS, Pasta, Podman  # noqa: E402
from peers import CannotRun  # noqa: E402
from suite import image  # noqa: E402
from test_network import networked  # noqa: E402
from wire import Internet  # noqa: E402

PORT = 9000
TO = Internet.PUBLIC[0]
WHERE = "127.0.0.1"


class Table:
    """Rows, each printed as soon as it is known."""

    def __init__(self, client, seconds):
        self.client, self.seconds = client, str(seconds)

    def title(self, words):
        print(f"\n{words:<52} {'in MB/s':>8} {'out MB/s':>8} {'there+back µs':>13} {'conn./s':>8}", flush=True)

    @contextlib.contextmanager
    def reasons(self, name):
        """A row of what cannot run: its reason."""
        try:
            yield
        except (CannotRun, Failure, OSError, RuntimeError, subprocess.SubprocessError) as error:
            print(f"{name:<52} {str(error).splitlines()[0][:120]}", flush=True)

    def row(self, name, line, is_out=False):
        """line: net-client's. A client inside sees the two directions the other way round."""
        numbers = [float(word) for word in line.split()]
        if len(numbers) != 4:
            raise CannotRun(f"its client said '{line}'")
        if is_out:
            numbers[:2] = numbers[1::-1]
        print(f"{name:<52} {numbers[0]:>8.0f} {numbers[1]:>8.0f} {numbers[2]:>13.0f} {numbers[3]:>8.0f}", flush=True)

    def words(self, place, port=PORT):
        return [place, str(port), self.seconds]

    def ask(self, name, place, port):
        """By a client of this host's, once the server answers."""
        for _ in range(200):
            done = subprocess.run([self.client, place, str(port), "0.001"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
            if done.returncode == 0:
                break
            time.sleep(0.1)
        done = subprocess.run([self.client, *self.words(place, port)], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=300)
        if done.returncode != 0:
            raise CannotRun(f"it does not answer: {done.stderr.strip()}")
        self.row(name, done.stdout)


def build(directory):
    """net-server and net-client, for whoever runs them."""
    made = []
    for name in "net-server", "net-client":
        made.append(os.path.join(directory, name))
        subprocess.run(["gcc", "-O2", "-static", "-o", made[-1], os.path.join(TESTS, "images", f"{name}.c")],
                       check=True)
    return made


def measure_host(table, server):
    here = subprocess.Popen([server, str(PORT)])
    table.ask("this host itself, loopback", WHERE, PORT)
    here.kill()
    here.wait()
    pub.make_guest()
    there = subprocess.Popen(["ip", "netns", "exec", "guest", server, str(PORT)])
    table.ask("a network namespace behind a card", pub.GUEST4, PORT)
    with pub.Publisher() as publisher:
        table.ask("the same, by danchi-publish", *publisher.add(pub.GUEST4, PORT))
    there.kill()
    pub.remove_guest()


def measure_danchi(table):
    """Returns: what its client said of the way out, for the table's second half."""
    machine = Machine("bench-network")
    machine.start()
    try:
        with networked(machine, "mode = egress") as name:
            box = machine.danchi("run", "-d", "--context", name, "-p", f"{PORT + 2}:{PORT}", image(machine),
                                 "net-server", str(PORT), timeout=300).stdout.strip()
            table.ask(f"Danchi: a container in a guest ({machine.accelerator}), published", WHERE, PORT + 2)
            return machine.accelerator, machine.danchi("exec", box, "net-client", *table.words(TO), timeout=300).stdout
    finally:
        machine.stop()


def measure_podman(table, network, programs, rows):
    name = f"podman, {PODMAN_NETWORKS[network]}"
    with table.reasons(name), Podman(network, programs) as peer:
        peer.serve(PORT)
        table.ask(f"{name}, published", WHERE, peer.port)
        rows.append((name, peer.client(table.words(TO))))


def measure_pasta(table, programs, rows):
    name = "pasta by itself (this podman has no driver for it)"
    with table.reasons(name), Pasta(programs) as peer:
        peer.serve(PORT)
        table.ask(name, WHERE, peer.port)
        rows.append((name, peer.client(table.words(TO))))


def measure_bare(table, kind, accelerator, programs, rows):
    name = f"QEMU by hand ({accelerator}), virtio-net, {BareCard.KINDS[kind]}"
    with table.reasons(name), BareCard(kind, accelerator, programs) as bare:
        with bare.guest():
            table.ask(name, *bare.place())
        with bare.guest(table.words(TO)) as guest:
            rows.append((name, guest.client_line()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2)
    seconds = parser.parse_args().seconds
    internet = Internet()
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        programs = build(directory)
        table, rows = Table(programs[1], seconds), []
        table.title("network: to a server inside")
        measure_host(table, programs[0])
        far = subprocess.Popen(["ip", "netns", "exec", "internet", programs[0], str(PORT)])
        accelerator, line = measure_danchi(table)
        rows.append((f"Danchi: a container in a guest ({accelerator}), egress", line))
        for kind in BareCard.KINDS:
            measure_bare(table, kind, accelerator, programs, rows)
        for network in PODMAN_NETWORKS:
            measure_podman(table, network, programs, rows)
        measure_pasta(table, programs, rows)
        table.title("network: from a client inside to a small internet")
        here = subprocess.run([programs[1], *table.words(TO)], stdout=subprocess.PIPE, text=True, check=True)
        table.row("this host itself", here.stdout, is_out=True)
        for name, line in rows:
            with table.reasons(name):
                table.row(name, line, is_out=True)
        far.kill()
    internet.end()


if __name__ == "__main__":
    main()
