#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""danchi-gateway against guests that do what they like: every frame is injected raw into a tap of its
making, in a network namespace with a small internet behind it.

    tests/tools/cell.sh tests/network/test-gateway.py [WORD...]
"""

import contextlib
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from gateway import Gateway, Plan, Refused, UID_FIRST, dial, rule, say_pins  # noqa: E402
from harness import main, test  # noqa: E402
from wire import (BROADCAST, ETHER_ARP, ETHER_IP, ETHER_IP6, Card, Internet, arp, datagram, ether, icmp4,  # noqa: E402
                  icmp6, inside, ip4, ip6, output, run, tcp, transport_of, udp)

ECHO = b"echo ping"


class World:
    def __init__(self):
        self.internet = Internet()
        self.gateway = Gateway()
        self.cards = []

    @contextlib.contextmanager
    def fresh(self):
        try:
            yield self
        finally:
            self.close_cards()
            for slot in self.gateway.slots():
                self.gateway.close(slot)
            self.internet.seen()
        expect_nothing_left()

    def card(self, slot, **options):
        card = Card(self.gateway.open(slot, **options))
        self.cards.append(card)
        return card

    def close_cards(self):
        for card in self.cards:
            card.close()
        self.cards.clear()

    def end(self):
        self.gateway.stop()
        self.internet.end()


def setting(path):
    with open(f"/proc/sys/net/{path}") as file:
        return file.read().strip()


def set_setting(path, value):
    with open(f"/proc/sys/net/{path}", "w") as file:
        file.write(str(value))


def expect_nothing_left():
    left = [line for line in output("nft", "list", "tables").splitlines() if "danchi" in line]
    left += [line for line in output("ip", "-o", "link").splitlines() if ": dn2" in line]
    left += [line for line in output("ip", "route").splitlines() + output("ip", "-6", "route").splitlines()
             if "proto 100" in line]
    left += [f"{path} is on" for path in ("ipv4/ip_forward", "ipv6/conf/all/forwarding") if setting(path) != "0"]
    assert not left, left


def await_packet(world, payload):
    """All that leaves the host until a packet with @payload."""
    packets, deadline = [], time.monotonic() + 3
    while not any(payload in packet for packet in packets):
        assert time.monotonic() < deadline, (payload, packets)
        time.sleep(0.01)
        packets += world.internet.seen()
    return packets


def is_reset(packet):
    """The host's own, for a connection of a guest that is gone."""
    return (packet[9] == 6 and packet[33] & 4) if packet[0] >> 4 == 4 else (packet[6] == 6 and packet[53] & 4)


def expect_unheard(world, card, send, others=(), listeners=()):
    """What @send does reaches nobody, which is known as soon as what is sent after it has arrived."""
    world.internet.seen()
    for other in others:
        list(other.frames())
    send()
    marker = os.urandom(8)
    assert card.ask(Internet.PUBLIC[0], payload=marker) == b"echo " + marker, "the way is broken"
    packets = [packet for packet in world.internet.seen() if marker not in packet and not is_reset(packet)]
    assert not packets, [packet.hex() for packet in packets]
    for other in others:
        got = list(other.frames())
        assert not got, [frame.hex() for frame in got]
    for listener in listeners:
        try:
            assert False, listener.recvfrom(2000)
        except BlockingIOError:
            pass


@test("network: egress")
def a_guest_reaches_public_servers_and_their_answers_reach_it(world):
    card = world.card(0, internet=True)
    for address in Internet.PUBLIC:
        assert card.ask(address) == ECHO, address
        assert card.connect(address) == "open", address
    # By the host's address, and no other.
    sources = {packet[12:16] for packet in world.internet.seen() if packet[0] >> 4 == 4}
    assert sources == {socket.inet_aton(Internet.HOST[0])}, sources
    for container in range(64):
        assert card.ask(Internet.PUBLIC[0], source=card.plan.container4(container)) == ECHO
        assert card.ask(Internet.PUBLIC[2], source=card.plan.container6(container)) == ECHO


@test()
def every_special_address_is_refused_at_once_and_nothing_leaves_the_host(world):
    card = world.card(0, internet=True)
    for address in Internet.SPECIAL:
        def ask(address=address):
            answer = card.ask(address, seconds=0.3)
            assert answer in (None, "refused"), (address, answer)
        expect_unheard(world, card, ask)
    for address in ("10.1.1.1", "169.254.169.254", "fd99::9"):
        assert card.connect(address) == "refused", address


def special_destinations(plan):
    for address in ("0.0.0.0", "0.1.2.3", "127.0.0.1", "127.1.2.3", "255.255.255.255", "224.0.0.1", "224.0.0.251",
                    "239.255.255.250", "240.0.0.1", "10.217.0.127", "10.217.255.255"):
        yield datagram(plan.container4(0), address, 4000, 7777, b"x")
    for address in ("::", "::1", "::ffff:10.1.1.1", "::10.1.1.1", "ff02::1", "ff0e::1", "fe80::1", "2001::1",
                    "fd12:3456:789a:ffff::1"):
        yield datagram(plan.container6(0), address, 4000, 7777, b"x")


@test()
def no_destination_that_is_not_somebody_s_leads_anywhere(world):
    card, other = world.card(0, internet=True), world.card(1, internet=True)

    def send():
        for packet in special_destinations(card.plan):
            card.send_ip(packet)
    expect_unheard(world, card, send, [other])


