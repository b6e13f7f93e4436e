# SPDX-License-Identifier: Apache-2.0
"""What a container gets that asked for nothing, seen from inside it."""

import json
import os
import shutil
import subprocess
import tempfile

from machine import EMULATION, PATIENCE, TOP, expect, expect_equal, wait_until
from suite import (exec_sh, expect_error, image, in_box, machine_json_events, new_name, run_sh, start_sh,
                   test)

# Where device nodes must be usable; everything else is nodev.
DEVICE_MOUNTS = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
                 "/dev/pts", "/dev/console", "/dev/ptmx")


def status_lines(machine, script="cat /proc/self/status"):
    text = exec_sh(machine, script).stdout
    return {line.split(":")[0]: line.split(":", 1)[1].strip() for line in text.splitlines()
            if ":" in line}


def mount_table(machine):
    """(target, type, per-mount options, masked) of each mount in the container."""
    table = []
    for line in exec_sh(machine, "cat /proc/self/mountinfo").stdout.splitlines():
        left, _, right = line.partition(" - ")
        words = left.split()
        table.append((words[4], right.split()[0], words[5].split(",")))
    return table


@test("R3.5", "R5.12")
def it_has_no_capability_in_any_set(machine):
    status = status_lines(machine)
    for key in "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb":
        expect_equal(int(status[key], 16), 0, key)


@test("R3.5", only=EMULATION)
def its_root_has_no_capability_either(machine):
    text = exec_sh(machine, "id -u; grep -E '^Cap(Eff|Bnd)' /proc/self/status", "-u", "0").stdout
    lines = text.split()
    expect_equal((lines[0], lines[2], lines[4]), ("0", "0" * 16, "0" * 16), "uid, CapEff, CapBnd")


@test("R3.4", "R3.6", "R2.3")
def it_can_gain_no_privileges_and_seccomp_is_on(machine):
    status = status_lines(machine)
    expect_equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), "NoNewPrivs and Seccomp")


@test("R2.4", "R5.3")
def its_root_is_nobody_in_the_guest(machine):
    inside, outside, count = map(int, exec_sh(machine, "cat /proc/self/uid_map").stdout.split())
    expect(inside == 0 and outside >= 65536 and count <= 65536, f"{inside} {outside} {count}")


@test("R3.4", "R5.15")
def every_mount_is_nosuid_and_nodev(machine):
    for target, kind, options in mount_table(machine):
        expect("nosuid" in options, f"{target} ({kind}) is not nosuid: {options}")
        if target not in DEVICE_MOUNTS and kind != "devtmpfs":
            expect("nodev" in options, f"{target} ({kind}) is not nodev: {options}")


@test("R4.3", "R5.7")
def its_root_is_read_only(machine):
    for path in "/", "/etc", "/bin":
        result = exec_sh(machine, f"touch {path}/x", "-u", "0", check=False)
        expect(result.status != 0 and "Read-only" in result.stderr, f"{path}: {result.stderr!r}")


@test("R5.15", only=EMULATION)
def it_has_private_places_for_temporary_files(machine):
    for path in "/tmp", "/run", "/var/tmp", "/dev/shm":
        exec_sh(machine, f"echo x > {path}/probe && rm {path}/probe", "-u", "0")
    kinds = {target: kind for target, kind, _ in mount_table(machine)}
    for path in "/tmp", "/run", "/var/tmp", "/dev/shm":
        expect_equal(kinds.get(path), "tmpfs", f"type of {path}")


@test("R5.7", only=EMULATION)
def a_writable_container_keeps_its_changes_to_itself(machine):
    with_file = run_sh(machine, "echo x > /etc/probe && cat /etc/probe", "--writable", "-u", "0")
    expect_equal(with_file.stdout, "x\n", "what was written")
    run_sh(machine, "test ! -e /etc/probe", "--writable")


@test("R2.2")
def the_kernels_secrets_are_masked(machine):
    for path in ("/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug",
                 "/proc/sysrq-trigger", "/sys/firmware/qemu_fw_cfg", "/proc/scsi", "/proc/acpi"):
        script = f"if [ -d {path} ]; then ls -A {path}; else head -c 64 {path}; fi"
        result = exec_sh(machine, script, "-u", "0", check=False)
        expect_equal(result.stdout, "", f"what {path} shows")


@test("R2.2")
def kernel_settings_cannot_be_written(machine):
    for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/vm/overcommit_memory",
                 "/proc/sysrq-trigger", "/proc/sys/kernel/hostname", "/sys/kernel/mm/ksm/run",
                 "/sys/fs/cgroup/pids.max"):
        result = exec_sh(machine, f"echo 1 > {path}", "-u", "0", check=False)
        expect(result.status != 0, f"{path} could be written")


