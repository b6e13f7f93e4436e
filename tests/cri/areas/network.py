# SPDX-License-Identifier: Apache-2.0
"""Networks that CNI plug-ins made."""

import contextlib
import json
import socket
import subprocess
import urllib.request

from areas import test
from client import Stream
from machine import expect, expect_equal, wait_until

SERVE = "mkdir -p /tmp/www; echo hello from a pod > /tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www"


def fetch(url):
    with contextlib.suppress(OSError):
        with urllib.request.urlopen(url, timeout=3) as answer:
            return answer.read()
    return None


@test("R5.13", seconds=120, core=True)
def a_pod_is_reached_by_its_addresses_from_the_node(node):
    with node.shared_pod() as pod:
        pod.sh(SERVE)
        network = pod.status().network
        addresses = [network.ip] + [one.ip for one in network.additional_ips]
        expect_equal(len(addresses), 2, "addresses")
        for address in addresses:
            host = f"[{address}]" if ":" in address else address
            wait_until(lambda url=f"http://{host}:8080/": fetch(url) == b"hello from a pod\n", f"{address} answers", 20)


@test("R5.13", seconds=120)
def a_pod_reaches_another_and_the_node(node):
    with socket.create_server(("0.0.0.0", 0)) as listening, node.shared_pod() as one, node.pod() as other:
        one.sh(SERVE)
        container = other.sh("exec sleep 1000")
        address = one.status().network.ip
        wait_until(lambda: container.execute("wget", "-q", "-O", "-", f"http://{address}:8080/", check=False).stdout
                   == b"hello from a pod\n", "the other pod answers", 20)
        port = listening.getsockname()[1]
        container.exec_sh(f"nc 10.89.0.1 {port} < /dev/null > /dev/null 2>&1 &")
        listening.settimeout(5)
        listening.accept()[0].close()


SERVICE = """table ip services {
    chain prerouting { type nat hook prerouting priority dstnat; ip daddr 10.96.0.10 tcp dport 80 dnat to %s:8080
    }
    chain postrouting { type nat hook postrouting priority srcnat; ct status dnat masquerade
    }
}"""
POLICY = """table bridge policies {
    chain forward { type filter hook forward priority 0; policy accept; ip daddr %s drop
    }
}"""


@contextlib.contextmanager
def rules(text):
    table = " ".join(text.split()[1:3])
    subprocess.run(["nft", "-f", "-"], input=text, text=True, check=True)
    try:
        yield
    finally:
        subprocess.run(["nft", "delete", "table", *table.split()], check=True)


@test("R5.13", seconds=180)
def services_and_policies_of_the_node_hold_for_pods(node):
    """As kube-proxy and policies' plug-ins have them: on the host's side, by the pods' addresses."""
    with node.shared_pod() as one, node.pod() as other:
        server, container = one.sh(SERVE), other.sh("exec sleep 1000")
        address = one.status().network.ip

        def ask(who, place):
            return who.execute("timeout", "4", "wget", "-q", "-O", "-", f"http://{place}/", check=False).stdout
        wait_until(lambda: ask(container, f"{address}:8080") == b"hello from a pod\n", "the other pod answers", 20)
        with rules(SERVICE % address):
            # From another pod, and from the very pod that the service leads to.
            for who in container, server:
                expect_equal(ask(who, "10.96.0.10"), b"hello from a pod\n", "the service")
        with rules(POLICY % address):
            expect_equal(ask(container, f"{address}:8080"), b"", "what a policy keeps away")
            # Probes of the node's go on.
            expect_equal(fetch(f"http://{address}:8080/"), b"hello from a pod\n", "the node's probe")
        expect_equal(ask(container, f"{address}:8080"), b"hello from a pod\n", "the other pod, without the policy")


