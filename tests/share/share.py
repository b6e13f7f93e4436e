# SPDX-License-Identifier: Apache-2.0
"""danchi-share and the virtiofsd that it starts, without a guest: this process is danchid to the
one, and QEMU with a hostile guest in it to the other.

It speaks vhost-user and FUSE itself, so it can say what no kernel would: names with slashes, ids of
others, requests that are none.
"""

import array
import ctypes
import mmap
import os
import select
import socket
import struct
import subprocess
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
PROGRAM = os.path.join(TOP, os.environ.get("E2E_BUILD", "build"), "bin", "danchi-share")
UID = 200001            # the context's
FIRST = 100000          # guest ids of a container in slot 0
FOREIGN = 0x01000000    # the host's groups, as the guest sees them

# vhost-user.
GET_FEATURES, SET_FEATURES, SET_OWNER, SET_MEM_TABLE = 1, 2, 3, 5
SET_VRING_NUM, SET_VRING_ADDR, SET_VRING_BASE = 8, 9, 10
SET_VRING_KICK, SET_VRING_CALL = 12, 13
GET_PROTOCOL_FEATURES, SET_PROTOCOL_FEATURES, SET_VRING_ENABLE = 15, 16, 18
MEMORY, BASE, QUEUE = 4 << 20, 0x7f0000000000, 128
REPLY_AT, REPLY_SIZE, REQUEST_AT = 1 << 20, 1 << 20, 2 << 20

# FUSE.
LOOKUP, GETATTR, SETATTR, READLINK, SYMLINK, MKNOD, MKDIR = 1, 3, 4, 5, 6, 8, 9
UNLINK, RENAME, LINK, OPEN, READ, WRITE, SETXATTR, GETXATTR = 10, 12, 13, 14, 15, 16, 21, 22
INIT, OPENDIR, READDIR, CREATE, SETUPMAPPING = 26, 27, 28, 35, 48
MODE, OWNER, GROUP, SIZE = 1, 2, 4, 8


class Refused(Exception):
    """An errno of the other side's."""

    def __init__(self, code):
        super().__init__(os.strerror(code))
        self.errno = code


