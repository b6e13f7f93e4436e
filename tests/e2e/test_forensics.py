# SPDX-License-Identifier: Apache-2.0
"""What `danchi forensics` saves, whatever the guest does; and contexts that are frozen."""

import contextlib
import glob
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time

from machine import EMULATION, PATIENCE, expect, expect_equal, kill9, proc_status, wait_until
from suite import context, exec_sh, expect_error, image, new_name, start_sh, test
from test_access import ALICE, ALICES, asks, users

TICK = "i=0; while :; do i=$((i + 1)); echo tick $i; sleep 0.1; done"


@contextlib.contextmanager
def directory(machine):
    """A path that does not exist yet, with all that will be in it."""
    path = f"{machine.state}-evidence-{new_name()}"
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def manifest_of(path):
    with open(f"{path}/manifest.json") as file:
        return json.load(file)


def all_files(path):
    return {os.path.relpath(name, path) for name in glob.glob(f"{path}/**", recursive=True)
            if os.path.isfile(name)}


def check_manifest(path):
    """Each file is in the manifest with its digest and size, and nothing else is there."""
    manifest = manifest_of(path)
    expect(manifest["files"], "the manifest names no file")
    for entry in manifest["files"]:
        with open(f"{path}/{entry['path']}", "rb") as file:
            data = file.read()
        expect_equal(len(data), entry["size_bytes"], f"size of {entry['path']}")
        expect_equal(hashlib.sha256(data).hexdigest(), entry["sha256"], entry["path"])
    named = {entry["path"] for entry in manifest["files"]}
    expect_equal(all_files(path) - {"manifest.json", "manifest.json.sig"}, named, "files")
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=path, check=True)
    for name in all_files(path):
        expect_equal(os.stat(f"{path}/{name}").st_mode & 0o777, 0o600, f"mode of {name}")
    expect_equal(os.stat(path).st_mode & 0o777, 0o700, "mode of the directory")
    return manifest


def state_of_context(machine, name):
    return {one["name"]: one["state"] for one in machine.json("context", "ls")}[name]


def text_of(path, name):
    with open(f"{path}/{name}", errors="replace") as file:
        return file.read()


def ticks(machine, name):
    return len(machine.out("logs", name).splitlines())


def expect_frozen(machine, where, name):
    expect_equal(state_of_context(machine, where), "frozen", "the context's state")
    expect_equal(machine.state_of(name), "frozen", "the container's state")
    before = ticks(machine, name)
    time.sleep(1)
    expect_equal(ticks(machine, name), before, "lines of a frozen container")


def expect_alive(machine, where, name):
    # A capture whose client failed ends after the client has.
    wait_until(lambda: state_of_context(machine, where) == "running", "the context runs", 60)
    before = ticks(machine, name)
    wait_until(lambda: ticks(machine, name) > before + 3, "it ticks again", 20)
    expect_equal(exec_sh(machine, "echo fine", container=name).stdout, "fine\n", "exec")


def expect_whole(machine, name):
    numbers = [int(line.split()[1]) for line in machine.out("logs", name).splitlines()]
    expect_equal(numbers, list(range(1, len(numbers) + 1)), "lines in the log")


@test("R3.2", seconds=300)
def forensics_saves_memory_files_and_records_with_a_signed_manifest(machine):
    key, public = f"{machine.config}/forensics.key", f"{machine.config}/forensics.pub"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
    machine.more_settings = f"[forensics]\nkey = {key}\n"
    try:
        machine.restart()
        check_whole_capture(machine, key, public)
    finally:
        machine.more_settings = ""
        machine.restart()


