#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A pod's network: namespaces that CNI's own plug-ins make, danchi-gateway, and a guest's end of the tap.

    tests/tools/cell.sh tests/network/test-podnet.py [WORD...]
"""

import contextlib
import json
import os
import random
import signal
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from gateway import POD_JOIN, POD_LOOK  # noqa: E402
from harness import main, test  # noqa: E402
from pod import BRIDGE, PEER4, PEER6, PTP, ask, cni, open_tap, serve  # noqa: E402
from podworld import GATEWAY4, GATEWAY6, World, end_server, expect_nothing_left, refusal, words_of  # noqa: E402
from wire import (BROADCAST, ETHER_ARP, ETHER_IP, ETHER_IP6, VNET_HEADER, arp,  # noqa: E402
                  datagram, ether, icmp6, inside, ip4, ip6, output, run, tcp, udp)


@test("network: pods")
def the_guest_gets_what_cni_has_given_the_pod(world):
    pod = world.pod()
    pod.ip("neigh", "add", "10.88.0.77", "lladdr", "02:00:00:00:00:77", "dev", "eth0", "nud", "permanent")
    pod.ip("route", "add", "192.0.2.0/24", "via", GATEWAY4, "src", pod.addresses[0], "metric", "77")
    pod.ip("route", "add", "198.51.100.0/24", "via", "203.0.113.1", "dev", "eth0", "onlink")
    pod.ip("route", "add", "203.0.113.9", "dev", "eth0")
    pod.open()
    looked, lines = world.gateway.pod(POD_LOOK, pod.path), pod.join()
    assert [line for line in looked if line[0] != "peer"] == [line for line in lines if line[0] != "peer"]
    assert words_of(lines, "card") == [("eth0", )] and words_of(lines, "mac") == [(pod.mac, )], lines
    assert words_of(lines, "peer") == [("02:64:6e:01:00:03", )] and words_of(lines, "mtu") == [("1450", )], lines
    card = json.loads(pod.ip("-j", "address", "show", "dev", "eth0"))[0]
    told = {f"{entry['local']}/{entry['prefixlen']}" for entry in card["addr_info"]}
    assert len(told) == 3 and {f"{address}/{64 if ':' in address else 24}" for address in pod.addresses} < told, told
    assert {line[0] for line in words_of(lines, "address")} == told, lines
    routes = words_of(lines, "route")
    for wanted in (("0.0.0.0/0", GATEWAY4, "-", "0", "0"), ("::/0", GATEWAY6, "-", "1024", "0"),
                   ("10.88.0.0/24", "-", pod.addresses[0], "0", "2"), ("192.0.2.0/24", GATEWAY4, pod.addresses[0],
                                                                      "77", "0"),
                   ("198.51.100.0/24", "203.0.113.1", "-", "0", "1"), ("203.0.113.9/32", "-", "-", "0", "2")):
        assert wanted in routes, (wanted, routes)
    assert words_of(lines, "neighbour") == [("10.88.0.77", "02:00:00:00:00:77")], lines
    # What CNI has made is as it was, for its CHECK and DEL.
    assert json.loads(pod.ip("-j", "address", "show", "dev", "eth0"))[0]["addr_info"] == card["addr_info"]
    tap = json.loads(pod.ip("-j", "address", "show", "dev", pod.tap))[0]
    assert tap["mtu"] == 1450 and "UP" in tap["flags"] and tap["addr_info"] == [], tap


@test("network: pods")
def what_a_guest_cannot_have_is_refused_with_the_reason(world):
    gateway = world.gateway
    for path in ("/proc/self/ns/net", f"/proc/{gateway.process.pid}/ns/net"):
        assert "host's network, which a guest cannot have\nset hostNetwork" in refusal(gateway.pod, POD_LOOK, path)
        assert "host's network" in refusal(gateway.pod, POD_JOIN, path, 3)
    for path in ("/proc/self/ns/ipc", "/etc/passwd"):
        assert "it is none" in refusal(gateway.pod, POD_LOOK, path)
    assert "without the pod's network namespace" in refusal(gateway.order, POD_LOOK)
    run("ip", "netns", "add", "empty")
    run("ip", "-n", "empty", "link", "set", "lo", "up")
    assert "no card with an address\nsee the host's CNI" in refusal(gateway.pod, POD_LOOK, "/run/netns/empty")
    run("ip", "netns", "del", "empty")
    pod = world.pod()
    assert "tap 'dn200004' is not there" in refusal(pod.join)
    cni("ADD", PTP, "pod", "net1")
    assert "more than one card ('eth0', 'net1')" in refusal(gateway.pod, POD_LOOK, pod.path)
    cni("DEL", PTP, "pod", "net1")
    pod.open()
    run("ip", "link", "set", pod.tap, "up")
    assert "is up on the host" in refusal(pod.join)
    os.close(pod.tap_fd)
    pod.tap_fd = None


@test("network: pods")
def tcp_goes_both_ways_in_both_families(world):
    pod, other = world.pod(), world.pod("other", 4)
    guest = pod.boot()
    payload = os.urandom(3 << 20)
    for family, any_address, gateway in ((socket.AF_INET, "", GATEWAY4), (socket.AF_INET6, "::", GATEWAY6)):
        world.serve(family, any_address, 7001, guest)
        world.serve(family, any_address, 7002)
        with inside("other"):
            elsewhere = socket.socket(family)
        world.sockets.append(serve(elsewhere, any_address, 7003))
        own = next(a for a in pod.addresses if (":" in a) == (":" in gateway))
        others = next(a for a in other.addresses if (":" in a) == (":" in gateway))
        # Kubelet's probes, and clients of a service: from the host, from another pod.
        assert ask(own, 7001, payload=payload) == gateway
        assert ask(own, 7001, "other", payload) == others
        # Egress: to the host, to another pod, and refused where nobody listens.
        assert ask(gateway, 7002, guest.name, payload) == own
        assert ask(others, 7003, guest.name, payload) == own
        assert ask(others, 9, guest.name) == "refused"
        assert ask(own, 9) == "refused"


@test("network: pods")
def a_plug_in_of_point_to_point_cards_works(world):
    pod = world.pod(config=PTP)
    guest = pod.boot()
    for family, any_address in ((socket.AF_INET, ""), (socket.AF_INET6, "::")):
        own = next(a for a in pod.addresses if (":" in a) == (family == socket.AF_INET6))
        gateway = "fd89::1" if ":" in own else "10.89.0.1"
        world.serve(family, any_address, 7001, guest)
        world.serve(family, any_address, 7002)
        await_addresses()
        assert ask(own, 7001) == gateway
        assert ask(gateway, 7002, guest.name) == own


def await_addresses():
    """The host's own, which look for duplicates."""
    deadline = time.monotonic() + 5
    while "tentative" in output("ip", "address"):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def sniffer(device, namespace=None):
    with inside(namespace) if namespace else contextlib.nullcontext():
        sniffing = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        sniffing.bind((device, 0))
    sniffing.settimeout(3)
    return sniffing


