#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a hostile guest can do through its share, said in FUSE itself; and whose rights binds have.

Prints TAP.
"""

import errno
import fcntl
import os
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import share as sh  # noqa: E402
from share import FIRST, FOREIGN, Refused, Server, Share, source  # noqa: E402

OWNER, OTHER, GROUP = 1777, 1778, 1779
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def put(path, text, uid, mode=0o644, gid=None):
    with open(path, "w") as file:
        file.write(text)
    os.chown(path, uid, uid if gid is None else gid)
    os.chmod(path, mode)


class Ground:
    """A directory of OWNER's at `data`, one of somebody else's beside it, and a share."""

    def __init__(self, server, uid=sh.UID):
        self.top = tempfile.mkdtemp(prefix="share-")
        os.chmod(self.top, 0o755)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "share", self.top], check=True)
        for name, owner in ("data", OWNER), ("data/sub", OWNER), ("outside", 0):
            os.mkdir(f"{self.top}/{name}")
            os.chown(f"{self.top}/{name}", owner, owner)
        put(f"{self.top}/data/mine", "mine", OWNER, 0o600)
        put(f"{self.top}/data/theirs", "theirs", OTHER, 0o666)
        put(f"{self.top}/data/closed", "closed", OTHER, 0o600)
        put(f"{self.top}/outside/secret", "secret", 0, 0o644)
        os.symlink(f"{self.top}/outside/secret", f"{self.top}/data/link")
        self.share = Share(server, f"{self.top}/socket", uid)
        self.source = source(f"{self.top}/data", "", True, False, OWNER, OWNER)
        end = time.monotonic() + 10
        while True:
            code, words = self.share.bind(1, self.source)
            if code == 0 or time.monotonic() > end:
                break
            time.sleep(0.02)
        assert code == 0, words
        self.bind = self.share.walk("1")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.share.end()
        subprocess.run(["umount", "-l", self.top], check=True)
        os.rmdir(self.top)


def refused(call, *codes):
    """Whether it fails, with one of the codes where some are named."""
    try:
        result = call()
    except Refused as refusal:
        assert not codes or refusal.errno in codes, f"{refusal}, not {codes}"
        return
    raise AssertionError(f"went through: {result!r:.80}")


@test
def names_lead_nowhere_but_down(server):
    with Ground(server) as ground:
        share = ground.share
        for name in "../..", "sub/../..", "/", "/etc/passwd", "sub/x", "a/../../outside", "\x01/..":
            refused(lambda: share.lookup(ground.bind, name))
        # Above a bind is the share, and above that nothing: not where it comes from.
        for node in ground.bind, 1:
            up = share.lookup(node, "..")[0]
            refused(lambda: share.lookup(up, "outside"), errno.ENOENT)
            refused(lambda: share.lookup(up, "usr"), errno.ENOENT)
            assert stat.S_ISDIR(share.lookup(up, "1")[1])
        for node in 1, ground.bind:
            refused(lambda: share.lookup(node, "../1"))
            refused(lambda: share.create(node, "../out"))
            refused(lambda: share.mkdir(node, "a/b"))
            refused(lambda: share.ask(sh.SYMLINK, node, b"../x\0/etc\0", FIRST, FIRST))
            refused(lambda: share.ask(sh.RENAME, node, struct.pack("<Q", 1) + b"mine\0../../x\0"))
            refused(lambda: share.ask(sh.LINK, node, struct.pack("<Q", ground.bind) + b"../x\0"))
            refused(lambda: share.ask(sh.UNLINK, node, b"..\0"))
        # The share itself holds names of the host's alone.
        for call in (lambda: share.create(1, "x", uid=0, gid=0), lambda: share.create(1, "x"),
                     lambda: share.mkdir(1, "x", uid=0),
                     lambda: share.mknod(1, "x", stat.S_IFREG | 0o666, uid=0),
                     lambda: share.setattr(1, sh.MODE, 0o777),
                     lambda: share.ask(sh.UNLINK, 1, b"1\0")):
            refused(call)
        assert sorted(os.listdir(ground.top)) == ["data", "outside", "socket"]
        assert sorted(os.listdir(f"/proc/{share.pid}/root")) == ["1"]


@test
def links_are_never_followed_on_the_host(server):
    """Not those that are there, nor one that comes in the place of a file between two requests."""
    with Ground(server) as ground:
        share = ground.share
        link = share.lookup(ground.bind, "link")
        assert stat.S_ISLNK(link[1]) and share.ask(sh.READLINK, link[0]).startswith(b"/")
        refused(lambda: share.open(link[0]))
        stop = threading.Event()

        def swap():
            """The owner, at the same time, on the host."""
            path = f"{ground.top}/data/swap"
            while not stop.is_set():
                put(f"{path}.new", "fine", OWNER, 0o600)
                os.rename(f"{path}.new", path)
                os.symlink(f"{ground.top}/outside/secret", f"{path}.new")
                os.rename(f"{path}.new", path)
        put(f"{ground.top}/data/swap", "fine", OWNER, 0o600)
        thread = threading.Thread(target=swap)
        thread.start()
        seen = set()
        try:
            end = time.monotonic() + 3
            while time.monotonic() < end:
                try:
                    node = share.lookup(ground.bind, "swap")[0]
                    seen.add(share.read(node, share.open(node)))
                except Refused as refusal:
                    seen.add(refusal.errno)
        finally:
            stop.set()
            thread.join()
        assert b"fine" in seen and b"secret" not in seen, seen


@test
def files_are_the_owners_and_nobody_elses(server):
    with Ground(server) as ground:
        share, bind = ground.share, ground.bind
        node, handle = share.create(bind, "new", 0o640)
        share.write(node, handle, b"text")
        found = os.stat(f"{ground.top}/data/new")
        assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (OWNER, OWNER, 0o640), found
        # As the guest's root, another container's user, ids of the host's, and ids that are none.
        for uid in (0, FIRST + 1, FIRST + 65536, OWNER, OTHER, 65534, sh.UID, FOREIGN + 5,
                    0x40000001):
            refused(lambda: share.create(bind, "by-another", uid=uid, gid=uid))
            refused(lambda: share.mknod(bind, "by-another", stat.S_IFREG | 0o644, uid=uid))
            refused(lambda: share.setattr(node, sh.OWNER, uid=uid))
        for gid in 0, FIRST + 1, OTHER, FOREIGN, FOREIGN + GROUP, FOREIGN + 65535, 0x41000001:
            refused(lambda: share.create(bind, "of-a-group", gid=gid))
            refused(lambda: share.setattr(node, sh.GROUP, gid=gid))
        assert not os.path.exists(f"{ground.top}/data/by-another")
        assert not os.path.exists(f"{ground.top}/data/of-a-group")
        assert os.stat(f"{ground.top}/data/new").st_uid == OWNER
        assert share.read(node, share.open(node)) == b"text"
        # Other owners' files: what everybody may read is read, and nothing changes.
        theirs, closed = share.lookup(bind, "theirs"), share.lookup(bind, "closed")
        assert theirs[2:] == (65534, FOREIGN + OTHER), theirs
        assert share.read(theirs[0], share.open(theirs[0])) == b"theirs"
        for call in (lambda: share.open(closed[0]), lambda: share.open(theirs[0], os.O_WRONLY),
                     lambda: share.setattr(theirs[0], sh.MODE, 0o777),
                     lambda: share.setattr(closed[0], sh.OWNER, uid=FIRST),
                     lambda: share.setattr(theirs[0], sh.SIZE),
                     lambda: share.ask(sh.UNLINK, bind, b"closed\0")):
            refused(call)


@test
def nothing_dangerous_is_left_on_the_host(server):
    """Set-user-ID and set-group-ID bits, devices, attributes: none of it by any way."""
    with Ground(server) as ground:
        share, bind = ground.share, ground.bind
        node, _handle = share.create(bind, "new", 0o755)
        for mode in 0o4755, 0o2755, 0o6777, 0o7777:
            refused(lambda: share.setattr(node, sh.MODE, mode), errno.EPERM)
            refused(lambda: share.create(bind, "set", mode), errno.EPERM)
            refused(lambda: share.mknod(bind, "set", stat.S_IFREG | mode), errno.EPERM)
            refused(lambda: share.mkdir(bind, "set", mode), errno.EPERM)
        for kind in stat.S_IFCHR, stat.S_IFBLK:
            for uid in 0, FIRST:
                refused(lambda: share.mknod(bind, "device", kind | 0o666, os.makedev(1, 3), uid))
        share.mknod(bind, "fifo", stat.S_IFIFO | 0o600)
        refused(lambda: share.open(share.walk("1", "fifo")))
        for name in "security.capability", "system.posix_acl_access", "trusted.x", "user.x":
            payload = struct.pack("<II", 4, 0) + name.encode() + b"\0abcd"
            refused(lambda: share.ask(sh.SETXATTR, node, payload))
            payload = struct.pack("<II", 64, 0) + name.encode() + b"\0"
            refused(lambda: share.ask(sh.GETXATTR, node, payload))
        # A file that has the bit already loses it when it is written to.
        put(f"{ground.top}/data/had", "x", OWNER, 0o4755)
        had = share.walk("1", "had")
        share.write(had, share.open(had, os.O_WRONLY), b"changed")
        data = f"{ground.top}/data"
        modes = {name: os.lstat(f"{data}/{name}").st_mode for name in os.listdir(data)}
        assert not any(mode & 0o6000 or stat.S_ISCHR(mode) or stat.S_ISBLK(mode)
                       for mode in modes.values()), modes


@test
def a_read_only_bind_is_not_written_by_any_way(server):
    with Ground(server) as ground:
        share = ground.share
        code, words = share.bind(2, source(f"{ground.top}/data", "", False, False, OWNER, OWNER))
        assert code == 0, words
        bind = share.walk("2")
        mine = share.walk("2", "mine")
        assert share.read(mine, share.open(mine)) == b"mine"
        for call in (lambda: share.open(mine, os.O_RDWR), lambda: share.create(bind, "x"),
                     lambda: share.setattr(mine, sh.MODE, 0o644),
                     lambda: share.setattr(mine, sh.SIZE),
                     lambda: share.ask(sh.UNLINK, bind, b"mine\0"),
                     lambda: share.mknod(bind, "x", stat.S_IFREG | 0o644),
                     lambda: share.ask(sh.SYMLINK, bind, b"x\0y\0", FIRST, FIRST)):
            refused(call, errno.EROFS)
        # The one beside it is another mount of the same files: nothing moves from one to the other.
        refused(lambda: share.ask(sh.RENAME, ground.bind, struct.pack("<Q", bind) + b"mine\0x\0"))
        first = struct.pack("<Q", share.walk("1", "mine"))
        refused(lambda: share.ask(sh.LINK, bind, first + b"x\0"))
        # What has been taken away is not there any more, and its open ends are not written.
        assert share.unbind(2) == 0
        refused(lambda: share.lookup(1, "2"), errno.ENOENT)


@test
def a_bind_that_was_taken_away_is_not_written_through_what_is_left_of_it(server):
    with Ground(server) as ground:
        share = ground.share
        mine = share.walk("1", "mine")
        assert share.unbind(1) == 0
        refused(lambda: share.lookup(1, "1"), errno.ENOENT)
        refused(lambda: share.open(mine, os.O_WRONLY))
        refused(lambda: share.create(ground.bind, "late"))
        assert not os.path.exists(f"{ground.top}/data/late")


@test
def requests_that_are_none_are_errors_or_the_shares_own_end(server):
    """And no descriptor, memory or time of anybody else's."""
    with Ground(server) as ground, Ground(server) as neighbour:
        share = ground.share
        for call in (lambda: share.ask(4095, 1), lambda: share.ask(sh.SETUPMAPPING, 1, bytes(40)),
                     lambda: share.ask(sh.LOOKUP, 0xdeadbeef, b"x\0"),
                     lambda: share.ask(sh.READ, 1, bytes(40)),
                     lambda: share.ask(sh.GETATTR, 1 << 63, bytes(16)),
                     lambda: share.read(share.walk("1", "mine"), 0xffffffff),
                     lambda: share.ask(sh.LOOKUP, 1, b"n" * 70000 + b"\0")):
            refused(call)
        for raw in b"", b"x", struct.pack("<II", 40, sh.LOOKUP), os.urandom(200), bytes(40):
            try:
                share.exchange(raw + bytes(max(0, 1 - len(raw))), 8192)
            except (AssertionError, ConnectionError):
                break
        mine = neighbour.share.walk("1", "mine")
        assert neighbour.share.read(mine, neighbour.share.open(mine)) == b"mine"


