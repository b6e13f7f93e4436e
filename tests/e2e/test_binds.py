# SPDX-License-Identifier: Apache-2.0
"""Directories and files of the host's in containers: who may have which, whose the files are, and
what becomes of them."""

import contextlib
import glob
import json
import os
import platform
import socket
import subprocess

from machine import EMULATION, all_commands, expect, expect_equal, kill9, wait_until
from suite import exec_sh, expect_error, image, new_name, test
from test_forensics import check_manifest, directory

OWNER, OTHER, GROUP = 1777, 1778, 1779
CONNECT = 100  # "users", the group that may connect
SETTINGS = """[guest]
allow_emulation = yes
[access]
socket_group = users
"""


def mount_owners(path):
    """A file system on which owners can be translated: before Linux 6.3 a tmpfs is none."""
    os.makedirs(path)
    version = tuple(int(number) for number in platform.release().split(".")[:2])
    if version >= (6, 3):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "binds", path], check=True)
        return
    with open(f"{path}.img", "wb") as file:
        file.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-qF", f"{path}.img"], check=True)
    subprocess.run(["mount", "-o", "loop", f"{path}.img", path], check=True)


def put(path, text, uid, mode, gid=None):
    with open(path, "w") as file:
        file.write(text)
    os.chown(path, uid, gid if gid is not None else uid)
    os.chmod(path, mode)


@contextlib.contextmanager
def bindable(machine):
    """Yields the path of `data`, which is OWNER's, and beside it of what is not."""
    top = f"{machine.state}-binds"
    mount_owners(top)
    for name, owner in ("data", OWNER), ("data/sub", OWNER), ("data/odd", OTHER), ("other", 0):
        os.mkdir(f"{top}/{name}")
        os.chown(f"{top}/{name}", owner, owner)
    os.chmod(f"{top}/data/odd", 0o777)
    put(f"{top}/data/mine", "mine\n", OWNER, 0o600)
    put(f"{top}/data/grouped", "grouped\n", OWNER, 0o660, GROUP)
    put(f"{top}/data/theirs", "theirs\n", OTHER, 0o666)
    put(f"{top}/data/closed", "closed\n", OTHER, 0o600)
    put(f"{top}/other/secret", "secret\n", 0, 0o644)
    os.symlink(f"{top}/other", f"{top}/data/way-out")
    os.symlink("sub", f"{top}/data/way-in")
    machine.more_settings = SETTINGS
    machine.restart()
    try:
        yield top
    finally:
        machine.more_settings = ""
        machine.restart()
        subprocess.run(["umount", "-l", top], check=True)
        os.rmdir(top)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{top}.img")


@contextlib.contextmanager
def binding_context(machine, binds, users=()):
    name = new_name("e2e-b")
    path = f"{machine.config}/contexts.d/{name}.conf"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(f"{path}.new", "w") as file:
        file.write(f"[context]\ntenant = acme\n[access]\nusers = {';'.join(map(str, users))}\n"
                   f"[volumes]\nbinds = {binds}\n")
    os.rename(f"{path}.new", path)
    try:
        yield name
    finally:
        machine.danchi("context", "rm", "-f", name, check=False)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def share_pids():
    """In a cell or lab, where all are the tests'."""
    return sorted(pid for pid, words in all_commands() if words[0] == "virtiofsd")


def own_groups(pid):
    """The control groups that its machine alone is in, in hierarchies that limit something."""
    with open(f"/proc/{pid}/cgroup") as file:
        lines = file.read().splitlines()
    unified = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
    return [line for line in lines if "qemu" in line and ":name=" not in line
            and ("::" in line) == unified]


def share_mounts(pid):
    """What the host's kernel says is mounted in a share: name to flags."""
    with open(f"/proc/{pid}/mountinfo") as file:
        fields = [line.split() for line in file]
    return {words[4]: set(words[5].split(",")) for words in fields if words[4] != "/"}


def files_of(path):
    return {name: (os.lstat(f"{path}/{name}").st_uid, os.lstat(f"{path}/{name}").st_mode & 0o7777)
            for name in os.listdir(path)}