def is_chatter(frame):
    """What the host's kernel says by itself at the pod's card: reports, and looking for routers and duplicates."""
    return frame[12:14] == b"\x86\xdd" and ((frame[20] == 58 and frame[54:55] in (b"\x85", b"\x87"))
                                            or (frame[20] == 0 and frame[62:63] == b"\x8f"))


def frames_until(sniffing, marker):
    frames = []
    while True:
        frame, address = sniffing.recvfrom(70000)
        if address[2] == socket.PACKET_OUTGOING or is_chatter(frame):
            continue
        if marker in frame:
            return frames
        frames.append(frame)


def await_frame(sniffing, wanted, what):
    while sniffing.recvfrom(70000)[0] != wanted:
        pass
    print(f"# {what} passes")


def forged_frames(pod, gateway_mac):
    """(what, frame): none of them leaves the pod."""
    own4 = next(a for a in pod.addresses if "." in a)
    own6 = next(a for a in pod.addresses if ":" in a)
    mac = bytes.fromhex(pod.mac.replace(":", ""))
    other = bytes.fromhex("0200000000aa")
    public4, public6, all_nodes = "192.0.2.1", "2001:db8::1", b"\x33\x33\0\0\0\1"

    def four(packet, source=mac, destination=gateway_mac):
        return ether(destination, source, ETHER_IP, packet)

    def six(packet, source=mac, destination=gateway_mac):
        return ether(destination, source, ETHER_IP6, packet)

    good4, good6 = datagram(own4, public4, 4000, 53, b"x"), datagram(own6, public6, 4000, 53, b"x")
    yield "another's MAC, IPv4", four(good4, source=other)
    yield "another's MAC, IPv6", six(good6, source=other)
    yield "the gateway's MAC", four(good4, source=gateway_mac)
    yield "broadcast as source", four(good4, source=BROADCAST)
    for source in (GATEWAY4, "10.88.0.200", "0.0.0.0", "127.0.0.1", PEER4, "255.255.255.255", "224.0.0.1", public4):
        yield f"from {source}", four(datagram(source, public4, 4000, 53, b"x"))
    for source in (GATEWAY6, "fd88::77", "::", "::1", PEER6, "fe80::77", public6):
        yield f"from {source}", six(datagram(source, public6, 4000, 53, b"x"))
    yield "to a loopback", four(datagram(own4, "127.0.0.1", 4000, 53, b"x"))
    yield "to the peer, UDP", four(datagram(own4, PEER4, 4000, 53, b"x"))
    yield "to the peer, UDP over IPv6", six(datagram(own6, PEER6, 4000, 53, b"x"))
    yield "a DHCP server's answer", four(datagram(own4, "255.255.255.255", 67, 68, bytes(240)), destination=BROADCAST)
    yield "a DHCPv6 server's answer", six(datagram(own6, "ff02::1:2", 547, 546, bytes(40)))
    for sender_mac, sender in ((mac, GATEWAY4), (mac, "10.88.0.200"), (other, own4), (mac, "0.0.0.0")):
        for operation in (1, 2):
            yield (f"ARP {operation} of {sender}", ether(BROADCAST, mac, ETHER_ARP,
                                                        arp(operation, sender_mac, sender, bytes(6), GATEWAY4)))
    yield "reverse ARP", ether(BROADCAST, mac, ETHER_ARP, arp(3, mac, own4, bytes(6), own4))
    router = struct.pack(">BBHII", 64, 0, 1800, 0, 0)
    link_local = next(entry["local"] for entry in json.loads(pod.ip("-j", "address", "show", "dev", "eth0"))[0]
                      ["addr_info"] if entry["scope"] == "link")
    for source in (own6, link_local, "fe80::77"):
        packet = icmp6(source, "ff02::1", 134, body=router)
        yield f"router advertisement of {source}", six(ip6(source, "ff02::1", 58, packet, hops=255),
                                                       destination=all_nodes)
        hidden = struct.pack(">BB6x", 58, 0) + packet
        yield f"one behind options of {source}", six(ip6(source, "ff02::1", 60, hidden, hops=255),
                                                     destination=all_nodes)
        hidden = struct.pack(">BBHI", 58, 0, 0, 7) + packet
        yield f"one in a fragment of {source}", six(ip6(source, "ff02::1", 44, hidden, hops=255),
                                                    destination=all_nodes)
    redirect = bytes(4) + socket.inet_pton(socket.AF_INET6, own6) + socket.inet_pton(socket.AF_INET6, public6)
    yield "redirect", six(ip6(link_local, GATEWAY6, 58, icmp6(link_local, GATEWAY6, 137, body=redirect), hops=255))
    for target in (GATEWAY6, "fd88::77", "fe80::77"):
        body = struct.pack(">I16sBB6s", 0x20000000, socket.inet_pton(socket.AF_INET6, target), 2, 1, mac)
        yield f"advertisement of {target}", six(ip6(own6, "ff02::1", 58, icmp6(own6, "ff02::1", 136, body=body),
                                                    hops=255), destination=all_nodes)
    for tags in ("81000000", "81000005", "88a80005", "8100000181000002"):
        yield f"VLAN {tags}", gateway_mac + mac + bytes.fromhex(tags) + struct.pack(">H", ETHER_IP) + good4
    for kind in (0x88cc, 0x888e, 0x8847, 0x0805, 0x9000, 0x0026):
        yield f"ethertype {kind:04x}", ether(BROADCAST, mac, kind, good4)
    yield "IPv6 as IPv4", four(good6)
    yield "IPv4 as IPv6", six(good4)
    for length in (1, 12, 15, 17, 19):
        yield f"cut after {length}", four(good4[:length])
    for length in (1, 8, 23, 25, 39):
        yield f"IPv6, cut after {length}", six(good6[:length])
    yield "nothing", four(b"")


