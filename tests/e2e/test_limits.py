# SPDX-License-Identifier: Apache-2.0
"""What containers, guests and contexts may take: read back from the guest's kernel, from QEMU and
from the host's kernel."""

import re
import subprocess
import time

from machine import EMULATION, expect, expect_equal, wait_until
from suite import (BOX_CONTEXT, box, exec_sh, expect_error, image, in_box, machine_json_events, run_sh,
                   start_sh, test)

MIB = 1 << 20


def guest_of(machine, name=BOX_CONTEXT):
    return machine.json("context", "inspect", name)[0]["guest"]


def own_memory(pid):
    """Memory of a process that it shares with none: a guest's own, and QEMU's."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon:"))


def virsh(*words):
    return subprocess.run(["virsh", "-c", "qemu:///system", *words], capture_output=True, text=True,
                          check=True).stdout


def free_of_guest(machine):
    """MemFree, as a container sees it: MemTotal stays, since the balloon may give back by itself."""
    return int(exec_sh(machine, "grep MemFree /proc/meminfo").stdout.split()[1]) * 1024


@test("R5.14")
def memory_that_a_guest_frees_goes_back_to_the_host(machine):
    name = start_sh(machine, "sleep 1000", "-m", "120m", "--tmpfs", "/fill:size=100m")
    pid = machine.inspect(name)["guest"]["qemu_pid"]
    exec_sh(machine, "head -c 80000000 /dev/zero > /fill/x", container=name)
    grown = own_memory(pid)
    exec_sh(machine, "rm /fill/x", container=name)
    # What other tests left free in the guest may have been taken again: half is proof enough.
    wait_until(lambda: grown - own_memory(pid) > 40 * MIB, "the host has the guest's memory again", 20)


@test("R5.14")
def the_hosts_kernel_and_qemu_hold_a_guest_to_what_its_context_says(machine):
    box(machine)
    guest = guest_of(machine)
    limits, enforced = guest["limits"], guest["limits"]["enforced"]
    size = machine.json("context", "size", BOX_CONTEXT)
    expect_equal(size["size"]["host_limit_bytes"], limits["host_limit_bytes"], "the formula's limit")
    expect_equal(enforced["memory_limit_bytes"], limits["host_limit_bytes"], "the kernel's limit")
    expect(enforced["cpu"].startswith("cgroup v"), f"processors are limited by {enforced['cpu']}")
    v2 = enforced["cpu"] == "cgroup v2"
    expect_equal(enforced["cpu_weight"], 100 if v2 else 1024, "weight of one processor")
    domain = f"danchi-{guest['id']}"
    path = f"{machine.config}/contexts.d/{BOX_CONTEXT}.conf"
    with open(path) as file:
        before = file.read()
    try:
        machine.danchi("context", "update", "--cpu-shares", "2048", "--cpu-quota", "150",
                       "--write-bps", "20m", "--read-iops", "5000", BOX_CONTEXT)
        enforced = guest_of(machine)["limits"]["enforced"]
        expect_equal((enforced["cpu_weight"], enforced["cpu_quota_us"], enforced["cpu_period_us"]),
                     (200 if v2 else 2048, 150000, 100000), "what the host's kernel says")
        with open(path) as file:
            expect("cpu_quota_percent = 150\n" in file.read(), "the file does not say it")
        # Of QEMU itself: each of the disks but the root is in the one bucket.
        info = virsh("qemu-monitor-command", domain, "--hmp", "info block")
        buckets = re.findall(r"bps_wr=(\d+) .*iops_rd=(\d+) .*group=(\S+)", info)
        expect(buckets and set(buckets) == {("20971520", "5000", "guest")}, f"buckets: {info}")
        # A disk that comes later is in it, too; and danchid knows of all that when it is killed.
        machine.kill_daemon()
        machine.start()
        limits = guest_of(machine)["limits"]
        expect_equal((limits["cpu_quota_percent"], limits["io_write_bytes_per_s"]), (150, 20 * MIB),
                     "what danchid remembers")
        expect_error(machine.danchi("context", "update", "--cpu-quota", "2", BOX_CONTEXT, check=False), 1,
                     "cpu_quota_percent", "at least 5")
    finally:
        machine.danchi("context", "update", "--cpu-shares", "0", "--cpu-quota", "0", "--write-bps", "0",
                       "--read-iops", "0", BOX_CONTEXT)
    expect_equal(guest_of(machine)["limits"]["enforced"]["cpu_quota_us"], 0, "the quota when it is lifted")
    info = virsh("qemu-monitor-command", domain, "--hmp", "info block")
    expect("bps_wr=" not in info, f"still limited: {info}")
    expect("tenant = acme" in before, f"the file was no context's: {before}")


@test("R5.14", only=EMULATION)
def a_guest_gives_memory_back_when_it_is_asked_and_gets_it_again(machine):
    box(machine)
    whole = free_of_guest(machine)
    try:
        machine.danchi("context", "update", "--memory", "200m", BOX_CONTEXT)
        wait_until(lambda: free_of_guest(machine) <= whole - 45 * MIB, "the guest has less", 20)
        expect_equal(guest_of(machine)["limits"]["balloon_bytes"], 200 * MIB, "what it was asked to keep to")
        # A container that would not fit is refused with the least that would do.
        expect_error(machine.danchi("run", "--rm", *in_box(machine), "-m", "150m", image(machine), "true",
                                    check=False), 125, "246 MiB")
        name = start_sh(machine, "sleep 100", "-m", "80m")
        expect_error(machine.danchi("context", "update", "--memory", "150m", BOX_CONTEXT, check=False), 1,
                     "176 MiB", "80 MiB")
        machine.danchi("rm", "-f", name)
        result = machine.danchi("context", "update", "--memory", "300m", BOX_CONTEXT)
        expect("memory_mib holds from its next guest on" in result.stderr, f"not told: {result.stderr}")
    finally:
        machine.danchi("context", "update", "--memory", "256m", BOX_CONTEXT)
    wait_until(lambda: free_of_guest(machine) >= whole - 20 * MIB, "the guest has all of it again", 20)


@test("R5.14", only=EMULATION)
def a_guest_that_the_host_cannot_hold_is_not_started(machine):
    box(machine)
    path = f"{machine.config}/danchi.conf"
    with open(path) as file:
        before = file.read()
    try:
        with open(path, "w") as file:
            file.write("[host]\nmemory_overcommit_percent = 1\n" + before)
        result = machine.danchi("run", "--rm", "--guest-memory", "400m", image(machine), "true", check=False)
        expect_error(result, 125, "256 MiB are promised to guests", "400 MiB are wanted",
                     "memory_overcommit_percent")
        # What runs goes on, and takes another container.
        run_sh(machine, "true")
    finally:
        with open(path, "w") as file:
            file.write(before)
    host = machine.json("info")["host"]
    expect_equal(host["promised_bytes"], 256 * MIB, "what guests were promised")
    expect(0 < host["available_bytes"] < host["memory_bytes"], f"memory of the host: {host}")


HOG = "x=a; while :; do x=$x$x; done"


@test("R5.14", "R3.3", only=EMULATION)
def memory_that_runs_out_ends_a_process_by_name_and_neither_container_nor_guest(machine):
    neighbour = start_sh(machine, "sleep 1000")
    guest = machine.inspect(neighbour)["guest"]["id"]
    name = start_sh(machine, "sleep 1000", "-m", "40m", "--tmpfs", "/fill:size=100m")
    # A program that takes too much, as a child: the container goes on.
    done = exec_sh(machine, f"sh -c '{HOG}'; echo ended $?", container=name)
    expect("ended 137" in done.stdout, f"the hog: {done.stdout}")
    oom = wait_until(lambda: machine.inspect(name).get("oom", {}).get("program") and machine.inspect(name)["oom"],
                     "the victim is known")
    expect_equal(oom["program"], "sh", "the victim")
    expect(oom["memory_bytes"] > 16 * MIB, f"its size: {oom}")
    event = [one for one in machine_json_events(machine, name) if one["action"] == "oom"][-1]
    expect_equal(event["attributes"].get("program"), "sh", f"event: {event}")
    expect_equal(machine.state_of(name), "running", "the container after its child's end")
    # What fills a tmpfs ends likewise, and a fork bomb meets its limit.
    exec_sh(machine, "head -c 90000000 /dev/zero > /fill/x", container=name, check=False)
    exec_sh(machine, "rm -f /fill/x", container=name, check=False)
    machine.danchi("update", "--pids-limit", "30", name)
    exec_sh(machine, "for i in $(seq 60); do sleep 3 & done; wait", container=name, check=False)
    # Its first process is the container's end.
    first = start_sh(machine, HOG, "-m", "40m")
    expect_equal(machine.out("wait", first), "137", "exit status")
    entry = machine.inspect(first)
    expect(entry["is_oom_killed"] and "than its limit allows: sh had" in entry["reason"],
           f"why it ended: {entry['reason']}")
    expect_equal(entry["oom"]["pid"], 1, "the victim's number")
    expect("ago (out of memory)" in machine.container(first)["status"], f"ps: {machine.container(first)}")
    # Whoever waits for it is told, by whichever way the number comes; its log is its own.
    again = machine.danchi("start", "-a", first, check=False)
    expect_equal(again.status, 137, "status of start -a")
    expect("out of memory: the guest's kernel ended sh, which had" in again.stderr
           and "its --memory is 40 MiB" in again.stderr, f"start -a: {again.stderr!r}")
    told = exec_sh(machine, f"sh -c '{HOG}'", container=name, check=False)
    expect("out of memory" in told.stderr and told.status == 137, f"exec: {told.status} {told.stderr!r}")
    killed = exec_sh(machine, "kill -9 $$", container=neighbour, check=False)
    expect("out of memory" not in killed.stderr and killed.status == 137, f"a kill: {killed.stderr!r}")
    expect("memory" not in machine.out("logs", first), "logs has what the container did not write")
    # Asked to end as a whole, it does.
    whole = start_sh(machine, f"sh -c '{HOG}'; sleep 1000", "-m", "40m", "--oom-group")
    expect_equal(machine.out("wait", whole), "137", "exit status of one that ends as a whole")
    exec_sh(machine, "true", container=neighbour)
    expect_equal(machine.inspect(neighbour)["guest"]["id"], guest, "the guest")
    report = machine.danchi("verify", neighbour, name, check=False)
    expect_equal(report.status, 0, f"verify: {report.stdout[-1500:]}")


@test("R5.14", only=EMULATION)
def containers_that_use_up_their_guest_end_and_the_guest_does_not(machine):
    # No limit of its own: the guest's is the limit.
    box(machine)
    boot = guest_of(machine)["boot_id"]
    hogs = [start_sh(machine, f"while :; do sh -c '{HOG}'; done") for _ in range(2)]
    time.sleep(3)
    wait_until(lambda: all(machine.inspect(name).get("oom", {}).get("count") for name in hogs[:1]),
               "a victim", 30)
    exec_sh(machine, "true")
    machine.danchi("rm", "-f", *hogs)
    guest = guest_of(machine)
    expect_equal((guest["boot_id"], guest["is_running"]), (boot, True), "the guest")


@test("R5.14")
def limits_of_a_container_reach_the_kernel_and_change_while_it_runs(machine):
    name = start_sh(machine, "sleep 1000", "-m", "60m", "--memory-reservation", "20m", "--cpuset-cpus", "0",
                    "--read-bps", "8m", "--write-iops", "100", "--writable=disk:64m", "--cpus", "0.5",
                    "--pids-limit", "50", "--ulimit", "nofile=64:128")
    files = "cd /sys/fs/cgroup; cat memory.low cpuset.cpus pids.max cpu.max; head -1 io.max; ulimit -n"

    def seen():
        text = exec_sh(machine, files, container=name).stdout.split("\n")
        return text[:4] + [text[4].split(" ", 1)[1]] + text[5:6]
    expect_equal(seen(), [str(20 * MIB), "0", "50", "50000 100000",
                          f"rbps={8 * MIB} wbps=max riops=max wiops=100", "64"], "limits at the start")
    expect_equal(machine.danchi("verify", name, check=False).status, 0, "verify at the start")
    machine.danchi("update", "--read-bps", "4m", "--write-iops", "-1", "--memory-reservation", "-1",
                   "--cpus", "0.25", "--cpuset-cpus", "all", "-m", "50m", name)
    expect_equal(seen()[2:5], ["50", "25000 100000", f"rbps={4 * MIB} wbps=max riops=max wiops=max"],
                 "limits after the update")
    expect_equal(machine.danchi("verify", name, check=False).status, 0, "verify after the update")
    machine.danchi("update", "--read-bps", "-1", "--write-bps", "2m", name)
    started = time.monotonic()
    exec_sh(machine, "dd if=/dev/zero of=/var/x bs=1M count=6 conv=fsync 2>/dev/null", "-u", "0", container=name)
    expect(time.monotonic() - started > 2, "six MiB at two a second took no time")
    stats = machine.json("stats", "--no-stream", name)[0]
    expect(6 * MIB <= stats["written_bytes"] < 9 * MIB, f"written once, counted {stats['written_bytes']}")
    for flags, words in ((("--cpus", "3"), ("--cpus 3", "has 1")), (("--cpuset-cpus", "0-1"), ("0 to 0",)),
                         (("-m", "1g"), ("1024 MiB", "at least"))):
        expect_error(machine.danchi("update", *flags, name, check=False), 1, *words)
    expect_error(machine.danchi("run", "--memory-swap", "1g", "-m", "50m", image(machine), check=False), 125,
                 "guests have no swap")
    expect_error(machine.danchi("run", "--device-read-bps", "/dev/vda:1m", image(machine), check=False), 125,
                 "--read-bps holds for each")
