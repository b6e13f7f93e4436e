# SPDX-License-Identifier: Apache-2.0
"""Session mode: an ordinary user's own Danchi (docs/session-mode.md)."""

import contextlib
import json
import os
import shutil
import subprocess

from machine import ARCHIVES, BUILD, EMULATION, expect, expect_equal, kill9, wait_until
from suite import Skip, test
from user import (ELSEWHERE, FIRST_SUBID, HOST, HOST_6, HOST_PRIVATE, NAME, NAMED, OTHER_UID, PUBLIC,
                  PUBLIC_6, UID, User)

IMAGE = "docker.io/danchi/busybox:test"
TICK = "i=0; while :; do i=$((i + 1)); echo $i; sleep 0.1; done"
GUESTS_SIDE = ("qemu-system", "danchi-relay")


@contextlib.contextmanager
def a_user(machine):
    for program in "pasta", "newuidmap", "setpriv":
        if not shutil.which(program):
            raise Skip(f"there is no {program}")
    user = User(f"{machine.name}-user")
    try:
        yield user
    except Exception:
        for log in "danchid.log", "session.log":
            with contextlib.suppress(OSError):
                with open(f"{user.home}/.local/share/danchi/log/{log}", errors="replace") as file:
                    print("".join(line for line in file.readlines() if " ethtool " not in line)[-3000:])
        raise
    finally:
        user.end()


def lines_of(user, name):
    return user.out("logs", name).splitlines()


def ticks(user, name):
    count = len(lines_of(user, name))
    wait_until(lambda: len(lines_of(user, name)) > count, "it ticks", 20)


@test("R2.2", "R5.11", seconds=240, only=EMULATION)
def a_user_without_root_has_a_danchi_of_their_own(machine):
    with a_user(machine) as user:
        expect("session" in user.out("info"), "info does not say so")
        user.danchi("load", "-i", f"{ARCHIVES}/busybox.tar")
        done = user.danchi("run", "--rm", IMAGE, "sh", "-c", "echo out; echo err >&2; exit 7", check=False)
        expect_equal((done.status, done.stdout, done.stderr), (7, "out\n", "err\n"), "a run")
        user.danchi("run", "-d", "--name", "one", IMAGE, "sh", "-c", TICK)
        user.danchi("run", "-d", "--name", "two", IMAGE, "sleep", "1000000")
        expect_equal(user.out("exec", "one", "sh", "-c", "echo in; id -u"), "in\n1000", "exec")

        # A guest has ids of its own, and neither the user's nor the host's root's.
        for program in GUESTS_SIDE:
            uids = user.pids(program)
            expect_equal(len(uids), 2, f"processes of {program}")
            expect_equal(len(set(uids.values())), 2, f"their uids: {uids}")
            expect(all(FIRST_SUBID <= uid for uid in uids.values()), f"{program}: {uids}")
        root = [pid for pid, _ in all_root_processes() if pid in user.session_processes()]
        expect_equal(root, [], "processes of the host's root")

        what_is_promised_is_kept_and_what_is_not_is_said(user)
        nobody_else_may_call(user)
        what_dies_is_replaced(user)

        user.danchi("rm", "-f", "one", "two")
        expect_equal(user.out("gc"), "nothing to remove", "gc")
        expect_equal([user.pids(program) for program in GUESTS_SIDE], [{}, {}], "left")
        expect_equal(user.run("sh", "-c", f"ls {user.runtime}/danchi/guests {user.runtime}/danchi/journal | "
                              "grep -v : || true").stdout.strip(), "", "left of guests")
        expect_equal(user.run(f"{BUILD}/bin/danchi-session", "end").stdout, "the session has ended\n", "end")
        expect_equal(user.session_processes(), {}, "processes after the end")


def all_root_processes():
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{name}").st_uid == 0:
                yield int(name), name


