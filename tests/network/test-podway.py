#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a cluster does with a pod's network on the host's side, and what the way from there to a guest keeps:
segments and checksums, MTUs, network policies, services, other plug-ins.

    tests/tools/cell.sh tests/network/test-podway.py [WORD...]
"""

import contextlib
import os
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from gateway import POD_LOOK  # noqa: E402
from harness import main, test  # noqa: E402
from pod import BRIDGE, PTP, ask, serve  # noqa: E402
from podworld import World, refusal  # noqa: E402
from wire import inside, output, run  # noqa: E402

FAMILIES = (socket.AF_INET, socket.AF_INET6)
ANY = {socket.AF_INET: "", socket.AF_INET6: "::"}
IP = {socket.AF_INET: "ip", socket.AF_INET6: "ip6"}
SOL_UDP, UDP_SEGMENT = 17, 103
TCP_SEGMENTS = {socket.AF_INET: 1, socket.AF_INET6: 4}  # VIRTIO_NET_HDR_GSO_*
METADATA = "169.254.169.254"


class Routed(World):
    """Whose host decides between pods, as with the plug-ins of most clusters."""

    @contextlib.contextmanager
    def fresh(self):
        with super().fresh():
            try:
                yield self
            finally:
                nft("flush ruleset")

    def clean(self):
        super().clean()
        if os.path.exists("/run/netns/outside"):
            subprocess.run(["ip", "link", "del", "up1"], stderr=subprocess.DEVNULL, check=False)
            run("ip", "netns", "del", "outside")

    @staticmethod
    def outside():
        """Behind a card of the host's, up1."""
        ip = ["ip", "-n", "outside"]
        run("ip", "netns", "add", "outside")
        run("ip", "link", "add", "up1", "type", "veth", "peer", "name", "far", "netns", "outside")
        run("ip", "link", "set", "up1", "up")
        run(*ip, "address", "add", "10.90.0.1/24", "dev", "far")
        run(*ip, "address", "add", "fd90::1/64", "dev", "far", "nodad")
        run(*ip, "link", "set", "far", "up")

    def two(self, config=PTP):
        """A guest that serves and a plain pod beside it; services of the tests are on 7001."""
        pod, other = self.pod(config=config), self.pod("other", 4, config)
        guest = pod.boot()
        for family in FAMILIES:
            self.serve(family, ANY[family], 7001, guest)
        await_addresses()
        return pod, guest, other


def nft(rules):
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)


def await_addresses():
    deadline = time.monotonic() + 5
    while "tentative" in output("ip", "address"):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def server_at(world, namespace, family, port, address=None):
    """In a plain pod, or of the host's."""
    with inside(namespace) if namespace else contextlib.nullcontext():
        listening = socket.socket(family)
    world.sockets.append(serve(listening, address or ANY[family], port))


# What the way keeps.


@test("network: pods", "performance")
def segments_and_checksums_are_the_cards_of_both_ends(world):
    """A frame of 60 KB goes through whole, with its checksum to be made: nothing on the way cuts it or counts it."""
    for mtu in (1450, 9000):
        pod = world.pod(config=BRIDGE | {"mtu": mtu, "bridge": f"cni{mtu}"})
        guest = pod.boot()
        await_addresses()
        for family, gateway in zip(FAMILIES, ("10.88.0.1", "fd88::1")):
            for ways in (guest.largest, guest.segments):
                ways.update({way: type(ways[way])() for way in ways})
            world.serve(family, ANY[family], 7001, guest)
            server_at(world, None, family, 7002)
            payload = os.urandom(8 << 20)
            assert ask(pod.address(family), 7001, payload=payload) == gateway
            assert ask(gateway, 7002, guest.name, payload) == pod.address(family)
            print(f"# MTU {mtu}: the largest frame in {guest.largest['in']}, out {guest.largest['out']}")
            for way in ("in", "out"):
                assert guest.largest[way] > 30000, guest.largest
                assert (1, TCP_SEGMENTS[family]) in guest.segments[way], guest.segments
        world.clean()
        run("ip", "link", "del", f"cni{mtu}")


