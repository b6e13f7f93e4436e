# SPDX-License-Identifier: Apache-2.0
"""danchi verify: a sound container passes, and each control that is left out is named, and no other.

Faults are seeded by agent, relay and danchid of build/faulty (tests/verify), one at a time.  The few
lines that cannot but change together stand together here.
"""

import contextlib
import glob
import json
import os
import stat

from machine import BUILD, EMULATION, Failure, expect, expect_equal, kill9, wait_until
from suite import context, create_context, image, new_name, test

FAULTY = os.path.join(BUILD, "faulty")
FLAGS = ("-m", "48m", "--cpus", "0.5", "--pids-limit", "64")

# What only the filter refuses: without it these attempts reach the kernel, and some succeed there.
WITHOUT_FILTER = {"container seccomp.mode", "container seccomp.filters"}
CONTAINER_FAULTS = {
    "cap-bounding": {"container cap.bounding"},
    "cap-inheritable": {"container cap.inheritable"},
    "no-new-privs": {"container no_new_privs"},
    "no-filter": WITHOUT_FILTER,
    "id-map": {"container id_map.uid", "container uid"},
    "gid-map": {"container id_map.gid", "container gid", "container groups"},
    "saved-uid": {"container uid"},
    "saved-gid": {"container gid"},
    "groups": {"container groups"},
    "rlimit-nofile": {"container rlimit.RLIMIT_NOFILE"},
    "rlimit-memlock": {"container rlimit.RLIMIT_MEMLOCK"},
    "oom-score": {"container oom_score_adj"},
    "root-writable": {"container mount./"},
    "tmp-exec": {"container mount./tmp"},
    "shm-dev": {"container mount./dev/shm"},
    "run-suid": {"container mount./run"},
    "sys-writable": {"container mount./sys"},
    "unmasked": {"container mount./proc/acpi"},
    "not-readonly": {"container mount./proc/bus"},
    "extra-mount": {"container mount.others"},
    "no-pids": {"container cgroup.pids.max"},
    "no-memory": {"container cgroup.memory.max"},
    "no-cpu": {"container cgroup.cpu.max"},
    "oom-group": {"container cgroup.memory.oom.group"},
    "max-user-namespaces": {"container sysctl.user.max_user_namespaces"},
    "sysctl-net": {"container sysctl.net.ipv4.ip_unprivileged_port_start"},
    "descriptor": {"container descriptors"},
    "exec-ipc": {"container namespace.ipc"},
    "exec-uts": {"container namespace.uts"},
    "exec-cgroup": {"container namespace.cgroup"},
    # The settings are read where the joined process is.
    "exec-net": {"container namespace.net", "container sysctl.net.ipv4.ip_unprivileged_port_start",
                 "container sysctl.net.ipv4.ping_group_range"},
    "guest-kptr": {"guest sysctl.kernel/kptr_restrict"},
    "guest-core-pattern": {"guest sysctl.kernel/core_pattern"},
    "guest-symlinks": {"guest sysctl.fs/protected_symlinks"},
    "guest-agent-oom": {"guest agent.oom_score_adj"},
    "guest-root-nodev": {"guest mount./"},
    "guest-root-hash": {"guest root.hash"},
    "guest-root-plain": {"guest root.hash"},
    "layer-hash": {"container root.layer.0"},
    "layer-plain": {"container root.layer.0"},
}
RELAY_FAULTS = {
    "relay-filter": {"relay seccomp.filters"},
    "relay-bounding": {"relay cap.bounding"},
    "relay-network": {"relay namespace.net"},
    "relay-nproc": {"relay rlimit.RLIMIT_NPROC"},
    "relay-descriptor": {"relay descriptors"},
}
# What the agent's child and sleep(1) call.
SLEEP_CALLS = """access arch_prctl brk clock_nanosleep close execve exit exit_group fstat futex getpid
getrandom gettid getuid geteuid getgid getegid ioctl lseek mmap mprotect munmap nanosleep newfstatat
openat pread64 prlimit64 read readlink recvfrom recvmsg rseq rt_sigaction rt_sigprocmask sendmsg sendto
set_robust_list set_tid_address setuid setgid uname write""".split()
QEMU_FAULTS = {
    "qemu-device": {"qemu qemu.devices"},
    "qemu-core": {"qemu qemu.machine"},
    "qemu-share": {"qemu qemu.machine"},
}


