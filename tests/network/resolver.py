# SPDX-License-Identifier: Apache-2.0
"""danchi-resolver for the tests: the real program, started as danchid starts it, with a gateway and
servers of names that the tests are themselves.

Needs root and a network namespace of its own (a cell).
"""

import array
import contextlib
import ipaddress
import os
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

import dns

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BUILD = os.environ.get("DN_TEST_BUILD", os.path.join(TOP, "build"))
PROGRAM = os.path.join(BUILD, "bin", "danchi-resolver")
UID = 200417
BEGIN, RULE, NAME, UNNAME, COMMIT, GATEWAY, PROBE, PROBED, WANT, QUIT = range(1100, 1110)
FIRST_FD = 3
PROBED_FIELDS = ("request", "tables", "rules", "names", "has_gateway", "queries", "refused", "dropped", "asked",
                 "failed", "rebound", "pinned")


def text(value):
    raw = value.encode()
    return struct.pack(">H", len(raw)) + raw


def allow(domain, listed=1, below=False):
    return struct.pack(">BBBBBBB16s", 1, 1, below, 0, listed, 0, 0, b"") + text(domain)


def deny(domain, below=False):
    return struct.pack(">BBBBBBB16s", 0, 1, below, 0, 0, 0, 0, b"") + text(domain)


def allow_block(block, special=True):
    network = ipaddress.ip_network(block)
    return struct.pack(">BBBBBBB16s", 1, 0, 0, special, 0, network.version, network.prefixlen,
                       network[0].packed) + text("")


def container(guest, slot, name, context, address4, address6, own=False):
    return struct.pack(">IBB4s16s", guest, slot, own, dns.address(address4), dns.address(address6)) \
        + text(name) + text(context)


class Gateway:
    """The other end of the pins' socket: dials servers for the resolver, and keeps what is pinned."""

    def __init__(self, servers):
        self.servers = servers
        self.mine, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pins, self.dials, self.orders = [], [], []
        self.result, self.delay = 0, 0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                order = self.mine.recv(4096)
            except OSError:
                return
            if not order:
                return
            self.orders.append((time.monotonic(), len(order)))
            if len(order) == 4:
                self.dial(order)
            else:
                time.sleep(self.delay)
                for at in range(0, len(order), 24):
                    family, listed, zero, ttl, raw = struct.unpack(">BBHI16s", order[at:at + 24])
                    assert zero == 0
                    address = str(ipaddress.ip_address(raw[:4 if family == 4 else 16]))
                    self.pins.append((address, listed, ttl))
                self.reply(self.result)

    def reply(self, result, fd=None):
        control = [] if fd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        try:
            self.mine.sendmsg([struct.pack(">i", result)], control)
        except OSError:
            pass

    def dial(self, order):
        number, is_tcp, zero = struct.unpack(">BBH", order)
        assert zero == 0
        server = self.servers[number]
        self.dials.append((number, bool(is_tcp)))
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM if is_tcp else socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.connect_ex(server)
            self.reply(0, sock.fileno())

    def end(self):
        self.mine.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)
        self.mine.close()


def one_port_of_both():
    """Sockets of UDP and TCP on the loopback with the same number, which the kernel gives for one alone."""
    for _ in range(50):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        try:
            return udp, socket.create_server(udp.getsockname())
        except OSError:
            udp.close()
    raise RuntimeError("no port is free for both UDP and TCP")


class Server:
    """A server of names that answers as a function says: by UDP and TCP on one port."""

    def __init__(self, respond, respond_tcp=None):
        self.queries = []
        self.respond = respond
        self.respond_tcp = respond_tcp
        self.udp, self.tcp = one_port_of_both()
        self.address = self.udp.getsockname()
        threading.Thread(target=self.serve_udp, daemon=True).start()
        threading.Thread(target=self.serve_tcp, daemon=True).start()

    def serve_udp(self):
        while True:
            try:
                asked, peer = self.udp.recvfrom(4096)
            except OSError:
                return
            if not asked:
                return  # it was shut down
            self.queries.append((asked, peer))
            for response in self.respond(asked, peer) or []:
                self.udp.sendto(response, peer)

    def serve_tcp(self):
        while True:
            try:
                sock, peer = self.tcp.accept()
            except OSError:
                return
            with sock:
                try:
                    asked = dns.read_tcp(sock)
                    self.queries.append((asked, peer))
                    for response in (self.respond_tcp or self.respond)(asked, peer) or []:
                        sock.sendall(struct.pack(">H", len(response)) + response)
                except (OSError, EOFError):
                    pass

    def end(self):
        """A thread that waits in a call keeps the socket, and its port, until it is woken."""
        for sock in (self.udp, self.tcp):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


