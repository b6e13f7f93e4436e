# SPDX-License-Identifier: Apache-2.0
"""danchid's side of danchi-gateway for the tests: orders packed by hand, as docs/network.md has them."""

import ipaddress
import os
import socket
import struct
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BUILD = os.environ.get("DN_TEST_BUILD", os.path.join(TOP, "build"))
PROGRAM = os.path.join(BUILD, "bin", "danchi-gateway")
VERSION = 1
OPEN, CLOSE, MEMBERS, LISTEN, PIN, LIST, VERIFY, PROBE, REACH = range(1, 10)
POD_TAP, POD_LOOK, POD_JOIN, POD_LEAVE, POD_VERIFY = range(10, 15)
UID_FIRST = 200001
POOL4 = ipaddress.ip_network("10.217.0.0/16")
PREFIX6 = ipaddress.ip_network("fd12:3456:789a::/48")


class Refused(Exception):
    pass


class Plan:
    """The addresses of a slot, worked out independently of launcher/network/plan.c."""

    def __init__(self, slot):
        self.slot = slot
        self.uid = UID_FIRST + slot
        self.tap = f"dn{self.uid}"
        self.guest_mac = bytes([2, 0x64, 0x6e, 0, slot >> 8, slot & 255])
        self.host_mac = bytes([2, 0x64, 0x6e, 1, slot >> 8, slot & 255])
        self.block4 = ipaddress.ip_network((int(POOL4[0]) + slot * 128, 25))
        self.block6 = ipaddress.ip_network((int(PREFIX6[0]) + (slot << 64), 64))
        self.gateway4, self.guest4 = self.block4[1], self.block4[2]
        self.gateway6, self.guest6 = self.block6[1], self.block6[2]

    def container4(self, number):
        return self.block4[10 + number]

    def container6(self, number):
        return self.block6[0x10 + number]


def pool():
    return POOL4[0].packed + bytes([POOL4.prefixlen]) + PREFIX6[0].packed


def rule(allow, to=None, protocol=0, ports=(0, 65535), listed=0):
    family, address, bits = 0, bytes(16), 0
    if to is not None:
        network = ipaddress.ip_network(to)
        family, bits = network.version, network.prefixlen
        address = network[0].packed.ljust(16, b"\0")
    return struct.pack(">BB16sBBBHH", allow, family, address, bits, listed, protocol, *ports)


def guest(slot, internet=False, resolver=False, group=0, egress_kbit=0, ingress_kbit=0, connections=1024,
          rules=()):
    return (pool() + struct.pack(">IBBIIIII", slot, resolver, internet,
                                 group, egress_kbit, ingress_kbit, connections, len(rules))
            + b"".join(rules))


class Gateway:
    """The real program, as danchid starts it."""

    def __init__(self, wrapper=()):
        self.wrapper = list(wrapper)
        self.socket = self.process = None
        self.start()

    def start(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        os.set_inheritable(theirs.fileno(), True)
        self.process = subprocess.Popen(self.wrapper + [PROGRAM, "--serve", str(theirs.fileno())],
                                        pass_fds=[theirs.fileno()])
        theirs.close()
        ours.settimeout(30)
        self.socket = ours

    def send(self, order_type, body=b"", fds=()):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        message = struct.pack(">HH", VERSION, order_type) + body
        socket.send_fds(self.socket, [message], [theirs.fileno(), *fds])
        theirs.close()
        ours.settimeout(30)
        return ours

    def receive(self, answered):
        message, fds, _, _ = socket.recv_fds(answered, 65536, 8)
        answered.close()
        if not message:
            raise Refused("no answer")
        status, length = struct.unpack(">iH", message[:6])
        if status != 0:
            raise Refused(message[6:6 + length].decode())
        return message[6 + length:].decode(), fds

    def order(self, order_type, body=b"", fds=()):
        return self.receive(self.send(order_type, body, fds))

    def open(self, slot, **options):
        self.order(OPEN, guest(slot, **options))
        return Plan(slot)

    def close(self, slot):
        self.order(CLOSE, struct.pack(">I", slot))

    def slots(self):
        return [int(line) for line in self.order(LIST)[0].splitlines()]

    def members(self, group, exposed):
        body = pool() + struct.pack(">II", group, len(exposed))
        for slot, container, protocol, first, last in exposed:
            body += struct.pack(">IBBHH", slot, container, protocol, first, last)
        self.order(MEMBERS, body)

    def pod_tap(self, slot):
        self.order(POD_TAP, struct.pack(">I", slot))

    def pod(self, order_type, path, slot=None):
        """An order of a pod's network namespace. Returns: the lines' words"""
        with open(path) as namespace:
            text, _ = self.order(order_type, b"" if slot is None else struct.pack(">I", slot), [namespace.fileno()])
        return [tuple(line.split(" ")) for line in text.splitlines()]

    def pod_facts(self, path, slot):
        with open(path) as namespace:
            text, _ = self.order(POD_VERIFY, struct.pack(">I", slot), [namespace.fileno()])
        return {line.split("\t")[0]: line.split("\t")[1:] for line in text.splitlines()}

    def listen(self, sockets, slot=0):
        body = pool() + struct.pack(">II", slot, len(sockets))
        for on_tap, address, protocol, port in sockets:
            address = ipaddress.ip_address(address)
            body += struct.pack(">BB16sBH", on_tap, address.version, address.packed.ljust(16, b"\0"), protocol, port)
        return [socket.socket(fileno=fd) for fd in self.order(LISTEN, body)[1]]

    def reach(self, slot, version, protocol, count):
        return [socket.socket(fileno=fd) for fd in self.order(REACH, struct.pack(">IBBI", slot, version, protocol,
                                                                                count))[1]]

    def pin(self, slot, servers=()):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        body = struct.pack(">II", slot, len(servers))
        for address, port in servers:
            address = ipaddress.ip_address(address)
            body += struct.pack(">B16sH", address.version, address.packed.ljust(16, b"\0"), port)
        self.order(PIN, body, [theirs.fileno()])
        ours.settimeout(10)
        theirs.close()
        return ours

    def facts(self, slot, **options):
        text, _ = self.order(VERIFY, guest(slot, **options))
        return {line.split("\t")[0]: line.split("\t")[1:] for line in text.splitlines()}

    def probe(self):
        lines = [line.split("\t") for line in self.order(PROBE, pool())[0].splitlines()]
        return lines

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.socket.close()

    def stop(self):
        self.socket.close()
        self.process.wait(timeout=5)


def pins(entries):
    return b"".join(struct.pack(">BBHI16s", ipaddress.ip_address(address).version, listed, 0, ttl,
                                ipaddress.ip_address(address).packed.ljust(16, b"\0"))
                    for listed, address, ttl in entries)


def say_pins(channel, entries):
    channel.send(pins(entries))
    return struct.unpack(">i", channel.recv(4))[0]


def dial(channel, server, is_tcp):
    """Returns: a socket, or a negative errno"""
    channel.send(struct.pack(">BBH", server, is_tcp, 0))
    answer, fds, _, _ = socket.recv_fds(channel, 4, 1)
    status = struct.unpack(">i", answer)[0]
    return socket.socket(fileno=fds[0]) if status == 0 else status