@test("network: pods")
def large_datagrams_arrive_whole_and_small_ones_in_their_number(world):
    pod = world.pod(config=BRIDGE | {"mtu": 9000, "bridge": "cni9000"})
    guest = pod.boot()
    await_addresses()
    for family, overhead in zip(FAMILIES, (28, 48)):
        with guest.inside():
            receiving = socket.socket(family, socket.SOCK_DGRAM)
        with receiving, socket.socket(family, socket.SOCK_DGRAM) as sending:
            receiving.bind((ANY[family], 7003))
            receiving.settimeout(3)
            to = (pod.address(family), 7003)
            guest.largest["in"] = 0
            # The size of the MTU, in one frame; more than that, in fragments.
            for size in (9000 - overhead, 40000):
                data = os.urandom(size)
                sending.sendto(data, to)
                assert receiving.recv(65536) == data
                assert guest.largest["in"] == 9000 + 14, guest.largest
            # UDP's own segments (QUIC): one call, forty datagrams.
            sending.setsockopt(SOL_UDP, UDP_SEGMENT, 1200)
            data = os.urandom(40 * 1200)
            sending.sendto(data, to)
            assert b"".join(receiving.recv(65536) for _ in range(40)) == data
    world.clean()
    run("ip", "link", "del", "cni9000")


@test("network: pods")
def a_cards_own_mtu_is_the_guests_whatever_the_other_end_has(world):
    """A bridge of 9000, a card of 1450: too large is refused where it is in any pod, and nothing is cut on the way."""
    pod = world.pod()
    run("ip", "link", "set", pod.host_card, "mtu", "9000")
    guest = pod.boot()
    with guest.inside():
        sending = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sending:
        sending.setsockopt(socket.IPPROTO_IP, 10, 2)  # IP_MTU_DISCOVER, IP_PMTUDISC_DO
        sending.sendto(bytes(1450 - 28), ("10.88.0.1", 7003))
        try:
            sending.sendto(bytes(1450 - 27), ("10.88.0.1", 7003))
            assert False, "it went out"
        except OSError as error:
            assert "too long" in str(error), error


# Network policies, as kube-router, Calico and the like have them: by the pod's address, where the host forwards.


POLICIES = """table inet policies {
    chain forward { type filter hook forward priority 0; policy accept;
        ct state established,related accept
        %s
    }
}"""


@test("network: pods", "security")
def policies_of_the_hosts_hold_for_the_guest(world):
    pod, guest, other = world.two()
    own, others = [one.address(socket.AF_INET) for one in (pod, other)]
    own6, others6 = [one.address(socket.AF_INET6) for one in (pod, other)]
    for family in FAMILIES:
        server_at(world, "other", family, 7003)
        server_at(world, "other", family, 53)
    ways = [(own, 7001, "other"), (own6, 7001, "other"), (others, 7003, guest.name), (others6, 7003, guest.name)]
    for to, port, place in ways:
        assert ask(to, port, place) in pod.addresses + other.addresses, (to, port)
    # Ingress of one pod, denied by default: probes of the node's come through, as with any pod.
    nft(POLICIES % f"ip daddr {own} drop\nip6 daddr {own6} drop")
    assert [ask(to, port, place, seconds=1) for to, port, place in ways[:2]] == [None, None]
    assert [ask(to, port, place) for to, port, place in ways[2:]] == [own, own6]
    assert ask(own, 7001) == "10.89.0.1" and ask(own6, 7001) == "fd89::1"
    nft("delete table inet policies")
    # Egress to names alone.
    nft(POLICIES % f"ip saddr {own} tcp dport 53 accept\nip saddr {own} drop\n"
        f"ip6 saddr {own6} tcp dport 53 accept\nip6 saddr {own6} reject")
    assert [ask(to, port, place) for to, port, place in ways[:2]] == [others, others6]
    assert ask(others, 7003, guest.name, seconds=1) is None
    assert ask(others6, 7003, guest.name) == "refused"
    assert ask(others, 53, guest.name) == own and ask(others6, 53, guest.name) == own6


