# SPDX-License-Identifier: Apache-2.0
"""Who takes part, and who listens: the chain of programs, and the verb audit that tells of both."""

import json
import os
import signal
import socket
import struct
import subprocess
import time

from machine import EMULATION, BUILD, PATIENCE, expect, expect_equal, proc_status, wait_until
from suite import box, context, image, start_sh, test
from test_guest_hardening import variant

# One web server on the loopback, and another server on every address, both busybox.
SERVERS = "mkdir -p /tmp/w && httpd -p 127.0.0.1:8080 -h /tmp/w && exec nc -l -p 5353"
FOREIGN = "chain-foreign"
# Whoever may not connect at all ends with a failure.
CALL = """import socket, struct, sys
request = b'{"verb": "audit", "args": {}}'
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(sys.argv[1])
    connection.sendall(struct.pack(">I", len(request)) + request)
    print(connection.recv(65536))
"""
HOST_ROLES = ["client", "daemon", "libvirt"]
GUEST_ROLES = ["relay", "hypervisor", "guest-kernel", "guest-root"]


def call(machine, verb, **args):
    """danchid's own words: `ok` of a verb."""
    def read(connection, size):
        data = b""
        while len(data) < size:
            more = connection.recv(size - len(data))
            expect(more, f"danchid closed the connection in verb {verb}")
            data += more
        return data
    request = json.dumps({"verb": verb, "args": args}).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60 * PATIENCE)
        connection.connect(machine.socket)
        connection.sendall(struct.pack(">I", len(request)) + request)
        while True:
            answer = json.loads(read(connection, struct.unpack(">I", read(connection, 4))[0]))
            expect("error" not in answer, f"verb {verb}: {answer}")
            if "ok" in answer:
                return answer["ok"]


def of_context(audit, name):
    found = [one for one in audit["contexts"] if one["name"] == name]
    expect_equal(len(found), 1, f"contexts '{name}' in the audit")
    return found[0]


def of_container(audit, context_name, name):
    found = [one for one in of_context(audit, context_name)["containers"] if one["name"] == name]
    expect_equal(len(found), 1, f"containers '{name}' in the audit")
    return found[0]


def digest_of(path):
    return subprocess.run(["sha256sum", path], check=True, capture_output=True).stdout.split()[0].decode()


def by_role(chain, context_name):
    return {one["role"]: one for one in chain if one["context"] in (None, context_name)}


def check_file(program):
    """The digest is the one of the file that runs, which sha256sum reads through /proc as well."""
    path = f"/proc/{program['pid']}/exe" if program["pid"] else program["path"]
    expect_equal(program["sha256"], digest_of(path), f"digest of {program['path']}")
    if program["pid"]:
        expect_equal(program["path"], os.readlink(path), f"path of {program['program']}")


def check_process(program):
    status = proc_status(program["pid"])
    confinement, what = program["confinement"], f"of {program['program']}"
    expect_equal(program["uid"], int(status["Uid"].split()[0]), f"uid {what}")
    expect_equal(confinement["capabilities"], status["CapEff"], f"capabilities {what}")
    expect_equal(confinement["no_new_privs"], status["NoNewPrivs"] == "1", f"no_new_privs {what}")
    expect_equal(confinement["seccomp"], ["off", "strict", "filter"][int(status["Seccomp"])],
                 f"seccomp {what}")


@test("R2.5")
def inspect_shows_every_program_of_the_chain(machine):
    name = box(machine)
    shown = machine.inspect(name)
    chain = by_role(shown["chain"], shown["context"])
    for role in HOST_ROLES + GUEST_ROLES:
        expect(role in chain, f"the chain has no {role}: {sorted(chain)}")
    for program in chain.values():
        check_file(program)
    for role in "daemon", "libvirt", "relay", "hypervisor":
        check_process(chain[role])
    expect_equal(chain["daemon"]["pid"], machine.daemon.pid, "pid of danchid")
    expect("danchid" in chain["daemon"]["path"], f"path of danchid: {chain['daemon']['path']}")
    expect(chain["libvirt"]["program"] in ("libvirtd", "virtqemud"), f"libvirt: {chain['libvirt']}")
    expect(chain["libvirt"]["version"].count(".") == 2, f"libvirt: {chain['libvirt']}")
    expect_equal(chain["relay"]["pid"], shown["guest"]["relay_pid"], "pid of the relay")
    expect_equal(chain["relay"]["version"], chain["daemon"]["version"], "version of the relay")
    expect_equal(chain["relay"]["confinement"]["seccomp"], "filter", "the relay's seccomp")
    expect_equal(chain["hypervisor"]["pid"], shown["guest"]["qemu_pid"], "pid of QEMU")
    expect_equal(chain["hypervisor"]["confinement"]["seccomp"], "filter", "QEMU's seccomp")
    expect_equal(chain["guest-kernel"]["version"], shown["guest"]["kernel"], "the guest's kernel")
    expect_equal(chain["guest-root"]["version"], shown["guest"]["agent_version"], "the agent")
    expect_equal(chain["guest-root"]["root_hash"], shown["guest"]["root_hash"], "the root's hash")
    expect_equal(chain["guest-root"]["sha256"], digest_of(f"{BUILD}/images/guest.erofs"),
                 "the guest's root is the one that was built")
    again = machine.json("context", "inspect", shown["context"])[0]
    expect_equal(by_role(again["chain"], shown["context"]), chain, "chain of the context")