@test(seconds=120)
def names_are_asked_of_the_servers_of_the_pod(node):
    config = {"servers": ["10.96.0.10"], "searches": ["tests.svc.local"], "options": ["ndots:5"]}
    with node.pod(dns_config=config) as pod:
        container = pod.sh("cat /etc/resolv.conf")
        container.wait()
        words = container.log().split()
        expect({"10.96.0.10", "tests.svc.local", "ndots:5"} <= set(words), words)


@test(seconds=120)
def a_host_port_leads_to_the_pod(node):
    with node.pod(port_mappings=[{"container_port": 8080, "host_port": 12080}]) as pod:
        pod.sh(SERVE)
        address = "10.89.0.1"
        wait_until(lambda: fetch(f"http://{address}:12080/") == b"hello from a pod\n", "the host's port answers", 20)


@test("R3.2", seconds=120,
      not_crio="its PortForward does nothing for runtime_type vm")
def a_port_is_forwarded_to_the_pod(node):
    """And to servers that nobody else reaches: of the loopback's one address alone, or of the other."""
    with node.shared_pod() as pod:
        more = "httpd -p 127.0.0.1:8081 -h /tmp/www; httpd -p [::1]:8082 -h /tmp/www; exec"
        served = pod.sh(SERVE.replace("exec", more))
        address = pod.status().network.ip
        wait_until(lambda: fetch(f"http://{address}:8080/"), "it serves", 20)
        for port in 8080, 8081, 8082:
            url = node.client.call("PortForward", pod_sandbox_id=pod.id, port=[port]).url
            stream = Stream(f"{url}?port={port}", "v4.channel.k8s.io")
            stream.send(b"GET / HTTP/1.0\r\n\r\n", 0)
            stream.read_until(b"hello from a pod", 0)
            stream.close()
        expect(fetch(f"http://{address}:8081/") is None, "a server of 127.0.0.1 is the network's")
        served.exec_sh("wget -q -O - http://[::1]:8082/ http://127.0.0.1:8081/")


def lines_of_network(node):
    """What verify says of the networks of all pods."""
    told = node.machine.danchi("--format", "json", "verify", check=False, timeout=120)
    return [line for line in json.loads(told.stdout) if line["control"].startswith(("network.", "gateway."))]


def path_of_network(node, pod):
    info = json.loads(node.client.call("PodSandboxStatus", pod_sandbox_id=pod.id, verbose=True).info["info"])
    return next(one["path"] for one in info["runtimeSpec"]["linux"]["namespaces"] if one["type"] == "network")


@test("R5.13", "R2.7", seconds=180, only_danchi=True)
def verify_knows_the_address_of_a_pod(node):
    """By what the host's kernel has of the pod's network, and by what the guest says of its own."""
    with node.pod() as pod:
        pod.sh("exec sleep 1000")
        network, path = pod.status().network, path_of_network(node, pod)
        good = lines_of_network(node)
        expect_equal({line["verdict"] for line in good}, {"ok"}, str(good))
        expect({f"gateway.{name}" for name in ("tap", "settings", "rules", "others")}
               <= {line["control"] for line in good}, good)
        told = [line["actual"] for line in good if line["control"] == "network.addresses"]
        expect(any(all(f"{address}/" in actual for address in
                       [network.ip] + [one.ip for one in network.additional_ips]) for actual in told), told)
        expect("10.89.0.1/0" in str([line["actual"] for line in good if line["control"] == "network.ways"]), good)

        def expect_fault(controls, *command):
            subprocess.run(["nsenter", f"--net={path}", *command], check=True)
            lines = lines_of_network(node)
            expect_equal({line["control"] for line in lines if line["verdict"] != "ok"}, controls,
                         f"after {command}: {lines}")
        expect_fault({"gateway.rules"}, "nft", "insert", "rule", "netdev", "danchi-pod", "in-tap", "accept")
        # An address that the guest does not know of: the rules are those of the card as it was.
        expect_fault({"network.addresses", "gateway.rules"}, "ip", "address", "add", "10.89.0.250/24", "dev", "eth0")