def forbidden_frames(plan, other):
    """(what, frame): everything here is dropped as it comes in."""
    guest, host, public4, public6 = plan.guest_mac, plan.host_mac, Internet.PUBLIC[0], Internet.PUBLIC[2]
    four, six = plan.container4(0), plan.container6(0)

    def frame4(packet, source=guest, destination=host):
        return ether(destination, source, ETHER_IP, packet)

    def frame6(packet, source=guest, destination=host):
        return ether(destination, source, ETHER_IP6, packet)

    good4, good6 = datagram(four, public4, 4000, 7777, b"x"), datagram(six, public6, 4000, 7777, b"x")
    yield "another's MAC", frame4(good4, source=other.guest_mac)
    yield "the host's MAC", frame4(good4, source=host)
    yield "to another MAC", frame4(good4, destination=other.host_mac)
    yield "to the broadcast MAC", frame4(good4, destination=BROADCAST)
    yield "to a multicast MAC", frame6(good6, destination=b"\x33\x33\0\0\0\1")
    for source in (other.container4(0), other.guest4, plan.gateway4, plan.block4[3], plan.block4[74], plan.block4[127],
                   Internet.HOST[0], public4, "127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1"):
        yield f"from {source}", frame4(datagram(source, public4, 4000, 7777, b"x"))
    for source in (other.container6(0), other.guest6, plan.gateway6, plan.block6[3], plan.block6[0x50], "::", "::1",
                   "fe80::1", Internet.HOST[1], public6, "::ffff:10.217.0.10"):
        yield f"from {source}", frame6(datagram(source, public6, 4000, 7777, b"x"))

    yield "first fragment", frame4(ip4(four, public4, 17, udp(four, public4, 4000, 7777, b"x" * 8), fragment=0x2000))
    yield "later fragment", frame4(ip4(four, public4, 17, b"x" * 16, fragment=0x0001))
    yield "reserved flag", frame4(ip4(four, public4, 17, udp(four, public4, 4000, 7777, b"x"), fragment=0x8000))
    body = udp(four, public4, 4000, 7777, b"x")
    for name, options in (("loose source route", b"\x83\x07\x04" + socket.inet_aton("10.1.1.1") + b"\0"),
                          ("strict source route", b"\x89\x07\x04" + socket.inet_aton("10.1.1.1") + b"\0"),
                          ("record route", b"\x07\x07\x04" + bytes(4) + b"\0"), ("router alert", b"\x94\x04\0\0"),
                          ("no operation", b"\x01\x01\x01\x01")):
        yield name, frame4(ip4(four, public4, 17, body, options=options))
    yield "header of 4 words", frame4(ip4(four, public4, 17, body, words=4))
    yield "header of 15 words", frame4(ip4(four, public4, 17, body, words=15))
    for protocol in (0, 2, 4, 41, 47, 50, 51, 89, 103, 112, 132, 136, 255):
        yield f"protocol {protocol}", frame4(ip4(four, public4, protocol, bytes(24)))
    yield "version 6 as IPv4", frame4(good6)
    yield "version 4 as IPv6", frame6(good4)
    yield "cut IPv4", frame4(good4[:12])
    yield "cut UDP", frame4(good4[:22])
    yield "nothing", ether(host, guest, ETHER_IP, b"")

    inner = udp(six, public6, 4000, 7777, b"x")
    for name, following, extension in (
            ("hop-by-hop options", 0, struct.pack(">BB6x", 17, 0)),
            ("routing header", 43, struct.pack(">BBBB4x", 17, 0, 0, 0)),
            ("fragment header", 44, struct.pack(">BBHI", 17, 0, 0, 1)),
            ("later fragment header", 44, struct.pack(">BBHI", 17, 0, 0x0100, 1)),
            ("destination options", 60, struct.pack(">BB6x", 17, 0)),
            ("authentication", 51, struct.pack(">BB10x", 17, 1)),
            ("mobility", 135, struct.pack(">BB6x", 59, 0)), ("shim6", 140, struct.pack(">BB6x", 59, 0))):
        yield name, frame6(ip6(six, public6, following, extension + inner))
    for protocol in (4, 41, 47, 50, 59, 132):
        yield f"next header {protocol}", frame6(ip6(six, public6, protocol, bytes(24)))

    yield "a DHCP request", frame4(datagram("0.0.0.0", "255.255.255.255", 68, 67, bytes(240)), destination=BROADCAST)
    yield "a DHCP request of its own", frame4(datagram(four, public4, 68, 67, bytes(240)))
    yield "a DHCP server's answer", frame4(datagram(four, "255.255.255.255", 67, 68, bytes(240)), destination=BROADCAST)
    yield "DHCP to a server", frame4(datagram(four, public4, 4000, 67, bytes(240)))
    yield "DHCPv6", frame6(datagram(six, public6, 546, 547, bytes(40)))
    yield "a DHCPv6 server's answer", frame6(datagram(six, public6, 547, 546, bytes(40)))
    for kind in (5, 9, 10, 13, 15, 17, 40):
        yield f"ICMP {kind}", frame4(ip4(four, public4, 1, icmp4(kind)))
    all_nodes, all_nodes_mac = "ff02::1", b"\x33\x33\0\0\0\1"
    prefix = socket.inet_pton(socket.AF_INET6, "2001:db8:6::")
    advertised = (struct.pack(">BBHII", 64, 0x08, 1800, 0, 0)
                  + struct.pack(">BBBBIII16s", 3, 4, 64, 0xc0, 3600, 3600, 0, prefix))
    for source in (plan.guest6, six, "fe80::2"):
        packet = ip6(source, all_nodes, 58, icmp6(source, all_nodes, 134, body=advertised), hops=255)
        yield f"a router advertisement of {source}", frame6(packet, destination=all_nodes_mac)
        yield f"one to the gateway of {source}", frame6(
            ip6(source, plan.gateway6, 58, icmp6(source, plan.gateway6, 134, body=advertised), hops=255))
    packet = ip6(plan.guest6, "ff02::2", 58, icmp6(plan.guest6, "ff02::2", 133, body=bytes(4)), hops=255)
    yield "a router solicitation", frame6(packet, destination=b"\x33\x33\0\0\0\2")
    body = bytes(4) + plan.guest6.packed + socket.inet_pton(socket.AF_INET6, public6)
    yield "an IPv6 redirect", frame6(ip6(plan.guest6, plan.gateway6, 58,
                                         icmp6(plan.guest6, plan.gateway6, 137, body=body), hops=255))
    packet = ip6(plan.guest6, "ff02::16", 58, icmp6(plan.guest6, "ff02::16", 143, body=bytes(4)), hops=1)
    yield "a listener report", frame6(packet, destination=b"\x33\x33\0\0\0\x16")
    for target in (plan.gateway6, other.guest6, "fd77::1", plan.container6(0), "::1"):
        target = target.packed if hasattr(target, "packed") else socket.inet_pton(socket.AF_INET6, target)
        body = struct.pack(">I16sBB6s", 0x60000000, target, 2, 1, guest)
        yield f"an advertisement of {target.hex()}", frame6(
            ip6(plan.guest6, plan.gateway6, 58, icmp6(plan.guest6, plan.gateway6, 136, body=body), hops=255))
        body = struct.pack(">I16sBB6s", 0, target, 1, 1, guest)
        if target != plan.gateway6.packed:
            yield f"a solicitation of {target.hex()}", frame6(
                ip6(plan.guest6, plan.gateway6, 58, icmp6(plan.guest6, plan.gateway6, 135, body=body), hops=255))
    body = struct.pack(">I16sBB6s", 0, plan.gateway6.packed, 1, 1, guest)
    solicited = icmp6(plan.guest6, plan.gateway6, 135, body=body)
    yield "a solicitation from elsewhere", frame6(ip6(plan.guest6, plan.gateway6, 58, solicited, hops=254))
    yield "a solicitation behind an extension", frame6(
        ip6(plan.guest6, plan.gateway6, 0, struct.pack(">BB6x", 58, 0) + solicited, hops=255))

    for name, operation, sender_mac, sender, target, source, destination in (
            ("an ARP answer for the gateway", 2, guest, plan.gateway4, plan.gateway4, guest, BROADCAST),
            ("an ARP answer for another", 2, guest, other.guest4, plan.gateway4, guest, host),
            ("an ARP answer for a container", 2, guest, four, plan.gateway4, guest, host),
            ("an ARP answer for the internet", 2, guest, public4, plan.gateway4, guest, host),
            ("an ARP answer with another's MAC", 2, other.guest_mac, plan.guest4, plan.gateway4, guest, host),
            ("an ARP request for another", 1, guest, plan.guest4, other.guest4, guest, BROADCAST),
            ("an ARP request for the uplink", 1, guest, plan.guest4, Internet.HOST[0], guest, BROADCAST),
            ("a gratuitous ARP", 1, guest, plan.guest4, plan.guest4, guest, BROADCAST),
            ("an ARP probe", 1, guest, "0.0.0.0", plan.guest4, guest, BROADCAST),
            ("an ARP from another's MAC", 1, guest, plan.guest4, plan.gateway4, other.guest_mac, host),
            ("a reverse ARP", 3, guest, plan.guest4, plan.gateway4, guest, host)):
        yield name, ether(destination, source, ETHER_ARP, arp(operation, sender_mac, sender, bytes(6), target))
    yield "an ARP of other hardware", ether(host, guest, ETHER_ARP, struct.pack(
        ">HHBBH", 6, ETHER_IP, 6, 4, 1) + guest + plan.guest4.packed + bytes(6) + plan.gateway4.packed)
    yield "a cut ARP", ether(host, guest, ETHER_ARP, arp(1, guest, plan.guest4, bytes(6), plan.gateway4)[:20])
    for tags in ("81000000", "81000005", "8100e000", "88a80000", "88a8000181000000", "8100000081000000", "91000000"):
        yield f"VLAN {tags}", host + guest + bytes.fromhex(tags) + struct.pack(">H", ETHER_IP) + good4
    for kind in (0x88cc, 0x888e, 0x88d9, 0x8847, 0x8864, 0x0805, 0x9000, 0x0026, 0x8137, 0x22f0, 0x88f7, 0x0000):
        yield f"ethertype {kind:04x}", ether(host, guest, kind, good4)
        yield f"ethertype {kind:04x} to all", ether(b"\x01\x80\xc2\0\0\x0e", guest, kind, good4)


