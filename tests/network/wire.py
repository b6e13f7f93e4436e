# SPDX-License-Identifier: Apache-2.0
"""Frames by hand, the guest's end of a tap, and a small internet made of a namespace."""

import contextlib
import ctypes
import fcntl
import ipaddress
import os
import select
import socket
import struct
import subprocess
import threading
import time

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 2, 0x1000, 0x4000
CLONE_NEWNET = 0x40000000
VNET_HEADER = bytes(10)
LIBC = ctypes.CDLL(None, use_errno=True)
ETHER_IP, ETHER_ARP, ETHER_IP6 = 0x0800, 0x0806, 0x86DD
BROADCAST = b"\xff" * 6


def run(*words):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def output(*words):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout


def packed(address):
    return ipaddress.ip_address(address).packed


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ether(destination, source, kind, payload):
    return destination + source + struct.pack(">H", kind) + payload


def ip4(source, destination, protocol, payload, options=b"", fragment=0, words=None, ttl=64):
    words = words if words is not None else 5 + len(options) // 4
    header = struct.pack(">BBHHHBBH4s4s", 0x40 | words, 0, 20 + len(options) + len(payload), 1, fragment, ttl,
                         protocol, 0, packed(source), packed(destination)) + options
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + payload


def ip6(source, destination, following, payload, hops=64):
    return struct.pack(">IHBB16s16s", 0x60000000, len(payload), following, hops, packed(source),
                       packed(destination)) + payload


def pseudo(source, destination, protocol, length):
    source, destination = packed(source), packed(destination)
    if len(source) == 4:
        return source + destination + struct.pack(">BBH", 0, protocol, length)
    return source + destination + struct.pack(">IHBB", length, 0, 0, protocol)


def udp(source, destination, source_port, port, payload):
    header = struct.pack(">HHHH", source_port, port, 8 + len(payload), 0)
    total = checksum(pseudo(source, destination, 17, 8 + len(payload)) + header + payload) or 0xffff
    return header[:6] + struct.pack(">H", total) + payload


def tcp(source, destination, source_port, port, flags, sequence=1, acknowledged=0):
    header = struct.pack(">HHIIBBHHH", source_port, port, sequence, acknowledged, 0x50, flags, 8192, 0, 0)
    total = checksum(pseudo(source, destination, 6, len(header)) + header)
    return header[:16] + struct.pack(">H", total) + header[18:]


def icmp4(kind, code=0, rest=b"\0\1\0\1", payload=b"danchi"):
    message = struct.pack(">BBH", kind, code, 0) + rest + payload
    return message[:2] + struct.pack(">H", checksum(message)) + message[4:]


def icmp6(source, destination, kind, code=0, body=b"\0\1\0\1danchi"):
    message = struct.pack(">BBH", kind, code, 0) + body
    total = checksum(pseudo(source, destination, 58, len(message)) + message)
    return message[:2] + struct.pack(">H", total) + message[4:]


def arp(operation, sender_mac, sender, target_mac, target):
    return struct.pack(">HHBBH6s4s6s4s", 1, ETHER_IP, 6, 4, operation, sender_mac, packed(sender), target_mac,
                       packed(target))


def datagram(source, destination, source_port, port, payload):
    body = udp(source, destination, source_port, port, payload)
    if ipaddress.ip_address(source).version == 4:
        return ip4(source, destination, 17, body)
    return ip6(source, destination, 17, body)


