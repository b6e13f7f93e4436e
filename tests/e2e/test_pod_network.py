# SPDX-License-Identifier: Apache-2.0
"""A pod's guest in the place of the card that CNI's own plug-in has made."""

import contextlib
import http.client
import os
import socket
import sys
import threading

from machine import EMULATION, TOP, expect, expect_equal, wait_until
from suite import test
from test_pods import config, pods

sys.path.insert(0, os.path.join(TOP, "tests", "network"))
from pod import BRIDGE, cni  # noqa: E402
from wire import inside, output, run  # noqa: E402

SERVERS = ("mkdir -p /www; echo inside > /www/page; busybox httpd -p 127.0.0.1:8080 -h /www; "
           "busybox httpd -p 0.0.0.0:8081 -h /www; exec busybox httpd -f -p [::]:8082 -h /www")


@contextlib.contextmanager
def namespace(name):
    """As containerd has it before the sandbox is made."""
    run("ip", "netns", "add", name)
    run("ip", "-n", name, "link", "set", "lo", "up")
    try:
        result = cni("ADD", BRIDGE, name)
        yield {"path": f"/run/netns/{name}", "mac": next(i["mac"] for i in result["interfaces"] if i.get("sandbox")),
               "addresses": [ip["address"].split("/")[0] for ip in result["ips"]]}
        cni("DEL", BRIDGE, name)
    finally:
        run("ip", "netns", "del", name)
        with contextlib.suppress(Exception):
            run("ip", "link", "del", "cni0")


def fetch(host, port, within=None, path="/page"):
    """Returns: the page; "refused" """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with inside(within) if within else contextlib.nullcontext():
        asking = socket.socket(family)
    asking.settimeout(10)
    try:
        asking.connect((host, port))
    except ConnectionRefusedError:
        asking.close()
        return "refused"
    connection = http.client.HTTPConnection(host, port)
    connection.sock = asking
    connection.request("GET", path)
    page = connection.getresponse().read().decode().strip()
    connection.close()
    return page


def answer_once(listening):
    peer, address = listening.accept()
    with peer:
        peer.recv(4096)
        peer.sendall(f"HTTP/1.0 200 OK\r\n\r\n{address[0]}\n".encode())


@test("R1.1", "R5.17", only=EMULATION)
def a_pods_guest_has_the_network_that_cni_has_made(machine):
    with pods(machine) as one, namespace("podnet") as net:
        own4, own6 = net["addresses"]
        one.create("p1", netns=net["path"])
        container = one.container("p1", "c1", config("sh", "-c", SERVERS))
        wait_until(lambda: fetch(own4, 8081) == "inside", "a server in the pod answers")

        # What the pod has: the card's own.
        def at_card(what):
            return machine.out("exec", container, "cat", f"/sys/class/net/eth0/{what}")
        expect_equal((at_card("address"), at_card("mtu")), (net["mac"], "1450"), "the card")
        ip = machine.out("exec", container, "busybox", "ip", "address")
        for address in own4 + "/24", own6 + "/64":
            expect(address in ip, f"{address} is not in {ip}")
        routes = machine.out("exec", container, "busybox", "ip", "route")
        expect("default via 10.88.0.1 dev eth0" in routes, routes)
        # Ingress in both families, and by name of the loopback: kubectl port-forward.
        expect_equal(fetch(own6, 8082), "inside", "a page over IPv6")
        expect_equal(fetch(own4, 8080), "refused", "a server of the loopback, from the network")
        expect_equal(fetch("127.0.0.1", 8080, "podnet"), "inside", "a forwarded port")
        expect_equal(fetch("::1", 8082, "podnet"), "inside", "a forwarded port over IPv6")
        expect_equal(fetch("127.0.0.1", 9, "podnet"), "refused", "a port where nobody listens")
        # Egress, from another container of the same pod, which shares it.
        other = one.container("p1", "c2", config("sleep", "1000"))
        for gateway, family, own in (("10.88.0.1", socket.AF_INET, own4), ("fd88::1", socket.AF_INET6, own6)):
            with socket.create_server((gateway, 7002), family=family) as listening:
                thread = threading.Thread(target=answer_once, args=(listening,), daemon=True)
                thread.start()
                url = f"http://[{gateway}]:7002/" if ":" in gateway else f"http://{gateway}:7002/"
                expect_equal(machine.out("exec", other, "busybox", "wget", "-q", "-O", "-", url), own,
                             "whom a server outside sees")
                thread.join(10)
        # danchid's end is nothing to it, and CNI's DEL may come at any time.
        machine.restart()
        expect_equal(fetch(own4, 8081), "inside", "a page after danchid's restart")
        one.remove("p1")
        with inside("podnet"):
            left = output("nft", "list", "tables") + output("ip", "link")
        expect("danchi" not in left and "dn2" not in left, left)
        expect("dn2" not in output("ip", "link"), "a tap is left on the host")


@test("R5.17", only=EMULATION)
def a_pod_whose_network_cannot_be_had_is_refused_before_anything_is_made(machine):
    with pods(machine) as one:
        def refused(pod, netns, *words):
            os.makedirs(f"{one.top}/{pod}", exist_ok=True)
            one.refused("pod-create", {"id": pod, "namespace": "k8s.io", "bundle": f"{one.top}/{pod}",
                                       "netns": netns, "config": config("/pause")}, *words)
        refused("p1", "/run/netns/nowhere", "not-found", "'/run/netns/nowhere' is not there")
        refused("p1", "/proc/1/ns/net", "denied", "the pod has the host's network, which a guest cannot have")
        refused("p1", "/etc/passwd", "it is none")
        run("ip", "netns", "add", "empty")
        refused("p1", "/run/netns/empty", "no card with an address")
        run("ip", "netns", "del", "empty")
        expect_equal(one.ok("pod-list", {})["pods"], [], "pods that were made")
