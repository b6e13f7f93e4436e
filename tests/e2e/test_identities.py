# SPDX-License-Identifier: Apache-2.0
"""The uids of contexts: what one of them may not get at, and when one is given out again."""

import contextlib
import ctypes
import glob
import json
import os
import stat
import subprocess
import time

from machine import EMULATION, TOP, all_commands, expect, expect_equal, proc_status, wait_until
from suite import context, expect_error, image, new_name, start_sh, test

FIRST_UID = 200001
SLOTS = "/run/danchi-slots"
PYTHON = "/usr/bin/python3"
IPC_CREAT, IPC_RMID = 0o1000, 0
LIBVIRT = "/var/lib/libvirt/qemu", "/run/libvirt/qemu", "/var/log/libvirt/qemu"


def guest_of(machine, where):
    return machine.json("context", "inspect", where)[0]["guest"]


def processes_of(uid):
    found = []
    for pid, _ in all_commands():
        with contextlib.suppress(OSError):
            if str(uid) in proc_status(pid)["Uid"].split():
                found.append(pid)
    return found


def as_uid(uid, script, *arguments, **options):
    """A Python script with nothing of root's left."""
    return subprocess.run([PYTHON, "-c", script, *map(str, arguments)], user=uid, group=uid,
                          extra_groups=[], capture_output=True, text=True, cwd="/", **options)


@contextlib.contextmanager
def segment(uid):
    """A System V shared memory segment of that uid's."""
    made = as_uid(uid, "import ctypes; print(ctypes.CDLL(None).shmget(0, 4096, 0o1600))")
    ident = int(made.stdout)
    expect(ident >= 0, f"shmget: {made.stderr}")
    try:
        yield ident
    finally:
        ctypes.CDLL(None).shmctl(ident, IPC_RMID, None)


@contextlib.contextmanager
def owned_file(path, uid):
    with open(path, "x"):
        os.chown(path, uid, uid)
        os.chmod(path, 0o600)
    try:
        yield path
    finally:
        os.unlink(path)


@contextlib.contextmanager
def sleeper(uid):
    process = subprocess.Popen(["sleep", "1000"], user=uid, group=uid, extra_groups=[])
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def free_uids(count):
    """The next that danchid would give out."""
    taken = {FIRST_UID + int(name) for name in os.listdir(SLOTS) if name.isdigit()}
    return [uid for uid in range(FIRST_UID, FIRST_UID + 100) if uid not in taken][:count]


@test("R2.1", "R5.11", seconds=300, only=EMULATION)
def an_identity_is_kept_back_while_anything_of_it_is_left(machine):
    with context(machine) as first, context(machine) as second:
        start_sh(machine, "sleep 1000", "--context", first)
        uids = free_uids(6)
        state_file = f"{machine.state}/log/{new_name()}"
        with segment(uids[0]), owned_file(f"/dev/shm/{new_name()}", uids[1]), \
                sleeper(uids[2]), owned_file(state_file, uids[3]), \
                owned_file(f"{machine.run}/{new_name()}", uids[4]):
            start_sh(machine, "sleep 1000", "--context", second)
            expect_equal(guest_of(machine, second)["uid"], uids[5], "uid: the first that is clean")
            for kind in "System V shm", "/dev/shm", "process", state_file:
                expect(kind in machine.log_tail(60), f"the log has nothing of {kind}")
        machine.danchi("context", "stop", second)
        # Clean again, and so given out again.
        with context(machine) as third:
            start_sh(machine, "sleep 1000", "--context", third)
            expect_equal(guest_of(machine, third)["uid"], uids[0], "uid: it is clean again")


@test("R2.1", seconds=300, only=EMULATION)
def two_contexts_with_the_same_categories_start_no_guest(machine):
    with context(machine) as first, context(machine) as second:
        for name in first, second:
            path = f"{machine.config}/contexts.d/{name}.conf"
            with open(path) as file:
                text = file.read()
            with open(path, "w") as file:
                file.write(text.replace("[guest]", "[guest]\nmcs = c17,c902"))
        refused = machine.danchi("run", "--rm", "--context", first, image(machine), "true",
                                 check=False)
        expect_error(refused, 125, "c17,c902", second)
        with open(path, "w") as file:
            file.write(text)
        machine.danchi("run", "--rm", "--context", first, image(machine), "true")


