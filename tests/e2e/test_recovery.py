# SPDX-License-Identifier: Apache-2.0
"""What dies and what goes on: daemon, relay, QEMU; and starts that fail."""

import contextlib
import glob
import os
import shutil

from machine import BUILD, EMULATION, PATIENCE, Machine, expect, expect_equal, kill9, wait_until
from suite import (BOX, box, create_context, exec_sh, image, new_name, start_sh, test)

TICK = "i=0; while :; do i=$((i + 1)); echo $i; sleep 0.1; done"


@test()
def containers_go_on_while_the_daemon_is_away(machine):
    name = start_sh(machine, TICK)
    wait_until(lambda: machine.out("logs", name), "it ticks")
    identity = exec_sh(machine, "cat /proc/sys/kernel/random/boot_id", container=name).stdout
    machine.kill_daemon()
    machine.start()
    expect_equal(machine.state_of(name), "running", "state")
    found = exec_sh(machine, "cat /proc/sys/kernel/random/boot_id", container=name).stdout
    expect_equal(found, identity, "boot id")
    count = len(machine.out("logs", name).splitlines())
    wait_until(lambda: len(machine.out("logs", name).splitlines()) > count, "it still ticks")


@test(only=EMULATION)
def an_exit_while_the_daemon_was_away_is_known_afterwards(machine):
    with_context = create_context(machine, new_name("e2e-c"))
    name = start_sh(machine, "sleep 3; exit 21", "--context", with_context)
    machine.kill_daemon()
    import time
    time.sleep(5)
    machine.start()
    expect_equal(machine.out("wait", name), "21", "exit status")
    machine.danchi("rm", name)
    machine.danchi("context", "rm", "-f", with_context)


@test()
def a_dead_relay_is_replaced_and_no_output_is_lost(machine):
    name = start_sh(machine, TICK, fresh=True)
    wait_until(lambda: machine.out("logs", name), "it ticks")
    guest = machine.inspect(name)["guest"]
    kill9(guest["relay_pid"])
    wait_until(lambda: machine.inspect(name)["guest"]["relay_pid"] not in (0, guest["relay_pid"]),
               "there is a new relay", 20)
    expect_equal(exec_sh(machine, "echo fine", container=name).stdout, "fine\n", "exec")
    lines = machine.out("logs", name).splitlines()
    count = len(lines)
    wait_until(lambda: len(machine.out("logs", name).splitlines()) > count + 10, "it still ticks")
    numbers = [int(line) for line in machine.out("logs", name).splitlines()]
    missing = set(range(1, max(numbers))) - set(numbers)
    expect_equal(missing, set(), "lines that the log lacks")


@test()
def a_dead_qemu_ends_its_containers_and_nothing_else(machine):
    survivor = box(machine)
    name = start_sh(machine, "sleep 1000", fresh=True)
    kill9(machine.inspect(name)["guest"]["qemu_pid"])
    wait_until(lambda: machine.state_of(name) == "exited", "its container counts as exited")
    expect_equal(machine.container(name)["exit_code"], 137, "exit status")
    expect_equal(machine.out("exec", survivor, "echo", "fine"), "fine", "the other guest")
    machine.danchi("start", name)
    expect_equal(machine.state_of(name), "running", "state after a new start")


@test(only=EMULATION)
def attached_clients_learn_that_their_guest_died(machine):
    name = new_name()
    client = machine.spawn("run", "--name", name, image(machine), "sleep", "1000")
    wait_until(lambda: machine.state_of(name) == "running", "it runs", 60)
    kill9(machine.inspect(name)["guest"]["qemu_pid"])
    status = client.wait(60)
    expect(status in (125, 137), f"exit status of the client: {status}")


@test(only=EMULATION)
def a_second_daemon_on_the_same_directories_is_refused(machine):
    second = Machine("e2e")
    second.run, second.state, second.config = machine.run, machine.state, machine.config
    second.socket = machine.socket + "2"
    second.log_path = machine.log_path + ".second"
    try:
        second.start()
        second.stop()
        raise AssertionError("it started")
    except Exception as error:
        expect("ended" in str(error), str(error))
    finally:
        second.daemon and second.daemon.poll() is None and second.kill_daemon()
        os.path.exists(second.log_path) and os.unlink(second.log_path)


def copied_tree(machine):
    """A build tree like ours, to be spoilt."""
    tree = f"{machine.run}/broken"
    shutil.copytree(f"{BUILD}/bin", f"{tree}/bin", dirs_exist_ok=True)
    shutil.copytree(f"{BUILD}/images", f"{tree}/images", dirs_exist_ok=True)
    shutil.copy(f"{BUILD}/build-tree", tree)
    return tree


