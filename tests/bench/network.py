#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a published port costs: TCP in and out, a byte's way there and back, connections a second.

    network.py [--seconds N]     in a cell

On one machine, one after the other: a server of this host's, one in a network namespace behind a
card, the same by danchi-publish, and one in a container of a guest by a published port.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), name) for name in ("network", "e2e")]
import publish as pub  # noqa: E402
from machine import Machine  # noqa: E402
from suite import image  # noqa: E402

PORT = 9000
BLOCK = bytes(1 << 20)


def connect(where, wish):
    client = socket.create_connection(where, 30)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.sendall(wish)
    return client


def send(where, seconds):
    """MB/s, until the other end has all of it."""
    with connect(where, b"d") as client:
        start, size = time.monotonic(), 0
        while time.monotonic() - start < seconds:
            client.sendall(BLOCK)
            size += len(BLOCK)
        client.shutdown(socket.SHUT_WR)
        client.recv(1)
        return size / 1e6 / (time.monotonic() - start)


def receive(where, seconds):
    with connect(where, b"s") as client:
        start, size = time.monotonic(), 0
        while time.monotonic() - start < seconds:
            size += len(client.recv(1 << 20))
        return size / 1e6 / (time.monotonic() - start)


def round_trip(where, seconds):
    """Microseconds, the median."""
    with connect(where, b"e") as client:
        end, taken = time.monotonic() + seconds, []
        while time.monotonic() < end:
            start = time.monotonic()
            client.sendall(b"x")
            client.recv(1)
            taken.append(time.monotonic() - start)
        return statistics.median(taken) * 1e6


def connections(where, seconds):
    start, count = time.monotonic(), 0
    while time.monotonic() - start < seconds:
        with connect(where, b"ex") as client:
            client.recv(1)
        count += 1
    return count / (time.monotonic() - start)


def row(name, where, seconds):
    for _ in range(300):
        try:
            with connect(where, b"ex") as client:
                if client.recv(1) == b"x":
                    break
        except OSError:
            pass
        time.sleep(0.1)
    print(f"{name:<44} {send(where, seconds):>8.0f} {receive(where, seconds):>8.0f} "
          f"{round_trip(where, seconds):>9.0f} {connections(where, seconds):>8.0f}", flush=True)


def build_server(directory):
    server = os.path.join(directory, "net-server")
    subprocess.run(["gcc", "-O2", "-static", "-o", server,
                    os.path.join(os.path.dirname(HERE), "images", "net-server.c")], check=True)
    return server


def measure_host(server, seconds):
    here = subprocess.Popen([server, str(PORT)])
    row("this host itself, loopback", ("127.0.0.1", PORT), seconds)
    here.kill()
    pub.make_guest()
    there = subprocess.Popen(["ip", "netns", "exec", "guest", server, str(PORT)])
    row("a network namespace behind a card", (pub.GUEST4, PORT), seconds)
    with pub.Publisher() as publisher:
        row("the same, by danchi-publish", publisher.add(pub.GUEST4, PORT), seconds)
    there.kill()
    pub.remove_guest()


def measure_guest(seconds):
    machine = Machine("bench-network")
    machine.start()
    try:
        machine.danchi("run", "-d", "--name", "server", "-p", f"{PORT + 2}:{PORT}", image(machine),
                       "net-server", str(PORT), timeout=300)
        row(f"a container in a guest ({machine.accelerator}), published", ("127.0.0.1", PORT + 2), seconds)
    finally:
        machine.danchi("rm", "-f", "server", check=False)
        machine.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2)
    seconds = parser.parse_args().seconds
    print(f"\n{'network':<44} {'in MB/s':>8} {'out MB/s':>8} {'there+back µs':>9} {'conn./s':>8}")
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        server = build_server(directory)
        measure_host(server, seconds)
    measure_guest(seconds)


if __name__ == "__main__":
    main()
