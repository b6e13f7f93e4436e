# SPDX-License-Identifier: Apache-2.0
"""The audit record: what is asked of danchid leaves its lines, or is not done."""

import contextlib
import glob
import hashlib
import json
import os
import re
import socket
import struct
import subprocess

from machine import EMULATION, TOP, Machine, expect, expect_equal, wait_until
from suite import (as_the_hosts_own, box, context, exec_sh, expect_error, image, new_name,
                   start_sh, test)

SECRET = "geheim-4711"
# Where the makefile's program runs as, which danchid has not been told of.
STRANGER = 4242
GREEDY = 4243


def record_lines(machine):
    """All lines of the record, oldest first."""
    lines = []
    for path in sorted(glob.glob(f"{machine.state}/audit/*.jsonl")):
        with open(path, encoding="utf-8") as file:
            lines += [json.loads(line) for line in file]
    return lines


def last_seq(machine):
    lines = record_lines(machine)
    return lines[-1]["seq"] if lines else 0


def lines_after(machine, seq, verb, count=1, by=""):
    """Lines of that verb, of a program called so; outcomes follow the answer by a moment."""
    def found():
        lines = [line for line in record_lines(machine) if line["seq"] > seq
                 and line["verb"] == verb and by in line["who"].get("command", "")]
        return lines if len(lines) >= count else None
    return wait_until(found, f"{count} lines of {verb}")


def ask(machine, verb, arguments, user=None, times=1):
    """A request on the raw API, from a process of its own, over and over; the last answer."""
    script = ("import json, socket, struct, sys\n"
              "s = socket.socket(socket.AF_UNIX); s.settimeout(30); s.connect(sys.argv[1])\n"
              "m = sys.argv[2].encode()\n"
              "times = int(sys.argv[3])\n"
              "def read(n):\n"
              "    data = b''\n"
              "    while len(data) < n:\n"
              "        part = s.recv(n - len(data))\n"
              "        if not part: sys.exit(3)\n"
              "        data += part\n"
              "    return data\n"
              # A danchid that refuses may have closed it by now.
              "def send():\n"
              "    try: s.sendall(struct.pack('>I', len(m)) + m)\n"
              "    except OSError: pass\n"
              "send()\n"
              "while True:\n"
              "    answer = json.loads(read(struct.unpack('>I', read(4))[0]))\n"
              "    if 'ok' in answer or 'error' in answer:\n"
              "        times -= 1\n"
              "        if times <= 0: break\n"
              "        send()\n"
              "print(json.dumps(answer))\n")
    message = json.dumps({"verb": verb, "args": arguments})
    done = subprocess.run(["/usr/bin/python3", "-c", script, machine.socket, message,
                           str(times)], cwd="/",
                          user=user, group=user, extra_groups=[] if user else None,
                          capture_output=True, timeout=60)
    expect(done.returncode == 0, f"{verb}: {done.stderr.decode()}")
    return json.loads(done.stdout)


def verify(machine, *flags):
    return machine.danchi("audit", "verify-log", "--anchor", f"{machine.state}/audit-anchor/head",
                          *flags, f"{machine.state}/audit", check=False)


def expect_whole(machine):
    result = verify(machine)
    expect_equal((result.status, result.stderr), (0, ""), f"verify-log: {result.stdout}")


def documented_verbs():
    with open(f"{TOP}/docs/api.md", encoding="utf-8") as file:
        cells = re.findall(r"^\| (`[a-z-]+`(?: `-[a-z]+`)?) \|", file.read(), re.MULTILINE)
    verbs = []
    for cell in cells:
        words = re.findall(r"`([a-z-]+)`", cell)
        verbs.append(words[0])
        # "container-pause -unpause"
        verbs += [words[0].rsplit("-", 1)[0] + word for word in words[1:]]
    expect(len(verbs) > 30, f"docs/api.md has only {verbs}")
    return verbs


