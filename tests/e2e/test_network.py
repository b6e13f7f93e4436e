# SPDX-License-Identifier: Apache-2.0
"""Guests with a network: what a container reaches of a small internet behind this host, of other
contexts, and of the host.  What a guest could do with raw frames is in tests/network."""

import contextlib
import hashlib
import json
import os
import socket
import subprocess
import sys

from machine import EMULATION, BUILD, expect, expect_equal, wait_until
from suite import context, exec_sh, image, new_name, run_sh, start_sh, test

sys.path.insert(0, os.path.join(os.path.dirname(BUILD), "tests", "network"))
from servers import LARGE, REDIS, WEB, Servers  # noqa: E402
from wire import Internet, output  # noqa: E402

FETCH = "nc -w 3 {} {} < /dev/null 2>&1"
PAGE = "a page of the internet"
PUBLIC4, PUBLIC6 = Internet.PUBLIC[0], Internet.PUBLIC[2]


def internet():
    """One for all tests of a run; it ends with the cell."""
    if not hasattr(internet, "made"):
        internet.made = Internet(is_default=False)
    return internet.made


@contextlib.contextmanager
def networked(machine, *lines, tenant="acme"):
    """A context with a group [network] in its file."""
    with context(machine, tenant=tenant) as name:
        with open(f"{machine.config}/contexts.d/{name}.conf", "a") as file:
            file.write("[network]\n" + "".join(f"{line}\n" for line in lines))
        yield name


def tell(machine, container, address, port=80):
    return exec_sh(machine, FETCH.format(address, port), container=container, check=False, timeout=60).stdout


def address(machine, container, family="ipv4"):
    return machine.inspect(container)["network"][f"{family}_address"]


def taps():
    return [line.split(": ")[1] for line in output("ip", "-o", "link").splitlines() if ": dn2" in line]


def expect_doctor_names_who_is_in_the_resolvers_way(machine):
    for family, kind, word in ((socket.AF_INET, socket.SOCK_DGRAM, "UDP"),
                               (socket.AF_INET6, socket.SOCK_STREAM, "TCP")):
        with socket.socket(family, kind) as server:
            server.bind(("", 53))
            if kind == socket.SOCK_STREAM:
                server.listen()
            shown = json.loads(machine.danchi("--format", "json", "doctor", check=False).stdout)
            found = next(one for one in shown if one["id"] == "network-names")
            expect_equal(found["status"], "warn", "what doctor says of a server of names on every address")
            for wanted in f"(pid {os.getpid()})", word:
                expect(wanted in found["what"], f"{wanted}: {found}")
            expect("listen-address" in found["remedy"], f"no remedy: {found}")


def expect_real_servers_work(machine, box):
    """nginx and redis of the internet; what passes in between is in tests/network/test-servers.py."""
    with Servers("internet", Internet.PUBLIC):
        for place in PUBLIC4, f"[{PUBLIC6}]":
            found = exec_sh(machine, f"wget -qO- http://{place}:{WEB}/large | sha256sum", container=box, timeout=60)
            expect_equal(found.stdout.split()[0], hashlib.sha256(LARGE).hexdigest(), f"4 MiB of nginx at {place}")
        script = f"printf 'SET name value\\r\\nGET name\\r\\nQUIT\\r\\n' | nc -w 5 {PUBLIC4} {REDIS}"
        found = exec_sh(machine, script, container=box, timeout=60).stdout
        expect_equal(found.split(), ["+OK", "$5", "value", "+OK"], "what redis answers")


