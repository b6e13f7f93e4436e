# SPDX-License-Identifier: Apache-2.0
"""Pipes: every byte arrives, in order, once; a slow or vanished end harms only itself."""

import hashlib
import os
import subprocess
import threading
import time

from machine import EMULATION, PATIENCE, expect, expect_equal, wait_until
from suite import box, exec_sh, image, in_box, new_name, run_sh, start_sh, test

MIB = 1 << 20
BIG_BYTES = int(os.environ.get("E2E_BIG_BYTES", 1 << 30))


def numbered_block(number):
    """A MiB that differs from every other: a lost, doubled or moved one changes the sum."""
    return number.to_bytes(8, "big") * (MIB // 8)


def md5_of_blocks(size):
    digest = hashlib.md5(usedforsecurity=False)
    for number in range(size // MIB):
        digest.update(numbered_block(number))
    return digest.hexdigest()


def write_blocks(pipe, size):
    for number in range(size // MIB):
        pipe.write(numbered_block(number))
    pipe.close()


def check_stdin(machine, size):
    data = os.urandom(size)
    name = box(machine)
    result = machine.danchi("exec", "-i", name, "md5sum", input=data)
    wanted = hashlib.md5(data, usedforsecurity=False).hexdigest()
    expect_equal(result.stdout.split()[0], wanted, f"md5 of {size} bytes of stdin")


@test(only=EMULATION)
def stdin_of_0_bytes_ends_at_once(machine):
    check_stdin(machine, 0)


@test(only=EMULATION)
def stdin_of_65535_bytes_arrives(machine):
    check_stdin(machine, 65535)


@test(only=EMULATION)
def stdin_of_65536_bytes_arrives(machine):
    check_stdin(machine, 65536)


@test(only=EMULATION)
def stdin_of_65537_bytes_arrives(machine):
    check_stdin(machine, 65537)


@test()
def stdin_of_run_arrives_with_its_end(machine):
    data = os.urandom(65537)
    result = machine.danchi("run", "--rm", "-i", *in_box(machine), image(machine), "md5sum", input=data)
    expect_equal(result.stdout.split()[0], hashlib.md5(data, usedforsecurity=False).hexdigest(),
                 "md5 of stdin")


@test(seconds=900)
def a_big_stdin_arrives_whole(machine):
    reader = machine.spawn("exec", "-i", box(machine), "md5sum", stdin=subprocess.PIPE)
    writer = threading.Thread(target=write_blocks, args=(reader.stdin, BIG_BYTES))
    started = time.monotonic()
    writer.start()
    found = reader.stdout.read().decode().split()
    writer.join()
    reader.stdin = None
    expect_equal(reader.wait(), 0, "exit status")
    expect_equal(found[:1], [md5_of_blocks(BIG_BYTES)], f"md5 of {BIG_BYTES >> 20} MiB")
    rate = BIG_BYTES / MIB / (time.monotonic() - started)
    print(f"       {BIG_BYTES >> 20} MiB at {rate:.1f} MiB/s", flush=True)


@test(only=EMULATION)
def bytes_come_back_as_they_went_in(machine):
    data = os.urandom(4 * MIB + 1)
    result = machine.danchi("exec", "-i", box(machine), "cat", input=data)
    expect(result.raw_stdout == data, f"{len(result.raw_stdout)} of {len(data)} bytes came back")


@test(only=EMULATION)
def stdout_and_stderr_stay_apart(machine):
    result = exec_sh(machine, "for i in 1 2 3; do echo out $i; echo err $i >&2; done")
    expect_equal(result.stdout, "out 1\nout 2\nout 3\n", "stdout")
    expect_equal(result.stderr, "err 1\nerr 2\nerr 3\n", "stderr")


@test()
def the_exit_status_waits_for_the_last_byte(machine):
    size = 10_000_000
    script = f"head -c {size} /dev/zero; echo end >&2; exit 3"
    result = run_sh(machine, script, check=False).expect_status(3)
    expect_equal((len(result.stdout), result.stderr), (size, "end\n"), "output of run")
    result = exec_sh(machine, script, check=False).expect_status(3)
    expect_equal((len(result.stdout), result.stderr), (size, "end\n"), "output of exec")


@test()
def a_reader_that_stops_stalls_only_its_own_stream(machine):
    name = start_sh(machine, "sleep 1000")
    # Nobody reads this one's stdout: pipe, relay's window and the program's pipe fill up.
    stalled = machine.spawn("exec", name, "cat", "/dev/zero")
    time.sleep(2 * PATIENCE)
    for _ in range(3):
        result = machine.danchi("exec", name, "echo", "still here")
        expect_equal(result.stdout, "still here\n", "stdout of another exec")
        expect(result.seconds < 1 * PATIENCE, f"exec took {result.seconds:.2f} s")
    expect_equal(stalled.poll(), None, "the stalled client's status")
    result = machine.danchi("kill", name)
    expect(result.seconds < 1 * PATIENCE, f"kill took {result.seconds:.2f} s")
    expect_equal(machine.out("wait", name), "137", "exit status")


@test()
def output_goes_on_when_a_stopped_reader_reads_again(machine):
    size = 3 * MIB
    client = machine.spawn("exec", box(machine), "head", "-c", str(size), "/dev/zero")
    time.sleep(1)
    expect_equal(len(client.stdout.read()), size, "bytes of output")
    expect_equal(client.wait(), 0, "exit status")


@test()
def a_vanished_client_neither_kills_nor_blocks_the_container(machine):
    name = new_name()
    client = machine.spawn("run", "--name", name, *in_box(machine), image(machine), "sh", "-c",
                           "i=0; while :; do i=$((i + 1)); echo line $i; sleep 0.05; done")
    wait_until(lambda: machine.state_of(name) == "running", "the container runs", 60)
    client.stdout.readline()
    client.kill()
    client.wait()
    count = len(machine.out("logs", name).splitlines())
    wait_until(lambda: len(machine.out("logs", name).splitlines()) > count + 20, "it goes on")
    expect_equal(machine.state_of(name), "running", "state")


@test(only=EMULATION)
def a_vanished_reader_of_exec_does_not_hold_up_others(machine):
    name = box(machine)
    client = machine.spawn("exec", name, "cat", "/dev/zero")
    client.stdout.read(MIB)
    client.kill()
    client.wait()
    expect_equal(machine.out("exec", name, "echo", "fine"), "fine", "stdout of another exec")


@test(only=EMULATION)
def a_closed_stdout_does_not_change_the_exit_status(machine):
    client = machine.spawn("exec", box(machine), "sh", "-c", "echo one; sleep 1; echo two; exit 4")
    client.stdout.readline()
    client.stdout.close()
    expect_equal(client.wait(30 * PATIENCE), 4, "exit status")


@test()
def attach_joins_the_streams_of_a_running_container(machine):
    name = new_name()
    machine.danchi("run", "-d", "-i", "--name", name, *in_box(machine), image(machine), "sh", "-c",
                   'while read -r line; do echo "got $line"; [ "$line" = end ] && exit 6; done')
    client = machine.spawn("attach", name, stdin=subprocess.PIPE)
    client.stdin.write(b"first\n")
    client.stdin.flush()
    expect_equal(client.stdout.readline(), b"got first\n", "first answer")
    client.stdin.write(b"end\n")
    client.stdin.flush()
    expect_equal(client.stdout.readline(), b"got end\n", "second answer")
    expect_equal(client.wait(30 * PATIENCE), 6, "exit status")


@test(only=EMULATION)
def two_readers_see_the_same_output(machine):
    name = new_name()
    machine.danchi("create", "-i", "--name", name, *in_box(machine), image(machine), "sh", "-c",
                   "read -r go; for i in 1 2 3 4 5; do echo $i; done")
    machine.danchi("start", name)
    first = machine.spawn("attach", name, stdin=subprocess.PIPE)
    second = machine.spawn("attach", name, stdin=subprocess.PIPE)
    time.sleep(1 * PATIENCE)
    first.stdin.write(b"go\n")
    first.stdin.flush()
    for client in first, second:
        expect_equal(client.stdout.read(), b"1\n2\n3\n4\n5\n", "output")