@test()
def no_frame_that_is_not_the_guest_s_own_plain_packet_gets_through(world):
    card, other = world.card(0, internet=True), world.card(1, internet=True)
    frames = list(forbidden_frames(card.plan, other.plan))
    assert len(frames) > 140, len(frames)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("", 7777))
        listener.setblocking(False)
        for what, frame in frames:
            try:
                expect_unheard(world, card, lambda frame=frame: card.send(frame), [other], [listener])
            except AssertionError as error:
                raise AssertionError(what) from error
    # And the host believes nothing of it: its neighbours and routes are those that it made itself.
    neighbours = output("ip", "neighbour", "show", "dev", card.plan.tap).splitlines()
    assert all("PERMANENT" in line for line in neighbours) and len(neighbours) == 2, neighbours
    for device in (card.plan.tap, "up0"):
        assert "proto ra" not in output("ip", "-6", "route", "show", "dev", device)
        assert "2001:db8:6" not in output("ip", "-6", "address", "show", "dev", device)


@test()
def the_gateway_answers_arp_and_neighbour_solicitations_and_echo(world):
    card = world.card(0)
    plan = card.plan
    card.send(ether(BROADCAST, plan.guest_mac, ETHER_ARP, arp(1, plan.guest_mac, plan.guest4, bytes(6), plan.gateway4)))
    answer = card.await_frame(lambda frame: frame[12:14] == b"\x08\x06")
    assert answer is not None and answer[22:28] == plan.host_mac and answer[28:32] == plan.gateway4.packed
    solicited = "ff02::1:ff00:1"
    body = struct.pack(">I16sBB6s", 0, plan.gateway6.packed, 1, 1, plan.guest_mac)
    card.send(ether(b"\x33\x33\xff\0\0\1", plan.guest_mac, ETHER_IP6, ip6(plan.guest6, solicited, 58, icmp6(
        plan.guest6, solicited, 135, body=body), hops=255)))
    answer = card.await_frame(lambda frame: transport_of(frame) and transport_of(frame)[1][0] == 136)
    assert answer is not None and answer[62:78] == plan.gateway6.packed
    card.send_ip(ip4(plan.container4(0), plan.gateway4, 1, icmp4(8)))
    assert card.await_frame(lambda frame: transport_of(frame) and transport_of(frame)[1][0] == 0)
    card.send_ip(ip6(plan.container6(0), plan.gateway6, 58, icmp6(plan.container6(0), plan.gateway6, 128)))
    assert card.await_frame(lambda frame: transport_of(frame) and transport_of(frame)[1][0] == 129)


@test()
def of_the_host_a_guest_reaches_port_53_of_its_gateway_and_that_only_with_a_resolver(world):
    card, other = world.card(0, internet=True), world.card(1, internet=True, resolver=True)
    with contextlib.ExitStack() as stack:
        listeners = []
        for family in (socket.AF_INET, socket.AF_INET6):
            for kind, port in ((socket.SOCK_DGRAM, 53), (socket.SOCK_DGRAM, 9999), (socket.SOCK_STREAM, 53),
                               (socket.SOCK_STREAM, 9999)):
                listener = stack.enter_context(socket.socket(family, kind))
                if family == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listener.bind(("", port))
                listener.setblocking(False)
                if kind == socket.SOCK_STREAM:
                    listener.listen()
                else:
                    listeners.append(listener)
        places = [*Internet.HOST, str(other.plan.gateway4), str(other.plan.gateway6), str(card.plan.gateway4),
                  str(card.plan.gateway6)]
        for address in places:
            for port in (53, 9999):
                answer = card.ask(address, port, seconds=0.1)
                assert answer in (None, "refused"), (address, port, answer)
                assert card.connect(address, port, seconds=0.1) in (None, "refused"), (address, port)
        expect_unheard(world, card, lambda: None, [other], listeners)
        # Own gateway, other ports: told at once.
        assert card.connect(str(card.plan.gateway4), 9999) == "refused"
        for address in (str(other.plan.gateway4), str(other.plan.gateway6)):
            assert other.connect(address, 53) == "open", address
            assert other.connect(address, 9999) == "refused", address
            other.send_ip(datagram(other.source(address), address, 4000, 53, b"question"))
            deadline = time.monotonic() + 2
            got = []
            while not got and time.monotonic() < deadline:
                for listener in listeners:
                    with contextlib.suppress(BlockingIOError):
                        got.append(listener.recvfrom(100)[0])
            assert got == [b"question"], (address, got)
        for address in Internet.HOST:
            assert other.connect(address, 53, seconds=0.1) in (None, "refused")