def broken_tree(machine):
    """Its guest root is no file system."""
    tree = copied_tree(machine)
    root = f"{tree}/images/guest.erofs"
    size = os.path.getsize(root)
    with open(root, "wb") as file:
        file.write((b"this is no file system" * (size // 22 + 1))[:size])
    return tree


def vcpu_seconds(pid):
    """CPU time of a QEMU's virtual processors, which first run when the kernel has been read.

    That of the whole process would not tell: where QEMU itself is emulated (the lab), it needs
    seconds before it opens the kernel.
    """
    ticks = 0
    for task in glob.glob(f"/proc/{pid}/task/*/stat"):
        with contextlib.suppress(OSError):
            with open(task) as file:
                name, _, rest = file.read().partition("(")[2].rpartition(")")
            if name.startswith("CPU "):
                words = rest.split()
                ticks += int(words[11]) + int(words[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def silence(kernel):
    """Makes a kernel spin at its first instruction, by either of the two ways in.

    The protected-mode part comes after the boot sector and the setup sectors whose number is at
    0x1f1, its 64-bit entry 0x200 into it (Documentation/x86/boot.rst).
    """
    jump_to_itself = b"\xeb\xfe"
    with open(kernel, "r+b") as file:
        file.seek(0x1f1)
        start = (file.read(1)[0] + 1) * 512
        for entry in start, start + 0x200:
            file.seek(entry)
            file.write(jump_to_itself)


@test("R4.5", seconds=400)
def a_guest_of_which_nothing_is_heard_is_started_once_more(machine):
    image(machine)
    machine.stop()
    build, timeout_s, machine.build = machine.build, machine.boot_timeout_s, copied_tree(machine)
    kernel = "images/tuned/vmlinuz" if machine.kernel == "tuned" else "images/vmlinuz"
    silence(f"{machine.build}/{kernel}")
    machine.boot_timeout_s = int(20 * PATIENCE)
    others = machine.guest_processes("qemu-system")
    try:
        machine.start()
        client = machine.spawn("run", "--rm", machine.image, "echo", "second start")
        wait_until(lambda: any(vcpu_seconds(pid) > 1
                               for pid in machine.guest_processes("qemu-system")
                               if pid not in others), "the first guest spins", 20)
        # QEMU has read that kernel; the next one to start reads a good one.
        shutil.copy(f"{BUILD}/{kernel}", f"{machine.build}/{kernel}.good")
        os.rename(f"{machine.build}/{kernel}.good", f"{machine.build}/{kernel}")
        stdout, stderr = client.communicate(timeout=150 * PATIENCE)
        expect_equal((client.returncode, stdout), (0, b"second start\n"), f"run, {stderr!r}")
        expect("no sign of life" in machine.log_tail(), f"the log: {machine.log_tail()}")
        machine.stop()
    finally:
        machine.daemon and machine.daemon.poll() is None and machine.kill_daemon()
        machine.build, machine.boot_timeout_s = build, timeout_s
        machine.start()


@test("R4.5", seconds=400)
def a_failed_start_names_the_milestone_and_shows_the_consoles_end(machine):
    image(machine)
    machine.stop()
    build, machine.build = machine.build, broken_tree(machine)
    name = new_name()
    try:
        machine.start()
        result = machine.danchi("run", "--rm", "--name", name, machine.image, "true", check=False,
                                timeout=180)
        result.expect_status(125)
        expect(result.stderr.startswith("danchi: "), f"no error line: {result.stderr!r}")
        expect("console" in result.stderr, f"no end of the console: {result.stderr!r}")
        expect("milestone" in result.stderr, f"no milestone: {result.stderr!r}")
        # Of the console: with Debian's kernel init's words, else the kernel's own.
        expect("danchi-boot" in result.stderr or "panic" in result.stderr,
               f"no end of the console: {result.stderr!r}")
        expect_equal(machine.container(name), None, "the container of the failed run")
        machine.stop()
    finally:
        machine.daemon and machine.daemon.poll() is None and machine.kill_daemon()
        machine.build = build
        machine.start()
    expect_equal([one for one in machine.guest_ids()
                  if one not in [machine.inspect(BOX)["guest"].get("id")
                                 if machine.container(BOX) else None]], [], "guests left")


@test(only=EMULATION)
def gc_finds_nothing_where_nothing_went_wrong(machine):
    box(machine)
    machine.danchi("gc")
    expect_equal(machine.out("exec", BOX, "echo", "fine"), "fine", "the box after gc")
    text = machine.out("--format", "json", "gc")
    expect("danchi-" not in text, f"gc removed: {text}")


@test(only=EMULATION)
def a_guest_that_needs_more_memory_than_it_gets_fails_with_an_error(machine):
    result = machine.danchi("run", "--rm", "--guest-memory", "1m", image(machine), "true",
                            check=False)
    expect(result.status in (2, 125), f"exit status {result.status}")
    expect(result.stderr.startswith("danchi: "), f"no error line: {result.stderr!r}")
    expect(machine.mode in (EMULATION, "kvm"), machine.mode)