def verify(machine, *names):
    """(exit status, {"subject control": line} of what is not ok)."""
    done = machine.danchi("--format", "json", "verify", "--quiet", *names, check=False)
    try:
        lines = json.loads(done.stdout)
    except ValueError:
        raise Failure(f"verify: {done.status} {done.stdout!r} {done.stderr!r}") from None
    return done.status, {f"{line['subject']} {line['control']}": line for line in lines}


def difference(machine, name, fault, wanted, optional=lambda control: False):
    """What is wrong with verify's answer to a seeded fault, or None."""
    status, found = verify(machine, name)
    extra = {control for control in set(found) - wanted if not optional(control)}
    missing = wanted - set(found)
    silent = [control for control in wanted & set(found)
              if found[control]["verdict"] != "DIFFERS"]
    if status == 1 and not extra and not missing and not silent:
        return None
    shown = {control: (found[control]["promised"], found[control]["actual"]) for control in extra}
    return f"{fault}: status {status}, missing {missing}, not DIFFERS {silent}, besides {shown}"


@contextlib.contextmanager
def faulty(machine, fault=None):
    """The machine with the programs of build/faulty, fault chosen for those of the host."""
    machine.build = FAULTY
    if fault:
        os.environ["SEEDED_FAULT"] = fault
    try:
        machine.restart()
        yield
    finally:
        os.environ.pop("SEEDED_FAULT", None)
        machine.build = BUILD
        machine.restart()


@test("R2.7", "R2.2", seconds=180)
def verify_finds_nothing_in_a_sound_container(machine):
    name = new_name()
    machine.danchi("run", "-d", "--name", name, *FLAGS, image(machine), "sh", "-c",
                   "sleep 1000 & sleep 1000")
    status, found = verify(machine, name)
    expect_equal((status, found), (0, {}), "what verify says of a sound container")
    lines = machine.json("verify", name)
    expect_equal(sorted({line["subject"] for line in lines}),
                 ["container", "danchid", "guest", "qemu", "relay"], "subjects")
    expect(len(lines) > 150, f"only {len(lines)} controls")
    table = machine.out("verify", name)
    longest = max(table.splitlines(), key=len)
    expect(len(longest) <= 100, f"over 100 columns: {longest}")
    machine.danchi("update", "-m", "40m", "--pids-limit", "50", name)
    expect_equal(verify(machine, name), (0, {}), "what verify says after new limits")
    machine.danchi("pause", name)
    status, found = verify(machine, name)
    expect(status == 1 and found and all(line["verdict"] == "UNKNOWN" for line in found.values()),
           f"of a paused container what cannot be asked is unknown: {status} {found}")


@test("R2.7", "R3.6", seconds=180, only=EMULATION)
def verify_knows_sound_containers_of_other_kinds(machine):
    profile = f"{machine.run}/kills.json"
    with open(profile, "w") as file:
        json.dump({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
            {"names": SLEEP_CALLS, "action": "SCMP_ACT_ALLOW"},
            {"names": ["setresuid"], "action": "SCMP_ACT_KILL_PROCESS"}]}, file)
    with context(machine) as where:
        kinds = {new_name(): ["--security-opt", f"seccomp={profile}"],
                 new_name(): ["--writable", "-u", "0", "--tmpfs", "/mnt:exec,size=1m"],
                 new_name(): ["-t"]}
        for name, flags in kinds.items():
            machine.danchi("run", "-d", "--name", name, "--context", where, *flags,
                           image(machine), "sleep", "1000")
        expect_equal(verify(machine, where), (0, {}), "of sound containers")
        killed, root, _ = ({line["control"]: line["actual"] for line in machine.json("verify", name)
                            if line["subject"] == "container"} for name in kinds)
    os.unlink(profile)
    # Behind the call for which a filter kills, another process goes on.
    expect_equal(killed["try.become-id-0"], "refused SIGSYS", "the attempt it kills for")
    expect_equal(killed["try.raise-a-limit"], "refused EPERM", "the attempt after it")
    expect_equal(root["try.become-id-0"], "not tried: it has id 0", "of id 0")