@test
def a_guest_that_opens_all_it_can_meets_its_own_limit(server):
    with Ground(server) as ground:
        share, node = ground.share, ground.share.walk("1", "mine")
        subprocess.run(["prlimit", f"--pid={share.pid}", "--nofile=256:256"], check=True)
        opened = 0
        try:
            while opened < 10000:
                share.open(node)
                opened += 1
        except Refused as refusal:
            assert refusal.errno in (errno.EMFILE, errno.ENFILE), refusal
        assert 64 < opened < 256, opened
        limits = open(f"/proc/{share.pid}/limits").read()
        assert "Max core file size        0                    0" in limits, limits


@test
def virtiofsd_has_what_it_was_given_and_nothing_else(server):
    with Ground(server) as ground:
        pid = ground.share.pid
        with open(f"/proc/{pid}/status") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        assert status["Uid"].split() == [str(sh.UID)] * 4 and status["Groups"].strip() == "", status
        for name, bits in ("Eff", 0xcb), ("Prm", 0xcb), ("Bnd", 0), ("Inh", 0), ("Amb", 0):
            assert int(status[f"Cap{name}"], 16) == bits, status
        for name, value in ("NoNewPrivs", "1"), ("Seccomp", "2"), ("Seccomp_filters", "2"):
            assert status[name] == value, status
        # Of all threads: one keeps two more, under our filter alone.
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/status") as file:
                own = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
            assert not int(own["CapPrm"], 16) & ~0x401cb and not int(own["CapBnd"], 16) & ~0x401cb
            assert own["Seccomp"] == "2" and own["NoNewPrivs"] == "1", own
        assert os.readlink(f"/proc/{pid}/root") == "/share"
        for name in "mnt", "pid", "net", "ipc", "uts", "cgroup", "user":
            theirs, ours = (os.stat(f"/proc/{one}/ns/{name}") for one in (pid, "self"))
            assert theirs.st_ino != ours.st_ino, name
        # Its mounts are not its own: no right that it has in its user namespace changes them.
        mounts = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY)
        owner = fcntl.ioctl(mounts, 0xb701)  # NS_GET_USERNS
        assert os.fstat(owner).st_ino == os.stat("/proc/self/ns/user").st_ino, "whose mounts"
        os.close(owner)
        os.close(mounts)
        flags = [line.split()[5] for line in open(f"/proc/{pid}/mountinfo") if " /1 " in line][0]
        for flag in "rw", "nosuid", "nodev", "noexec", "nosymfollow", "idmapped":
            assert flag in flags.split(","), flags
        assert not [line for line in open(f"/proc/{pid}/maps") if " rwx" in line]