@test("network: pods", "security")
def policies_at_a_bridge_hold_for_the_guest(world):
    """Between pods of one bridge, where the host forwards no packet but frames: by the card's name, which the guest
    cannot choose, and by its address."""
    pod, guest, other = world.two(BRIDGE)
    own, others = [one.address(socket.AF_INET) for one in (pod, other)]
    server_at(world, "other", socket.AF_INET, 7003)
    assert ask(others, 7003, guest.name) == own and ask(own, 7001, "other") == others
    nft(f"""table bridge policies {{
        chain forward {{ type filter hook forward priority 0; policy accept;
            iifname "{pod.host_card}" ip protocol tcp tcp flags syn / syn,ack drop
        }}
    }}""")
    assert ask(others, 7003, guest.name, seconds=1) is None and ask(own, 7001, "other") == others
    nft(f"""flush chain bridge policies forward
        add rule bridge policies forward ip daddr {own} drop""")
    assert ask(own, 7001, "other", seconds=1) is None


@test("network: pods", "security")
def the_addresses_of_a_clouds_metadata_are_the_policys(world):
    pod, guest, _ = world.two()
    run("ip", "address", "add", f"{METADATA}/32", "dev", "lo")
    server_at(world, None, socket.AF_INET, 80, METADATA)
    assert ask(METADATA, 80, guest.name) == pod.address(socket.AF_INET)
    nft(f"""table inet policies {{
        chain input {{ type filter hook input priority 0; policy accept;
            ip saddr {pod.address(socket.AF_INET)} ip daddr {METADATA} drop
        }}
    }}""")
    assert ask(METADATA, 80, guest.name, seconds=1) is None
    run("ip", "address", "del", f"{METADATA}/32", "dev", "lo")


# Services, as kube-proxy has them: an address that nobody has, translated where the host forwards.


def service(family, address, pods):
    """A cluster address of two pods in turn, and the way back for a pod that meets itself."""
    ip, balance = IP[family], ", ".join(f"{number} : {pod}" for number, pod in enumerate(pods))
    itself = "\n".join(f"{ip} saddr {pod} {ip} daddr {pod} masquerade" for pod in pods)
    wanted = f"{ip} daddr {address} tcp dport 80 dnat to numgen inc mod {len(pods)} map {{ {balance} }}:7001"
    return f"""table {ip} services {{
        chain prerouting {{ type nat hook prerouting priority dstnat; {wanted}
        }}
        chain output {{ type nat hook output priority -100; {wanted}
        }}
        chain postrouting {{ type nat hook postrouting priority srcnat; {itself}
        }}
    }}"""


@test("network: pods")
def a_service_leads_to_guests_and_from_a_guest_to_itself(world):
    pod, other = world.pod(config=PTP), world.pod("other", 4, PTP)
    guests = [pod.boot(), other.boot()]
    await_addresses()
    for family, address, host in zip(FAMILIES, ("10.96.0.10", "fd96::10"), ("10.89.0.1", "fd89::1")):
        pods = [one.address(family) for one in (pod, other)]
        for guest in guests:
            world.serve(family, ANY[family], 7001, guest)
        nft(service(family, address, pods))
        # The host looks its own way up first, and has no default here.
        run("ip", "route", "replace", address, "dev", pod.host_card, "src", host)
        for guest, own in zip(guests, pods):
            # In turn: the other pod sees who asks; a pod that meets itself sees the host.
            assert sorted([ask(address, 80, guest.name), ask(address, 80, guest.name)]) == sorted([own, host]), family
        assert ask(address, 80) == host
        run("ip", "route", "del", address)


@test("network: pods")
def plug_ins_in_a_chain_work(world):
    """portmap, bandwidth, firewall and tuning, as most clusters have them behind their first one."""
    chain = {"cniVersion": "1.0.0", "name": "podchain", "plugins": [
        PTP, {"type": "portmap", "runtimeConfig": {"portMappings": [
            {"hostPort": 12080, "containerPort": 7001, "protocol": "tcp"}]}},
        {"type": "bandwidth", "ingressRate": 8 << 20, "ingressBurst": 1 << 20, "egressRate": 8 << 20,
         "egressBurst": 1 << 20},
        {"type": "firewall"},
        {"type": "tuning", "mac": "02:00:00:00:12:34", "mtu": 1300}]}
    pod, other = world.pod(config=chain), world.pod("other", 4, PTP)
    guest = pod.boot()
    await_addresses()
    assert guest.link()["address"] == "02:00:00:00:12:34" and guest.link()["mtu"] == 1300, guest.link()
    world.serve(socket.AF_INET, "", 7001, guest)
    own, others = pod.address(socket.AF_INET), other.address(socket.AF_INET)
    # The plug-in has the host speak for neighbours.
    assert ask("10.89.0.1", 12080, "other") == "10.89.0.1"
    server_at(world, "other", socket.AF_INET, 7003)
    for to, port, place in ((own, 7001, "other"), (others, 7003, guest.name)):
        begun = time.monotonic()
        assert ask(to, port, place, os.urandom(3 << 19), seconds=20) is not None
        took = time.monotonic() - begun
        print(f"# 1.5 MiB at a limit of 1 MiB a second: {took:.1f} s")
        assert took > 0.8


