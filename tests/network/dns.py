# SPDX-License-Identifier: Apache-2.0
"""DNS messages for the tests, written and read by hand: as little of libldns as possible."""

import ipaddress
import socket
import struct

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, OPT, DS, RRSIG, HTTPS, AXFR, ANY = (
    1, 2, 5, 6, 12, 15, 16, 28, 33, 41, 43, 46, 65, 252, 255)
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)
FILTERED, PROHIBITED = 17, 18


def name(text):
    out = b""
    for label in text.rstrip(".").split(".") if text.rstrip(".") else []:
        raw = label.encode("latin-1")
        out += bytes([len(raw)]) + raw
    return out + b"\0"


def query(text, kind=A, number=0x1234, edns=1232, flags=0x0100, klass=1, extra=b""):
    message = struct.pack(">HHHHHH", number, flags, 1, 0, 0, 1 if edns else 0)
    message += name(text) + struct.pack(">HH", kind, klass)
    if edns:
        message += b"\0" + struct.pack(">HHIH", OPT, edns, 0, 0)
    return message + extra


def record(text, kind, ttl, data, klass=1):
    return name(text) + struct.pack(">HHIH", kind, klass, ttl, len(data)) + data


def address(text):
    return ipaddress.ip_address(text).packed


def answer(asked, records=(), flags=0x8180, number=None, rcode=0, question=None, authority=()):
    """To the message `asked`; `records` are made by record()."""
    (asked_number,) = struct.unpack(">H", asked[:2])
    if question is None:
        end = 12
        while asked[end] != 0:
            end += 1 + asked[end]
        question = asked[12:end + 5]
    header = struct.pack(">HHHHHH", asked_number if number is None else number, flags | rcode, 1,
                         len(records), len(authority), 0)
    return header + question + b"".join(records) + b"".join(authority)


class Message:
    """rcode, flags, records: list of (name, type, ttl, value), ede, size."""

    def __init__(self, raw):
        self.size = len(raw)
        self.raw = raw
        self.number, self.flags, questions, answers, authority, additional = struct.unpack(">HHHHHH", raw[:12])
        self.rcode = self.flags & 15
        self.is_cut = bool(self.flags & 0x0200)
        self.ede = None
        at = 12
        self.questions = []
        for _ in range(questions):
            text, at = self.read_name(at)
            self.questions.append((text, *struct.unpack(">HH", raw[at:at + 4])))
            at += 4
        self.records, self.authority = [], []
        for count, into in ((answers, self.records), (authority, self.authority), (additional, None)):
            for _ in range(count):
                at = self.read_record(at, into)
        assert at == len(raw), "bytes are left over"

    def read_name(self, at):
        labels, jumps, end = [], 0, None
        while True:
            size = self.raw[at]
            if size & 0xc0 == 0xc0:
                end = end if end is not None else at + 2
                at = (size & 0x3f) << 8 | self.raw[at + 1]
                jumps += 1
                assert jumps < 64
                continue
            at += 1
            if size == 0:
                return ".".join(labels), end if end is not None else at
            labels.append(self.raw[at:at + size].decode("latin-1"))
            at += size

    def read_record(self, at, into):
        text, at = self.read_name(at)
        kind, _klass, ttl, size = struct.unpack(">HHIH", self.raw[at:at + 10])
        at += 10
        data = self.raw[at:at + size]
        if into is not None:
            value = data
            if kind in (A, AAAA):
                value = str(ipaddress.ip_address(data))
            elif kind in (CNAME, PTR, NS):
                value = self.read_name(at)[0]
            into.append((text, kind, ttl, value))
        elif kind == OPT:
            self.read_options(data)
        return at + size

    def read_options(self, data):
        while data:
            code, size = struct.unpack(">HH", data[:4])
            if code == 15:
                (self.ede,) = struct.unpack(">H", data[4:6])
            data = data[4 + size:]

    def values(self, kind):
        return sorted(value for _text, found, _ttl, value in self.records if found == kind)


def ask_udp(server, message, timeout=6):
    """The answer as Message; None: there came none."""
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        sock.connect(server)
        sock.send(message)
        try:
            return Message(sock.recv(65536))
        except socket.timeout:
            return None


def receive(sock, size):
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def read_tcp(sock):
    (size,) = struct.unpack(">H", receive(sock, 2))
    return receive(sock, size)


def ask_tcp(server, message, timeout=6):
    with socket.create_connection(server, timeout=timeout) as sock:
        sock.sendall(struct.pack(">H", len(message)) + message)
        return Message(read_tcp(sock))