class Server:
    """danchi-share, as danchid starts it."""

    def __init__(self, program=PROGRAM):
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.process = subprocess.Popen([program, "--serve", str(theirs.fileno())],
                                        pass_fds=[theirs.fileno()])
        theirs.close()

    def begin(self, text, fds=()):
        """The socket on which the answer will come."""
        report, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        rights = array.array("i", [theirs.fileno(), *fds])
        self.socket.sendmsg([text.encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        theirs.close()
        return report

    def order(self, text, fds=()):
        """(code, numbers, text) of the answer."""
        with self.begin(text, fds) as report:
            return self.take(report)

    @staticmethod
    def take(report, seconds=30):
        report.settimeout(seconds)
        answer = report.recv(2000).decode()
        first, _, words = answer.partition("\n")
        numbers = [int(number) for number in first.split()]
        return (numbers[0] if numbers else None), numbers[1:], words

    def start(self, path, uid=UID, ids=0):
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path)
            os.chown(path, uid, uid)
            os.chmod(path, 0o600)
            listening.listen(1)
            code, numbers, words = self.order(f"start 0 0 {uid} {uid} 0 {ids} {ids}\n",
                                              [listening.fileno()])
        assert code == 0, words
        return numbers[0], numbers[1]

    def end(self):
        self.socket.close()
        self.process.wait(10)


def source(root, rest="", writable=False, executable=False, uid=0, gid=0, groups=()):
    text = f"{int(writable)} {int(executable)} {uid} {gid} {len(groups)}"
    return text + "".join(f" {group}" for group in groups) + f"\n{root}\n{rest}\n"


class StuckFiles:
    """A file system whose server takes a request and never answers, as one that is gone."""

    def __init__(self, path):
        self.path, self.fd = path, os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={self.fd},rootmode=40000,user_id=0,group_id=0,allow_other"
        subprocess.run(["mount", "-i", "-t", "fuse", "-o", options,
                        "stuck", path], check=True, pass_fds=[self.fd])
        self.thread = threading.Thread(target=self.serve)
        self.taken = 0
        self.thread.start()

    def serve(self):
        while True:
            try:
                request = os.read(self.fd, 1 << 17 | 1 << 14)
            except OSError:
                return
            _size, opcode, unique = struct.unpack("<IIQ", request[:16])
            if opcode == INIT:
                os.write(self.fd, struct.pack("<IiQIIIIHHIIHH", 80, 0, unique, 7, 31, 1 << 17, 0, 16, 12, 1 << 17, 1,
                                              0, 0) + bytes(32))
            else:
                self.taken += 1

    def end(self):
        """Whoever waits gets an error."""
        subprocess.run(["umount", "-f", self.path], check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["umount", "-l", self.path], check=False, stderr=subprocess.DEVNULL)
        self.thread.join(10)
        os.close(self.fd)


class Share:
    """One guest's: the device's memory, one queue, and its owner's mouth."""

    def __init__(self, server, path, uid=UID, ids=0):
        """`ids`: of a pod: the first of its range."""
        self.server, self.uid = server, uid
        self.pid, self.ticks = server.start(path, uid, ids)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.settimeout(20)
        self.memory_fd = os.memfd_create("guest")
        os.truncate(self.memory_fd, MEMORY)
        self.memory = mmap.mmap(self.memory_fd, MEMORY)
        self.unique = self.index = 0
        self.connect_device()
        self.ask(INIT, 0, struct.pack("<IIII", 7, 33, 1 << 17, 0x1fffffff))

    def end(self):
        self.socket.close()
        for _ in range(100):
            if not os.path.exists(f"/proc/{self.pid}/root"):
                return
            time.sleep(0.05)

    # The device.

    def tell(self, request, payload=b"", fds=()):
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        self.socket.sendmsg([struct.pack("<III", request, 1, len(payload)) + payload], rights)

    def query(self, request):
        self.tell(request)
        header = self.socket.recv(12, socket.MSG_WAITALL)
        size = struct.unpack("<III", header)[2]
        return struct.unpack("<Q", self.socket.recv(size, socket.MSG_WAITALL))[0]

    def connect_device(self):
        features = self.query(GET_FEATURES)
        self.tell(SET_OWNER)
        self.query(GET_PROTOCOL_FEATURES)
        self.tell(SET_PROTOCOL_FEATURES, struct.pack("<Q", 0))
        self.tell(SET_FEATURES, struct.pack("<Q", features & (1 << 32 | 1 << 30)))
        self.tell(SET_MEM_TABLE, struct.pack("<IIQQQQ", 1, 0, 0, MEMORY, BASE, 0), [self.memory_fd])
        self.events = []
        for queue in range(2):
            kick, call = os.eventfd(0), os.eventfd(0, os.EFD_NONBLOCK)
            at = BASE + queue * 0x10000
            self.tell(SET_VRING_NUM, struct.pack("<II", queue, QUEUE))
            self.tell(SET_VRING_BASE, struct.pack("<II", queue, 0))
            # Descriptors, then what is used, then what is available.
            self.tell(SET_VRING_ADDR, struct.pack("<IIQQQQ", queue, 0, at, at + 0x4000, at + 0x2000,
                                                  0))
            self.tell(SET_VRING_CALL, struct.pack("<Q", queue), [call])
            self.tell(SET_VRING_KICK, struct.pack("<Q", queue), [kick])
            self.tell(SET_VRING_ENABLE, struct.pack("<II", queue, 1))
            self.events.append((kick, call))

    def exchange(self, request, reply_size=REPLY_SIZE):
        """Raw bytes to raw bytes, through queue 1."""
        table, available, used = 0x10000, 0x12000, 0x14000
        self.memory[REQUEST_AT:REQUEST_AT + len(request)] = request
        self.memory[table:table + 16] = struct.pack("<QIHH", REQUEST_AT, len(request), 1, 1)
        self.memory[table + 16:table + 32] = struct.pack("<QIHH", REPLY_AT, reply_size, 2, 0)
        slot = available + 4 + 2 * (self.index % QUEUE)
        self.memory[slot:slot + 2] = struct.pack("<H", 0)
        self.index = (self.index + 1) & 0xffff
        self.memory[available + 2:available + 4] = struct.pack("<H", self.index)
        os.eventfd_write(self.events[1][0], 1)
        end = time.monotonic() + 20
        while struct.unpack("<H", self.memory[used + 2:used + 4])[0] != self.index:
            select.select([self.events[1][1]], [], [], 0.02)
            if not os.path.exists(f"/proc/{self.pid}/root"):
                raise ConnectionError("virtiofsd has ended")
            assert time.monotonic() < end, "no answer"
        length = struct.unpack("<II", self.memory[REPLY_AT:REPLY_AT + 8])[0]
        return bytes(self.memory[REPLY_AT:REPLY_AT + min(length, reply_size)])

    # FUSE.

    def ask(self, opcode, node, payload=b"", uid=0, gid=0):
        self.unique += 2
        header = struct.pack("<IIQQIIII", 40 + len(payload), opcode, self.unique, node, uid, gid,
                             1, 0)
        reply = self.exchange(header + payload)
        error = struct.unpack("<i", reply[4:8])[0]
        if error != 0:
            raise Refused(-error)
        return reply[16:]

    def lookup(self, node, name):
        """(node, mode, uid, gid)"""
        return entry(self.ask(LOOKUP, node, name.encode() + b"\0"))

    def walk(self, *names):
        node = 1
        for name in names:
            node = self.lookup(node, name)[0]
        return node

    def create(self, node, name, mode=0o644, flags=os.O_RDWR, uid=FIRST, gid=FIRST):
        payload = struct.pack("<IIII", flags, mode, 0, 0) + name.encode() + b"\0"
        reply = self.ask(CREATE, node, payload, uid, gid)
        return entry(reply)[0], struct.unpack("<Q", reply[128:136])[0]

    def open(self, node, flags=os.O_RDONLY):
        return struct.unpack("<QII", self.ask(OPEN, node, struct.pack("<II", flags, 0)))[0]

    def read(self, node, handle, size=4096):
        return self.ask(READ, node, struct.pack("<QQIIQII", handle, 0, size, 0, 0, 0, 0))

    def write(self, node, handle, data):
        payload = struct.pack("<QQIIQII", handle, 0, len(data), 0, 0, 0, 0) + data
        return self.ask(WRITE, node, payload)

    def setattr(self, node, valid, mode=0, uid=0, gid=0, size=0):
        payload = struct.pack("<IIQQQQQQIIIIIIII", valid, 0, 0, size, 0, 0, 0, 0, 0, 0, 0, mode, 0,
                              uid, gid, 0)
        return self.ask(SETATTR, node, payload)

    def mknod(self, node, name, mode, device=0, uid=FIRST):
        return entry(self.ask(MKNOD, node, struct.pack("<IIII", mode, device, 0, 0) + name.encode()
                              + b"\0", uid, uid))

    def mkdir(self, node, name, mode=0o755, uid=FIRST):
        return entry(self.ask(MKDIR, node, struct.pack("<II", mode, 0) + name.encode() + b"\0", uid,
                              uid))

    # What danchid does with it.

    def bind(self, number, where, guest=FIRST):
        """Waits for virtiofsd's lockdown, which begins when QEMU has connected."""
        code, _numbers, words = self.server.order(self.bind_order(number, where, guest))
        return code, words

    def bind_order(self, number, where, guest=FIRST):
        return f"bind {self.pid} {self.ticks} {self.uid} {self.uid} {number} {guest} {guest}\n{where}"

    def unbind(self, number):
        return self.server.order(f"unbind {self.pid} {self.ticks} {self.uid} {self.uid} {number} 0 0\n")[0]

    def join(self, pid, ticks):
        """Into the control groups of that process, its QEMU."""
        code, _, words = self.server.order(
            f"join {self.pid} {self.ticks} {self.uid} {self.uid} 0 0 0\n{pid} {ticks}\n")
        return code, words


def entry(reply):
    node = struct.unpack("<Q", reply[:8])[0]
    mode, _links, uid, gid = struct.unpack("<IIII", reply[100:116])
    return node, mode, uid, gid


def unshare_mounts():
    """Mounts of a test are its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.unshare(0x00020000) == 0
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