@test("network: pods", "security")
def the_guest_cannot_speak_for_anybody_else(world):
    pod = world.pod()
    pod.open(offloads=False)
    pod.join()
    own4 = next(a for a in pod.addresses if "." in a)
    own6 = next(a for a in pod.addresses if ":" in a)
    mac = bytes.fromhex(pod.mac.replace(":", ""))
    bridge = json.loads(output("ip", "-j", "link", "show", "dev", "cni0"))[0]
    gateway_mac = bytes.fromhex(bridge["address"].replace(":", ""))
    frames = list(forged_frames(pod, gateway_mac))
    assert len(frames) >= 60, len(frames)
    outside, loopback = sniffer(pod.host_card), sniffer("lo", pod.name)
    loopback.setblocking(False)
    for what, frame in frames:
        marker = os.urandom(8)
        os.write(pod.tap_fd, VNET_HEADER + frame)
        os.write(pod.tap_fd, VNET_HEADER + ether(gateway_mac, mac, ETHER_IP,
                                                 datagram(own4, "192.0.2.1", 4000, 53, marker)))
        got = frames_until(outside, marker)
        assert not got, (what, [other.hex() for other in got])
    # Nor does it begin anything at what listens on the host's side of its loopback.
    for source, peer, ip in ((own4, PEER4, ip4), (own6, PEER6, ip6)):
        os.write(pod.tap_fd, VNET_HEADER + ether(gateway_mac, mac, ETHER_IP if ip is ip4 else ETHER_IP6,
                                                 ip(source, peer, 6, tcp(source, peer, 4000, 22, 2))))
    time.sleep(0.1)
    try:
        assert False, loopback.recvfrom(2000)
    except BlockingIOError:
        pass
    # What is its own passes: ARP, advertisements, solicitations, reports, fragments.
    solicited = struct.pack(">I16sBB6s", 0, socket.inet_pton(socket.AF_INET6, GATEWAY6), 1, 1, mac)
    advertised = struct.pack(">I16sBB6s", 0x60000000, socket.inet_pton(socket.AF_INET6, own6), 2, 1, mac)
    for what, frame in (
            ("ARP", ether(BROADCAST, mac, ETHER_ARP, arp(1, mac, own4, bytes(6), GATEWAY4))),
            ("solicitation", ether(b"\x33\x33\xff\0\0\1", mac, ETHER_IP6, ip6(
                own6, "ff02::1:ff00:1", 58, icmp6(own6, "ff02::1:ff00:1", 135, body=solicited), hops=255))),
            ("advertisement", ether(gateway_mac, mac, ETHER_IP6, ip6(
                own6, GATEWAY6, 58, icmp6(own6, GATEWAY6, 136, body=advertised), hops=255))),
            ("report", ether(b"\x33\x33\0\0\0\x16", mac, ETHER_IP6, ip6(
                "::", "ff02::16", 0, bytes.fromhex("3a00050200000000") + icmp6("::", "ff02::16", 143, body=bytes(4)),
                hops=1))),
            ("fragment", ether(gateway_mac, mac, ETHER_IP, ip4(own4, "192.0.2.1", 17, udp(
                own4, "192.0.2.1", 4000, 53, b"x" * 8), fragment=0x2000)))):
        os.write(pod.tap_fd, VNET_HEADER + frame)
        await_frame(outside, frame, what)