@test("R5.7", seconds=240, only=EMULATION)
def a_bind_shows_its_owner_as_the_containers_user(machine):
    script = """cd /data; stat -c '%n %u:%g' . mine grouped theirs closed
echo more >> mine; echo more >> grouped; echo new > new; mkdir made; ln -s mine link; cat theirs
for try in 'cat closed' 'echo x >> theirs' 'echo x > odd/x' 'chmod u+s new' 'chown 5 new' \
           'chgrp 5 new' 'rm closed' 'cat way-out/secret' 'ls ../data/../../etc/shadow' \
           'echo x >> /etc/one' 'echo x > /ro/x' 'mknod d c 1 3' '/data/sub/run'; do
  sh -c "$try" 2> /tmp/said && echo "DONE $try"
done; sleep 2; cat way-in/inner; cat /etc/one; cat /data/sub/private/p; pwd; exec sleep 1000"""
    with bindable(machine) as top, \
            binding_context(machine, f"{top}/data:rw;{top}/other", [OWNER]) as context:
        put(f"{top}/data/sub/inner", "inner\n", OWNER, 0o600)
        put(f"{top}/data/sub/run", "#!/bin/sh\n", OWNER, 0o755)
        os.mkdir(f"{top}/data/sub/private")
        os.chown(f"{top}/data/sub/private", OWNER, OWNER)
        name = new_name("bind")
        flags = ["-v", f"{top}/data:/data:rw", "-v", f"{top}/data/mine:/etc/one",
                 "--mount", f"type=bind,source={top}/data,target=/ro",
                 "--tmpfs", "/data/sub/private", "--tmpfs", "/tmp"]
        machine.danchi("run", "-d", "--name", name, "--context", context, "-w", "/data", "-u",
                       "1000:1000", *flags, image(machine), "sh", "-c", script, user=OWNER,
                       groups=[CONNECT])
        wait_until(lambda: machine.out("logs", name).endswith("/data"), "the script has ended", 30)
        lines = machine.out("logs", name).splitlines()
        expect_equal(lines[:5], [". 1000:1000", "mine 1000:1000", "grouped 1000:65534",
                                 "theirs 65534:65534", "closed 65534:65534"], "owners inside")
        expect_equal([line for line in lines if line.startswith("DONE")], [],
                     "what went through and should not")
        expect_equal([line for line in lines[5:] if not line.startswith("cat:")],
                     ["theirs", "inner", "mine", "more", "/data"], "what could be read")
        found = files_of(f"{top}/data")
        for path in "mine", "grouped", "new", "made", "link":
            expect_equal(found[path][0], OWNER, f"owner of '{path}' on the host")
        expect(not any(mode & 0o6000 for _, mode in found.values()), f"set-user-ID: {found}")
        expect_equal(os.listdir(f"{top}/data/sub/private"), [], "the tmpfs over it on the host")
        inside_and_outside(machine, name, context, top)


def inside_and_outside(machine, name, context, top):
    """What inspect says of a bind, what the guest has mounted, and what the host."""
    binds = machine.inspect(name)["binds"]
    bind = next(one for one in binds if one["target"] == "/data")
    wanted = {"source": f"{top}/data", "is_readonly": False, "is_executable": False,
              "is_directory": True, "host_uid": OWNER, "host_gid": OWNER, "uid": 1000, "gid": 1000}
    expect_equal({key: bind[key] for key in wanted}, wanted, "what inspect says of it")
    expect(bind["mapping"].endswith(f"({OWNER}) on the host is 1000 in the container"), bind)
    expect_equal([one["is_directory"] for one in binds if one["target"] == "/etc/one"], [False],
                 "whether the file is a directory")
    said = exec_sh(machine, "grep virtiofs /proc/self/mountinfo", container=name).stdout
    lines = said.splitlines()
    inside = {line.split()[4]: set(line.split()[5].split(",")) for line in lines}
    for path, mode in ("/data", "rw"), ("/ro", "ro"), ("/etc/one", "ro"):
        expect({"nosuid", "nodev", "noexec", mode} <= inside[path], f"{path} is {inside[path]}")
    pids = share_pids()
    expect_equal(len(pids), 1, "shares of one guest")
    outside = share_mounts(pids[0])
    expect_equal(sorted(("ro" if "ro" in flags else "rw") for flags in outside.values()),
                 ["ro", "ro", "rw"], "binds on the host")
    for flags in outside.values():
        expect({"nosuid", "nodev", "noexec", "nosymfollow", "idmapped"} <= flags, f"host: {flags}")
    rows = json.loads(machine.danchi("--format", "json", "verify", name, check=False).stdout)
    expect(sum(row["subject"] == "virtiofsd" for row in rows) > 20, f"rows of verify: {rows}")
    expect_equal([row for row in rows if row["verdict"] != "ok"], [], "what verify finds")
    # What its guest makes it do counts to the guest; and the groups go with both.
    groups = own_groups(machine.inspect(name)["guest"]["qemu_pid"])
    expect(groups and set(groups) <= set(own_groups(pids[0])), f"QEMU is in {groups}, not all of them its share")
    expect_equal([row["actual"] for row in rows if row["control"] == "limit.group"], ["its guest's"], "verify")
    machine.danchi("rm", "-f", name)
    expect_equal(share_mounts(pids[0]), {}, "binds on the host after rm")
    machine.danchi("context", "stop", context)
    wait_until(lambda: not share_pids(), "the share ended with its guest")
    left = [path for line in groups for path in glob.glob(f"/sys/fs/cgroup/*{line.split(':', 2)[2]}")]
    expect_equal(left, [], "control groups of the guest")