def ticks_of(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rsplit(")", 1)[1].split()[19])


def groups_of(pid):
    with open(f"/proc/{pid}/cgroup") as file:
        return file.read().splitlines()


def make_groups(name):
    """Groups of that name in the hierarchies that limit anything."""
    top = "/sys/fs/cgroup"
    tops = [top] if os.path.exists(f"{top}/cgroup.controllers") else [
        f"{top}/{one}" for one in ("cpu", "cpu,cpuacct", "memory") if os.path.isdir(f"{top}/{one}")]
    made = [f"{one}/{name}" for one in tops]
    for path in made:
        os.mkdir(path)
    return made


@test
def virtiofsd_goes_into_the_control_groups_of_its_guests_qemu(server):
    name = f"qemu-9-danchi-test{os.getpid()}"
    with Ground(server) as ground:
        share, qemu = ground.share, subprocess.Popen(["sleep", "100"])
        groups = []
        try:
            before = groups_of(share.pid)
            code, words = share.join(qemu.pid, ticks_of(qemu.pid))
            assert code == errno.ENOENT and "no control group of its own" in words, words
            groups = make_groups(name)
            for path in groups:
                with open(f"{path}/cgroup.procs", "w") as file:
                    file.write(str(qemu.pid))
            # A process of that number that is another one now.
            assert share.join(qemu.pid, ticks_of(qemu.pid) + 1)[0] == errno.ESRCH
            assert groups_of(share.pid) == before
            code, words = share.join(qemu.pid, ticks_of(qemu.pid))
            assert code == 0, words
            own = [line for line in groups_of(qemu.pid) if name in line]
            assert own and set(own) <= set(groups_of(share.pid)), groups_of(share.pid)
            mine = share.walk("1", "mine")
            assert share.read(mine, share.open(mine)) == b"mine"
        finally:
            qemu.kill()
            qemu.wait()
            share.end()
            for path in groups:
                os.rmdir(path)