@test("R4.6", "R5.16", seconds=240, only=EMULATION)
def every_verb_leaves_its_lines(machine):
    """Each with arguments that do nothing, so that it does not matter what it would do."""
    for verb in documented_verbs():
        # gc works, and is harmless; those that only look need no arguments.
        seq = last_seq(machine)
        answer = ask(machine, verb, {} if verb == "gc" else {"container": "no-such-container"})
        line = lines_after(machine, seq, verb, by="python3")[0]
        expect_equal(line["who"]["uid"], 0, f"{verb}: uid")
        if "error" in answer and line["phase"] == "whole":
            expect_equal(line["outcome"], answer["error"]["code"], f"{verb}: outcome")
    seq = last_seq(machine)
    ask(machine, "no-such-verb", {})
    expect_equal(lines_after(machine, seq, "no-such-verb")[0]["outcome"], "usage", "unknown verb")
    seq = last_seq(machine)
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(60)
        one.connect(machine.socket)
        one.sendall(struct.pack(">I", 1 << 30))
        expect(one.recv(4, socket.MSG_WAITALL), "a broken message is answered")
    line = lines_after(machine, seq, "connect")[0]
    expect_equal((line["decision"], line["outcome"]), ("deny", "protocol"), "a broken message")
    expect_whole(machine)


@test("R4.6", "R5.11", "R5.16", seconds=240, only=EMULATION)
def a_life_is_recorded_with_what_it_was_about(machine):
    with context(machine, tenant="umbrella", stage="test", tier="backend") as place:
        seq = last_seq(machine)
        name = start_sh(machine, "sleep 1000", "--context", place, "-e", f"TOKEN={SECRET}",
                        "--label", f"note={SECRET}")
        facts = machine.inspect(name)
        request, outcome = lines_after(machine, seq, "container-run", 2)
        expect_equal((request["phase"], request["decision"], request["rule"]),
                     ("request", "allow", "root"), "request line")
        expect_equal((outcome["phase"], outcome["request"], outcome["outcome"]),
                     ("outcome", request["seq"], "ok"), "outcome line")
        expect_equal(request["context"], {"name": place, "tenant": "umbrella", "stage": "test",
                                          "tier": "backend"}, "context")
        expect_equal(request["container"]["id"], facts["id"], "container")
        expect_equal(request["image"]["digest"], facts["image_id"], "image digest")
        expect_equal(request["profile"], {key: facts["profile"][key] for key in ("name", "sha256")},
                     "profile")
        expect(request["time_us"] <= facts["created_us"] or
               request["time_us"] <= facts["started_us"], "the line came before the start")
        started = lines_after(machine, seq, "guest-started")[0]
        expect_equal(started["context"]["name"], place, "guest started")
        exec_sh(machine, f"echo {SECRET}", "-e", f"PASSWORD={SECRET}", container=name,
                input=SECRET)
        run = lines_after(machine, seq, "container-exec", 2)[0]
        expect_equal((run["args"]["command"], run["args"]["command_count"]), ("sh", 3), "exec")
        refused = machine.danchi("run", "--rm", "--context", place, "--cap-add", "SYS_ADMIN",
                                 image(machine), "true", check=False)
        expect_error(refused, 125, "SYS_ADMIN")
        denied = [line for line in lines_after(machine, seq, "container-run", 3)
                  if line["decision"] == "deny"]
        expect_equal(len(denied), 1, f"one refusal: {denied}")
        expect_equal((denied[0]["phase"], denied[0]["outcome"]), ("whole", "denied"), "refusal")
        expect("SYS_ADMIN" in denied[0]["rule"], f"rule {denied[0]['rule']}")
        machine.danchi("kill", name)
        ended = lines_after(machine, seq, "container-ended")[0]
        expect_equal((ended["container"]["name"], ended["outcome"]), (name, "137"), "its end")
        filtered = machine.danchi("--format", "json", "audit", "log", "--context", place, "--verb",
                                  "container-run", "--decision", "deny", f"{machine.state}/audit")
        expect_equal([json.loads(line)["seq"] for line in filtered.stdout.splitlines()],
                     [denied[0]["seq"]], "audit log, filtered")
    for path in glob.glob(f"{machine.state}/audit/*"):
        with open(path, encoding="utf-8") as file:
            expect(SECRET not in file.read(), "a secret is in the record")
    expect_whole(machine)