@test()
def an_internal_guest_reaches_nothing(world):
    card = world.card(0)
    world.internet.seen()
    for address in Internet.PUBLIC + Internet.SPECIAL:
        assert card.ask(address, seconds=0.2) in (None, "refused"), address
    assert card.connect(Internet.PUBLIC[0]) == "refused" and card.connect(Internet.PUBLIC[2]) == "refused"
    assert not world.internet.seen()


def has_got(card, payload):
    return card.await_frame(lambda frame: payload in frame, 1.0) is not None


@test()
def contexts_do_not_reach_each_other(world):
    first, second = world.card(0, internet=True), world.card(1, internet=True)
    for target in (second.plan.container4(0), second.plan.guest4, second.plan.container6(0), second.plan.guest6):
        def send(target=target):
            assert first.ask(str(target), seconds=0.05) in (None, "refused"), target
            assert first.connect(str(target)) == "refused", target
            first.send_ip(ip4(first.plan.container4(0), second.plan.container4(0), 1, icmp4(8)))
            # An answer to what was never asked.
            first.send_ip(ip4(first.plan.container4(0), second.plan.container4(0), 6, tcp(
                first.plan.container4(0), second.plan.container4(0), 80, 4000, 0x12)))
        expect_unheard(world, first, send, [second])


@test()
def members_of_a_group_reach_what_is_exposed_and_others_do_not(world):
    first, second, stranger = (world.card(0, group=7, internet=True), world.card(1, group=7),
                               world.card(2, group=8, internet=True))
    world.gateway.members(7, [(1, 3, 17, 5000, 5009), (1, 3, 6, 80, 80), (0, 0, 6, 1, 65535)])
    world.gateway.members(8, [(1, 3, 6, 80, 80)][:0])
    for target in (second.plan.container4(3), second.plan.container6(3)):
        source = first.source(str(target))
        first.send_ip(datagram(source, target, 4000, 5005, b"to the exposed"))
        assert has_got(second, b"to the exposed"), target
        # The answer goes back, without having been exposed.
        second.send_ip(datagram(target, source, 5005, 4000, b"and its answer"))
        assert has_got(first, b"and its answer"), target

        def send(target=target):
            for port in (4999, 5010, 53, 7777):
                first.ask(str(target), port, seconds=0.05)
            first.connect(str(target), 81, seconds=0.05)
            first.ask(str(second.plan.container4(4)), 5005, seconds=0.05)
            first.ask(str(second.plan.guest4), 5005, seconds=0.05)
            stranger.ask(str(target), 5005, seconds=0.05)
            stranger.connect(str(target), 80, seconds=0.05)
        expect_unheard(world, first, send, [second])
    # What is no longer exposed is closed for what begins then.
    world.gateway.members(7, [])
    expect_unheard(world, first, lambda: first.connect(str(second.plan.container4(3)), 80, seconds=0.05), [second])


@test()
def a_group_ends_with_its_last_member_and_not_before(world):
    world.card(0, group=7)
    world.card(1, group=7)
    world.gateway.members(7, [(1, 0, 6, 80, 80)])
    world.gateway.close(0)
    assert "group-7" in output("nft", "list", "chains")
    assert "80" in output("nft", "list", "set", "inet", "danchi", "group-7-4")
    world.card(2)
    world.gateway.close(1)
    world.gateway.members(7, [(1, 0, 6, 80, 80)])
    assert "group-7" not in output("nft", "list", "table", "inet", "danchi")


def heard(card, address, port=7777):
    """Whether a datagram gets an answer; a refusal may not come: the kernel bounds how often."""
    return card.ask(address, port, seconds=0.15) not in (None, "refused")


@test()
def rules_open_and_close_and_a_deny_wins(world):
    card = world.card(0, rules=[rule(True, "93.184.216.0/24", 17, (7777, 7777)), rule(True, "10.1.0.0/16", 17),
                                rule(True, "2606:2800::/32"), rule(False, "10.1.1.0/24", 17, (1, 7000)),
                                rule(True, "1.0.0.7/32"), rule(False, "1.0.0.0/8", 6), rule(True, "fd99::/16", 17)])
    assert card.ask("93.184.216.34") == ECHO
    assert card.ask("10.1.1.1") == ECHO
    assert card.ask("fd99::9") == ECHO
    assert card.connect("2606:2800:220::34") == "open"
    assert card.ask("1.0.0.7") == ECHO
    for what in (card.connect("93.184.216.34"), card.connect("10.1.1.1"), card.connect("1.0.0.7"),
                 card.connect("2a00:1450::7"), card.connect("172.16.5.5"), card.connect("fd99::9")):
        assert what == "refused", what
    for address, port in (("93.184.216.34", 53), ("10.1.1.1", 53), ("2a00:1450::7", 7777), ("172.16.5.5", 7777)):
        assert not heard(card, address, port), address


@test()
def a_wide_rule_opens_nothing_special_and_no_rule_opens_what_never_opens(world):
    card = world.card(0, rules=[rule(True, "0.0.0.0/0"), rule(True, "::/0"), rule(True, "169.254.0.0/16"),
                                rule(True, "127.0.0.0/8"), rule(True, "10.217.0.0/16"), rule(True, "192.168.77.0/24"),
                                rule(True, "8.0.0.0/6"), rule(True, "fe80::/10"), rule(True, "fd12::/16")])
    world.card(1, internet=True)
    assert card.ask(Internet.PUBLIC[0]) == ECHO and card.ask(Internet.PUBLIC[2]) == ECHO
    # The network of the uplink was named: its router is reached, the host itself is not.
    assert card.ask(Internet.ROUTER[0]) == ECHO
    for address in ("10.1.1.1", "172.16.5.5", "169.254.169.254", "100.64.9.9", "fd99::9", "fec0::9",
                    str(Plan(1).container4(0)), str(Plan(1).container6(0)), Internet.HOST[0]):
        assert not heard(card, address) and card.connect(address, seconds=0.15) != "open", address