def what_is_promised_is_kept_and_what_is_not_is_said(user):
    lines = json.loads(user.out("--format", "json", "verify"))
    absent = {line["control"] for line in lines if line["verdict"] == "absent"}
    expect_equal({line["verdict"] for line in lines}, {"ok", "absent"}, "verdicts")
    expect({"namespace.mnt", "cgroup", "label"} <= absent, f"absent: {absent}")
    expect("absent: session mode" in user.out("verify"), "verify's last line")
    guest = json.loads(user.out("inspect", "one"))[0]["guest"]
    expect_equal((guest["mode"], guest["transport"], guest["accelerator"]), ("session", "serial", "tcg"), "inspect")
    checks = {check["id"]: check for check in json.loads(
        user.danchi("--format", "json", "doctor", check=False).stdout)}
    expect_equal(checks["mode"]["status"], "warn", "doctor's line")
    expect("sVirt" in checks["mode"]["what"], checks["mode"]["what"])
    expect_equal(checks["host-limits"]["status"], "warn", "doctor's host-limits")
    # The user's other files are not there for it.
    found = user.run(f"{BUILD}/bin/danchi-session", "enter", "ls", "-A", user.home).stdout
    expect(set(found.split()) <= {".local", ".config"}, f"in HOME: {found}")
    expect_equal(user.run(f"{BUILD}/bin/danchi-session", "enter", "ls", "/run/dbus", check=False).status, 2,
                 "the host's /run")
    denied = user.danchi("run", "--rm", "--transport", "vsock", IMAGE, "true", check=False)
    expect(denied.status != 0, "vsock is taken")


def nobody_else_may_call(user):
    path = f"{user.runtime}/danchi/danchid.sock"
    call = [f"{BUILD}/bin/danchi", "--socket", path, "ps"]
    expect("ermission denied" in user.run(*call, uid=OTHER_UID, check=False).stderr, "another user comes in")
    # Not even where the user has opened all doors.
    user.run("chmod", "0711", user.runtime)
    user.run("chmod", "0666", path)
    refused = user.run(*call, uid=OTHER_UID, check=False)
    user.run("chmod", "0600", path)
    user.run("chmod", "0700", user.runtime)
    expect(refused.status != 0 and not refused.stdout, f"another user is served: {refused.stdout}")
    record = user.run("grep", "-rc", "another user", f"{user.home}/.local/share/danchi/audit", check=False)
    expect_equal(record.status, 0, "the record has a word of it")
    root = subprocess.run(user.enter(f"{BUILD}/bin/danchi", "--session", "ps"), capture_output=True, text=True)
    expect("ordinary users" in root.stderr, f"root: {root.stderr}")


def what_dies_is_replaced(user):
    boot_id = user.out("exec", "one", "cat", "/proc/sys/kernel/random/boot_id")
    ticks(user, "one")
    victims = ("danchid",), ("danchi-session",), ("libvirtd",), ("danchi-session", "danchid", "libvirtd", "virtlogd")
    for names in victims:
        for name in names:
            wait_until(lambda name=name: user.pids(name), f"there is a {name}", 20)
        for pid in [pid for name in names for pid in user.pids(name)]:
            kill9(pid)
        ticks(user, "one")
        expect_equal(user.out("exec", "one", "cat", "/proc/sys/kernel/random/boot_id"), boot_id, f"after {names}")
    expect_equal(len(user.pids("qemu-system")), 2, "guests")
    numbers = [int(line) for line in lines_of(user, "one")]
    expect_equal(numbers, list(range(1, len(numbers) + 1)), "the log's lines")
    # And new guests start.
    expect_equal(user.out("run", "--rm", IMAGE, "echo", "again"), "again", "a run afterwards")


def answer_of(user, address):
    """What a container gets from port 80 of an address; "" where it gets nothing."""
    # pasta of 2023 forgets a connection whose client has said all before the server was reached.
    return user.danchi("exec", "web", "sh", "-c", f"sleep 2 | nc -w 5 {address} 80", check=False).stdout.strip()


