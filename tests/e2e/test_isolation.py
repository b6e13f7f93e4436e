# SPDX-License-Identifier: Apache-2.0
"""Contexts apart, and the host's side of each guest."""

import os
import stat

from machine import EMULATION, expect, expect_equal, proc_status
from suite import box, context, exec_sh, start_sh, test

BOOT_ID = "cat /proc/sys/kernel/random/boot_id"


def boot_id(machine, container):
    return exec_sh(machine, BOOT_ID, container=container).stdout.strip()


def only(pids, what):
    expect_equal(len(pids), 1, f"number of {what} processes")
    return pids[0]


@test("R1.1", "R5.16")
def containers_share_a_kernel_only_within_a_context(machine):
    with context(machine, tenant="acme") as first, context(machine, tenant="umbrella") as second:
        mine = start_sh(machine, "sleep 1000", "--context", first)
        beside = start_sh(machine, "sleep 1000", "--context", first)
        other = start_sh(machine, "sleep 1000", "--context", second)
        expect_equal(boot_id(machine, mine), boot_id(machine, beside), "boot ids in one context")
        expect(boot_id(machine, mine) != boot_id(machine, other), "two contexts share a kernel")
        with open("/proc/sys/kernel/random/boot_id") as file:
            expect(boot_id(machine, mine) != file.read().strip(), "it runs on the host's kernel")
        machine.danchi("rm", "-f", mine, beside, other)


@test("R1.4", only=EMULATION)
def containers_without_a_context_get_a_guest_each(machine):
    first, second = [start_sh(machine, "sleep 1000", fresh=True) for _ in range(2)]
    expect(boot_id(machine, first) != boot_id(machine, second), "they share a kernel")


@test("R5.11")
def each_context_has_a_uid_of_its_own_for_qemu_and_relay(machine):
    with context(machine) as first, context(machine) as second:
        for name in first, second:
            start_sh(machine, "sleep 1000", "--context", name)
        for program in "qemu-system", "danchi-relay":
            uids = [proc_status(pid)["Uid"].split() for pid in machine.guest_processes(program)]
            for four in uids:
                expect_equal(len(set(four)), 1, f"uids of a {program}: {four}")
                expect(int(four[0]) >= 200001, f"uid of a {program}: {four[0]}")
            expect_equal(len({four[0] for four in uids}), len(uids), f"different uids of {program}")
        machine.remove_all(keep=("keep-box",))


@test("R5.11", "R2.2")
def the_relay_has_no_rights_left(machine):
    box(machine)
    for pid in machine.guest_processes("danchi-relay"):
        status = proc_status(pid)
        for key in "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb":
            expect_equal(int(status[key], 16), 0, f"{key} of the relay")
        expect_equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), "NNP and seccomp")
        expect_equal(status["Groups"], "", "groups of the relay")
        expect_equal(os.listdir(f"/proc/{pid}/root"), [], "the relay's root directory")
        for namespace in "mnt", "net":
            expect(os.readlink(f"/proc/{pid}/ns/{namespace}")
                   != os.readlink(f"/proc/self/ns/{namespace}"), f"its {namespace} is the host's")


@test("R4.1", "R2.2", only=EMULATION)
def danchid_has_given_up_what_it_does_not_need(machine):
    # CHOWN DAC_OVERRIDE FOWNER KILL SETGID SETUID SETPCAP SYS_PTRACE SYS_ADMIN
    kept = sum(1 << bit for bit in (0, 1, 3, 5, 6, 7, 8, 19, 21))
    for thread in os.listdir(f"/proc/{machine.daemon.pid}/task"):
        try:
            status = proc_status(f"{machine.daemon.pid}/task/{thread}")
        except FileNotFoundError:
            expect(thread != str(machine.daemon.pid), "danchid is gone")
            continue  # the thread ended meanwhile
        for key in "CapPrm", "CapEff", "CapBnd":
            expect_equal(int(status[key], 16) & ~kept, 0, f"{key} beyond what is kept, thread {thread}")
        for key in "CapInh", "CapAmb":
            expect_equal(int(status[key], 16), 0, f"{key} of thread {thread}")
        expect_equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), f"thread {thread}")