@test()
def a_list_opens_what_is_pinned_to_it_and_only_public_addresses_can_be(world):
    card = world.card(0, rules=[rule(True, listed=1, protocol=17, ports=(7777, 7777)), rule(True, listed=2),
                                rule(False, listed=3)])
    other = world.card(1, rules=[rule(True, listed=1)])
    resolver = world.gateway.pin(0)
    assert not heard(card, Internet.PUBLIC[0])
    assert say_pins(resolver, [(1, Internet.PUBLIC[0], 60), (1, Internet.PUBLIC[2], 0),
                               (2, Internet.PUBLIC[1], 9999999),
                               (3, Internet.PUBLIC[3], 60), (2, Internet.PUBLIC[3], 60)]) == 0
    assert card.ask(Internet.PUBLIC[0]) == ECHO and card.ask(Internet.PUBLIC[2]) == ECHO
    assert card.connect(Internet.PUBLIC[0]) == "refused" and card.connect(Internet.PUBLIC[1]) == "open"
    assert not heard(card, Internet.PUBLIC[3]) and not heard(other, Internet.PUBLIC[0])
    listed = output("nft", "list", "set", "inet", "danchi", "dn200001-list2-4")
    assert "timeout 1h" in listed, listed
    assert "timeout 1m" in output("nft", "list", "set", "inet", "danchi", "dn200001-list1-6")
    # Pinned again it lasts longer.
    assert say_pins(resolver, [(1, Internet.PUBLIC[0], 3600)]) == 0
    assert "timeout 1h" in output("nft", "list", "set", "inet", "danchi", "dn200001-list1-4")
    for address in ("10.1.1.1", "169.254.169.254", "127.0.0.1", "10.217.0.138", "::1", "fd99::9", "64:ff9b::1"):
        assert say_pins(resolver, [(1, Internet.PUBLIC[1], 60), (1, address, 60)]) == -13, address
    assert card.ask(Internet.PUBLIC[1]) == ECHO  # of list 2; nothing of a refused message is in list 1:
    assert Internet.PUBLIC[1] not in output("nft", "list", "set", "inet", "danchi", "dn200001-list1-4")
    assert say_pins(resolver, [(4, Internet.PUBLIC[0], 60)]) == -28
    assert say_pins(resolver, [(17, Internet.PUBLIC[0], 60)]) == -13


@test()
def a_resolver_can_neither_fill_a_list_nor_ask_too_often_nor_send_rubbish(world):
    world.card(0, rules=[rule(True, listed=1)])
    resolver = world.gateway.pin(0)
    answers = [say_pins(resolver, [(1, f"8.{high}.{low}.1", 60) for low in range(32)]) for high in range(16)]
    assert answers[:8] == [0] * 8 and set(answers[8:]) == {-28}, answers
    assert output("nft", "list", "set", "inet", "danchi", "dn200001-list1-4").count("expires") == 256
    answers = [say_pins(resolver, [(1, "8.0.0.1", 60)]) for _ in range(200)]
    assert answers.count(-11) > 50, answers
    resolver.send(b"rubbish")
    assert struct.unpack(">i", resolver.recv(4)) == (-71,)
    assert resolver.recv(4) == b""
    # It was the resolver's own server that ended; the next one has another.
    assert say_pins(world.gateway.pin(0), [(1, "8.0.0.1", 60)]) == 0


@test()
def bandwidth_is_bounded_both_ways(world):
    card = world.card(0, internet=True, egress_kbit=800, ingress_kbit=800)
    world.internet.seen()
    begun = time.monotonic()
    for _ in range(1000):
        card.send_ip(datagram(card.plan.container4(0), Internet.PUBLIC[0], 4000, 4444, b"x" * 1400))
    passed = len(world.internet.seen())
    most = (231072 + 100000 * (time.monotonic() - begun)) / 1428
    assert 80 < passed <= most + 2, (passed, most)
    begun = time.monotonic()
    with world.gateway.reach(0, 4, 17, 1)[0] as sender:
        for _ in range(400):
            with contextlib.suppress(OSError):
                sender.sendto(b"y" * 1400, (str(card.plan.container4(0)), 4444))
    most = (231072 + 100000 * (time.monotonic() - begun)) / 1428
    got = sum(1 for frame in card.frames(0.2) if b"y" * 1400 in frame)
    assert 80 < got <= most + 2 and got < 400, (got, most)


@test()
def a_guest_s_connections_are_bounded_and_those_of_others_go_on(world):
    card, other = world.card(0, internet=True, connections=32), world.card(1, internet=True)
    world.internet.seen()
    for port in range(200):
        card.send_ip(datagram(card.plan.container4(port % 64), Internet.PUBLIC[0], 10000 + port, 4444, b"x"))
        source = card.plan.container4(0)
        card.send_ip(ip4(source, Internet.PUBLIC[0], 6, tcp(source, Internet.PUBLIC[0], 10000 + port, 80, 2)))
    assert len(world.internet.seen()) == 32
    assert int(setting("netfilter/nf_conntrack_count")) < 60
    assert other.ask(Internet.PUBLIC[0]) == ECHO


def as_uid(uid, function):
    """In a process of that uid. Returns: whether the function did not raise"""
    pid = os.fork()
    if pid == 0:
        status = 1
        with contextlib.suppress(Exception):
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            function()
            status = 0
        os._exit(status)
    return os.waitpid(pid, 0)[1] == 0


def speak(address, port, payload):
    family = socket.AF_INET6 if ":" in str(address) else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.sendto(payload, (str(address), port))


@test()
def nobody_on_the_host_reaches_a_guest_but_by_a_socket_that_was_made_for_it(world):
    card = world.card(0, internet=True)
    other = world.card(1, internet=True)
    sockets = {version: world.gateway.reach(0, version, 17, 3) for version in (4, 6)}
    for number, address in enumerate((card.plan.container4(0), card.plan.container6(0), card.plan.guest4)):
        for uid in (0, 1000, 200000, UID_FIRST, UID_FIRST + 1):
            as_uid(uid, lambda address=address, number=number: speak(address, 80, b"nobody %d" % number))
        sockets[address.version].pop().sendto(b"publish %d" % number, (str(address), 80))
        got = [frame for frame in card.frames(0.5) if b"nobody" in frame or b"publish" in frame]
        assert len(got) == 1 and b"publish %d" % number in got[0], got
    # TCP, and the way back.
    dialled = world.gateway.reach(0, 4, 6, 1)[0]
    dialled.connect_ex((str(card.plan.container4(5)), 80))
    frame = card.await_frame(lambda frame: transport_of(frame) and transport_of(frame)[0] == 6)
    assert frame is not None and frame[26:30] == card.plan.gateway4.packed
    body = transport_of(frame)[1]
    source_port, _, sequence = struct.unpack(">HHI", body[:8])
    card.send_ip(ip4(card.plan.container4(5), card.plan.gateway4, 6, tcp(
        card.plan.container4(5), card.plan.gateway4, 80, source_port, 0x12, 99, sequence + 1)))
    frame = card.await_frame(lambda frame: transport_of(frame) and transport_of(frame)[1][13] == 0x10)
    assert frame is not None
    # Taken over by the guest, who takes it from its device, it still goes nowhere else.
    taken = world.gateway.reach(0, 4, 17, 1)[0]
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"")
    world.internet.seen()
    for address in (Internet.PUBLIC[0], Internet.ROUTER[0], str(other.plan.container4(0)), "127.0.0.1"):
        with contextlib.suppress(OSError):
            taken.sendto(b"taken over", (address, 7777))
    assert card.ask(Internet.PUBLIC[0]) == ECHO
    assert not any(b"taken over" in packet for packet in world.internet.seen())
    assert not list(other.frames())