class Resolver:
    """The program, on addresses of this namespace's own loopback."""

    def __init__(self, servers=(), rules=(), names=(), public=True, gateway=True):
        self.directory = tempfile.mkdtemp(prefix="resolver-")
        self.gateway = Gateway(list(servers)) if gateway else None
        self.listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path = os.path.join(self.directory, "resolver.sock")
        self.listening.bind(path)
        self.listening.listen(4)
        self.bind_all()
        self.address6 = ("::1", self.address[1])
        self.empty = os.path.join(self.directory, "empty")
        os.mkdir(self.empty)
        self.log = os.path.join(self.directory, "log")
        self.start()
        self.control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.control.settimeout(10)
        self.control.connect(path)
        self.requests = self.wants = 0
        if self.gateway:
            self.tell(GATEWAY, b"", self.gateway.theirs.fileno())
        self.tell_table(rules, names, len(servers), public)

    def bind_all(self):
        """On one port for all; one that is free for udp may be somebody's for tcp."""
        for attempt in range(50):
            made = []
            try:
                made.append(self.bind(socket.AF_INET, socket.SOCK_DGRAM, "127.0.0.1", 0))
                port = made[0].getsockname()[1]
                made.append(self.bind(socket.AF_INET6, socket.SOCK_DGRAM, "::1", port))
                made.append(self.bind(socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1", port))
                made.append(self.bind(socket.AF_INET6, socket.SOCK_STREAM, "::1", port))
            except OSError:
                for sock in made:
                    sock.close()
                if attempt == 49:
                    raise
                continue
            self.udp4, self.udp6, self.tcp4, self.tcp6 = made
            self.address = self.udp4.getsockname()
            return

    @staticmethod
    def bind(family, kind, address, port):
        sock = socket.socket(family, kind)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.setblocking(False)
        if kind == socket.SOCK_STREAM:
            sock.listen(64)
        return sock

    def start(self):
        lock = os.open(os.path.join(self.directory, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
        fds = [self.listening.fileno(), lock, self.udp4.fileno(), self.udp6.fileno(), self.tcp4.fileno(),
               self.tcp6.fileno()]
        high = [os.dup2(fd, 100 + i, True) for i, fd in enumerate(fds)]
        places = " ".join(f"{FIRST_FD + i}<&{fd}" for i, fd in enumerate(high))
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["/bin/bash", "-c", f'exec {places}; exec "$0" "$@"', PROGRAM, "--guest", "test", "--uid", str(UID),
                 "--gid", str(UID), "--owner-uid", "0", "--empty-dir", self.empty], pass_fds=high, env={},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for fd in high:
            os.close(fd)
        os.close(lock)

    def tell(self, kind, payload=b"", fd=None):
        frame = struct.pack(">HHII", kind, 0, 0, len(payload)) + payload
        control = [] if fd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        self.control.sendmsg([frame], control)

    def tell_table(self, rules=(), names=(), servers=0, public=True):
        self.tell(BEGIN, struct.pack(">BB", public, servers))
        for rule in rules:
            self.tell(RULE, rule)
        for name in names:
            self.tell(NAME, name)
        self.tell(COMMIT)
        self.probe()

    def probe(self):
        """What the resolver counts; all that was told before holds by then."""
        self.requests += 1
        self.tell(PROBE, struct.pack(">I", self.requests))
        kind, zero, stream, size = struct.unpack(">HHII", dns.receive(self.control, 12))
        while kind == WANT:
            self.wants += 1
            kind, zero, stream, size = struct.unpack(">HHII", dns.receive(self.control, 12))
        assert (kind, zero, stream) == (PROBED, 0, 0)
        values = struct.unpack(">IIIIBQQQQQQQ", dns.receive(self.control, size))
        assert values[0] == self.requests
        return dict(zip(PROBED_FIELDS, values))

    def ask(self, name, kind=dns.A, tcp=False, timeout=6, **how):
        message = dns.query(name, kind, **how)
        if tcp:
            return dns.ask_tcp(self.address, message, timeout)
        return dns.ask_udp(self.address, message, timeout)

    def end(self):
        """Checks that it ends as it should."""
        if self.process.poll() is None:
            self.tell(QUIT)
        status = self.process.wait(10)
        with open(self.log, encoding="utf-8") as log:
            said = log.read()
        for sock in (self.control, self.listening, self.udp4, self.udp6, self.tcp4, self.tcp6):
            sock.close()
        if self.gateway:
            self.gateway.end()
        assert status == 0, f"status {status} ({signal.Signals(-status).name if status < 0 else ''}): {said}"
        return said