@test("network: pods", "security")
def nobody_in_the_network_can_speak_for_the_pod_s_loopback(world):
    pod = world.pod()
    pod.open(offloads=False)
    pod.join()
    list(iter(lambda: read_frame(pod.tap_fd), None))
    own4 = next(a for a in pod.addresses if "." in a)
    own6 = next(a for a in pod.addresses if ":" in a)
    mac, other = bytes.fromhex(pod.mac.replace(":", "")), bytes.fromhex("0200000000aa")
    sending = sniffer(pod.host_card)
    for source, to in ((PEER4, own4), ("127.0.0.1", own4), ("127.9.9.9", own4), ("10.88.0.9", "127.0.0.1"),
                       ("10.88.0.9", PEER4), (PEER6, own6), ("::1", own6), ("fd88::9", "::1"), ("fd88::9", PEER6)):
        family = ETHER_IP6 if ":" in source else ETHER_IP
        segment = tcp(source, to, 4000, 80, 2)
        packet = ip6(source, to, 6, segment) if ":" in source else ip4(source, to, 6, segment)
        sending.send(ether(mac, other, family, packet))
        marker = os.urandom(8)
        sending.send(ether(mac, other, ETHER_IP, datagram("10.88.0.9", own4, 4000, 53, marker)))
        got = []
        while not (got and marker in got[-1]):
            got.append(read_frame(pod.tap_fd, 3))
            assert got[-1] is not None, "the way is broken"
        assert not [frame for frame in got[:-1] if frame[:6] == mac], (source, to)