@test("R3.1", "R4.6", only=EMULATION)
def a_stranger_is_recorded_and_reads_nothing(machine):
    status = os.stat(f"{machine.state}/audit")
    expect_equal((status.st_uid, status.st_mode & 0o7777), (0, 0o700), "the record's directory")
    for path in glob.glob(f"{machine.state}/audit/*") + [f"{machine.state}/audit-anchor/head"]:
        status = os.stat(path)
        expect_equal((status.st_uid, status.st_mode & 0o7777), (0, 0o600), path)
        reading = subprocess.run(["cat", path], user=STRANGER, group=STRANGER, extra_groups=[],
                                 capture_output=True, check=False)
        expect(reading.returncode != 0 and reading.stdout == b"", f"{path} can be read")
    for words in ("log",), ("verify-log",):
        refused = machine.danchi("audit", *words, f"{machine.state}/audit", user=STRANGER,
                                 check=False)
        expect_error(refused, 1, "audit", "permission")
    seq = last_seq(machine)
    mode = os.stat(machine.socket).st_mode
    os.chmod(machine.socket, 0o666)
    try:
        answer = ask(machine, "gc", {}, user=STRANGER)
    finally:
        os.chmod(machine.socket, mode & 0o777)
    expect_equal(answer["error"]["code"], "denied", "a stranger's request")

    def denial():
        return [line for line in record_lines(machine)
                if line["seq"] > seq and line["who"]["uid"] == STRANGER]
    line = wait_until(denial, "the refusal is recorded")[0]
    expect_equal((line["decision"], line["outcome"]), ("deny", "denied"), "its line")
    expect(line["rule"], "no rule")


@test("R3.1", "R3.3", "R4.6", only=EMULATION)
def what_a_user_may_not_know_is_told_to_the_record_alone(machine):
    with context(machine, tenant="acme") as theirs, context(machine, tenant="umbrella") as others:
        with open(f"{machine.config}/contexts.d/{theirs}.conf", "w") as file:
            file.write(f"[context]\ntenant = acme\n[access]\nusers = {STRANGER}\n"
                       "verbs = inspect\n")
        name = new_name()
        machine.danchi("create", "--name", name, "--context", others, image(machine))
        mine = new_name()
        machine.danchi("create", "--name", mine, "--context", theirs, image(machine))
        mode = os.stat(machine.socket).st_mode
        os.chmod(machine.socket, 0o666)
        try:
            seq = last_seq(machine)
            answer = ask(machine, "container-remove", {"container": name}, user=STRANGER)
            missing = ask(machine, "container-remove", {"container": "x" + name}, user=STRANGER)
            denied = ask(machine, "container-remove", {"container": mine}, user=STRANGER)
            seen = ask(machine, "inspect", {"name": mine}, user=STRANGER)
        finally:
            os.chmod(machine.socket, mode & 0o777)
        expect_equal((answer["error"]["code"], answer["error"]["message"].replace(name, "x" + name)),
                     (missing["error"]["code"], missing["error"]["message"]), "what he is told")
        expect_equal(denied["error"]["code"], "denied", "the right that he does not have")
        expect("ok" in seen, f"inspect: {seen}")
        first, second, third = lines_after(machine, seq, "container-remove", 3)
        expect_equal([line["phase"] for line in (first, second, third)], ["whole"] * 3, "phases")
        expect_equal((first["decision"], first["outcome"], first["context"]["name"]),
                     ("deny", "not-found", others), "another's container")
        expect("no right" in first["rule"], f"rule {first['rule']}")
        expect_equal((second["decision"], second["outcome"]), ("allow", "not-found"), "none at all")
        expect_equal((third["decision"], third["outcome"], third["context"]["name"]),
                     ("deny", "denied", theirs), "his own context's")
        expect(f"{theirs}.conf" in third["rule"], f"rule {third['rule']}")
        look = lines_after(machine, seq, "inspect")[0]
        expect_equal((look["who"]["uid"], look["decision"]), (STRANGER, "allow"), "inspect's line")