@test("R4.6", "R5.13", seconds=240)
def a_container_reaches_the_internet_and_nothing_private(machine):
    internet()
    expect_doctor_names_who_is_in_the_resolvers_way(machine)
    with networked(machine, "mode = egress") as name:
        box = start_sh(machine, "sleep 1000", "--context", name)
        for place in PUBLIC4, PUBLIC6:
            expect(PAGE in tell(machine, box, place), f"{place} does not answer")
        for place in ("10.1.1.1", "169.254.169.254", "192.168.50.1", "fd99::9", Internet.HOST[0], "10.217.0.1"):
            answer = tell(machine, box, place)
            expect(any(word in answer for word in ("refused", "timed out", "No route")), f"{place}: {answer}")
        if machine.mode == EMULATION:
            expect_real_servers_work(machine, box)
        shown = machine.danchi("--format", "json", "doctor", check=False).stdout
        checks = {one["id"]: one["status"] for one in json.loads(shown)}
        what = ("", "-rules", "-pods", "-tap", "-forwarding", "-pool", "-names", "-door")
        expect_equal([checks.get(f"network{one}") for one in what], ["ok"] * len(what),
                     "what doctor says of the network")
        found = machine.inspect(name)["guest"]
        expect(found["tap"] in taps(), f"the tap of {found}")
        # It goes on without danchid, and the next one knows it.
        machine.restart()
        expect(PAGE in tell(machine, box, PUBLIC4), "after danchid's restart the internet is gone")
        rows = [line.split()[:2] for line in machine.danchi("verify", box, check=False).stdout.splitlines()
                if " gateway." in line]
        expect_equal(sorted(rows), [["ok", f"gateway.{what}"] for what in (
            "rules.common", "rules.entry", "rules.guest", "rules.tap", "settings", "tap")], "rows of verify")
        # What somebody changes is seen.
        subprocess.run(["nft", "insert", "rule", "inet", "danchi", f"from-{found['tap']}", "accept"], check=True)
        shown = machine.danchi("verify", box, check=False).stdout
        expect(any("gateway.rules.guest" in line and not line.startswith("ok") for line in shown.splitlines()),
               f"a changed rule is not seen: {shown}")
    wait_until(lambda: found["tap"] not in taps(), "the tap goes with its guest")
    expect("danchi" not in output("nft", "list", "tables"), "rules are left")


@test("R2.2", "R5.13", seconds=300, only=EMULATION)
def contexts_of_a_tenant_network_reach_what_is_exposed_and_other_tenants_do_not(machine):
    serve = "while true; do echo hello of $HOSTNAME | nc -l -p 5000; done"
    with networked(machine, "mode = backnet") as one, networked(machine, "mode = backnet") as two, \
            networked(machine, "mode = backnet", tenant="globex") as stranger:
        server = start_sh(machine, serve + " & while true; do echo closed | nc -l -p 5001; done", "--context", one,
                          "--expose", "5000")
        other, outside = (start_sh(machine, "sleep 1000", "--context", where) for where in (two, stranger))
        for family in "ipv4", "ipv6":
            place = address(machine, server, family)
            wait_until(lambda: "hello of" in tell(machine, other, place, 5000), f"{place} answers", 20)
            expect("hello" not in tell(machine, outside, place, 5000), "another tenant's network was reached")
            expect("closed" not in tell(machine, other, place, 5001), "a port that is not exposed was reached")
        expect(PAGE not in tell(machine, other, PUBLIC4), "a tenant network alone leads to the internet")
        # A danchid that starts anew keeps the network's members and ports.
        machine.kill_daemon()
        machine.start()
        late = start_sh(machine, serve.replace("5000", "6000"), "--context", two, "--expose", "6000")
        place = address(machine, late)
        wait_until(lambda: "hello of" in tell(machine, server, place, 6000), "a later container answers", 20)
        machine.danchi("rm", "-f", late)
        expect("hello" not in tell(machine, server, place, 6000), "a container that is gone is still open")
    wait_until(lambda: not taps(), "the taps go with their guests")


@test("R5.13", seconds=200, only=EMULATION)
def whatever_ends_leaves_no_network_behind(machine):
    internet()
    for victim in "qemu", "danchid":
        with networked(machine, "mode = egress") as name:
            start_sh(machine, "sleep 1000", "--context", name)
            tap = machine.inspect(name)["guest"]["tap"]
            pid = machine.inspect(name)["guest"]["qemu_pid"]
            if victim == "danchid":
                machine.kill_daemon()
            subprocess.run(["kill", "-9", str(pid)], check=True)
            if victim == "danchid":
                machine.start()
            wait_until(lambda: tap not in taps(), f"after {victim} the tap goes", 30)
    machine.danchi("gc")
    expect("danchi" not in output("nft", "list", "tables"), "rules are left")
    expect_equal([line for line in output("ip", "route").splitlines() if "proto 100" in line], [], "routes")
