# SPDX-License-Identifier: Apache-2.0
"""danchi-publish for the tests: the real program, started as danchid starts it, and a guest behind a
card: another network namespace, in which the tests' containers listen.

Needs root and a network namespace of its own (a cell).
"""

import array
import ctypes
import os
import socket
import struct
import subprocess
import threading

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BUILD = os.environ.get("DN_TEST_BUILD", os.path.join(TOP, "build"))
PROGRAM = os.path.join(BUILD, "bin", "danchi-publish")
ADD, REMOVE, DIALS, LIST, QUIT, DONE, WANT, PORT, LISTED = range(3000, 3009)
UID = 200417
TAP = "dn200417"
HOST4, HOST6 = "10.217.0.1", "fd12:3456:789a::1"
GUEST4, GUEST6 = "10.217.0.10", "fd12:3456:789a::10"
CLONE_NEWNET = 0x40000000
SO_BINDTODEVICE = 25
FDS_MAX = 8


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def make_guest():
    """The guest's card and its other end, and in between nothing."""
    run("ip", "netns", "add", "guest")
    run("ip", "link", "add", TAP, "type", "veth", "peer", "name", "eth0", "netns", "guest")
    for command in (["addr", "add", HOST4 + "/24", "dev", TAP],
                    ["addr", "add", HOST6 + "/64", "dev", TAP, "nodad"], ["link", "set", TAP, "up"]):
        run("ip", *command)
    for command in (["addr", "add", GUEST4 + "/24", "dev", "eth0"],
                    ["addr", "add", GUEST6 + "/64", "dev", "eth0", "nodad"],
                    ["link", "set", "eth0", "up"], ["link", "set", "lo", "up"]):
        run("ip", "-n", "guest", *command)


def remove_guest():
    run("ip", "link", "del", TAP)
    run("ip", "netns", "del", "guest")


def in_guest(make):
    """What make() returns, called in the guest's network namespace."""
    result = []

    def enter():
        fd = os.open("/run/netns/guest", os.O_RDONLY)
        if ctypes.CDLL(None, use_errno=True).setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        os.close(fd)
        result.append(make())

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return result[0]


def listen(address, port=0, kind=socket.SOCK_STREAM, backlog=1024):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, kind)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if kind == socket.SOCK_STREAM:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    if kind == socket.SOCK_STREAM:
        made.listen(backlog)
    return made


def serve(address, handle, kind=socket.SOCK_STREAM):
    """A server in the guest; handle(connection) on a thread for each.  Returns its port."""
    server = in_guest(lambda: listen(address, kind=kind))

    def run_one(connection):
        with connection:
            try:
                handle(connection)
            except OSError:
                pass  # a client that resets

    def accept():
        while True:
            connection, _ = server.accept()
            threading.Thread(target=run_one, args=(connection,), daemon=True).start()

    threading.Thread(target=accept if kind == socket.SOCK_STREAM else lambda: handle(server),
                     daemon=True).start()
    return server.getsockname()[1]


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


def echo_datagrams(server):
    while True:
        data, client = server.recvfrom(65536)
        server.sendto(data, client)