# Other plug-ins than those of a veth.


@test("network: pods")
def a_card_of_macvlan_works(world):
    world.outside()
    config = {"cniVersion": "1.0.0", "name": "podmac", "type": "macvlan", "master": "up1", "mode": "bridge",
              "ipam": {"type": "host-local", "dataDir": "/run/podnet-ipam",
                       "ranges": [[{"subnet": "10.90.0.0/24", "gateway": "10.90.0.1"}],
                                  [{"subnet": "fd90::/64", "gateway": "fd90::1"}]],
                       "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}}
    pod, guest, other = world.two(config)
    expect_both_ways(world, pod, guest, other)


def expect_both_ways(world, pod, guest, other):
    """With another pod, and with who is behind the host's card."""
    for family, far in zip(FAMILIES, ("10.90.0.1", "fd90::1")):
        server_at(world, "other", family, 7003)
        server_at(world, "outside", family, 7004)
        own, others = pod.address(family), other.address(family)
        assert ask(own, 7001, "other") == others and ask(others, 7003, guest.name) == own
        assert ask(own, 7001, "outside") == far and ask(far, 7004, guest.name, os.urandom(1 << 20)) == own


@test("network: pods")
def a_card_of_the_hosts_works(world):
    """The plug-in host-device: the card itself is the pod's."""
    world.outside()
    config = {"cniVersion": "1.0.0", "name": "poddev", "type": "host-device", "device": "up1",
              "ipam": {"type": "static", "addresses": [{"address": "10.90.0.5/24", "gateway": "10.90.0.1"},
                                                       {"address": "fd90::5/64", "gateway": "fd90::1"}],
                       "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}}
    pod = world.pod(config=config)
    guest = pod.boot()
    for family, far in zip(FAMILIES, ("10.90.0.1", "fd90::1")):
        world.serve(family, ANY[family], 7001, guest)
        server_at(world, "outside", family, 7004)
        assert ask(pod.address(family), 7001, "outside") == far
        assert ask(far, 7004, guest.name) == pod.address(family)


@test("network: pods")
def what_a_guest_would_silently_be_without_is_refused(world):
    gateway = world.gateway
    pod = world.pod(config={"cniVersion": "1.0.0", "name": "podsbr", "plugins": [PTP, {"type": "sbr"}]})
    assert "leads to the table of routes 100: its guest has one table\nleave CNI's sbr" in refusal(
        gateway.pod, POD_LOOK, pod.path)
    world.clean()
    pod = world.pod()
    gateway.pod(POD_LOOK, pod.path)
    with inside(pod.name):
        nft("add table ip nat\nadd chain ip nat OUTPUT { type nat hook output priority -100; }\n"
            "add rule ip nat OUTPUT tcp dport 80 redirect to :15001")
    assert "has rules of its own (table ip nat)" in refusal(gateway.pod, POD_LOOK, pod.path)
    with inside(pod.name):
        nft("delete table ip nat")
    gateway.pod(POD_LOOK, pod.path)
    # As ipvlan has it in its mode l3.
    pod.ip("link", "set", "eth0", "arp", "off")
    assert "'eth0' is one without ARP" in refusal(gateway.pod, POD_LOOK, pod.path)
    pod.ip("link", "set", "eth0", "arp", "on")
    # Once it is joined, its own rules are no others'.
    pod.open()
    pod.join()
    gateway.pod(POD_LOOK, pod.path)


if __name__ == "__main__":
    sys.exit(main(Routed))