@test("R3.4", only=EMULATION)
def what_a_caller_or_the_policy_does_not_give_is_refused_by_name(machine):
    """Nothing is started: all of it is found out when the container is made."""
    with bindable(machine) as top, \
            binding_context(machine, f"{top}/data;{top}/way;/var/tmp:rw", [OWNER]) as context, \
            socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{top}/data/socket")
        os.symlink(f"{top}/other", f"{top}/way")
        os.mkfifo(f"{top}/data/fifo")
        os.mkdir(f"{top}/data/hidden", 0o700)
        rows = [
            (f"{top}/other:/x", OWNER, "not permitted in context", f"{top}/data", "rule binds"),
            (f"{top}/data:/x:rw", OWNER, "for writing", "rule binds"),
            ("/etc:/x", OWNER, "/etc/danchi", "is given to no container"),
            ("/proc/self:/x", OWNER, "/proc, /sys and /dev"),
            (f"{machine.state}:/x", 0, "is given to no container"),
            (f"{top}/data/../other:/x", OWNER, "'..'"),
            (f"{top}/data/missing:/x", OWNER, "is not there", "make it first"),
            (f"{top}/data/closed:/x", OWNER, f"uid {OWNER} may not read it"),
            (f"{top}/data/hidden:/x", OWNER, f"uid {OWNER} may not read it"),
            (f"{top}/data/hidden/x:/x", OWNER, f"uid {OWNER} may not go there"),
            (f"{top}/data/way-out:/x", OWNER, "a symbolic link leads out of"),
            (f"{top}/data/way-out/secret:/x", 0, "a symbolic link leads out of"),
            (f"{top}/way:/x", 0, "goes through a symbolic link"),
            (f"{top}/data/socket:/x", OWNER, "is a socket", "connect to one of the host's"),
            (f"{top}/data/fifo:/x", OWNER, "neither a directory nor a regular file"),
        ]
        if open("/proc/mounts").read().find(" /var overlay ") >= 0:
            rows.append(("/var/tmp:/x", 0, "cannot translate owners"))
        for text, user, *words in rows:
            result = machine.danchi("create", "--context", context, "-v", text, image(machine),
                                    "true", check=False, user=user or None, groups=[CONNECT])
            expect_error(result, result.status, *words)
            expect(result.status != 0, f"{text} was permitted")
        # Without a context: as danchi.conf has it, which names none.
        result = machine.danchi("create", "-v", f"{top}/data:/x", image(machine), "true",
                                check=False)
        expect_error(result, result.status, "not permitted", "permitted are none")
        expect_equal(share_pids(), [], "shares that were started")


@test("R5.4", seconds=240, only=EMULATION)
def a_share_outlives_danchid_and_its_end_is_an_error_and_an_event(machine):
    with bindable(machine) as top, binding_context(machine, f"{top}/data:rw") as context:
        name = new_name("bind")
        machine.danchi("run", "-d", "--name", name, "--context", context, "-v",
                       f"{top}/data:/data:rw", "-v", "/kept", "-u", "0", image(machine), "sleep",
                       "1000")
        before = share_pids()
        is_named_in_evidence(machine, context, name, top)
        machine.kill_daemon()
        machine.start()
        expect_equal(share_pids(), before, "the share of a danchid before")
        exec_sh(machine, "echo still > /data/still", container=name)
        second = new_name("bind")
        machine.danchi("run", "--rm", "--name", second, "--context", context, "-v",
                       f"{top}/data/still:/s", image(machine), "grep", "still", "/s")
        bind = machine.inspect(name)["binds"][0]
        expect_equal((bind["host_uid"], bind["uid"]), (OWNER, 0), "whose it is for root")
        kill9(before[0])

        def is_told():
            lines = machine.out("--format", "json", "events", "--since", "10m").splitlines()
            return any(event["action"] == "share_lost" for event in map(json.loads, lines))
        wait_until(is_told, "an event tells of its end", 20)
        failed = exec_sh(machine, "cat /data/still", container=name, check=False, timeout=40)
        expect(failed.status != 0 and "not connected" in failed.stderr, f"read: {failed.stderr!r}")
        result = machine.danchi("run", "--rm", "--context", context, "-v", f"{top}/data:/d",
                                image(machine), "true", check=False)
        expect_error(result, 125, "share has ended", "stop the context's guest")
        expect_equal(exec_sh(machine, "echo on", container=name).stdout, "on\n", "its container")
        machine.danchi("rm", "-f", "-v", name)


def is_named_in_evidence(machine, context, name, top):
    """What is not copied stands in the manifest, with where it is."""
    with directory(machine) as path:
        machine.danchi("forensics", "--live", "-o", path, context)
        manifest = check_manifest(path)
    expect_equal([(one["container"], one["source"], one["target"], one["is_readonly"], one["host_uid"])
                  for one in manifest["binds"]],
                 [(name, f"{top}/data", "/data", False, OWNER)], "binds in the manifest")
    expect_equal([(one["container"], one["target"], one["is_encrypted"], one["disk"])
                  for one in manifest["volumes"]],
                 [(name, "/kept", False, f"{machine.state}/volumes/{manifest['volumes'][0]['id']}/disk.raw")],
                 "volumes in the manifest")
