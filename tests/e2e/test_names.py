# SPDX-License-Identifier: Apache-2.0
"""Names in guests with a network: of containers, and of the internet as far as the policy lets them.
What a resolver does with hostile servers and guests is in tests/network."""

import contextlib
import os
import subprocess
import time

from machine import EMULATION, expect, expect_equal, wait_until
from suite import exec_sh, start_sh, test
from test_network import PAGE, PUBLIC4, PUBLIC6, internet, networked

SERVER_PORT = 5399


@contextlib.contextmanager
def name_server():
    """dnsmasq on the host's loopback: www and other are on the internet, evil is at home."""
    process = subprocess.Popen(
        ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file",
         f"--port={SERVER_PORT}", "--listen-address=127.0.0.1", "--bind-interfaces", "--user=root",
         "--local=/example.org/", f"--host-record=www.example.org,{PUBLIC4},{PUBLIC6}",
         f"--host-record=other.example.org,{PUBLIC4}", "--host-record=evil.example.org,192.168.50.1",
         "--cname=alias.example.org,www.example.org"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"127.0.0.1:{SERVER_PORT}"
    finally:
        process.terminate()
        process.wait(10)


def fetch(machine, container, place, port=80):
    return exec_sh(machine, f"nc -w 3 {place} {port} < /dev/null 2>&1", container=container, check=False,
                   timeout=60).stdout


def look_up(machine, container, name):
    return exec_sh(machine, f"nslookup {name} 2>&1", container=container, check=False, timeout=60).stdout


def resolver_of(machine, context):
    """Its pid, or None."""
    uid = machine.inspect(context)["guest"]["uid"]
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/comm", encoding="utf-8") as comm:
                if comm.read().strip() == "danchi-resolver" and os.stat(f"/proc/{pid}").st_uid in (uid, 0) \
                        and f"\nUid:\t{uid}\t" in open(f"/proc/{pid}/status", encoding="utf-8").read():
                    return int(pid)
    return None


@test("R2.1", "R5.13", seconds=240, only=EMULATION)
def containers_of_a_network_find_each_other_by_name(machine):
    serve = "while true; do echo hello of the server | nc -l -p 5000; done"
    with networked(machine, "mode = backnet") as one, networked(machine, "mode = backnet") as two:
        box = start_sh(machine, "sleep 1000", "--context", two)
        server = start_sh(machine, serve, "--context", one, "--expose", "5000")
        for name in server, f"{server}.{one}":
            wait_until(lambda: "hello of the server" in fetch(machine, box, name, 5000), f"{name} answers", 20)
        expect("hello" not in fetch(machine, box, "www.example.org"), "a network alone has public names")
        # The resolver is killed: another one knows the same.
        pid = resolver_of(machine, two)
        os.kill(pid, 9)
        wait_until(lambda: resolver_of(machine, two) not in (None, pid), "a resolver is there again", 20)
        wait_until(lambda: "hello of the server" in fetch(machine, box, server, 5000), "it knows the names", 20)
        # So is danchid: the resolver goes on, and the next danchid finds it.
        pid = resolver_of(machine, two)
        machine.restart()
        expect_equal(resolver_of(machine, two), pid, "the resolver outlives danchid")
        rows = [line for line in machine.json("verify", box) if line["subject"] == "resolver"]
        bad = [line for line in rows if line["verdict"] != "ok"]
        expect(len(rows) > 15 and not bad, f"{len(rows)} rows of verify; not as promised: {bad}")
        # Names go with their containers.
        machine.danchi("rm", "-f", server)
        wait_until(lambda: "hello" not in fetch(machine, box, server, 5000), "the name goes", 10)
        found = machine.inspect(two)["resolver"]
        expect(found["is_running"] and found["names"] == 1, f"inspect: {found}")
    wait_until(lambda: not any(os.path.exists(f"/proc/{p}") for p in (pid,)), "the resolver ends with its guest", 20)


@test("R2.1", "R5.17", seconds=240, only=EMULATION)
def egress_by_names_reaches_those_names_and_no_other(machine):
    internet()
    with name_server() as server, networked(machine, "mode = egress", f"dns = {server}",
                                            "allow = www.example.org:80/tcp;evil.example.org") as name:
        box = start_sh(machine, "sleep 1000", "--context", name)
        expect(PAGE not in fetch(machine, box, PUBLIC4), "an address is open that no name led to")
        begun = time.monotonic()
        expect(PAGE in fetch(machine, box, "www.example.org"), "right behind the answer the address is not open")
        print(f"# name and page: {time.monotonic() - begun:.2f} s", flush=True)
        expect(PAGE in fetch(machine, box, PUBLIC4), "what was answered is open")
        for other in "other.example.org", "alias.example.org", "secrets-of-the-guest.evil.test":
            found = look_up(machine, box, other)
            expect("NXDOMAIN" in found or "can't" in found.lower(), f"{other} is resolved: {found}")
        expect("192.168.50.1" not in look_up(machine, box, "evil.example.org"), "a public name leads home")
        found = machine.inspect(name)["resolver"]
        expect_equal(found["servers"], [server], "servers of names")
        expect(found["pinned"] >= 1 and found["refused"] >= 3 and found["rebound"] >= 1, f"inspect: {found}")