def read_frame(fd, seconds=0.0):
    deadline = time.monotonic() + seconds
    while True:
        try:
            return os.read(fd, 70000)[len(VNET_HEADER):]
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return None
            time.sleep(0.005)


@test("network: pods")
def a_port_forward_reaches_the_loopback_of_the_guest(world):
    pod = world.pod()
    guest = pod.boot()
    world.serve(socket.AF_INET, "127.0.0.1", 8080, guest)
    world.serve(socket.AF_INET, "", 8081, guest)
    world.serve(socket.AF_INET6, "::", 8082, guest)
    world.serve(socket.AF_INET6, "::1", 8083, guest)
    payload = os.urandom(8 << 20)
    # As containerd does it: a socket made in the pod's namespace, to its loopback.
    for _ in range(20):
        assert ask("127.0.0.1", 8080, pod.name) == PEER4
    assert ask("127.0.0.1", 8080, pod.name, payload) == PEER4
    assert ask("127.0.0.1", 8081, pod.name, payload) == PEER4
    assert ask("::1", 8082, pod.name, payload) == PEER6
    assert ask("::1", 8083, pod.name, payload) == PEER6
    begun = time.monotonic()
    assert ask("127.0.0.1", 9, pod.name) == "refused" and ask("::1", 9, pod.name) == "refused"
    assert time.monotonic() - begun < 1
    # A server of the loopback alone is not the network's.
    assert ask(next(a for a in pod.addresses if "." in a), 8080) == "refused"
    assert ask(next(a for a in pod.addresses if "." in a), 8081) == GATEWAY4
    assert ask(next(a for a in pod.addresses if ":" in a), 8083) == "refused"
    # A guest that ends: a clear end here, too.
    with inside(pod.name):
        held = socket.create_connection(("127.0.0.1", 8080), 3)
    with held:
        held.recv(100)
        pod.leave()
        assert ask("127.0.0.1", 8080, pod.name) == "refused"


def faults_of(pod):
    """(what, how it comes, how it goes where a join does not mend it, the fact that differs, a word of it)"""
    rules, own = "netdev danchi-pod", pod.address(socket.AF_INET)
    return (
        ("an address at the tap", "ip address add 192.0.2.1/24 dev dn200004",
         "ip address del 192.0.2.1/24 dev dn200004", "tap", "address 192.0.2.1"),
        ("another MTU", "ip link set dn200004 mtu 1400", None, "tap", "mtu 1400"),
        ("a tap that is down", "ip link set dn200004 down", None, "tap", "owner"),
        ("another's MAC", f"ip neigh replace {own} lladdr 02:00:00:00:00:01 dev dn200004 nud permanent", None, "tap",
         "02:00:00:00:00:01"),
        ("a setting", "echo 0 > /proc/sys/net/ipv4/conf/lo/accept_local", None, "settings",
         "accept_local of lo is 0, not 1"),
        ("a rule more", f"nft insert rule {rules} in-tap accept", None, "rules", "chain in-tap: 'accept'"),
        ("no rule against spoofing", f"nft flush chain {rules} in-tap", None, "rules", "chain in-tap: ''"),
        ("an open hook", f"nft add chain {rules} in-tap '{{ policy accept; }}'", None, "rules", "policy accept"),
        ("no rules", f"nft delete table {rules}", None, "rules", "not there"),
        ("another's rules", "nft add table ip other", "nft delete table ip other", "others", "table ip other"),
        ("a filter of tc's", "tc qdisc add dev eth0 clsact", "tc qdisc del dev eth0 clsact", "others",
         "tc's clsact at eth0"),
        # The rules are of the addresses that were there, which are the guest's.
        ("an address of the card's", "ip address add 10.88.0.99/24 dev eth0",
         "ip address del 10.88.0.99/24 dev eth0", "rules", "10.88.0.99"))