class Card:
    """The guest's end, as QEMU has it."""

    def __init__(self, plan):
        self.plan = plan
        self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.fd, TUNSETIFF,
                    struct.pack("16sH22x", plan.tap.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
        self.port = 20000

    def close(self):
        os.close(self.fd)

    def send(self, frame):
        with contextlib.suppress(OSError):
            os.write(self.fd, VNET_HEADER + frame)

    def send_ip(self, packet):
        kind = ETHER_IP if packet[0] >> 4 == 4 else ETHER_IP6
        self.send(ether(self.plan.host_mac, self.plan.guest_mac, kind, packet))

    def frames(self, seconds=0.0):
        """All that has come, waiting for the first."""
        while select.select([self.fd], [], [], seconds)[0]:
            seconds = 0
            yield os.read(self.fd, 70000)[len(VNET_HEADER):]

    def await_frame(self, wanted, seconds=2.0):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for frame in self.frames(0.05):
                if wanted(frame):
                    return frame
        return None

    def next_port(self):
        self.port += 1
        return self.port

    def source(self, to, container=0):
        version = ipaddress.ip_address(to).version
        return self.plan.container4(container) if version == 4 else self.plan.container6(container)

    def ask(self, to, port=7777, payload=b"ping", seconds=8.0, source=None):
        """A datagram to an echo server. Returns: b"echo" of the payload, "refused" or None"""
        source = source or self.source(to)
        source_port = self.next_port()
        self.send_ip(datagram(source, to, source_port, port, payload))
        wanted, asked = struct.pack(">HH", port, source_port), struct.pack(">HH", source_port, port)

        def is_answer(frame):
            body = transport_of(frame)
            return body is not None and (body[1][:4] == wanted if body[0] == 17 else is_refusal(frame, asked))

        frame = self.await_frame(is_answer, seconds)
        if frame is None:
            return None
        protocol, body = transport_of(frame)
        return body[8:] if protocol == 17 else "refused"

    def connect(self, to, port=80, seconds=8.0):
        """A SYN. Returns: "open", "refused" (a reset) or None"""
        source, source_port = self.source(to), self.next_port()
        packet = tcp(source, to, source_port, port, 2)
        self.send_ip(ip4(source, to, 6, packet) if ipaddress.ip_address(to).version == 4
                     else ip6(source, to, 6, packet))
        wanted = struct.pack(">HH", port, source_port)
        frame = self.await_frame(lambda frame: transport_of(frame) and transport_of(frame)[0] == 6
                                 and transport_of(frame)[1][:4] == wanted, seconds)
        if frame is None:
            return None
        return "open" if transport_of(frame)[1][13] & 0x12 == 0x12 else "refused"


def transport_of(frame):
    """(protocol, bytes), or None."""
    kind = struct.unpack(">H", frame[12:14])[0]
    if kind == ETHER_IP:
        return frame[23], frame[14 + (frame[14] & 15) * 4:]
    if kind == ETHER_IP6:
        return frame[20], frame[54:]
    return None


def is_refusal(frame, asked):
    """Destination unreachable, administratively prohibited, about what was @asked."""
    protocol, body = transport_of(frame)
    return (protocol, body[0], body[1]) in ((1, 3, 13), (58, 1, 1)) and asked in body


@contextlib.contextmanager
def inside(name):
    """This thread in another network namespace: sockets made there stay there."""
    with open("/proc/thread-self/ns/net") as here, open(f"/run/netns/{name}") as there:
        if LIBC.setns(there.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            LIBC.setns(here.fileno(), CLONE_NEWNET)


class Internet:
    """Behind the host's uplink up0: every address answers datagrams at 7777 and 53 with what they
    said and connections at 80 with a page; what arrives is written down."""

    PAGE = b"a page of the internet\n"

    PUBLIC = ("93.184.216.34", "1.0.0.7", "2606:2800:220::34", "2a00:1450::7")
    SPECIAL = ("10.1.1.1", "172.16.5.5", "192.168.50.1", "100.64.9.9", "169.254.169.254", "192.0.2.9",
               "198.18.0.9", "198.51.100.9", "203.0.113.9", "192.88.99.9", "fd99::9", "2001:db8::9", "2002:a01:101::9",
               "64:ff9b::a01:101", "fec0::9")
    HOST = ("192.168.77.2", "fd77::2")
    ROUTER = ("192.168.77.1", "fd77::1")

    def __init__(self, is_default=True):
        run("ip", "netns", "add", "internet")
        run("ip", "link", "add", "up0", "type", "veth", "peer", "name", "down0", "netns", "internet")
        for device, addresses, within in (("up0", self.HOST, []),
                                          ("down0", self.ROUTER, ["ip", "netns", "exec", "internet"])):
            for address in addresses:
                bits = "24" if "." in address else "64"
                extra = [] if "." in address else ["nodad"]
                run(*within, "ip", "address", "add", f"{address}/{bits}", "dev", device, *extra)
            run(*within, "ip", "link", "set", device, "up")
        run("ip", "netns", "exec", "internet", "ip", "link", "set", "lo", "up")
        for address in self.PUBLIC + self.SPECIAL:
            extra = [] if "." in address else ["nodad"]
            run("ip", "netns", "exec", "internet", "ip", "address", "add", address, "dev", "lo", *extra)
        # Elsewhere the machine may have another way to the world.
        for address in [*self.PUBLIC, *self.SPECIAL] if not is_default else ["0.0.0.0/0", "::/0"]:
            run("ip", "route", "add", address, "via", self.ROUTER[":" in address])
        with inside("internet"):
            self.sockets = [self.listen(family, kind, port) for family in (socket.AF_INET, socket.AF_INET6)
                            for kind, port in ((socket.SOCK_DGRAM, 7777), (socket.SOCK_DGRAM, 53),
                                               (socket.SOCK_STREAM, 80))]
            self.tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self.tap.bind(("down0", 0))
        self.tap.setblocking(False)
        self.thread = threading.Thread(target=self.echo, daemon=True)
        self.thread.start()

    @staticmethod
    def end():
        run("ip", "link", "del", "up0")
        run("ip", "netns", "del", "internet")

    @staticmethod
    def listen(family, kind, port):
        listening = socket.socket(family, kind)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_DGRAM:
            # Answered from the address that was asked.
            listening.setsockopt(*((socket.IPPROTO_IP, 8, 1) if family == socket.AF_INET
                                   else (socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)))
        listening.bind(("", port))
        if kind == socket.SOCK_STREAM:
            listening.listen(64)
        return listening

    def echo(self):
        while True:
            for ready in select.select(self.sockets, [], [])[0]:
                if ready.type == socket.SOCK_STREAM:
                    with contextlib.suppress(OSError), ready.accept()[0] as peer:
                        peer.sendall(self.PAGE)
                    continue
                data, info, _, peer = ready.recvmsg(2000, 1000)
                level, kind, content = info[0]
                if level == socket.IPPROTO_IP:
                    info = [(level, kind, struct.pack("=I4s4s", 0, content[8:12], bytes(4)))]
                else:
                    info = [(level, socket.IPV6_PKTINFO, content[:16] + bytes(4))]
                with contextlib.suppress(OSError):
                    ready.sendmsg([b"echo " + data], info, 0, peer)

    def seen(self):
        """IP packets that came from the host, and are no neighbour discovery of its own."""
        packets = []
        while True:
            try:
                frame, address = self.tap.recvfrom(70000)
            except BlockingIOError:
                return packets
            if address[2] == socket.PACKET_OUTGOING or frame[12:14] == b"\x08\x06":
                continue
            if frame[12:14] == b"\x86\xdd" and frame[20] in (0, 58) and frame[14 + 8:14 + 10] in (b"\xfe\x80", b"\0\0",
                                                                                                b"\xfd\x77"):
                continue
            packets.append(frame[14:])

    def send_to_guest(self, plan, source, packet_of):
        """From the internet straight to a guest, by way of the host."""
        run("ip", "netns", "exec", "internet", "ip", "route", "replace", str(plan.block4), "via", self.HOST[0])
        with inside("internet"), socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
            raw.sendto(packet_of(source, str(plan.container4(0))), (str(plan.container4(0)), 0))