@test("R3.6")
def calls_that_containers_do_not_need_are_refused(machine):
    for command in ("unshare -U true", "unshare -n true", "mount -t tmpfs none /mnt",
                    "umount /tmp", "chroot / true", "hostname other", "dmesg",
                    "swapoff /dev/null", "nsenter -t 1 -m true", "insmod /bin/busybox"):
        result = exec_sh(machine, command, "-u", "0", check=False)
        expect(result.status != 0, f"'{command}' succeeded")


@test("R2.2", "R5.13")
def it_has_namespaces_of_its_own(machine):
    script = "for n in user mnt pid ipc uts net cgroup; do readlink /proc/self/ns/$n; done"
    first = exec_sh(machine, script).stdout.split()
    name = new_name()
    machine.danchi("run", "-d", "--name", name, "--context", "e2e-box", image(machine), "sleep",
                   "1000")
    second = exec_sh(machine, script, container=name).stdout.split()
    expect_equal(len(first), 7, "namespaces")
    shared = sorted(set(first) & set(second))
    expect_equal(shared, [], "namespaces shared with another container of the context")


@test("R1.6", "R3.2")
def it_sees_only_its_own_processes(machine):
    text = exec_sh(machine, "ps -o pid,args").stdout
    expect("danchi" not in text and "init" not in text, f"processes: {text}")
    name = new_name()
    machine.danchi("run", "-d", "--name", name, "--context", "e2e-box", image(machine), "sleep",
                   "7654321")
    expect("7654321" not in exec_sh(machine, "ps -o pid,args").stdout, "it sees its neighbour")


@test("R5.13", "R5.17")
def it_has_no_network_but_loopback(machine):
    text = exec_sh(machine, "cat /proc/net/dev").stdout
    interfaces = [line.split(":")[0].strip() for line in text.splitlines() if ":" in line]
    expect_equal(interfaces, ["lo"], "interfaces")
    routes = exec_sh(machine, "cat /proc/net/route").stdout.splitlines()
    expect_equal(len(routes), 1, "lines of the routing table, its head included")
    away = exec_sh(machine, "nc -w 5 192.0.2.1 80 < /dev/null", check=False)
    expect("unreachable" in away.stderr.lower(), f"a connection away: {away.stderr!r}")
    served = exec_sh(machine, "echo served | nc -l -p 4711 & i=0; until nc 127.0.0.1 4711 "
                     "< /dev/null || [ $i = 50 ]; do i=$((i + 1)); usleep 100000; done; wait")
    expect_equal(served.stdout, "served\n", "what came over loopback")


@test("R5.14")
def memory_beyond_the_limit_ends_it(machine):
    name = new_name()
    machine.danchi("run", "--name", name, *in_box(machine), "-m", "24m", image(machine), "sh", "-c",
                   "head -c 100000000 /dev/zero | tail", check=False)
    expect_equal(machine.container(name)["exit_code"], 137, "exit status")
    actions = [event["action"] for event in machine_json_events(machine, name)]
    expect("oom" in actions, f"events: {actions}")


@test("R5.14")
def processes_beyond_the_limit_are_refused(machine):
    name = start_sh(machine, "sleep 1000", "--pids-limit", "8")
    script = "i=0; while [ $i -lt 20 ]; do sleep 100 & i=$((i + 1)); done; echo made"
    result = exec_sh(machine, script, container=name, check=False)
    expect("made" not in result.stdout, "it made 20 processes with a limit of 8")


@test("R5.14", only=EMULATION)
def limits_reach_the_guests_kernel(machine):
    name = start_sh(machine, "sleep 1000", "-m", "48m", "--cpus", "0.5", "--pids-limit", "33")
    # A kernel without swap has no file for it.
    script = "cd /sys/fs/cgroup && cat memory.max pids.max cpu.max && cat memory.swap.max || echo 0"
    found = exec_sh(machine, script, container=name).stdout.split("\n")
    quota, period = map(int, found[2].split())
    expect_equal(found[3], "0", "swap")
    expect_equal((found[0], found[1], quota / period), (str(48 << 20), "33", 0.5), "limits")


@test("R5.3", only=EMULATION)
def the_users_of_the_image_are_honoured(machine):
    expect_equal(run_sh(machine, "id -u", "-u", "daemon").stdout, "1\n", "uid of daemon")
    missing = run_sh(machine, "true", "-u", "no-such-user", check=False)
    expect(missing.status in (125, 126), f"exit status {missing.status}")
    expect("no-such-user" in missing.stderr, f"error: {missing.stderr!r}")