@test
def an_order_for_another_process_is_refused(server):
    """danchi-share looks at whom it is told of before it shows it anything."""
    with Ground(server) as ground:
        child = subprocess.Popen(["sleep", "100"])
        ticks = open(f"/proc/{child.pid}/stat").read().rsplit(")", 1)[1].split()[19]
        try:
            for pid, when, uid in ((child.pid, ticks, sh.UID), (ground.share.pid, 1, sh.UID),
                                   (ground.share.pid, ground.share.ticks, sh.UID + 1),
                                   (os.getpid(), ticks, 1)):
                code, _numbers, words = server.order(
                    f"bind {pid} {when} {uid} {uid} 5 {FIRST} {FIRST}\n{ground.source}")
                assert code in (errno.ESRCH, errno.EPERM), (code, words)
        finally:
            child.kill()
            child.wait()
        for text in "bind", "start 0 0 0 0 0 0 0\n", "x" * 30000:
            try:
                assert server.order(text)[0] is None, text[:40]
            except (BrokenPipeError, ConnectionResetError, socket.timeout):
                raise AssertionError(f"it ended over {text[:40]!r}") from None


@test
def a_caller_gets_what_the_kernel_gives_him(server):
    with Ground(server) as ground:
        data = f"{ground.top}/data"
        os.mkdir(f"{ground.top}/group", 0o750)
        os.chown(f"{ground.top}/group", 0, GROUP)
        os.mkdir(f"{ground.top}/group/in")
        rows = [
            (source(data, "", False, False, OTHER, OTHER), 0),
            (source(data, "", True, False, OTHER, OTHER), errno.EACCES),
            (source(data, "closed", False, False, OWNER, OWNER), errno.EACCES),
            (source(data, "mine", False, False, OTHER, OTHER), errno.EACCES),
            (source(data, "mine", True, False, OWNER, OWNER), 0),
            (source(f"{ground.top}/group", "", False, False, OWNER, OWNER), errno.EACCES),
            (source(f"{ground.top}/group/in", "", False, False, OWNER, OWNER), errno.EACCES),
            (source(f"{ground.top}/group", "in", False, False, OWNER, OWNER, [GROUP]), 0),
            (source(f"{ground.top}/group", "in", False, False, OWNER, GROUP), 0),
            (source(data, "link", False, False, OWNER, OWNER), errno.EXDEV),
            (source(data, "../outside", False, False, OWNER, OWNER), errno.EXDEV),
            (source(f"{data}/link", "", False, False, 0, 0), errno.ELOOP),
            (source(data, "nothing", False, False, OWNER, OWNER), errno.ENOENT),
            (source("/proc", "self/root", False, False, 0, 0), errno.ELOOP),
            (source("/proc", "1", False, False, 0, 0), errno.EINVAL),
            (source("/dev", "null", False, False, 0, 0), errno.EINVAL),
            (source(ground.top, "socket", False, False, 0, 0), errno.EINVAL),
        ]
        for where, wanted in rows:
            code, _numbers, words = server.order(f"check 0 0 0 0 0 1 1\n{where}")
            assert code == wanted, f"{where!r}: {code} {words!r}, not {wanted}"