@test("R4.6", "R5.16", only=EMULATION)
def who_asks_without_end_is_refused_and_counted(machine):
    with context(machine) as place:
        with open(f"{machine.config}/contexts.d/{place}.conf", "w") as file:
            file.write(f"[access]\nusers = {GREEDY}\n")
        mode = os.stat(machine.socket).st_mode
        os.chmod(machine.socket, 0o666)
        try:
            seq = last_seq(machine)
            # 192 KiB of what he may look, at some 500 bytes each.
            answer = ask(machine, "profile-list", {}, user=GREEDY, times=1000)
            expect_equal(answer["error"]["code"], "limit", "the last of a thousand")
            expect("audit record" in answer["error"]["message"], answer["error"]["message"])
            # Nobody else is held up by it, and he can still stop what is his.
            machine.danchi("profile", "ls")
            gone = ask(machine, "container-stop", {"container": "none"}, user=GREEDY)
            expect_equal(gone["error"]["code"], "not-found", "what is for stopping")
        finally:
            os.chmod(machine.socket, mode & 0o777)
        lines = [line for line in record_lines(machine)
                 if line["seq"] > seq and line["who"]["uid"] == GREEDY]
        expect(150 < len(lines) < 700, f"{len(lines)} lines of a thousand and one requests")
        counted = sum(line.get("unrecorded", 0) for line in lines)
        expect_equal(len(lines) + counted, 1001, "what is recorded and what is counted")


@test("R1.6", "R4.6", only=EMULATION)
def changes_of_the_operators_files_are_recorded(machine):
    with context(machine) as place:
        path = f"{machine.config}/contexts.d/{place}.conf"
        for text, outcome in (("[context]\ntenant = acme\n", "ok"),
                              ("[context]\nrent = 5\n", "config")):
            seq = last_seq(machine)
            with open(path + ".new", "w", encoding="utf-8") as file:
                file.write(text)
            os.rename(path + ".new", path)
            machine.danchi("context", "ls")
            line = lines_after(machine, seq, "context-file")[0]
            expect_equal((line["phase"], line["context"]["name"], line["outcome"]),
                         ("act", place, outcome), "the line of a file")
            expect_equal(line["args"]["sha256"], hashlib.sha256(text.encode()).hexdigest(), "digest")
        expect("rent" in line["message"], line["message"])
        seq = last_seq(machine)
        os.unlink(path)
        machine.danchi("context", "ls")
        machine.danchi("context", "ls")
        expect_equal(lines_after(machine, seq, "context-file-removed")[0]["context"]["name"], place,
                     "a removed file")
        # The same words again are news; read again without a change they are none.
        seq = last_seq(machine)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        machine.danchi("context", "ls")
        os.utime(path)
        machine.danchi("context", "ls")
        machine.danchi("profile", "ls")
        expect_equal(len(lines_after(machine, seq, "context-file")), 1, "lines of a file that is back")
        seq = last_seq(machine)
        machine.danchi("context", "rm", place)
        lines_after(machine, seq, "context-file-removed")


@contextlib.contextmanager
def own_machine(name):
    """A danchid with a record of its own, which may be spoilt."""
    machine = Machine(name)
    try:
        machine.start()
        yield machine
    finally:
        end(machine)
        machine.remove_directories()


def end(machine):
    machine.end_clients()
    if machine.daemon and machine.daemon.poll() is None:
        with contextlib.suppress(Exception):
            machine.remove_all()
            machine.danchi("context", "rm", "-f", "kept", check=False)
        machine.stop()


@test("R4.6", "R5.16", seconds=400, only=EMULATION)
def a_kill_leaves_a_whole_record_and_nothing_without_a_line(machine):
    with own_machine("record-kill") as own:
        own.danchi("context", "create", "kept")
        own.danchi("run", "-d", "--name", "first", "--context", "kept", image(own), "sleep", "1000")
        for number in range(4):
            clients = [own.spawn("run", "-d", "--name", new_name("k"), "--context", "kept",
                                 image(own), "sleep", "1000") for _ in range(4)]
            # Somewhere in the middle of them: at once, then later and later.
            with contextlib.suppress(subprocess.TimeoutExpired):
                clients[0].wait(0.05 + 0.15 * number)
            own.kill_daemon()
            own.end_clients()
            own.start()
            expect_whole(own)
        requests = {line["container"]["id"] for line in record_lines(own)
                    if line["verb"] == "container-run" and line["phase"] == "request"}
        for entry in own.containers():
            expect(entry["id"] in requests, f"container {entry['name']} has no line")
        starts = [line for line in record_lines(own) if line["verb"] == "danchid-start"]
        expect_equal(len(starts), 5, "danchid's starts")
        expect(all(len(line["args"]["danchi_conf_sha256"]) == 64 for line in starts), "digests")