@test()
def what_runs_with_a_guest_s_uid_begins_nothing_by_itself(world):
    card = world.card(0, internet=True, resolver=True)
    world.internet.seen()
    for address in (Internet.PUBLIC[0], Internet.PUBLIC[2], "10.1.1.1", Internet.ROUTER[0], "127.0.0.1",
                    str(card.plan.container4(0))):
        for port in (53, 7777):
            as_uid(card.plan.uid, lambda address=address, port=port: speak(address, port, b"taken over"))
    assert as_uid(1000, lambda: speak(Internet.PUBLIC[0], 7777, b"somebody else"))
    packets = await_packet(world, b"somebody else")
    assert not any(b"taken over" in packet for packet in packets), packets
    assert not list(card.frames())


@test()
def a_resolver_speaks_to_the_servers_of_its_order_and_to_no_other(world):
    world.card(0, resolver=True)
    channel = world.gateway.pin(0, [(Internet.ROUTER[0], 53), (Internet.ROUTER[1], 7777)])
    for server, kind in ((0, 0), (1, 0)):
        asking = dial(channel, server, kind)
        asking.settimeout(2)
        asking.send(b"ping")
        assert asking.recv(100) == ECHO
    asking = dial(channel, 0, 1)
    assert asking.type == socket.SOCK_STREAM
    assert dial(channel, 2, 0) == -1
    taken = dial(channel, 0, 0)
    world.internet.seen()
    for address, port in ((Internet.PUBLIC[0], 53), (Internet.ROUTER[0], 7777), (Internet.PUBLIC[0], 7777)):
        # Connected to nothing, and then to another.
        with contextlib.suppress(OSError):
            taken.connect_ex((address, port))
            taken.send(b"taken over")
    assert as_uid(0, lambda: speak(Internet.PUBLIC[0], 7777, b"marker"))
    packets = await_packet(world, b"marker")
    assert not any(b"taken over" in packet for packet in packets), packets
    answers = [dial(channel, 0, 0) for _ in range(400)]
    assert answers.count(-11) > 20, len(answers)


@test()
def a_listening_socket_answers_and_begins_nothing(world):
    world.card(0)
    listening = world.gateway.listen([(False, "0.0.0.0", 17, 4444)])[0]
    listening.settimeout(2)
    with inside("internet"):
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(2)
    client.sendto(b"hello", (Internet.HOST[0], 4444))
    data, peer = listening.recvfrom(100)
    listening.sendto(b"answer to " + data, peer)
    assert client.recv(100) == b"answer to hello"
    world.internet.seen()
    with contextlib.suppress(OSError):
        listening.sendto(b"taken over", (Internet.PUBLIC[0], 7777))
    assert as_uid(0, lambda: speak(Internet.PUBLIC[0], 7777, b"marker"))
    packets = await_packet(world, b"marker")
    assert not any(b"taken over" in packet for packet in packets), packets


@test()
def nothing_from_outside_reaches_a_guest_but_answers(world):
    card = world.card(0, internet=True)
    assert card.ask(Internet.PUBLIC[0]) == ECHO
    list(card.frames())

    def outside():
        for source in (Internet.PUBLIC[0], Internet.ROUTER[0], "10.1.1.1", "10.217.0.138"):
            for protocol, body in ((17, lambda a, b: udp(a, b, 7777, 20001, b"from outside")),
                                   (6, lambda a, b: tcp(a, b, 80, 4000, 2)), (1, lambda a, b: icmp4(8))):
                world.internet.send_to_guest(card.plan, source,
                                             lambda a, b, p=protocol, body=body: ip4(a, b, p, body(a, b)))
    outside()
    got = [frame for frame in card.frames(0.2)]
    assert not got, [frame.hex() for frame in got]


@test()
def the_host_s_own_chatter_does_not_reach_a_guest(world):
    card = world.card(0, internet=True)
    list(card.frames(0.1))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((card.plan.tap, 0))
        plan = card.plan
        for frame in (ether(BROADCAST, plan.host_mac, 0x88cc, b"lldp: the host's name"),
                      ether(b"\x01\0\x5e\0\0\xfb", plan.host_mac, ETHER_IP,
                            datagram(Internet.HOST[0], "224.0.0.251", 5353, 5353, b"mdns: the host's name")),
                      ether(plan.guest_mac, plan.host_mac, ETHER_IP,
                            datagram(Internet.HOST[0], Plan(1).container4(0), 53, 53, b"another's"))):
            with contextlib.suppress(OSError):
                raw.send(frame)
    run("ip", "link", "set", card.plan.tap, "down")
    run("ip", "link", "set", card.plan.tap, "up")
    got = list(card.frames(0.3))
    assert not got, [frame.hex() for frame in got]


@test()
def a_slot_s_next_guest_inherits_no_connection(world):
    card = world.card(0, internet=True)
    assert card.ask(Internet.PUBLIC[0]) == ECHO
    port = card.port
    world.close_cards()
    card = world.card(0)
    card.send_ip(datagram(card.plan.container4(0), Internet.PUBLIC[0], port, 7777, b"ping"))
    frame = card.await_frame(lambda frame: transport_of(frame) is not None)
    assert transport_of(frame)[1][:2] == b"\x03\x0d", frame.hex()


@test()
def the_host_forwards_for_guests_alone_and_only_while_there_are_some(world):
    run("ip", "netns", "add", "lan")
    run("ip", "link", "add", "lan0", "type", "veth", "peer", "name", "in0", "netns", "lan")
    try:
        run("ip", "address", "add", "192.168.88.1/24", "dev", "lan0")
        run("ip", "link", "set", "lan0", "up")
        for words in (["address", "add", "192.168.88.2/24", "dev", "in0"], ["link", "set", "in0", "up"],
                      ["route", "add", "default", "via", "192.168.88.1"]):
            run("ip", "-n", "lan", *words)
        run("ip", "-n", "internet", "route", "add", "192.168.88.0/24", "via", Internet.HOST[0])
        with inside("lan"):
            stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        stranger.settimeout(0.3)

        def passes():
            stranger.sendto(b"ping", (Internet.PUBLIC[0], 7777))
            with contextlib.suppress(TimeoutError):
                return stranger.recv(100) == ECHO
            return False

        assert not passes()
        card = world.card(0, internet=True)
        assert card.ask(Internet.PUBLIC[0]) == ECHO and not passes()
        world.close_cards()
        world.gateway.close(0)
        assert setting("ipv4/ip_forward") == "0"
        # A host that forwarded before goes on with it, then and afterwards.
        set_setting("ipv4/ip_forward", 1)
        card = world.card(0, internet=True)
        assert card.ask(Internet.PUBLIC[0]) == ECHO and passes()
        world.close_cards()
        world.gateway.close(0)
        assert setting("ipv4/ip_forward") == "1" and passes()
    finally:
        set_setting("ipv4/ip_forward", 0)
        run("ip", "netns", "del", "lan")