@test
def what_is_mounted_below_is_not_shown_and_a_source_that_goes_stays(server):
    with Ground(server) as ground:
        share, data = ground.share, f"{ground.top}/data"
        subprocess.run(["mount", "-t", "tmpfs", "inner", f"{data}/sub"], check=True)
        try:
            put(f"{data}/sub/inner", "inner", OWNER)
            assert share.bind(3, ground.source)[0] == 0
            refused(lambda: share.lookup(share.walk("3", "sub"), "inner"), errno.ENOENT)
        finally:
            subprocess.run(["umount", f"{data}/sub"], check=True)
        # Another thing of the same name afterwards is another thing.
        os.rename(data, f"{ground.top}/moved")
        os.symlink(f"{ground.top}/outside", data)
        refused(lambda: share.lookup(ground.bind, "secret"), errno.ENOENT)
        node, handle = share.create(ground.bind, "after")
        share.write(node, handle, b"x")
        assert os.path.exists(f"{ground.top}/moved/after")


@test
def it_ends_with_its_guest_and_without_its_server(server):
    ground = Ground(server)
    pid = ground.share.pid
    other = Server()
    second = Ground(other)
    other.process.send_signal(signal.SIGKILL)
    other.process.wait()
    mine = second.share.walk("1", "mine")
    assert second.share.read(mine, second.share.open(mine)) == b"mine"
    second.__exit__()
    ground.__exit__()
    for gone in pid, second.share.pid:
        assert not os.path.exists(f"/proc/{gone}/root"), "it goes on without its guest"


@test
def a_guest_whose_files_hang_holds_up_no_other(server):
    """A file server that takes requests and never answers: its orders cannot even be killed."""
    with Ground(server) as one, Ground(server, sh.UID + 1) as other:
        os.mkdir(f"{one.top}/hangs")
        stuck = sh.StuckFiles(f"{one.top}/hangs")
        where = source(f"{one.top}/hangs", "file", False, False, OWNER, OWNER)
        begun = time.monotonic()
        try:
            waiting = [server.begin(one.share.bind_order(8 + i, where)) for i in range(16)]
            while stuck.taken == 0:
                assert time.monotonic() < begun + 10, "nothing asks for it"
                time.sleep(0.02)
            # Its own next is refused at once, by name; what it has can be taken away.
            for where_to in where, one.source:
                code, words = one.share.bind(40, where_to)
                assert code == errno.EBUSY and "do not end" in words, (code, words)
            assert one.share.unbind(1) == 0
            # Nor does a virtiofsd that stands still hold up anybody, itself included.
            os.kill(one.share.pid, signal.SIGSTOP)
            assert one.share.unbind(2) == 0
            for number in 2, 3:
                code, words = other.share.bind(number, other.source)
                assert code == 0, words
            node = other.share.walk("3", "mine")
            assert other.share.read(node, other.share.open(node)) == b"mine"
            os.kill(one.share.pid, signal.SIGCONT)
            assert time.monotonic() < begun + 20, "the others waited"
        finally:
            stuck.end()
        for report in waiting:
            with report:
                assert server.take(report)[0] not in (0, None)
        # Their processes have ended, and there is room again.
        code, words = one.share.bind(41, one.source)
        assert code == 0, words


def main():
    wanted = [word for word in sys.argv[1:] if not word.startswith("-")]
    tests = [one for one in TESTS if not wanted or any(word in one.__name__ for word in wanted)]
    sh.unshare_mounts()
    server = Server()
    failed = 0
    print(f"1..{len(tests)}")
    for number, one in enumerate(tests, 1):
        try:
            one(server)
            result = "ok"
        except Exception:  # a failed test, whatever its failure is
            print("# " + traceback.format_exc().replace("\n", "\n# "))
            result, failed = "not ok", failed + 1
        print(f"{result} {number} {one.__name__.replace('_', ' ')}", flush=True)
    server.end()
    return 1 if failed else 0


class Pod:
    """An overlay as a container's root, with a share that it is a name in."""

    def __init__(self, server, options="", mode=0o755):
        self.top = tempfile.mkdtemp(prefix="pod-")
        os.chmod(self.top, 0o755)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "pod", self.top], check=True)
        for name in "1/fs/bin", "2/fs", "3/fs", "3/work", "root", "outside":
            os.makedirs(f"{self.top}/{name}")
        os.chmod(f"{self.top}/3/fs", mode)
        put(f"{self.top}/1/fs/low", "low", 33, 0o644)
        put(f"{self.top}/1/fs/bin/su", "su", 0, 0o755)
        put(f"{self.top}/2/fs/high", "high", 70000, 0o600)
        put(f"{self.top}/outside/secret", "secret", 0, 0o600)
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                        f"index=off,lowerdir={self.top}/2/fs:{self.top}/1/fs,"
                        f"upperdir={self.top}/3/fs,workdir={self.top}/3/work{options}", f"{self.top}/root"],
                       check=True)
        self.share = Share(server, f"{self.top}/socket", ids=FIRST)
        code, words = self.order("pod", 0, f"{self.top}/root")
        assert code == 0, words
        self.root = self.share.walk("0")

    def order(self, verb, number, where, first=FIRST):
        share = self.share
        code, _, words = share.server.order(
            f"{verb} {share.pid} {share.ticks} {sh.UID} {sh.UID} {number} {first} {first}\n"
            + source(where, "", verb == "pod", True))
        return code, words

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.share.end()
        subprocess.run(["umount", "-l", "-R", self.top], check=True)
        os.rmdir(self.top)


