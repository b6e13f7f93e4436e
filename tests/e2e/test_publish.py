# SPDX-License-Identifier: Apache-2.0
"""Published ports: from the host's loopback to a container in a guest."""

import os
import signal
import socket

from machine import EMULATION, expect, expect_equal, wait_until
from suite import expect_error, image, new_name, test

PAGE = "page of a container"
# A page by TCP on 8080, an echo by UDP on 7000.
SERVE = (f"mkdir -p /tmp/www && echo {PAGE} > /tmp/www/index.html && "
         "{ udp-echo 7000 & } && "
         "exec httpd -f -p 8080 -h /tmp/www")


def fetch(address, port, timeout=10):
    """The body of the page there; an OSError where there is none."""
    with socket.create_connection((address, port), timeout) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        data = b""
        while more := client.recv(65536):
            data += more
    return data.decode().split("\r\n\r\n", 1)[-1].strip()


def serves(address, port):
    try:
        return fetch(address, port) == PAGE
    except OSError:
        return False


def ask_udp(address, port, text):
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(2)
        client.sendto(text, (address, port))
        try:
            return client.recvfrom(1000)
        except TimeoutError:
            return b"", None


def refuses(address, port):
    try:
        socket.create_connection((address, port), 2).close()
        return False
    except ConnectionRefusedError:
        return True


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def publishers(machine):
    return machine.guest_processes("danchi-publish")


def ports(machine, name):
    return {(row["address"], row["host_port"], row["port"], row["protocol"])
            for row in machine.inspect(name)["ports"]}


@test("R3.2", "R5.13", seconds=240, only=EMULATION)
def a_published_port_leads_from_this_hosts_loopback_to_the_container(machine):
    port, udp = free_port(), free_port()
    name = new_name("web")
    try:
        machine.danchi("run", "-d", "--name", name, "-p", f"{port}:8080", "-p", f"{udp}:7000/udp", "-p", "8080",
                       image(machine), "sh", "-c", SERVE, timeout=200)
        wait_until(lambda: serves("127.0.0.1", port), "the container serves", 30)
        expect_equal(fetch("::1", port), PAGE, "the page by IPv6")
        answer, source = ask_udp("127.0.0.1", udp, b"echo")
        expect_equal((answer, source), (b"echo", ("127.0.0.1", udp)), "the answer to a datagram")
        chosen = [row for row in ports(machine, name) if row[2] == 8080 and row[1] != port]
        expect_equal({row[0] for row in chosen}, {"127.0.0.1", "::1"}, "where the chosen port is")
        expect_equal(fetch("127.0.0.1", chosen[0][1]), PAGE, "the page at the port that was chosen")
        # What is said of it.
        expect(f"127.0.0.1:{port}->8080/tcp" in machine.out("ps"), machine.out("ps"))
        lines = machine.out("port", name).splitlines()
        expect(f"8080/tcp -> 127.0.0.1:{port}" in lines and f"8080/tcp -> [::1]:{port}" in lines, lines)
        expect_equal(set(machine.out("port", name, "7000/udp").splitlines()),
                     {f"127.0.0.1:{udp}", f"[::1]:{udp}"}, "danchi port")
        expect_error(machine.danchi("port", name, "81", check=False), 1, "not published")
        # Nothing but the loopback listens; whoever holds it has the context's uid and no right.
        [pid] = publishers(machine)
        with open(f"/proc/{pid}/status") as file:
            status = file.read()
        guest = machine.json("context", "inspect", machine.inspect(name)["context"])[0]["guest"]
        expect(f"Uid:\t{guest['uid']}\t" in status and "CapEff:\t0000000000000000" in status
               and "Seccomp:\t2" in status, status)
        rows = [row for row in machine.json("verify", name, check=False) if row["subject"] == "publish"]
        expect(len(rows) > 15 and all(row["verdict"] == "ok" for row in rows), rows)
        # danchid's end is not danchi-publish's.
        with socket.create_connection(("127.0.0.1", port)) as held:
            machine.restart()
            expect(publishers(machine) == [pid], "danchi-publish is another")
            held.sendall(b"GET / HTTP/1.0\r\n\r\n")
            expect(PAGE in held.makefile().read(), "a connection did not outlive danchid")
        expect_equal(fetch("127.0.0.1", port), PAGE, "the page with another danchid")
        expect(("127.0.0.1", port, 8080, "tcp") in ports(machine, name), "what the new danchid knows")
        # Its own end is made good, also while it still holds its lock.
        for _ in range(3):
            [pid] = publishers(machine)
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda gone=pid: publishers(machine) not in ([], [gone]), "another danchi-publish", 10)
            wait_until(lambda: serves("127.0.0.1", port), "it serves the same port", 10)
        # A conflict is known before anything is started, with a name.
        guests = machine.guest_processes("qemu-system")
        result = machine.danchi("run", "--rm", "-p", f"{port}:80", image(machine), "true", check=False)
        expect_error(result, 125, f"container '{name}' has this port")
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            taken = other.getsockname()[1]
            result = machine.danchi("run", "--rm", "-p", f"{taken}:80", image(machine), "true", check=False)
            expect_error(result, 125, f"(pid {os.getpid()}) has this port")
        expect_equal(machine.guest_processes("qemu-system"), guests, "guests after the conflicts")
    finally:
        machine.danchi("rm", "-f", name, check=False)
    for address in "127.0.0.1", "::1":
        expect(refuses(address, port), f"{address} still listens")
    expect_equal(publishers(machine), [], "danchi-publish after its guest")


@test("R3.2", "R5.8", only=EMULATION)
def what_is_not_permitted_is_refused_before_anything_starts(machine):
    guests = machine.guest_processes("qemu-system")
    cases = [(["-p", "0.0.0.0:18080:80"], "permitted are loopback"),
             (["-p", "80:80"], "permitted are loopback"),
             (["-p", "8080:80", "--network", "none"], "no network card"),
             (["-p", "[::1]:80"], "ADDRESS::PORT"),
             (["-p", "localhost:8080:80"], "the address must be"),
             (["-p", "192.0.2.1:18080:80"], "permitted are loopback")]
    for flags, words in cases:
        result = machine.danchi("run", "--rm", *flags, image(machine), "true", check=False)
        expect(result.status in (2, 125) and words in result.stderr, f"{flags}: {result.status} {result.stderr}")
    expect_equal(machine.guest_processes("qemu-system"), guests, "guests after the refusals")