@test("R2.2")
def what_the_host_promises_is_what_the_kernel_reports(machine):
    text = json.dumps(machine.inspect(new_running(machine)))
    for word in "no_new_privs", "seccomp_mode", "cap_effective", "cap_bounding":
        expect(word in text, f"{word} is not in inspect")


def new_running(machine):
    name = start_sh(machine, "sleep 1000")
    wait_until(lambda: machine.state_of(name) == "running", "it runs")
    return name


def refused_calls(machine, name):
    return {entry["call"]: entry for entry in machine.inspect(name).get("refused", [])}


@test("R2.2", only=EMULATION)
def an_image_cannot_put_proc_elsewhere(machine):
    # Were the link followed, procfs would lie where no mask is looked for.
    with tempfile.TemporaryDirectory() as work:
        root = f"{work}/root"
        for directory in "bin", "sys", "real", "dev", "tmp", "run", "var/tmp", "etc":
            os.makedirs(f"{root}/{directory}")
        shutil.copy("/bin/busybox", f"{root}/bin/sh")
        os.symlink("sys/l", f"{root}/proc")
        os.symlink("../real", f"{root}/sys/l")
        subprocess.run([f"{TOP}/tests/images/make-image.py", root, f"{work}/link.tar", "docker",
                        "--name", "docker.io/danchi/link:test", "--cmd", "/bin/sh"], check=True)
        machine.danchi("load", "-i", f"{work}/link.tar", timeout=300)
    result = machine.danchi("run", "--rm", *in_box(machine), "docker.io/danchi/link:test", "ls", "/real", check=False)
    machine.danchi("image", "rm", "docker.io/danchi/link:test")
    expect_error(result, 125, "'/proc': the image has a symbolic link there")


@test("R3.6")
def a_refused_system_call_is_explained(machine):
    name = start_sh(machine, "mount -t tmpfs none /tmp; mount -t tmpfs none /tmp; sleep 1000")
    wait_until(lambda: refused_calls(machine, name).get("mount", {}).get("count", 0) >= 2,
               "inspect names the refused mount")
    found = refused_calls(machine, name)
    expect_equal(set(found), {"mount"}, "refused calls")
    expect_equal((found["mount"]["action"], found["mount"]["program"]), ("EPERM", "mount"),
                 "answer and program")
    expect(found["mount"]["first_us"] <= found["mount"]["last_us"], f"times: {found}")
    events = [event["attributes"] for event in machine_json_events(machine, name)
              if event["action"] == "refused"]
    expect(events and events[0]["call"] == "mount" and events[0]["answer"] == "EPERM",
           f"events: {events}")
    # It outlives the container's run, and danchid.
    machine.danchi("kill", name)
    machine.danchi("wait", name)
    machine.restart()
    expect(refused_calls(machine, name)["mount"]["count"] >= 2, "forgotten after a restart")


@test("R3.6")
def a_program_killed_by_its_filter_is_told_why(machine):
    with open(f"{TOP}/config/seccomp/default.json") as file:
        profile = json.load(file)
    for rule in profile["syscalls"]:
        rule["names"] = [name for name in rule["names"] if name != "sync"]
    profile["syscalls"].append({"names": ["sync"], "action": "SCMP_ACT_KILL_PROCESS"})
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(profile, file)
        file.flush()
        name = new_name()
        result = machine.danchi("run", "--name", name, *in_box(machine), "--security-opt",
                                f"seccomp={file.name}", image(machine), "sync", check=False)
    result.expect_status(159)
    expect("danchi events" in result.stderr, f"no hint: {result.stderr!r}")
    found = wait_until(lambda: refused_calls(machine, name), "inspect names the call")
    expect_equal((set(found), found["sync"]["action"]), ({"sync"}, "SIGSYS"), "refused")


@test("R3.6", only=EMULATION)
def a_flood_of_refusals_stalls_nobody_and_fills_nothing(machine):
    name = start_sh(machine, "while :; do chroot / true 2>/dev/null; done", fresh=True)
    wait_until(lambda: refused_calls(machine, name), "something is refused", 20)
    result = exec_sh(machine, "echo alive", container=name)
    expect(result.stdout == "alive\n" and result.seconds < 20 * PATIENCE,
           f"{result.stdout!r} after {result.seconds:.1f} s")
    events = [event for event in machine_json_events(machine, name)
              if event["action"] == "refused"]
    expect(len(events) <= 12, f"{len(events)} events")