@test("R4.1", only=EMULATION)
def the_relay_is_small_and_links_no_parser(machine):
    box(machine)
    pid = machine.guest_processes("danchi-relay")[0]
    resident_kib = int(proc_status(pid)["VmRSS"].split()[0])
    expect(resident_kib <= 4096, f"the relay has {resident_kib} KiB resident")
    with open(f"/proc/{pid}/maps") as file:
        maps = file.read()
    for library in "libvirt", "libglib", "libjson", "libjansson", "libarchive":
        expect(library not in maps, f"the relay has {library} in memory")


@test("R4.1", "R2.2")
def qemu_runs_sandboxed_and_without_needless_devices(machine):
    box(machine)
    for pid in machine.guest_processes("qemu-system"):
        status = proc_status(pid)
        expect_equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), "NNP and seccomp")
        expect_equal(int(status["CapEff"], 16), 0, "capabilities of QEMU")
        with open(f"/proc/{pid}/cmdline") as file:
            words = file.read()
        expect("-sandbox\0on" in words, "QEMU runs without -sandbox on")
        expect("usb" not in words.replace("usb=off", ""), "the guest has USB")
        # libvirt's AppArmor driver makes no profile, and so no guest, with files that lie there.
        below_usr = [word for word in words.split("\0")[1:] if "/usr/" in word]
        expect_equal(below_usr, [], "what QEMU is given of the system's directories")
        for device in "VGA", "virtio-net", "e1000", "cirrus":
            expect(device not in words, f"the guest has a {device}")


@test("R1.5")
def an_auditor_sees_one_domain_for_each_context(machine):
    import subprocess
    with context(machine) as name:
        start_sh(machine, "sleep 1000", "--context", name)
        listing = subprocess.run(["virsh", "-c", "qemu:///system", "list", "--all", "--name"],
                                 capture_output=True, text=True, check=True).stdout.split()
        for identity in machine.guest_ids():
            expect(f"danchi-{identity}" in listing, f"{identity} is not in virsh list: {listing}")
        machine.remove_all(keep=("keep-box",))


@test("R1.4")
def no_process_of_a_container_runs_on_the_hosts_kernel(machine):
    mark = "31415926"
    start_sh(machine, f"sleep {mark}; true")
    from machine import all_commands
    found = [words for _, words in all_commands()
             if words[-1] == mark and "danchi" not in words[0]]
    expect_equal(found, [], "processes of the container on the host")


@test("R2.1", only=EMULATION)
def the_socket_and_the_secrets_are_closed_to_others(machine):
    box(machine)
    for path in [machine.socket] + [f"{machine.run}/guests/{one}/secret"
                                    for one in machine.guest_ids()]:
        if os.path.exists(path):
            mode = stat.S_IMODE(os.stat(path).st_mode)
            if path.endswith("secret"):
                expect_equal(mode & 0o077, 0, f"mode {mode:o} of {path}")


@test()
def transport_and_accelerator_are_those_of_this_mode(machine):
    from suite import BOX
    box(machine)
    entry = machine.container(BOX)
    expect_equal((entry["transport"], entry["accelerator"]),
                 (machine.transport, machine.accelerator), "of the guest")


@test("R2.1", only="emulation")
def emulation_is_refused_unless_it_is_asked_for(machine):
    import subprocess
    from suite import expect_error, image, new_name
    command = [word for word in machine.command("run", "--rm", "--name", new_name(),
                                                image(machine), "true")
               if word != "--allow-emulation"]
    done = subprocess.run(command, capture_output=True)
    from machine import Result
    result = Result(command, done.returncode, done.stdout, done.stderr, 0)
    expect_error(result, 125, "--allow-emulation")