@test("R4.6", "R5.16", seconds=400, only=EMULATION)
def a_full_disk_refuses_new_work_and_nothing_else(machine):
    own = Machine("record-full")
    os.makedirs(f"{own.state}/audit")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=0700", "record",
                    f"{own.state}/audit"], check=True)
    filler = f"{own.state}/audit/filler"
    try:
        own.start()
        own.danchi("context", "create", "kept")
        for name in "one", "two":
            own.danchi("run", "-d", "--name", name, "--context", "kept", image(own), "sleep", "1000")
        fill(filler)
        # What is reserved beyond the reserve is used up first.
        refused = wait_until(lambda: refusal_after_long_lines(
            own, "run", "--rm", "--context", "kept", image(own), "true"), "new work is refused", 60)
        expect_error(refused, 125, "audit record", "full")
        expect_equal(own.out("exec", "one", "true", check=False), "", "no exec")
        expect_error(own.danchi("create", image(own), check=False), 1, "audit record", "full")
        own.danchi("version")
        checks = {one["id"]: one for one in json.loads(
            own.danchi("--format", "json", "doctor", check=False).stdout)}
        expect_equal(checks["audit-record"]["status"], "fail", "doctor")
        expect("full" in checks["audit-record"]["what"], checks["audit-record"]["what"])
        # The guest goes on, and what makes room is done, and recorded.
        expect_equal({entry["name"]: entry["state"] for entry in own.containers()},
                     {"one": "running", "two": "running"}, "containers")
        seq = last_seq(own)
        own.danchi("rm", "-f", "two")
        expect_equal([line["phase"] for line in lines_after(own, seq, "container-remove", 2)],
                     ["request", "outcome"], "rm's lines")
        os.unlink(filler)
        own.danchi("run", "--rm", "--context", "kept", image(own), "true")
        expect_equal(own.state_of("one"), "running", "the container that ran all the time")
        expect_whole(own)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(filler)
        end(own)
        subprocess.run(["umount", "-l", f"{own.state}/audit"], check=True)
        own.remove_directories()


def fill(path):
    with open(path, "wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 65536)
        with contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)


def refusal_after_long_lines(machine, *words):
    """The refusal of a command, or None, after a hundred requests with all that a line can hold."""
    names = [f"{number:0199}" for number in range(16)]
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(60)
        one.connect(machine.socket)
        for _ in range(100):
            one.sendall(frame({"verb": "verify", "args": {"names": names}}))
            size = struct.unpack(">I", one.recv(4, socket.MSG_WAITALL))[0]
            expect("error" in json.loads(one.recv(size, socket.MSG_WAITALL)), "no such containers")
    result = machine.danchi(*words, check=False)
    return result if result.status != 0 else None


@test("R4.6", "R5.16", only=EMULATION)
def a_changed_record_is_found_and_told_by_the_next_danchid(machine):
    with own_machine("record-cut") as own:
        for _ in range(3):
            own.danchi("info")
        expect_whole(own)
        anchor = own.out("audit", "verify-log", "--format", "json", f"{own.state}/audit")
        expect(json.loads(anchor)["is_whole"], anchor)
        own.stop()
        path = f"{own.state}/audit/0001.jsonl"
        with open(path, "rb") as file:
            text = file.read()
        lines = text.splitlines(keepends=True)
        with open(path, "wb") as file:
            file.writelines(lines[:-2])
        cut = verify(own)
        expect_equal(cut.status, 1, "the end is cut off")
        expect("cut off at the end" in cut.stdout, cut.stdout)
        with open(path, "wb") as file:
            file.write(text.replace(b'"verb":"info"', b'"verb":"sofa"', 1))
        edited = verify(own)
        expect_equal(edited.status, 1, "a line is edited")
        expect("0001.jsonl:" in edited.stdout and "edited" in edited.stdout, edited.stdout)
        with open(path, "wb") as file:
            file.writelines(lines[:-2])
        own.start()
        expect_equal(len(lines_after(own, 0, "record-broken")), 1, "danchid says so")
        expect_equal(verify(own).status, 1, "and it stays a finding")