@test
def a_pods_root_has_every_owner_and_is_written_where_it_was(server):
    with Pod(server) as pod:
        share, root = pod.share, pod.root
        assert share.lookup(root, "low")[2:] == (FIRST + 33, FIRST + 33)
        # What a pod has no number for is nobody's, and stays closed.
        assert share.lookup(root, "high")[2:] == (65534, 65534)
        refused(lambda: share.open(share.walk("0", "high")), errno.EACCES, errno.EPERM,
                errno.EOVERFLOW)
        node, handle = share.create(root, "new")
        share.write(node, handle, b"new")
        share.setattr(node, sh.OWNER | sh.GROUP, uid=FIRST + 42, gid=FIRST + 43)
        low = share.walk("0", "low")
        share.write(low, share.open(low, os.O_RDWR), b"LOW")
        share.lookup(share.walk("0", "bin"), "su")
        share.ask(sh.UNLINK, share.walk("0", "bin"), b"su\0")
        upper = f"{pod.top}/3/fs"
        status = os.stat(f"{upper}/new")
        assert (status.st_uid, status.st_gid) == (42, 43)
        assert open(f"{upper}/low").read() == "LOW" and os.stat(f"{upper}/low").st_uid == 33
        assert open(f"{pod.top}/1/fs/low").read() == "low"
        assert stat.S_ISCHR(os.stat(f"{upper}/bin/su").st_mode)


@test
def a_volatile_pods_root_is_laid_beside_its_mark(server):
    """As CRI-O mounts it: the kernel takes its work directory once, and nobody may write in its root."""
    with Pod(server, ",volatile", 0o555) as pod:
        node, handle = pod.share.create(pod.root, "new")
        pod.share.write(node, handle, b"new")
        assert open(f"{pod.top}/3/fs/new").read() == "new"
        # Again, as after a share that died.
        code, words = pod.order("pod", 1, f"{pod.top}/root")
        assert code == 0, words
        assert pod.share.lookup(pod.share.walk("1"), "low")[2:] == (FIRST + 33, FIRST + 33)


@test
def a_hostile_guest_makes_nothing_of_a_pods_root_but_plain_files(server):
    with Pod(server) as pod:
        share, root = pod.share, pod.root
        node, _ = share.create(root, "mine")
        refused(lambda: share.mknod(root, "disk", stat.S_IFBLK | 0o666, os.makedev(8, 0)))
        refused(lambda: share.mknod(root, "white", stat.S_IFCHR | 0o600, 0))
        for name in b"trusted.overlay.opaque", b"trusted.overlay.redirect", b"security.capability":
            refused(lambda: share.ask(sh.SETXATTR, node, struct.pack("<II", 1, 0) + name + b"\0y"))
        # No number of the host's, and none of another pod's.
        for uid in 1000, 0x40000000, FIRST + 65536:
            refused(lambda: share.setattr(node, sh.OWNER, uid=uid))
        for name in "../../outside", "../3", "/etc":
            refused(lambda: share.lookup(root, name))
        assert sorted(os.listdir(f"{pod.top}/3/fs")) == ["mine"]
        assert os.stat(f"{pod.top}/3/fs/mine").st_mode & 0o7000 == 0


@test
def a_pods_programs_may_set_bits_that_do_nothing(server):
    """As dpkg and tar do: the call goes through, and neither of the bits is on the host's file."""
    with Pod(server) as pod:
        share, root = pod.share, pod.root
        node, handle = share.create(root, "made", 0o4755)
        share.write(node, handle, b"program")
        mode_of = {}
        for mode in 0o4755, 0o2755, 0o6711, 0o7700:
            reply = share.setattr(node, sh.MODE, mode)
            mode_of[mode] = struct.unpack("<I", reply[76:80])[0] & 0o7777
            assert os.stat(f"{pod.top}/3/fs/made").st_mode & 0o7777 == mode & 0o1777, oct(mode)
        # The guest is told what is there.
        assert mode_of == {mode: mode & 0o1777 for mode in mode_of}, mode_of
        share.mknod(root, "node", stat.S_IFREG | 0o6755)
        share.mkdir(root, "directory", 0o6755)
        for name in "node", "directory":
            assert os.stat(f"{pod.top}/3/fs/{name}").st_mode & 0o7777 == 0o755, name
        # Not by what is called a directory, nor by a file of the image's: that one is its own again.
        su = share.walk("0", "bin", "su")
        share.setattr(su, sh.MODE, 0o4755)
        assert os.stat(f"{pod.top}/3/fs/bin/su").st_mode & 0o7777 == 0o755