@test("R2.5", only=EMULATION)
def the_chain_outlives_a_danchid(machine):
    name = box(machine)
    before = machine.inspect(name)["chain"]
    machine.restart()
    after = machine.inspect(name)["chain"]
    for role in GUEST_ROLES:
        one, other = [[entry for entry in chain if entry["role"] == role] for chain in (before, after)]
        expect_equal(other, one, f"{role} after a restart of danchid")


@test("R3.2", "R1.5")
def the_audit_shows_where_containers_listen(machine):
    box(machine)
    name = start_sh(machine, SERVERS)
    quiet = start_sh(machine, "sleep 1000")
    place = machine.container(name)["context"]

    def listens():
        found = of_container(call(machine, "audit"), place, name)
        expect_equal(found["listeners_error"], None, "error of the listeners")
        return found if len(found["listeners"]) == 2 else None
    found = wait_until(listens, "two sockets are shown", 20)
    web, other = sorted(found["listeners"], key=lambda one: -one["port"])
    expect_equal((web["protocol"], web["address"], web["port"], web["path"], web["exposure"], web["process"]),
                 ("tcp", "127.0.0.1", 8080, None, "loopback", "httpd"), "the web server")
    expect(web["pid"] > 1, f"the web server: {web}")
    expect(other["protocol"] in ("tcp", "tcp6"), f"protocol of the other one: {other}")
    expect_equal((other["port"], other["process"], other["exposure"], other["pid"]),
                 (5353, "nc", "all", 1), "the other one")
    expect_equal(found["listeners_left_out"], 0, "sockets left out")
    audit = call(machine, "audit")
    expect_equal(of_container(audit, place, quiet)["listeners"], [], "listeners of a quiet one")
    machine.danchi("rm", "-f", name, quiet)


@test("R1.5", "R5.5", only=EMULATION)
def the_audit_shows_contexts_with_their_containers(machine):
    name = start_sh(machine, "sleep 1000")
    shown, audit = machine.inspect(name), call(machine, "audit")
    found = of_container(audit, shown["context"], name)
    expect_equal((found["id"], found["state"]), (shown["id"], "running"), "id and state")
    expect_equal(found["image"]["reference"], shown["image"], "image")
    expect_equal(found["image"]["digest"], f"sha256:{shown['image_id']}", "digest of the image")
    expect(found["image"]["age_days"] is None or found["image"]["age_days"] >= 0, f"age: {found['image']}")
    expect_equal(found["profile"], {"name": shown["profile"]["name"], "hash": shown["profile"]["sha256"]},
                 "profile")
    expect_equal(found["relaxations"], shown["relaxations"], "relaxations")
    bounding = shown["confinement"]["cap_bounding"]
    expect_equal(len(found["capabilities"]), bin(int(bounding)).count("1"), "number of capabilities")
    place = of_context(audit, shown["context"])
    expect_equal((place["tenant"], place["stage"], place["tier"], place["state"]),
                 ("acme", "test", "backend", "running"), "labels of the context")
    expect_equal(place["guest"]["id"], shown["guest"]["id"], "guest of the context")
    machine.danchi("rm", "-f", name)
    with context(machine) as empty:
        found = of_context(call(machine, "audit"), empty)
        expect_equal((found["state"], found["guest"], found["containers"]), ("stopped", None, []),
                     "a context that has never run")
        expect_equal((found["access"]["users"], found["access"]["groups"]), ([], []), "root's alone")
        path = f"{machine.config}/contexts.d/{empty}.conf"
        rules = "[access]\nusers = daemon;1042\ngroups = games\nverbs = run;logs\nreaders = bin\n"
        with open(path, "w") as file:
            file.write(rules)
        found = of_context(call(machine, "audit"), empty)
        expect_equal(found["access"], {"users": ["daemon", "1042"], "groups": ["games"],
                     "verbs": ["run", "logs"], "readers": ["bin"], "reader_groups": []}, "access")
        with open(path, "w") as file:
            file.write(rules + "nonsense = 1\n")
        found = of_context(call(machine, "audit"), empty)
        expect("nonsense" in found["error"], f"error of a wrong file: {found['error']}")
        expect_equal((found["access"]["users"], found["access"]["readers"]), ([], []),
                     "who may enter where the file is wrong")