def kind_of(path):
    mode = os.lstat(path).st_mode
    return ("directory" if stat.S_ISDIR(mode) else "socket" if stat.S_ISSOCK(mode)
            else "link" if stat.S_ISLNK(mode) else "file")


def walk(top):
    yield top
    for parent, directories, files in os.walk(top):
        for name in directories + files:
            yield os.path.join(parent, name)


def files_of(machine, where, uid):
    """What names B's guest or containers, or belongs to B's uid, wherever Danchi and libvirt keep
    something."""
    ids = [guest_of(machine, where)["id"]]
    ids += [one["id"] for one in machine.containers() if one["context"] == where]
    tops = (machine.run, machine.state, "/dev/shm", "/dev/mqueue") + LIBVIRT
    targets = []
    for path in (path for top in tops if os.path.isdir(top) for path in walk(top)):
        with contextlib.suppress(FileNotFoundError):
            if any(one in path for one in ids + [f"/{where}.json"]) or os.lstat(path).st_uid == uid:
                targets.append([kind_of(path), path])
    return targets


def targets_of_processes(uid):
    targets = []
    for pid in processes_of(uid):
        targets.append(["process", pid])
        for name in "mem", "environ", "maps", "auxv", "syscall", "stack", "pagemap":
            targets.append(["file", f"/proc/{pid}/{name}"])
        for name in "root", "cwd", "exe", "ns/mnt", "ns/net":
            targets.append(["link", f"/proc/{pid}/{name}"])
        for name in "fd", "map_files":
            targets.append(["directory", f"/proc/{pid}/{name}"])
            targets += [["file", path] for path in glob.glob(f"/proc/{pid}/{name}/*")]
    return targets


def segments_of(uid):
    with open("/proc/sysvipc/shm") as file:
        names = file.readline().split()
        rows = [dict(zip(names, line.split())) for line in file]
    return [["segment", int(row["shmid"])] for row in rows if int(row["uid"]) == uid]


def trespass(uid, targets):
    with open(f"{TOP}/tests/e2e/trespass.py") as file:
        script = file.read()
    done = as_uid(uid, script, input=json.dumps(targets))
    expect_equal(done.returncode, 0, f"the trespasser: {done.stderr}")
    return json.loads(done.stdout)


@test("R2.1", "R5.11", seconds=300)
def a_context_gets_at_nothing_of_another(machine):
    with context(machine) as ours, context(machine) as theirs:
        start_sh(machine, "sleep 1000", "--context", ours)
        start_sh(machine, "echo secret; sleep 1000", "--context", theirs)
        a, b = (guest_of(machine, one)["uid"] for one in (ours, theirs))
        expect(a != b, f"both have uid {a}")
        with segment(b), owned_file(f"/dev/shm/{new_name()}", b):
            found = {"files": files_of(machine, theirs, b), "processes": targets_of_processes(b),
                     "segments": segments_of(b)}
            for what, targets in found.items():
                expect(targets, f"no {what} of the other context were found to try")
            targets = [one for targets in found.values() for one in targets]
            kinds = {kind for kind, _ in targets}
            expect_equal(kinds, {"file", "directory", "socket", "link", "process", "segment"},
                         "kinds of things to try")
            expect(len(processes_of(b)) >= 2, "QEMU and relay are not both there")
            # That the trespasser can get at things at all: its own.
            own = trespass(b, [["process", pid] for pid in processes_of(b)] + segments_of(b))
            expect({"signal", "attach"} <= {way for _, _, way in own}, f"of its own: {own}")
            # libvirt's, which lets everybody read the number that /proc shows to everybody.
            pid_file = f"/run/libvirt/qemu/danchi-{guest_of(machine, theirs)['id']}.pid"
            with open(pid_file) as file:
                expect_equal(int(file.read()), guest_of(machine, theirs)["qemu_pid"], pid_file)
            got = [one for one in trespass(a, targets) if one != ["file", pid_file, "read"]]
            expect_equal(got, [], "what was got at")
        time.sleep(0.5)
        for where in ours, theirs:
            wait_until(lambda: guest_of(machine, where)["is_running"], "both run on")