def check_whole_capture(machine, key, public):
    with context(machine) as where, directory(machine) as path:
        secret = "needle-" + os.urandom(8).hex()
        name = start_sh(machine, f"echo {secret} > /tmp/note; {TICK}", "--context", where)
        wait_until(lambda: ticks(machine, name) > 3, "it ticks")
        # A key that others can read is found out before anything happens.
        os.chmod(key, 0o644)
        expect_error(machine.danchi("forensics", "-o", path, where, check=False), 1, "key", "chmod")
        expect(not os.path.exists(path), "a refused capture left its directory")
        os.chmod(key, 0o600)
        machine.danchi("forensics", "--memory", "-o", path, where, timeout=200)
        manifest = check_manifest(path)
        expect_equal(manifest["status"], "complete", "status")
        expect_equal(manifest["who"]["uid"], 0, "who")
        expect_equal(manifest["state"], "running", "state afterwards")
        expect(manifest["started_us"] <= manifest["frozen_us"] <= manifest["thawed_us"]
               <= manifest["finished_us"], f"times: {manifest}")
        for program in "danchid", "libvirt", "qemu":
            expect(manifest["versions"][program], f"no version of {program}")
        check_saved_files(machine, path, name, where, secret)
        verify = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin", "-in",
                  f"{path}/manifest.json", "-sigfile", f"{path}/manifest.json.sig"]
        subprocess.run(verify, check=True, stdout=subprocess.DEVNULL)
        with open(f"{path}/manifest.json", "a") as file:
            file.write(" ")
        expect(subprocess.run(verify, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode != 0,
               "an edited manifest still verifies")
        # Not over what is there.
        expect_error(machine.danchi("forensics", "-o", path, where, check=False), 1, "not empty")
        expect_alive(machine, where, name)
        expect_whole(machine, name)
        expect_equal(glob.glob(f"{machine.state}/forensics/*"), [], "leftovers of the dump")


def check_saved_files(machine, path, name, where, secret):
    ident = machine.container(name)["id"]
    manifest = manifest_of(path)
    for wanted in ("domain.xml", "qemu/cmdline", "console.ring", "journal.json", "verify.json",
                   "context.json", "context.conf", "events.jsonl", "memory.elf",
                   f"containers/{ident}/inspect.json", f"containers/{ident}/container.json",
                   f"containers/{ident}/log.0"):
        expect(wanted in all_files(path), f"{wanted} is missing: {manifest['missing']}")
    expect(f"danchi-{manifest['guest']['id']}" in text_of(path, "domain.xml"), "domain.xml")
    expect("tick" in text_of(path, f"containers/{ident}/log.0"), "the log")
    expect(b"DNRING1" in open(f"{path}/console.ring", "rb").read(), "the console ring")
    events = [json.loads(line) for line in text_of(path, "events.jsonl").splitlines()]
    expect(any(event["action"] == "start" for event in events), "events")
    expect(all(where in json.dumps(event) for event in events), "events of somebody else")
    verify = json.loads(text_of(path, "verify.json"))
    expect(any(line["reported_by"] == "guest" for line in verify["lines"]), "the guest's word")
    digests = json.loads(text_of(path, f"containers/{ident}/inspect.json"))["image_digests"]
    expect(len(digests["config_sha256"]) == 64, "the image's digest")
    excerpt = text_of(path, "audit/0001.jsonl").splitlines()
    expect(excerpt and all(where in line for line in excerpt), f"the audit record: {excerpt[:2]}")
    expect("danchi-record-anchor" in text_of(path, "audit/anchor"), "the record's anchor")
    # The writable layer is in the guest's memory, and so in the dump.
    with open(f"{path}/memory.elf", "rb") as file:
        dump = file.read()
    expect(dump[:4] == b"\x7fELF", "no ELF core")
    expect(secret.encode() in dump, "the container's file is not in the dump")


@test("R3.2", "R4.5", seconds=400, only=EMULATION)
def a_frozen_context_stays_so_whatever_dies_and_goes_on_when_thawed(machine):
    with context(machine) as where, directory(machine) as path:
        name = start_sh(machine, TICK, "--context", where)
        wait_until(lambda: ticks(machine, name) > 3, "it ticks")
        exec_sh(machine, "true", container=name)
        machine.danchi("forensics", "--freeze", "-o", path, where)
        expect_equal(check_manifest(path)["state"], "frozen", "state afterwards")
        expect_frozen(machine, where, name)
        remedy = f"danchi context thaw {where}"
        for words in (("exec", name, "true"), ("run", "--context", where, image(machine), "true")):
            expect_error(machine.danchi(*words, check=False), 125, "frozen", remedy)
        for words in (("stop", name), ("rm", "-f", name), ("kill", name), ("top", name)):
            expect_error(machine.danchi(*words, check=False), 1, "frozen", remedy)
        expect_equal(machine.out("ps", "-q", "--filter", "status=frozen").strip() != "", True, "ps")

        relay = machine.json("context", "inspect", where)[0]["guest"]["relay_pid"]
        qemu = machine.json("context", "inspect", where)[0]["guest"]["qemu_pid"]
        kill9(relay)
        time.sleep(2)
        expect_frozen(machine, where, name)
        machine.kill_daemon()
        machine.start()
        expect_frozen(machine, where, name)
        # Longer than a mender would try.
        time.sleep(35)
        expect_frozen(machine, where, name)
        expect_equal(machine.json("context", "inspect", where)[0]["guest"]["qemu_pid"], qemu, "QEMU")
        expect(remedy in machine.out("gc"), "gc says nothing of the frozen context")
        expect_frozen(machine, where, name)

        with directory(machine) as again:
            machine.danchi("forensics", "-o", again, where)
            expect_equal(check_manifest(again)["state"], "frozen", "state afterwards")
        machine.danchi("context", "thaw", where)
        expect_alive(machine, where, name)
        expect_whole(machine, name)
        expect_error(machine.danchi("context", "thaw", where, check=False), 1, "not frozen")

        with directory(machine) as again:
            machine.danchi("forensics", "--freeze", "-o", again, where)
        expect_frozen(machine, where, name)
        machine.danchi("context", "stop", where)
        expect_equal(machine.state_of(name), "exited", "the container of an ended guest")
        expect(not os.path.exists(f"/proc/{qemu}"), "QEMU is still there")


@test("R3.2", "R4.6", seconds=300, only=EMULATION)
def forensics_need_not_freeze_a_guest_and_need_none(machine):
    with context(machine) as where, directory(machine) as path, directory(machine) as after:
        name = start_sh(machine, TICK, "--context", where)
        wait_until(lambda: ticks(machine, name) > 3, "it ticks")
        answer = machine.json("forensics", "--live", "-o", path, where)
        expect(answer["is_live"] and "frozen_us" not in answer, f"live: {answer}")
        manifest = check_manifest(path)
        expect("freeze" not in manifest, f"it was frozen: {manifest}")
        expect_alive(machine, where, name)
        machine.danchi("context", "stop", where)
        manifest = json.loads(machine.out("--format", "json", "forensics", "-o", after, where))
        expect_equal(manifest["state"], "stopped", "state")
        check_manifest(after)
        ident = machine.container(name)["id"]
        expect("tick" in text_of(after, f"containers/{ident}/log.0"), "the log")
        # The capture before is in the record, and so in the excerpt.
        excerpt = "".join(text_of(after, one) for one in all_files(after)
                          if one.startswith("audit/") and one.endswith(".jsonl"))
        lines = [json.loads(line) for line in excerpt.splitlines()]
        expect(any(line.get("verb") == "forensics" for line in lines), f"the record: {excerpt}")
        expect_error(machine.danchi("forensics", "--memory", "-o", f"{after}-2", where,
                                    check=False), 1, "no guest")
        expect_equal(manifest_of(f"{after}-2")["status"], "incomplete", "status")
        shutil.rmtree(f"{after}-2")
        expect_error(machine.danchi("forensics", "--live", "--freeze", "-o", "x", where,
                                    check=False), 2, "--freeze")


@test("R3.2", "R3.3", seconds=300, only=EMULATION)
def a_frozen_context_is_roots_alone_also_for_who_may_stop_it(machine):
    image(machine)
    with users(machine), directory(machine) as path:
        name = start_sh(machine, TICK, "--context", ALICES)
        wait_until(lambda: ticks(machine, name) > 3, "it ticks")
        machine.danchi("forensics", "--freeze", "-o", path, ALICES)
        answers = asks(machine, ALICE, ["context-stop", {"context": ALICES}],
                       ["context-thaw", {"context": ALICES}], ["forensics", {"context": ALICES}],
                       ["container-remove", {"container": name, "force": True}])
        expect_equal([answer.error and answer.error["code"] for answer in answers],
                     ["conflict", "denied", "denied", "conflict"], "alice's errors")
        expect_frozen(machine, ALICES, name)
        machine.danchi("context", "thaw", ALICES)
        expect_alive(machine, ALICES, name)
        machine.danchi("rm", "-f", name)


def is_stopped(pid):
    return proc_status(pid)["State"].startswith("T")


@test("R3.2", "R4.5", seconds=400, only=EMULATION)
def a_guest_that_does_not_answer_cannot_keep_forensics_from_its_end(machine):
    with context(machine) as where, directory(machine) as path:
        name = start_sh(machine, TICK, "--context", where)
        wait_until(lambda: ticks(machine, name) > 3, "it ticks")
        qemu = machine.json("context", "inspect", where)[0]["guest"]["qemu_pid"]
        # Neither the agent nor QEMU's monitor answers.
        os.kill(qemu, signal.SIGSTOP)
        wait_until(lambda: is_stopped(qemu), "QEMU stands")
        done = machine.danchi("forensics", "--freeze", "-o", path, where, timeout=80)
        manifest = check_manifest(path)
        expect("stopped by a signal" in manifest["freeze"], f"how: {manifest['freeze']}")
        said = {one["name"]: one["reason"] for one in manifest["missing"]}
        expect(any("verify" in key for key in said), f"missing: {said}")
        ident = machine.container(name)["id"]
        for wanted in "console.ring", "verify.json", f"containers/{ident}/log.0", "qemu/cmdline":
            expect(wanted in all_files(path), f"{wanted} is missing: {said}")
        expect("not saved" in done.stdout, done.stdout)
        expect_frozen(machine, where, name)
        machine.danchi("context", "thaw", where)
        expect_alive(machine, where, name)
        expect_whole(machine, name)


@test("R3.2", "R4.5", seconds=300, only=EMULATION)
def a_capture_that_is_cut_short_says_so_and_lets_the_guest_go_on(machine):
    with context(machine) as where, directory(machine) as path:
        name = start_sh(machine, TICK, "--context", where)
        wait_until(lambda: ticks(machine, name) > 3, "it ticks")
        client = machine.spawn("forensics", "--memory", "-o", path, where)
        wait_until(lambda: glob.glob(f"{machine.state}/forensics/*/memory.elf"), "a dump begins", 60)
        machine.kill_daemon()
        expect(client.wait(30 * PATIENCE) != 0, "the client of a killed danchid succeeded")
        manifest = manifest_of(path)
        expect_equal(manifest["status"], "incomplete", "status")
        machine.start()
        # libvirt may still be at it; then danchid waits for its end.
        wait_until(lambda: state_of_context(machine, where) == "running", "it goes on", 240)
        machine.danchi("gc")
        expect_equal(glob.glob(f"{machine.state}/forensics/*"), [], "leftovers of the dump")
        expect_alive(machine, where, name)
        expect_whole(machine, name)

        with full_disk(machine) as full:
            result = machine.danchi("forensics", "--memory", "-o", f"{full}/evidence", where,
                                    check=False)
            expect_error(result, 1, "space")
            expect_equal(manifest_of(f"{full}/evidence")["status"], "incomplete", "status")
            expect("memory.elf" not in all_files(f"{full}/evidence"), "half of a file")
        expect_alive(machine, where, name)
        expect_whole(machine, name)
        # Others may not even ask.
        result = machine.danchi("forensics", "-o", "/tmp/evidence", where, check=False, user=65534)
        expect_error(result, 1, "may")


@contextlib.contextmanager
def full_disk(machine):
    """A disk that has room for the small files and not for the memory."""
    path = f"{machine.state}-full"
    os.mkdir(path)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", path], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", path], check=True)
        os.rmdir(path)