class Publisher:
    """The program, and danchid's end of its control socket, which gives it sockets as it asks."""

    def __init__(self, *options, directory="/run"):
        self.path = os.path.join(directory, "publish.sock")
        if os.path.exists(self.path):
            os.unlink(self.path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(self.path)
        listener.listen(4)
        lock = os.open(os.path.join(directory, "publish.lock"), os.O_CREAT | os.O_RDWR)
        words = os.environ.get("DN_TEST_WRAPPER", "").split()  # strace, for one
        words += [PROGRAM, "--guest", "test", "--uid", str(UID), "--gid", str(UID), "--owner-uid", "0",
                 "--control-fd", str(listener.fileno()), "--lock-fd", str(lock), *options]
        self.process = subprocess.Popen(words, pass_fds=[listener.fileno(), lock])
        listener.close()
        os.close(lock)
        self.dials = 0  # given so far
        self.control = None
        self.connect()

    def connect(self):
        if self.control is not None:
            self.control.close()
        self.answers = []
        self.has_answer = threading.Condition()
        self.control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.connect(self.path)
        threading.Thread(target=self.read, args=(self.control,), daemon=True).start()

    def read(self, control):
        while True:
            try:
                packet = control.recv(65536)
            except OSError:
                return
            if not packet:
                with self.has_answer:
                    self.answers.append((None, b""))
                    self.has_answer.notify_all()
                return
            kind, payload = struct.unpack(">H", packet[:2])[0], packet[12:]
            if kind == WANT:
                try:
                    self.give(*struct.unpack(">BBH", payload))
                except OSError:
                    pass  # the connection is closed meanwhile, which recv() says
                continue
            with self.has_answer:
                self.answers.append((kind, payload))
                self.has_answer.notify_all()

    def give(self, is_udp, family, count):
        made = self.dial(is_udp, family, count)
        self.dials += count
        for at in range(0, count, FDS_MAX):
            self.send(DIALS, bytes([is_udp, family]), made[at:at + FDS_MAX])
        for one in made:
            one.close()

    @staticmethod
    def dial(is_udp, family, count):
        made = []
        for _ in range(count):
            dial = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6,
                                 (socket.SOCK_DGRAM if is_udp else socket.SOCK_STREAM)
                                 | socket.SOCK_NONBLOCK)
            dial.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, TAP.encode() + b"\0")
            if not is_udp:
                dial.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.append(dial)
        return made

    def send(self, kind, payload=b"", sockets=()):
        rights = array.array("i", [one.fileno() for one in sockets])
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)] if sockets else []
        self.control.sendmsg([struct.pack(">HHII", kind, 0, 0, len(payload)) + payload], ancillary)

    def answer(self, timeout=5):
        with self.has_answer:
            if not self.has_answer.wait_for(lambda: self.answers, timeout):
                raise AssertionError(f"danchi-publish does not answer ({self.process.poll()})")
            return self.answers.pop(0)

    @staticmethod
    def listen(bound, host_port, kind, backlog):
        return listen(bound, host_port, kind, backlog)

    def add(self, to, port, bound="127.0.0.1", kind=socket.SOCK_STREAM, container="c" * 32, host_port=0,
            backlog=1024):
        """Publishes a port; returns where.  errno of danchi-publish is an OSError."""
        with self.listen(bound, host_port, kind, backlog) as made:
            made.setblocking(False)
            address = socket.inet_pton(socket.AF_INET6 if ":" in to else socket.AF_INET, to)
            name = container.encode()
            self.send(ADD, struct.pack(">H", len(name)) + name
                      + struct.pack(">BB16sH", kind == socket.SOCK_DGRAM, 6 if ":" in to else 4, address,
                                    port), [made])
            what, payload = self.answer()
            assert what == DONE, what
            error = struct.unpack(">I", payload)[0]
            if error:
                raise OSError(error, os.strerror(error))
            return made.getsockname()[:2]

    def remove(self, container="c" * 32):
        self.send(REMOVE, struct.pack(">H", len(container)) + container.encode())
        what, payload = self.answer()
        assert (what, payload) == (DONE, b"\0\0\0\0"), (what, payload)

    def ports(self):
        """{host port: {...}} as it says itself."""
        found = {}
        self.send(LIST, struct.pack(">I", 0))
        while True:
            what, payload = self.answer()
            if what == LISTED:
                if struct.unpack(">I", payload)[0] == len(found):
                    return found
                self.send(LIST, struct.pack(">I", len(found)))
                continue
            length = struct.unpack(">H", payload[:2])[0]
            names = ("is_udp", "host_family", "host_address", "host_port", "family", "address", "port", "now",
                     "total", "refused", "bytes_in", "bytes_out")
            row = dict(zip(names, struct.unpack(">BB16sHB16sHIQQQQ", payload[2 + length:])))
            row["container"] = payload[2:2 + length].decode()
            found[row["host_port"]] = row

    def fds(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def status(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)

    def end(self):
        if self.process.poll() is None:
            self.send(QUIT)
            assert self.process.wait(5) == 0, self.process.returncode
        self.control.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.control.close()