@test()
def an_uplink_goes_on_to_take_router_advertisements(world):
    set_setting("ipv6/conf/up0/accept_ra", 1)
    world.card(0)
    assert setting("ipv6/conf/all/forwarding") == "1" and setting("ipv6/conf/up0/accept_ra") == "2"
    world.close_cards()
    world.gateway.kill()
    world.gateway.start()
    world.gateway.close(0)
    assert setting("ipv6/conf/up0/accept_ra") == "1" and setting("ipv6/conf/up0/forwarding") == "0"


@test()
def what_is_nobody_s_of_the_pool_does_not_leave_the_host(world):
    world.card(0)
    world.internet.seen()
    for address in (Plan(5).container4(0), Plan(5).container6(0)):
        with contextlib.suppress(OSError):
            speak(address, 7777, b"lost")
            assert False, address
    assert not any(b"lost" in packet for packet in world.internet.seen())


def wrong(world, slot, **options):
    return {name for name, (promised, observed) in world.gateway.facts(slot, **options).items() if promised != observed}


@test()
def verify_finds_every_change_of_rules_tap_and_settings(world):
    options = dict(internet=True, resolver=True, group=7, egress_kbit=1000, rules=[rule(True, "10.1.0.0/16")])
    card = world.card(0, **options)
    tap = card.plan.tap
    assert not wrong(world, 0, **options)
    for change, fact in (
            (["ip", "address", "add", "10.9.9.9/32", "dev", tap], "tap"),
            (["ip", "address", "del", f"{card.plan.gateway4}/32", "dev", tap], "tap"),
            (["ip", "link", "set", tap, "down"], "tap"),
            (["ip", "link", "set", tap, "address", "02:00:00:00:00:01"], "tap"),
            (["ip", "neighbour", "replace", str(card.plan.guest4), "lladdr", "02:00:00:00:00:01", "dev", tap], "tap"),
            (["ip", "route", "add", "10.9.0.0/16", "dev", tap], "tap"),
            (["sysctl", "-qw", f"net.ipv4.conf.{tap}.rp_filter=0"], "settings"),
            (["sysctl", "-qw", f"net.ipv6.conf.{tap}.accept_ra=2"], "settings"),
            (["nft", "flush", "chain", "netdev", "danchi", f"in-{tap}"], "rules.tap"),
            (["nft", f"chain netdev danchi in-{tap} {{ policy accept; }}"], "rules.tap"),
            (["nft", "insert", "rule", "inet", "danchi", f"from-{tap}", "accept"], "rules.guest"),
            (["nft", "flush", "chain", "inet", "danchi", f"host-{tap}"], "rules.guest"),
            (["nft", "add", "rule", "inet", "danchi", "group-7", "accept"], "rules.guest"),
            (["nft", "flush", "chain", "inet", "danchi", "forward"], "rules.common"),
            (["nft", "flush", "set", "inet", "danchi", "never4"], "rules.common"),
            (["nft", "insert", "rule", "inet", "danchi", "input", "accept"], "rules.common"),
            (["nft", "delete", "element", "inet", "danchi", "from", f"{{ {tap} }}"], "rules.entry"),
            (["nft", "delete", "element", "inet", "danchi", "uids", f"{{ {card.plan.uid} }}"], "rules.entry")):
        run(*change)
        assert fact in wrong(world, 0, **options), change
        world.close_cards()
        world.gateway.close(0)
        world.card(0, **options)
        assert not wrong(world, 0, **options), change
    assert wrong(world, 0, **{**options, "internet": False}) == {"rules.guest"}
    assert "tap" in wrong(world, 5)
    # What it compared with is gone.
    assert "promised" not in output("nft", "list", "tables")