@test
def files_of_a_pod_are_made_where_its_kernel_has_found_that_they_may_be(server):
    """FUSE tells one group of the caller's; and the pod's root may write where others may not."""
    with Pod(server) as pod:
        share, volume = pod.share, f"{pod.top}/volume"
        os.mkdir(volume)
        os.chown(volume, 1234, 2000)
        os.chmod(volume, 0o770)
        assert pod.order("pod", 1, volume)[0] == 0
        top = share.walk("1")
        for uid in FIRST + 1000, FIRST:
            share.create(top, f"file{uid}", 0o640, uid=uid, gid=uid)
            share.mkdir(top, f"directory{uid}", uid=uid)
            share.mknod(top, f"fifo{uid}", stat.S_IFIFO | 0o600, uid=uid)
            share.ask(sh.SYMLINK, top, f"link{uid}\0/to\0".encode(), uid, uid)
            for name in "file", "directory", "fifo", "link":
                status = os.lstat(f"{volume}/{name}{uid}")
                assert (status.st_uid, status.st_gid) == (uid - FIRST, uid - FIRST), (name, status)
        # Nobody else's number comes in by that, nor does what the file system itself refuses.
        for uid in 0, 1000, FIRST + 65536:
            refused(lambda: share.create(top, "other", uid=uid, gid=uid))
        assert pod.order("copy", 2, volume)[0] == 0
        refused(lambda: share.create(share.walk("2"), "x", uid=FIRST + 5, gid=FIRST + 5), errno.EROFS)
        for name in os.listdir(f"/proc/{share.pid}/task"):
            status = open(f"/proc/{share.pid}/task/{name}/status").read()
            assert f"Uid:\t{sh.UID}\t{sh.UID}\t" in status, status


@test
def a_pods_directory_hands_its_group_down(server):
    """The set-group-ID bit of directories is real: the kubelet sets it for fsGroup, a pod may."""
    with Pod(server) as pod:
        share = pod.share
        volume = f"{pod.top}/volume"
        os.mkdir(volume)
        os.chown(volume, 0, 2000)
        os.chmod(volume, 0o2775)
        assert pod.order("pod", 1, volume)[0] == 0
        top = share.walk("1")
        share.create(top, "file", 0o640, uid=FIRST, gid=FIRST + 7)
        share.mkdir(top, "below", 0o755, uid=FIRST)
        for name, bits in ("file", 0o640), ("below", 0o2755):
            status = os.stat(f"{volume}/{name}")
            assert (status.st_gid, status.st_mode & 0o7777) == (2000, bits), (name, status)
        assert share.lookup(top, "file")[2:] == (FIRST, FIRST + 2000)
        # chmod of a directory that has it keeps it, as programs ask for.
        share.setattr(share.walk("1", "below"), sh.MODE, 0o2770)
        assert os.stat(f"{volume}/below").st_mode & 0o7777 == 0o2770
        # In a root, of a directory that never had it, and of a group of the pod's own choice.
        share.mkdir(pod.root, "groups", 0o775)
        node = share.walk("0", "groups")
        share.setattr(node, sh.GROUP, gid=FIRST + 50)
        share.setattr(node, sh.MODE, 0o6775)
        share.create(node, "inside", 0o664)
        upper = f"{pod.top}/3/fs/groups"
        assert os.stat(upper).st_mode & 0o7777 == 0o2775 and os.stat(upper).st_gid == 50
        assert os.stat(f"{upper}/inside").st_gid == 50
        # Its thread is again whom it was, and what it was loaded with is out of reach.
        assert sorted(os.listdir(f"/proc/{share.pid}/root")) == ["0", "1"]
        status = open(f"/proc/{share.pid}/status").read()
        assert f"Gid:\t{sh.UID}\t{sh.UID}\t{sh.UID}\t{sh.UID}" in status, status