def write_anew(own, change):
    """What root can do: the whole record with other words, and an anchor that fits."""
    path, prev, lines = f"{own.state}/audit/0001.jsonl", "0" * 64, []
    with open(path, encoding="utf-8") as file:
        for line in file:
            text = change(re.sub(r'"prev":"[0-9a-f]{64}"', f'"prev":"{prev}"',
                                 line[:line.rindex(',"hash":"')], count=1))
            prev = hashlib.sha256(text.encode()).hexdigest()
            lines.append(f'{text},"hash":"{prev}"}}\n')
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(lines)
    last = json.loads(lines[-1])
    anchor = (f"danchi-record-anchor 1 seq={last['seq']} time_us={last['time_us']} "
              f"hash={last['hash']}")
    with open(f"{own.state}/audit-anchor/head", "w", encoding="utf-8") as file:
        file.write(f"{anchor} check={hashlib.sha256(anchor.encode()).hexdigest()[:16]}\n")


@test("R4.6", "R5.16", only=EMULATION)
def an_anchor_kept_elsewhere_outlasts_root(machine):
    with own_machine("record-anchor") as own, as_the_hosts_own(own):
        wait_until(lambda: own.danchi("audit", "anchor", check=False).status == 0, "an anchor")
        own.danchi("profile", "ls")
        kept = f"{own.run}/kept-elsewhere"
        with open(kept, "w", encoding="utf-8") as file:
            file.write(own.danchi("audit", "anchor").stdout)
        follower = own.spawn("--format", "json", "audit", "log", "-f", "--since", "1h", "--verb",
                             "context-create")
        own.danchi("context", "create", "kept")
        line = json.loads(follower.stdout.readline())
        expect_equal((line["verb"], line["context"]["name"] if "context" in line else
                      line["args"]["name"]), ("context-create", "kept"), "the follower's line")
        wait_until(lambda: lines_after(own, line["seq"], "context-create"), "its outcome")
        for words in (), ("--anchor", kept):
            whole = own.danchi("audit", "verify-log", *words)
            expect("nothing was changed" in whole.stdout, whole.stdout)
        own.stop()
        write_anew(own, lambda text: text.replace('"profile-list"', '"profile-lost"'))
        # The chain and the anchor beside it are as good as before: that is what root can do.
        expect("nothing was changed" in own.danchi("audit", "verify-log").stdout, "written anew")
        found = own.danchi("audit", "verify-log", "--anchor", kept, check=False)
        expect_equal(found.status, 1, f"by the anchor kept elsewhere: {found.stdout}")
        expect("is not the line of anchor" in found.stdout, found.stdout)


def frame(message):
    data = json.dumps(message).encode()
    return struct.pack(">I", len(data)) + data


@test("R4.6", seconds=200, only=EMULATION)
def callers_share_syncs(machine):
    """Many at a time are not many times as slow as one; each has its line."""
    seq = last_seq(machine)
    sockets = []
    try:
        for _ in range(60):
            one = socket.socket(socket.AF_UNIX)
            one.settimeout(60)
            one.connect(machine.socket)
            sockets.append(one)
        for one in sockets:
            one.sendall(frame({"verb": "profile-list", "args": {}}))
        for one in sockets:
            size = struct.unpack(">I", one.recv(4, socket.MSG_WAITALL))[0]
            expect("ok" in json.loads(one.recv(size, socket.MSG_WAITALL)), "an answer")
        # Before the answer went out, so all are there now.
        lines = [line for line in record_lines(machine)
                 if line["seq"] > seq and line["verb"] == "profile-list"]
        expect_equal(len(lines), 60, "lines")
    finally:
        for one in sockets:
            one.close()
    expect(box(machine), "the box runs on")
    expect_whole(machine)