@test()
def a_kill_at_any_moment_leaves_nothing_that_closing_does_not_remove(world):
    generator = random.Random(6)
    begun = time.monotonic()
    world.gateway.open(3)
    took = time.monotonic() - begun
    world.gateway.close(3)
    caught = turn = 0
    # At least 25 times; how long an order takes, and so how often it is caught, is the machine's.
    while turn < 25 or (caught < 5 and turn < 200):
        turn += 1
        answered = world.gateway.send(1 if turn % 5 else 2, GUEST if turn % 5 else struct.pack(">I", 3))
        time.sleep(generator.random() * took)
        # The server and the order's own process.
        for pid in children(world.gateway.process.pid) + [world.gateway.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        world.gateway.kill()
        with contextlib.suppress(OSError):
            caught += answered.recv(10) == b""
        world.gateway.start()
        for slot in world.gateway.slots():
            world.gateway.close(slot)
        expect_nothing_left()
    assert caught >= 5, caught


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


@test()
def a_gateway_that_ends_takes_no_network_with_it(world):
    card = world.card(0, internet=True)
    assert card.ask(Internet.PUBLIC[0]) == ECHO
    world.gateway.kill()
    assert card.ask(Internet.PUBLIC[0]) == ECHO
    world.gateway.start()
    assert world.gateway.slots() == [0] and not wrong(world, 0, internet=True)
    assert card.ask(Internet.PUBLIC[0]) == ECHO


@test()
def fifty_guests_each_reach_the_internet_and_none_another(world):
    begun = time.monotonic()
    cards = [world.card(slot, internet=True, resolver=True) for slot in range(50)]
    took = time.monotonic() - begun
    assert took < 30, took
    print(f"# {took * 20:.1f} ms for each of fifty")
    for card in cards[::7]:
        assert card.ask(Internet.PUBLIC[0]) == ECHO
    targets = [str(card.plan.container4(0)) for card in cards[1:]]
    expect_unheard(world, cards[0], lambda: [cards[0].ask(target, seconds=0) for target in targets], cards[1:])
    assert world.gateway.slots() == list(range(50))
    begun = time.monotonic()
    for slot in range(50):
        world.gateway.close(slot)
    print(f"# {(time.monotonic() - begun) * 20:.1f} ms to close each")


@test()
def a_tap_belongs_to_the_guest_s_uid(world):
    plan = world.gateway.open(0)

    def take():
        Card(plan).close()
    os.chmod("/dev/net/tun", 0o666)
    try:
        assert as_uid(plan.uid, take)
        assert not as_uid(plan.uid + 1, take) and not as_uid(1000, take)
    finally:
        os.chmod("/dev/net/tun", 0o600)


@test()
def sockets_are_bound_before_anything_starts_and_conflicts_are_errors(world):
    world.card(0, resolver=True)
    gateway = world.gateway
    bound = gateway.listen([(False, "127.0.0.1", 6, 80), (False, "127.0.0.1", 17, 80), (False, "::1", 6, 80),
                            (False, "0.0.0.0", 6, 8080), (False, "::", 6, 8080), (True, "0.0.0.0", 17, 53),
                            (True, "0.0.0.0", 6, 53), (True, "::", 17, 53)])
    names = [found.getsockname()[:2] for found in bound]
    assert names[:3] == [("127.0.0.1", 80), ("127.0.0.1", 80), ("::1", 80)]
    assert names[5:] == [("10.217.0.1", 53), ("10.217.0.1", 53), (str(Plan(0).gateway6), 53)]
    for found in bound[5:]:
        assert found.getsockopt(socket.SOL_SOCKET, 25, 16).rstrip(b"\0") == b"dn200001"
    for wish, words in (((False, "127.0.0.1", 6, 80), "127.0.0.1:80/tcp: the port is in use"),
                        ((False, "127.0.0.1", 17, 80), "127.0.0.1:80/udp: the port is in use"),
                        ((False, "::1", 6, 80), "[::1]:80/tcp: the port is in use"),
                        ((False, "9.9.9.9", 6, 80), "9.9.9.9:80/tcp: the host has no such address")):
        try:
            gateway.listen([(False, "127.0.0.1", 6, 0), wish])
            assert False, wish
        except Refused as error:
            assert str(error).startswith(words), error
    with socket.create_connection(("127.0.0.1", 80)):
        pass
    for found in bound:
        found.close()
    with gateway.listen([(False, "127.0.0.1", 6, 80)])[0]:
        pass


@test()
def orders_that_are_malformed_of_another_version_or_without_a_descriptor_are_refused(world):
    gateway = world.gateway
    for body in (b"", b"\0", struct.pack(">I", 10000), struct.pack(">II", 1, 1)):
        try:
            gateway.order(2, body)
            assert False, body
        except Refused as error:
            assert "malformed" in str(error)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    socket.send_fds(gateway.socket, [struct.pack(">HH", 2, 6)], [theirs.fileno()])
    theirs.close()
    assert b"another version" in ours.recv(1000)
    gateway.socket.send(struct.pack(">HH", 1, 6))
    assert gateway.slots() == []
    try:
        gateway.open(600)
        assert False
    except Refused as error:
        assert "512 guests have a network at most\nwiden [network] ipv4_pool" in str(error), error
    try:
        gateway.pin(0)
        assert False
    except Refused as error:
        assert "not there" in str(error)


@test()
def the_gateway_has_one_right_and_no_files(world):
    pid = world.gateway.process.pid
    assert world.gateway.slots() == []  # it has confined itself
    with open(f"/proc/{pid}/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    assert status["Uid"].split() == ["200000"] * 4 and status["Gid"].split() == ["200000"] * 4
    assert status["Groups"].strip() == "" and status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    wanted = f"{1 << 12 | 1 << 10:016x}"
    assert [status[name] for name in ("CapPrm", "CapEff", "CapBnd")] == [wanted] * 3
    assert [status[name] for name in ("CapInh", "CapAmb")] == ["0" * 16] * 2
    found = subprocess.run(["find", f"/proc/{pid}/root/", "-xdev"], check=True, capture_output=True, text=True).stdout
    names = sorted(line.split("/root/")[1] for line in found.splitlines())
    assert names == ["", "dev", "dev/net", "dev/net/tun", "proc", "proc/sys", "proc/sys/net"], names
    with open(f"/proc/{pid}/mountinfo") as file:
        assert all(" ro," in line or "/proc/sys/net" in line for line in file)
    # The three, danchid's socket, and that of the door (test-podnet.py).
    assert len(os.listdir(f"/proc/{pid}/fd")) == 5


@test()
def a_listening_gateway_takes_orders_of_root_alone_and_of_several_danchids(world):
    path = "/run/test-gateway.sock"
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listening.bind(path)
    listening.listen()
    os.chmod(path, 0o777)
    from gateway import PROGRAM
    process = subprocess.Popen(["sh", "-c", f"exec {PROGRAM} --listen 3<&{listening.fileno()}"],
                               pass_fds=[listening.fileno()])
    try:
        def connect():
            peer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            peer.settimeout(5)
            peer.connect(path)
            return peer

        def asks_in_vain():
            peer = connect()
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with contextlib.suppress(OSError):
                socket.send_fds(peer, [struct.pack(">HH", 1, 6)], [theirs.fileno()])
            theirs.close()
            with contextlib.suppress(ConnectionResetError):
                assert peer.recv(10) == b""
        assert as_uid(1000, asks_in_vain)
        kept = world.gateway.socket
        for peer in (connect(), connect()):
            world.gateway.socket = peer
            assert world.gateway.slots() == []
        world.gateway.socket = kept
    finally:
        process.kill()
        process.wait()


@test()
def the_probe_names_what_would_keep_guests_from_the_network(world):
    probe = world.gateway.probe
    fine = [[name, "ok"] for name in ("rules", "pods", "tap", "foreign", "pool")]
    assert [line[:2] for line in probe()][:len(fine)] == fine
    # A kernel that does not take a pod's rules: here since somebody else keeps that table.
    with subprocess.Popen(["nft", "-i"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as keeper:
        keeper.stdin.write(b"add table netdev danchi-pod-twin { flags owner; }\n")
        keeper.stdin.flush()
        deadline = time.monotonic() + 5
        while "danchi-pod-twin" not in output("nft", "list", "tables"):
            assert time.monotonic() < deadline
        assert [line for line in probe() if line[0] == "pods" and "nf_tables: " in line[1]], probe()
        keeper.stdin.close()
    assert [line[:2] for line in probe()][:len(fine)] == fine
    run("nft", "add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }")
    run("ip", "address", "add", "10.217.5.1/24", "dev", "up0")
    try:
        lines = probe()
        assert ["foreign", "table ip filter, chain FORWARD"] in lines, lines
        assert any(line[0] == "pool" and "10.217.5.0/24 at up0" in line[1] for line in lines), lines
        run("nft", "add rule ip filter FORWARD iifname dn* accept")
        assert ["foreign", "ok"] in probe()
    finally:
        run("nft", "delete", "table", "ip", "filter")
        run("ip", "address", "del", "10.217.5.1/24", "dev", "up0")
    world.card(0, internet=True)
    assert ["pool", "ok"] in probe()
    assert "promised" not in output("nft", "list", "tables")


if __name__ == "__main__":
    from gateway import guest
    GUEST = guest(3, internet=True, resolver=True, group=4, rules=[rule(True, listed=2), rule(False, "9.0.0.0/8")])
    sys.exit(main(World))