@test("network: pods", "security")
def what_was_made_is_read_back_and_each_fault_is_seen(world):
    pod = world.pod()
    pod.open()
    assert world.gateway.pod_facts(pod.path, 3)["tap"][1] == "no tap"
    pod.join()
    good = world.gateway.pod_facts(pod.path, 3)
    assert set(good) == {"tap", "settings", "rules", "others"}, good
    assert all(promised == observed for promised, observed in good.values()), good
    assert f"neighbour {pod.address(socket.AF_INET)} {pod.mac}" in good["tap"][0], good
    for what, comes, goes, name, word in faults_of(pod):
        run("ip", "netns", "exec", pod.name, "sh", "-c", comes)
        facts = world.gateway.pod_facts(pod.path, 3)
        assert [fact for fact, (promised, observed) in facts.items() if promised != observed] == [name], (what, facts)
        assert word in facts[name][1], (what, facts)
        if goes:
            run("ip", "netns", "exec", pod.name, "sh", "-c", goes)
        pod.join()
        assert world.gateway.pod_facts(pod.path, 3) == good, what
    assert "twin" not in output("ip", "netns", "exec", pod.name, "nft", "list", "tables")


@test("network: pods", "performance")
def the_way_through_costs_little_beside_a_plain_namespace(world):
    """MB/s from the host to the pod and back; the guest's end is a thread of this test's, which copies each frame
    once more than QEMU does, so what is seen is a lower bound."""
    pod, plain = world.pod(), world.pod("plain", 4)
    guest = pod.boot()
    for own, name in ((pod.addresses[0], guest.name), (plain.addresses[0], "plain")):
        with inside(name):
            world.sockets.append(socket.create_server((own, 7001)))
    back = socket.create_server((GATEWAY4, 7002))
    world.sockets.append(back)
    to_pod = megabytes_a_second(world.sockets[0], pod.addresses[0], 7001, None)
    to_plain = megabytes_a_second(world.sockets[1], plain.addresses[0], 7001, None)
    from_pod = megabytes_a_second(back, GATEWAY4, 7002, guest.name)
    from_plain = megabytes_a_second(back, GATEWAY4, 7002, "plain")
    print(f"# MB/s to and from a pod's guest {to_pod:.0f}, {from_pod:.0f}; a plain namespace {to_plain:.0f}, "
          f"{from_plain:.0f}")
    # A way that fell back to single packets of 1450 bytes would be at a tenth of this.
    assert to_pod > to_plain / 4 and from_pod > from_plain / 4