def foreign_domain():
    """A machine that is not ours: paused, with the least there is."""
    return (f"<domain type='qemu'><name>{FOREIGN}</name><memory unit='MiB'>16</memory>"
            "<os><type arch='x86_64'>hvm</type></os></domain>")


@test("R1.5", only=EMULATION)
def the_audit_shows_machines_that_are_not_ours(machine):
    box(machine)
    path = f"{machine.state}/foreign.xml"
    with open(path, "w") as file:
        file.write(foreign_domain())
    subprocess.run(["virsh", "-q", "create", "--paused", path], check=True, timeout=60 * PATIENCE,
                   stdout=subprocess.DEVNULL)
    try:
        audit = call(machine, "audit")
    finally:
        subprocess.run(["virsh", "-q", "destroy", FOREIGN], check=True, timeout=60 * PATIENCE,
                       stdout=subprocess.DEVNULL)
        os.unlink(path)
    machines = {one["name"]: one for one in audit["machines"]}
    foreign = machines.pop(FOREIGN)
    expect_equal((foreign["is_danchi"], foreign["context"], foreign["hypervisor"]), (False, None, "qemu"),
                 "a foreign machine")
    expect(foreign["pid"] > 0 and foreign["uid"] is not None, f"a foreign machine: {foreign}")
    expect_equal(sorted(machines), sorted(f"danchi-{one}" for one in machine.guest_ids()), "machines")
    for one in machines.values():
        expect(one["is_danchi"], f"not known as ours: {one}")
        guest = of_context(audit, one["context"])["guest"]
        expect_equal((one["pid"], one["uid"], one["uuid"]),
                     (guest["qemu_pid"], guest["uid"], guest["domain_uuid"]), "one of ours")
    expect_equal(audit["libvirt"]["error"], None, "error of libvirt")
    expect_equal(audit["libvirt"]["uri"], "qemu:///system", "URI of libvirt")


@test("R4.5", "R1.5", seconds=180, only=EMULATION)
def a_guest_that_hangs_does_not_stall_the_audit(machine):
    """Its QEMU is stopped: the agent answers nothing any more, nor does QEMU to libvirt."""
    name = box(machine)
    with context(machine) as hung:
        victim = start_sh(machine, "sleep 1000", "--context", hung)
        pid = machine.inspect(victim)["guest"]["qemu_pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            started = time.monotonic()
            audit = call(machine, "audit")
            seconds = time.monotonic() - started
            inspected = machine.inspect(victim)
        finally:
            os.kill(pid, signal.SIGCONT)
        expect(seconds < 12 * PATIENCE, f"the audit took {seconds:.1f} s")
        silent = of_container(audit, hung, victim)
        expect_equal(silent["listeners"], None, "listeners of the guest that hangs")
        expect(silent["listeners_error"], "it is not said why they are not known")
        beside = of_container(audit, machine.container(name)["context"], name)
        expect_equal((beside["listeners"], beside["listeners_error"]), ([], None), "those of another")
        expect(by_role(audit["chain"], hung)["hypervisor"]["pid"] == pid, "the chain lacks its QEMU")
        expect(by_role(inspected["chain"], hung)["hypervisor"]["pid"] == pid, "likewise inspect")
        wait_until(lambda: of_container(call(machine, "audit"), hung, victim)["listeners"] == [],
                   "it answers again", 60)


@test("R2.1", "R3.2", seconds=240, only=EMULATION)
def a_guest_older_than_the_question_is_not_asked(machine):
    """To its agent an unknown message is a violation, which would end the link."""
    image(machine)
    with variant(machine, "elder"):
        name = start_sh(machine, "sleep 1000", fresh=True)
        place = machine.container(name)["context"]
        for _ in range(2):
            found = of_container(call(machine, "audit"), place, name)
            expect_equal(found["listeners"], None, "listeners of an old guest")
            expect("too old" in found["listeners_error"], f"why not: {found['listeners_error']}")
        expect_equal(machine.danchi("exec", name, "echo", "on").stdout, "on\n", "the link goes on")


@test("R1.2", "R2.5", only=EMULATION)
def the_audit_is_roots_alone(machine):
    answer = subprocess.run(
        ["python3", "-c", CALL, machine.socket], user=65534, group=65534, extra_groups=[], cwd="/",
        capture_output=True, timeout=30 * PATIENCE)
    expect(b"contexts" not in answer.stdout, f"an audit for everybody: {answer.stdout[:300]}")
    expect(b"denied" in answer.stdout or answer.returncode != 0, f"no refusal: {answer}")