@test("R2.7", seconds=420, only=EMULATION)
def verify_names_exactly_the_control_that_an_agent_left_out(machine):
    wrong = []
    with faulty(machine), context(machine) as where:
        for fault, wanted in CONTAINER_FAULTS.items():
            name = new_name()
            started = machine.danchi("run", "-d", "--name", name, "--context", where, *FLAGS, "-e",
                                     f"SEEDED_FAULT={fault}", image(machine), "sleep", "1000",
                                     check=False)
            if started.status != 0:
                wrong.append(f"{fault}: it did not start: {started.stderr}")
                continue
            # Without the filter, attempts succeed that nothing else refuses: they are its lines too.
            wrong.append(difference(machine, name, fault, wanted,
                                    lambda control, fault=fault: fault == "no-filter"
                                    and control.startswith("container try.")))
            machine.danchi("rm", "-f", name)
        # The guest's settings are as they were again.
        last = new_name()
        machine.danchi("run", "-d", "--name", last, "--context", where, image(machine), "sleep",
                       "1000")
        expect_equal(verify(machine, last), (0, {}), "without a fault")
    wrong = [text for text in wrong if text]
    expect(not wrong, "\n".join(wrong))


@test("R2.7", seconds=300, only=EMULATION)
def verify_names_exactly_the_control_that_a_relay_left_out(machine):
    wrong, name = [], new_name()
    machine.danchi("run", "-d", "--name", name, image(machine), "sleep", "1000")
    try:
        for fault, wanted in RELAY_FAULTS.items():
            with faulty(machine, fault):
                old = machine.inspect(name)["guest"]["relay_pid"]
                kill9(old)
                wait_until(lambda old=old: machine.inspect(name)["guest"]["relay_pid"] not in (
                    0, old) and machine.danchi("exec", name, "true", check=False).status == 0,
                    "another relay serves", 60)
                wrong.append(difference(machine, name, fault, wanted))
    finally:
        machine.danchi("rm", "-f", name, check=False)
    wrong = [text for text in wrong if text]
    expect(not wrong, "\n".join(wrong))


@test("R2.7", "R4.1", seconds=240, only=EMULATION)
def verify_names_exactly_what_is_wrong_with_qemu(machine):
    wrong = []
    for fault, wanted in QEMU_FAULTS.items():
        with faulty(machine, fault):
            name = new_name()
            machine.danchi("run", "-d", "--name", name, image(machine), "sleep", "1000")
            wrong.append(difference(machine, name, fault, wanted))
            machine.danchi("rm", "-f", name)
    wrong = [text for text in wrong if text]
    expect(not wrong, "\n".join(wrong))


@test("R2.7", "R4.6", seconds=180, only=EMULATION)
def verify_sees_what_was_changed_on_the_host(machine):
    name = new_name()
    machine.danchi("run", "-d", "--name", name, image(machine), "sleep", "1000")
    guest = machine.inspect(name)["guest"]["id"]
    files = {f"{machine.run}/guests/{guest}/secret": "relay file.secret",
             f"{machine.run}/guests/{guest}/relay.sock": "relay file.relay.sock",
             f"{machine.run}/journal": "danchid file.run/journal",
             f"{machine.state}/containers": "danchid file.state/containers"}
    for layer in machine.json("image", "inspect", image(machine))[0]["layers"]:
        files[f"{machine.state}/store/layers/{layer['key']}/layer.erofs"] = "qemu qemu.disk-files"
    for path, control in files.items():
        mode = stat.S_IMODE(os.stat(path).st_mode)
        os.chmod(path, mode | 0o066)
        wrong = difference(machine, name, path, {control})
        os.chmod(path, mode)
        expect(not wrong, wrong)
    spec = f"{machine.state}/containers/{machine.inspect(name)['id']}/spec.json"
    with open(spec, "a") as file:
        file.write(" ")
    done = machine.danchi("verify", "--quiet", name, check=False)
    expect(done.status == 1 and "is not what container" in done.stderr,
           f"a changed promise: {done.status} {done.stderr}")


@test("R2.7", only=EMULATION)
def verify_needs_something_that_runs(machine):
    name = new_name()
    machine.danchi("run", "--name", name, image(machine), "true")
    ended = machine.danchi("verify", name, check=False)
    expect(ended.status == 1 and "not running" in ended.stderr, f"{ended.status} {ended.stderr}")
    missing = machine.danchi("verify", "no-such-name", check=False)
    expect(missing.status == 1 and "no-such-name" in missing.stderr, f"{missing.stderr}")
    where = create_context(machine, new_name("e2e-v"))
    idle = machine.json("verify", where)
    expect_equal({line["subject"] for line in idle}, {"danchid"}, "of a context without a guest")
    machine.danchi("context", "rm", "-f", where)