def megabytes_a_second(listening, to, port, namespace, amount=400 << 20):
    piece = bytes(1 << 20)
    with inside(namespace) if namespace else contextlib.nullcontext():
        sending = socket.create_connection((to, port), 5)
    taken, _ = listening.accept()

    def drain():
        got = 0
        while got < amount:
            size = len(taken.recv(1 << 20))
            if size == 0:
                return
            got += size
    thread = threading.Thread(target=drain, daemon=True)
    begun = time.monotonic()
    thread.start()
    for _ in range(amount // len(piece)):
        sending.sendall(piece)
    thread.join(60)
    took = time.monotonic() - begun
    sending.close()
    taken.close()
    return amount / 1e6 / took


@test("network: pods")
def a_join_again_cuts_nothing(world):
    pod = world.pod()
    guest = pod.boot()
    world.serve(socket.AF_INET, "", 7001, guest)
    own4 = next(a for a in pod.addresses if "." in a)
    with socket.create_connection((own4, 7001), 3) as held:
        held.recv(100)
        for _ in range(5):
            pod.join()
            held.sendall(b"ping")
            assert held.recv(4) == b"ping"


@test("network: pods")
def whatever_ends_first_nothing_is_left(world):
    def guest(pod):
        pod.end_guest()

    def leave(pod):
        if pod.is_there():
            pod.leave()

    def delete(pod):
        pod.delete()

    def close(pod):
        world.gateway.close(pod.slot)

    for slot, order in enumerate(((guest, leave, delete, close), (delete, guest, close), (leave, delete, guest, close),
                                  (delete, close, guest), (leave, leave, guest, delete, close),
                                  (guest, delete, close))):
        pod = world.pod(slot=20 + slot)
        pod.boot()
        world.serve(socket.AF_INET, "", 7001, pod.guest)
        assert ask(next(a for a in pod.addresses if "." in a), 7001) == GATEWAY4
        end_server(world.sockets.pop())
        for step in order:
            step(pod)
        world.pods.remove(pod)
        expect_nothing_left()
    # A guest that never came so far: the tap is found by its name, as any other.
    world.gateway.pod_tap(30)
    assert world.gateway.slots() == [30]
    world.gateway.close(30)
    expect_nothing_left()
    # The pod's namespace is nobody's any more, though QEMU still has the tap.
    pod = world.pod(slot=31)
    pod.open()
    inode = os.stat(pod.path).st_ino
    pod.join()
    pod.delete()
    world.pods.remove(pod)
    expect_gone(inode)
    os.close(pod.tap_fd)


def expect_gone(inode):
    """No process has that network namespace, and the kernel has let go of what was in it."""
    for process in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            assert os.stat(f"/proc/{process}/ns/net").st_ino != inode, process
    deadline = time.monotonic() + 5
    while any("veth" in line for line in output("ip", "-o", "link").splitlines()):
        assert time.monotonic() < deadline, output("ip", "-o", "link")
        time.sleep(0.05)


@test("network: pods", "robustness")
def a_gateway_that_is_killed_at_any_moment_leaves_what_can_be_done_again(world):
    chance = random.Random(7)
    pod = world.pod()
    for round_number in range(25):
        gateway = world.gateway
        fds = []
        gateway.pod_tap(3)
        pod.tap_fd = open_tap(pod.tap)
        with open(pod.path) as namespace:
            for order, body in ((POD_JOIN, struct.pack(">I", 3)), (POD_LOOK, b"")):
                fds.append(gateway.send(order, body, [namespace.fileno()]))
        time.sleep(chance.random() * 0.06)
        children = list_children(gateway.process.pid)
        # The gateway, its door, or both.
        for victim in (children if round_number % 3 == 0 else [gateway.process.pid] if round_number % 3 == 1
                       else [*children, gateway.process.pid]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        for fd in fds:
            fd.close()
        gateway.process.kill()
        gateway.process.wait()
        gateway.socket.close()
        for child in children:
            expect_end(child)
        gateway.start()
        lines = pod.join()
        assert words_of(lines, "mac") == [(pod.mac, )]
        pod.leave()
        gateway.close(3)
        os.close(pod.tap_fd)
        pod.tap_fd = None
        assert pod.tap not in pod.ip("link") and pod.tap not in output("ip", "link")
        with inside(pod.name):
            assert "danchi" not in output("nft", "list", "tables")


def find_door(gateway):
    """Its one child, when that of the last order has ended."""
    deadline = time.monotonic() + 5
    while len(children := list_children(gateway.process.pid)) != 1:
        assert time.monotonic() < deadline, children
        time.sleep(0.01)
    return children


def list_children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


def expect_end(pid):
    deadline = time.monotonic() + 5
    while os.path.exists(f"/proc/{pid}") and state_of(pid) != "Z":
        assert time.monotonic() < deadline, f"process {pid} has not ended"
        time.sleep(0.01)


def state_of(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0]
    return "Z"


@test("network: pods", "security")
def the_door_has_two_rights_and_the_gateway_none_of_a_namespace(world):
    def status(pid):
        with open(f"/proc/{pid}/status") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    net_admin, bind, sys_admin = 1 << 12, 1 << 10, 1 << 21
    # Both have confined themselves.
    assert "host's network" in refusal(world.gateway.pod, POD_LOOK, "/proc/self/ns/net")
    door = find_door(world.gateway)
    for pid, wanted in ((world.gateway.process.pid, net_admin | bind), (door[0], net_admin | sys_admin)):
        found = status(pid)
        for name in ("CapPrm", "CapEff", "CapBnd"):
            assert int(found[name], 16) == wanted, (name, found[name])
        assert found["Uid"].split() == ["200000"] * 4 and found["Groups"].strip() == ""
        assert found["NoNewPrivs"] == "1" and found["Seccomp"] == "2"
        assert sorted(os.listdir(f"/proc/{pid}/root")) == ["dev", "proc"]
    # Its end is seen, and said.
    os.kill(door[0], signal.SIGKILL)
    pod = world.pod()
    assert "has lost the process that goes to pods" in refusal(world.gateway.pod, POD_LOOK, pod.path)
    assert "restart danchi-gateway" in refusal(world.gateway.pod, POD_LOOK, pod.path)
    world.gateway.stop()
    world.gateway.start()
    assert words_of(world.gateway.pod(POD_LOOK, pod.path), "mtu") == [("1450", )]


if __name__ == "__main__":
    assert BRIDGE["mtu"] == 1450
    sys.exit(main(World))
