# SPDX-License-Identifier: Apache-2.0
"""Logs: written on the host, bounded, and there after the guest is gone."""

import glob
import os
import time

from machine import EMULATION, PATIENCE, expect, expect_equal, wait_until
from suite import image, in_box, new_name, start_sh, test

# Twice the default size of a log: launcher/daemon/settings.h.
LOG_DIRECTORY_LIMIT = 64 << 20


@test("R4.5")
def logs_outlive_the_guest(machine):
    name = start_sh(machine, "echo to stdout; echo to stderr >&2; exit 3", fresh=True)
    expect_equal(machine.out("wait", name), "3", "exit status")
    wait_until(lambda: not machine.inspect(name).get("guest", {}).get("qemu_pid"), "no guest")
    result = machine.danchi("logs", name)
    expect_equal(result.stdout, "to stdout\n", "stdout of logs")
    expect_equal(result.stderr, "to stderr\n", "stderr of logs")


@test("R4.5")
def logs_survive_a_restart_of_the_daemon(machine):
    name = start_sh(machine, "echo before")
    machine.danchi("wait", name)
    machine.restart()
    expect_equal(machine.out("logs", name), "before", "logs")


@test(only=EMULATION)
def tail_and_timestamps_choose_and_mark_lines(machine):
    name = start_sh(machine, "for i in 1 2 3 4 5 6 7 8 9; do echo line $i; done")
    machine.danchi("wait", name)
    expect_equal(machine.out("logs", "--tail", "2", name), "line 8\nline 9", "the last two lines")
    line = machine.out("logs", "-t", "--tail", "1", name)
    stamp, _, text = line.partition(" ")
    expect(text == "line 9" and stamp[:2] == "20" and "T" in stamp, f"with a timestamp: {line!r}")


@test()
def follow_shows_lines_as_they_come_and_ends_with_the_container(machine):
    name = start_sh(machine, "for i in 1 2 3; do echo line $i; sleep 1; done")
    client = machine.spawn("logs", "-f", name)
    for number in 1, 2, 3:
        expect_equal(client.stdout.readline().decode(), f"line {number}\n", "next line")
    expect_equal(client.wait(20 * PATIENCE), 0, "exit status of logs -f")


@test(only=EMULATION)
def odd_bytes_in_a_log_harm_no_reader(machine):
    name = start_sh(machine, "printf 'bad \\377 utf8\\n'; printf 'no end'; printf '\\0\\033[2J\\n'")
    machine.danchi("wait", name)
    lines = machine.danchi("logs", name).raw_stdout.split(b"\n")
    expect(len(lines) >= 2 and lines[0].startswith(b"bad "), f"logs: {lines!r}")


@test("R4.5", only=EMULATION)
def a_long_line_is_kept_whole(machine):
    name = start_sh(machine, "head -c 100000 /dev/zero | tr '\\0' x; echo")
    machine.danchi("wait", name)
    expect_equal(len(machine.out("logs", name)), 100000, "length of the line")


@test("R4.5", seconds=240, only=EMULATION)
def a_flood_is_bounded_and_counted_and_harms_nobody(machine):
    name, other = start_sh(machine, "yes flooding the disk of the host", fresh=True), new_name()
    start = time.monotonic()
    time.sleep(8 * PATIENCE)
    result = machine.danchi("exec", name, "echo", "alive")
    expect_equal(result.stdout, "alive\n", "exec during the flood")
    expect(result.seconds < 2 * PATIENCE, f"exec took {result.seconds:.1f} s")
    machine.danchi("run", "--rm", "--name", other, *in_box(machine), image(machine), "true")
    identity = machine.container(name)["id"]
    machine.danchi("kill", name)
    machine.danchi("wait", name)
    files = glob.glob(f"{machine.state}/containers/{identity}/log.*")
    size = sum(os.path.getsize(path) for path in files)
    expect(0 < size <= LOG_DIRECTORY_LIMIT, f"{size} bytes of log after the flood")
    seconds = time.monotonic() - start
    result = machine.danchi("logs", "--tail", "5", name)
    expect("flooding" in result.stdout, f"logs after {seconds:.0f} s of flood: {result.stdout!r}")