@test
def the_wall_against_set_user_id_is_the_filter(_server):
    """A virtiofsd without the library that makes its calls plain, in its place a file that is none."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(sh.PROGRAM)) as directory:
        program = shutil.copy(sh.PROGRAM, directory)
        with open(f"{directory}/danchi-share-pod.so", "w"):
            pass
        bare = Server(program)
        with Pod(bare) as pod:
            share, root = pod.share, pod.root
            node, _ = share.create(root, "mine")
            for mode in 0o4755, 0o6755:
                refused(lambda: share.setattr(node, sh.MODE, mode), errno.EPERM)
                refused(lambda: share.create(root, "set", mode), errno.EPERM)
                refused(lambda: share.mknod(root, "set", stat.S_IFREG | mode), errno.EPERM)
            # The kernel leaves out what it is not told by one of the group.
            share.setattr(node, sh.GROUP, gid=FIRST + 42)
            share.setattr(node, sh.MODE, 0o2755)
            assert os.stat(f"{pod.top}/3/fs/mine").st_mode & 0o7777 == 0o755
            assert os.listdir(f"{pod.top}/3/fs") == ["mine"]
        bare.end()


@test
def a_file_is_copied_too_and_what_a_look_says_of_memory(server):
    """As kubelet's subPath: what is bound in tmpfs is a file or a part of it."""
    with Pod(server) as pod:
        share, memory = pod.share, f"{pod.top}/memory"
        os.makedirs(f"{pod.top}/sub paths/0")
        os.mkdir(memory)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "memory", memory], check=True)
        os.makedirs(f"{memory}/a b/c")
        put(f"{memory}/password", "secret", 5, 0o440, 2000)
        put(f"{pod.top}/1-file", "", 0)
        for what, where in ("a b/c", "sub paths/0"), ("password", "1-file"):
            subprocess.run(["mount", "--bind", f"{memory}/{what}", f"{pod.top}/{where}"], check=True)
        for path, part in (memory, "/"), (f"{pod.top}/sub paths/0", "/a b/c"), (f"{pod.top}/1-file", "/password"):
            code, numbers, words = server.order(f"look 0 0 0 0 0 0 0\n{source(path)}")
            assert (code, words) == (0, part), words
            assert numbers[2:5] == [int(part != "/password"), 1, 1 << 20], numbers
        code, words = pod.order("copy", 1, f"{pod.top}/1-file")
        assert code == 0, words
        node, mode, uid, gid = share.lookup(1, "1")
        assert (mode, uid, gid) == (stat.S_IFREG | 0o440, FIRST + 5, FIRST + 2000)
        assert share.read(node, share.open(node)) == b"secret"
        refused(lambda: share.open(node, os.O_RDWR), errno.EROFS)
        refused(lambda: share.setattr(node, sh.MODE, 0o666), errno.EROFS)
        # Another one in its place, and none.
        assert pod.order("copy", 1, f"{pod.top}/1-file")[0] == 0
        assert share.unbind(1) == 0
        refused(lambda: share.lookup(1, "1"), errno.ENOENT)


@test
def what_cannot_be_shown_is_named(server):
    with Pod(server) as pod:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(f"{pod.top}/listens")
            for name, words in ("listens", "is a socket"), ("../dev/null", "device"):
                path = "/dev/null" if "dev" in name else f"{pod.top}/{name}"
                code, _, said = server.order(f"look 0 0 0 0 0 0 0\n{source(path)}")
                assert code == errno.EINVAL and words in said, said
        huge = f"{pod.top}/huge"
        os.mkdir(huge)
        if subprocess.run(["mount", "-t", "hugetlbfs", "huge", huge], capture_output=True).returncode == 0:
            code, _, said = server.order(f"look 0 0 0 0 0 0 0\n{source(huge)}")
            assert code == errno.EINVAL and "medium: HugePages" in said and "medium: Memory" in said, said


@test
def a_copy_is_of_one_version_and_cannot_be_written(server):
    with Pod(server) as pod:
        volume = f"{pod.top}/volume"
        os.makedirs(f"{volume}/..1/sub")
        put(f"{volume}/..1/key", "first", 5, 0o440, 6)
        put(f"{volume}/..1/sub/deep", "deep", 0, 0o400)
        for name, to in ("key", "..data/key"), ("sub", "..data/sub"), ("..data", "..1"):
            os.symlink(to, f"{volume}/{name}")
        code, words = pod.order("copy", 1, volume)
        assert code == 0, words
        share = pod.share
        top = share.walk("1")

        def read(*names):
            node, _, uid, gid = share.lookup(share.walk("1", *names[:-1]), names[-1])
            return share.read(node, share.open(node)), uid, gid
        assert read("..1", "key") == (b"first", FIRST + 5, FIRST + 6)
        assert read("..1", "sub", "deep") == (b"deep", FIRST, FIRST)
        assert share.ask(sh.READLINK, share.walk("1", "..data")) == b"..1"
        for call in (lambda: share.create(top, "x"), lambda: share.mkdir(top, "x"),
                     lambda: share.open(share.walk("1", "..1", "key"), os.O_WRONLY),
                     lambda: share.setattr(share.walk("1", "..1", "key"), sh.MODE, 0o777)):
            refused(call, errno.EROFS)
        os.mkdir(f"{volume}/..2")
        put(f"{volume}/..2/key", "second", 5, 0o440, 6)
        os.symlink("..2", f"{volume}/..new")
        os.rename(f"{volume}/..new", f"{volume}/..data")
        os.unlink(f"{volume}/sub")
        code, words = pod.order("refresh", 1, volume)
        assert code == 0, words
        assert read("..2", "key")[0] == b"second"
        refused(lambda: share.lookup(top, "sub"), errno.ENOENT)
        # The one before is for whoever has just followed the link; it goes with the next.
        assert read("..1", "key")[0] == b"first"
        os.rename(f"{volume}/..2", f"{volume}/..3")
        os.symlink("..3", f"{volume}/..new")
        os.rename(f"{volume}/..new", f"{volume}/..data")
        assert pod.order("refresh", 1, volume)[0] == 0
        refused(lambda: share.lookup(top, "..1"), errno.ENOENT)
        refused(lambda: share.create(top, "x"), errno.EROFS)
        # More than a volume of that kind can have is refused, and nothing half of it is shown.
        with open(f"{volume}/..3/large", "wb") as file:
            file.truncate(20 << 20)
        assert pod.order("copy", 2, volume)[0] == errno.EFBIG
        refused(lambda: share.lookup(1, "2"), errno.ENOENT)


if __name__ == "__main__":
    sys.exit(main())