def an_image_comes_from_a_registry(user):
    """In its jail, by way of pasta."""
    settings = f"{user.place}/registry.yml"
    with open(settings, "w") as file:
        file.write(f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {user.place}/registry}}}}\n"
                   "http: {addr: '0.0.0.0:5000'}\nlog: {level: error, accesslog: {disabled: true}}\n")
    user.start([*user.inside, "docker-registry", "serve", settings], stderr=subprocess.DEVNULL)
    name = f"{PUBLIC}:5000/acme/box:1"
    push = [*user.inside, "skopeo", "--insecure-policy", "copy", "-q", "--dest-tls-verify=false",
            f"docker-archive:{ARCHIVES}/busybox.tar", f"docker://{name}"]
    wait_until(lambda: subprocess.run(push, stderr=subprocess.DEVNULL).returncode == 0, "the registry", 20)
    containers = f"{user.home}/.config/danchi/containers"
    user.run("mkdir", containers)
    for file, text in (("registries.conf", f'[[registry]]\nlocation = "{PUBLIC}:5000"\ninsecure = true\n'),
                       ("policy.json", '{"default": [{"type": "insecureAcceptAnything"}]}')):
        user.run("tee", f"{containers}/{file}", input=text.encode())
    expect(name in user.out("pull", name), "pull")
    expect_equal(user.out("run", "--rm", name, "echo", "pulled"), "pulled", "a run of it")


@test("R5.17", "R5.13", seconds=240, only=EMULATION)
def a_sessions_egress_and_ports_are_held_to_the_policy_without_root(machine):
    with a_user(machine) as user:
        user.danchi("load", "-i", f"{ARCHIVES}/busybox.tar")
        user.danchi("run", "-d", "--name", "web", "--network", "egress", "-p", "8080:8080", IMAGE,
                    "busybox", "httpd", "-f", "-p", "8080", "-h", "/etc")
        wait_until(lambda: answer_of(user, PUBLIC) == f"hello from {PUBLIC}", "a public server answers", 30)
        expect_equal(answer_of(user, PUBLIC_6), f"hello from {PUBLIC_6}", "a public server by IPv6")
        for address in (*ELSEWHERE, HOST, *HOST_6, HOST_PRIVATE, "127.0.0.1", "169.254.254.1", "169.254.254.3"):
            expect_equal(answer_of(user, address), "", f"what {address} says")
        # The host's next address is no way in either.
        user.on_host("ip", "address", "add", "9.9.8.2/32", "dev", "lo")
        wait_until(lambda: "prohibit 9.9.8.2" in user.run(
            f"{BUILD}/bin/danchi-session", "enter", "ip", "route").stdout, "the session knows it")
        expect_equal(answer_of(user, "9.9.8.2"), "", "what the host's new address says")
        user.on_host("ip", "address", "delete", "9.9.8.2/32", "dev", "lo")
        wait_until(lambda: "9.9.8.2" not in user.run(
            f"{BUILD}/bin/danchi-session", "enter", "ip", "route").stdout, "the session forgets it")

        names = user.danchi("exec", "web", "nslookup", NAME, check=False).stdout
        expect(NAMED in names, f"a name: {names}")
        expect_equal(answer_of(user, NAME), f"hello from {NAMED}", "a server by its name")

        listening = user.on_host("ss", "-Hltn")
        expect("127.0.0.1:8080" in listening and "0.0.0.0:8080" not in listening, listening)
        page = user.run("python3", "-c", "import urllib.request as r; "
                        "print(r.urlopen('http://127.0.0.1:8080/passwd', timeout=20).status)").stdout
        expect_equal(page, "200\n", "the published port")
        taken = user.danchi("run", "--rm", "-p", "80:80", IMAGE, "true", check=False)
        expect(taken.status != 0, "a low port is taken")
        # A flow through pasta is the user's, and no process of a guest's ids begins one.
        verdicts = {line["control"]: line["verdict"] for line in json.loads(
            user.out("--format", "json", "verify", "web"))}
        expect_equal(verdicts["publish.mark"], "absent", "the mark of sockets")
        expect("DIFFERS" not in verdicts.values() and "UNKNOWN" not in verdicts.values(), f"{verdicts}")
        bind = user.danchi("run", "--rm", "-v", "/tmp:/x", IMAGE, "true", check=False)
        expect(bind.status != 0 and "tmp" in bind.stderr, f"a bind: {bind.stderr}")
        an_image_comes_from_a_registry(user)
        user.danchi("rm", "-f", "web")
        user.run(f"{BUILD}/bin/danchi-session", "end")
        expect_equal(user.on_host("ss", "-Hltn").count(":8080"), 0, "sockets left")
