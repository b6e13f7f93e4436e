# SPDX-License-Identifier: Apache-2.0
"""danchi audit: what is on the host becomes facts, and what should not be there, findings."""

import contextlib
import glob
import json
import os
import shutil
import socket
import stat
import subprocess

import audit_shape
from machine import EMULATION, expect, expect_equal, wait_until
from suite import BOX_CONTEXT, box, context, expect_error, start_sh, test

SEVERITIES = ("info", "low", "medium", "high", "critical")
DOCKER = "/run/docker.sock"
HOME = "/var/lib/danchi"
PORT = 2375
ANYBODY = 1000


@contextlib.contextmanager
def listening(family, address, mode=None):
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
        if mode is not None:
            os.chmod(address, mode)
        try:
            yield
        finally:
            if family == socket.AF_UNIX:
                os.unlink(address)


@contextlib.contextmanager
def stray_machine():
    """A QEMU that libvirt knows nothing of."""
    stray = subprocess.Popen(["qemu-system-x86_64", "-S", "-nodefaults", "-display", "none",
                              "-machine", "none", "-name", "guest=stray,debug-threads=on"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: "qemu" in os.readlink(f"/proc/{stray.pid}/exe"), "QEMU runs")
        yield stray.pid
    finally:
        stray.kill()
        stray.wait()


@contextlib.contextmanager
def hidden_container():
    """Processes with a pid namespace of their own, whatever they are called."""
    outer = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", "sleep", "1000"],
                             stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        outer.kill()
        outer.wait()


@contextlib.contextmanager
def aside(directory):
    """Without the directory of that name; what is made there meanwhile goes."""
    kept = f"{directory}.aside"
    was_there = os.path.exists(directory)
    if was_there:
        shutil.move(directory, kept)
    try:
        yield
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        if was_there:
            shutil.move(kept, directory)


def audit(machine, *flags):
    """The document, held to its description, and the exit status that its findings demand."""
    result = machine.danchi("--format", "json", "audit", *flags, check=False)
    expect(result.status in (0, 1) and not result.stderr, f"audit: {result.stderr}")
    document = json.loads(result.stdout)
    audit_shape.check(document, audit_shape.read_shape())
    return document, result.status


def found(document, rule, subject=""):
    return [one for one in document["findings"]
            if one["id"] == rule and subject in one["subject"]]


def has_namespace(machine):
    document, _ = audit(machine)
    return any("sleep" in one["text"] for one in found(document, "runtime.namespace")) and document


def expect_found(document, rule, severity, subject, *words):
    findings = found(document, rule, subject)
    expect(len(findings) == 1, f"{rule} of {subject!r}: {findings}, not one finding")
    expect_equal(findings[0]["severity"], severity, rule)
    for word in words:
        expect(word in findings[0]["text"], f"{rule}: {word!r} is not in {findings[0]['text']!r}")
    expect(findings[0]["remedy"] and findings[0]["demand"].startswith("R"), f"{rule}: {findings}")
    return findings[0]


def expect_status_follows(machine, document):
    counts = document["summary"]["by_severity"]
    for severity in SEVERITIES[1:]:
        worst = sum(counts[one] for one in SEVERITIES[SEVERITIES.index(severity):])
        result = machine.danchi("audit", "--fail-on", severity, check=False)
        expect_equal(result.status, 1 if worst else 0, f"exit status with --fail-on {severity}")


@test("R1.5", "R1.6", "R3.2", "R5.16", seconds=240, only=EMULATION)
def what_should_not_be_on_the_host_becomes_findings(machine):
    box(machine)
    before, _ = audit(machine)
    expect_equal(found(before, "machine.unmanaged"), [], "our own QEMUs, unmanaged")
    expect_equal(found(before, "machine.foreign"), [], "our own QEMUs, foreign")
    expect_equal(before["summary"]["by_severity"]["critical"], 0, "critical findings at first")
    expect_status_follows(machine, before)
    with listening(socket.AF_UNIX, DOCKER, 0o666), stray_machine() as stray, \
            listening(socket.AF_INET, ("127.0.0.1", PORT)):
        document, status = audit(machine)
        expect_equal(status, 1, "exit status")
        expect_found(document, "runtime.socket-open", "critical", DOCKER, "0666")
        expect_found(document, "listener.control-local", "high", f"docker API 127.0.0.1:{PORT}",
                     f"pid {os.getpid()}")
        expect_found(document, "machine.unmanaged", "high", "stray", f"pid {stray}")
        expect_found(document, "machine.root", "high", "stray")
        entry = [one for one in document["listeners"] if one["port"] == PORT][0]
        expect_equal((entry["address"], entry["exposure"], entry["uid"], entry["service"]),
                     ("127.0.0.1", "loopback", 0, "docker API"), "the listener")
        text = machine.danchi("audit", check=False).stdout
        for word in DOCKER, "runtime.socket-open", "stray", BOX_CONTEXT:
            expect(word in text, f"{word} is not in the text")
        expect_status_follows(machine, document)
    with listening(socket.AF_UNIX, DOCKER, 0o600), hidden_container(), \
            listening(socket.AF_INET, ("0.0.0.0", PORT)):
        document = wait_until(lambda: has_namespace(machine), "the namespace is found")
        expect_found(document, "runtime.namespace", "medium", "pid namespace", "sleep")
        expect_found(document, "runtime.socket", "high", DOCKER, "0600")
        expect_found(document, "listener.control-open", "critical", f"docker API 0.0.0.0:{PORT}")
    after, _ = audit(machine)
    expect_equal(found(after, "runtime.socket") + found(after, "listener.control-open"), [],
                 "findings of what is gone")


@test("R1.5", "R2.5", "R3.1", "R3.2", "R5.5", only=EMULATION)
def the_audit_shows_each_context_with_its_programs_and_containers(machine):
    box(machine)
    name = start_sh(machine, "nc -l -p 8000")
    with context(machine, tenant="other") as idle:
        def listens():
            document, _ = audit(machine, "--max-image-age", "1")
            return found(document, "container.listener", name) and document
        document = wait_until(listens, "the container's listener is a finding", 20)
        contexts = {one["name"]: one for one in document["contexts"]}
        expect_equal((contexts[idle]["state"], contexts[idle]["tenant"], contexts[idle]["verdict"]),
                     ("stopped", "other", "good"), "the idle context")
    shown = contexts[BOX_CONTEXT]
    container = [one for one in shown["containers"] if one["name"] == name][0]
    expect_equal((shown["state"], container["state"]), ("running", "running"), "the container")
    expect_equal((shown["access"]["users"], "exec" in shown["access"]["verbs"]), ([], True),
                 "who may use it besides root")
    expect_found(document, "context.root-only", "info", BOX_CONTEXT)
    if machine.mode == EMULATION:
        expect_found(document, "context.emulated", "high", BOX_CONTEXT)
        expect_equal(shown["verdict"], "bad", "an emulated guest's verdict")
    else:
        expect_equal(found(document, "context.emulated"), [], "emulated guests")
    links = {one["program"]: one for one in document["chain"]
             if one["context"] in (None, BOX_CONTEXT)}
    for program in "danchi", "danchid", "qemu-system-x86_64", "danchi-relay", "danchi-intake", "danchi-gateway", \
            "skopeo", "kernel":
        expect(program in links, f"{program} is not in the chain: {sorted(links)}")
        expect(len(links[program]["sha256"]) == 64, f"{program}: no digest")
    expect_equal(links["danchi-relay"]["uid"], shown["guest"]["uid"], "the relay's uid")
    for rule in "chain.shared-uid", "chain.root", "chain.no-filter", "chain.capabilities", \
            "context.shared-kernel":
        expect_equal(found(document, rule), [], rule)
    ours = [one for one in document["machines"] if one["context"] == BOX_CONTEXT]
    expect_equal([(one["is_danchi"], one["pid"]) for one in ours],
                 [(True, shown["guest"]["qemu_pid"])], "the box's machine")
    expect_equal(document["host"]["hostname"], socket.gethostname(), "the host's name")
    expect_equal(document["host"]["kernel"]["release"], os.uname().release, "the kernel")


@test("R1.5", only=EMULATION)
def the_audit_writes_files_for_root_alone_and_refuses_others(machine):
    page = f"{machine.state}/audit.html"
    result = machine.danchi("audit", "--format", "html", "-o", page, check=False)
    expect(result.status in (0, 1) and not result.stdout and not result.stderr,
           f"audit -o: {result.stdout!r} {result.stderr!r}")
    with open(page) as file:
        text = file.read()
    expect(text.lower().startswith("<!doctype html>"), f"no page: {text[:80]!r}")
    expect(socket.gethostname() in text, "the host's name is not on the page")
    expect_equal(stat.S_IMODE(os.stat(page).st_mode), 0o600, "the page's mode")
    os.unlink(page)
    machine.danchi("audit", "-o", "/dev/null", check=False)
    expect(stat.S_ISCHR(os.stat("/dev/null").st_mode), "/dev/null was replaced")
    expect_error(machine.danchi("audit", "-o", "/nonexistent/page", check=False), 1,
                 "/nonexistent/page")
    expect_error(machine.danchi("audit", check=False, user=ANYBODY), 1, "only root")
    expect_error(machine.danchi("ps", "--format", "html", check=False), 2, "only danchi audit")


@test("R4.6", "R1.5", only=EMULATION)
def a_record_that_was_changed_is_a_finding(machine):
    with aside(HOME):
        document, _ = audit(machine)
        expect_found(document, "record.unknown", "low", "audit record")
        # The danchid under test has a state directory of its own; danchi looks at the host's.
        shutil.copytree(f"{machine.state}/audit-anchor", f"{HOME}/audit-anchor")
        shutil.copytree(f"{machine.state}/audit", f"{HOME}/audit")
        document, _ = audit(machine)
        expect_equal((document["record"]["is_whole"], document["record"]["problems"]), (True, 0),
                     "a record that nobody changed")
        expect(document["record"]["lines"] > 0, "an empty record")
        path = sorted(glob.glob(f"{HOME}/audit/*.jsonl"))[0]
        with open(path, "r+b") as file:
            changed = file.read().replace(b"\"audit\"", b"\"harml\"", 1)
            file.seek(0)
            file.write(changed)
        document, _ = audit(machine)
        expect_found(document, "record.changed", "critical", "audit record", os.path.basename(path))
        expect_equal(document["record"]["is_whole"], False, "a record that was changed")
