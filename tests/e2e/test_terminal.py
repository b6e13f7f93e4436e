# SPDX-License-Identifier: Apache-2.0
"""Terminals: what a person sees who types `danchi run -it`."""

import signal
import time

from machine import EMULATION, PATIENCE, expect, expect_equal, wait_until
from suite import box, expect_error, image, in_box, new_name, test
from terminal import Terminal

CTRL_C, CTRL_D, CTRL_P, CTRL_Q = "\x03", "\x04", "\x10", "\x11"


def shell(machine, name):
    return Terminal(machine.command("run", "-it", "--rm", "--name", name, "-e", "PS1=prompt> ",
                                    *in_box(machine), image(machine), "sh"))


@test()
def a_terminal_has_the_users_size_and_follows_it(machine):
    with Terminal(machine.command("exec", "-it", box(machine), "sh", "-c",
                                  "trap 'echo size $(stty size)' WINCH; stty size; echo ready;"
                                  " while :; do sleep 0.1; done"), 33, 77) as terminal:
        expect("33 77" in terminal.expect_text("ready"), "the first size is not 33 77")
        terminal.resize(44, 99)
        terminal.signal(signal.SIGWINCH)
        terminal.expect_text("size 44 99")


@test()
def a_shell_on_a_terminal_works_and_leaves_the_terminal_as_it_was(machine):
    with shell(machine, new_name()) as terminal:
        terminal.expect_text("prompt> ", 60)
        terminal.press("tty; echo result=$((6 * 7))\r")
        text = terminal.expect_text("result=42")
        expect("/dev/pts/" in text or "/dev/console" in text, f"tty says {text!r}")
        terminal.press("exit 5\r")
        terminal.expect_exit(5)
        terminal.expect_settings_restored()


@test()
def ctrl_c_interrupts_the_program_and_not_the_client(machine):
    with shell(machine, new_name()) as terminal:
        terminal.expect_text("prompt> ", 60)
        # The echo of the line has the quotes: what is waited for is the shell's answer, after
        # which the line editor no longer owns the terminal.
        terminal.press("echo be''gun; sleep 1000\r")
        terminal.expect_text("begun")
        time.sleep(0.5 * PATIENCE)
        terminal.press(CTRL_C)
        terminal.expect_text("prompt> ")
        terminal.press("echo status $?\r")
        terminal.expect_text("status 130")
        terminal.expect_text("prompt> ")
        terminal.press(CTRL_D)
        # The shell's status is that of its last command.
        terminal.expect_exit(0)


@test(only=EMULATION)
def the_detach_keys_leave_a_running_container_to_which_attach_returns(machine):
    name = new_name()
    with shell(machine, name) as terminal:
        terminal.expect_text("prompt> ", 60)
        terminal.press("KEPT=yes\r")
        terminal.expect_text("prompt> ")
        terminal.press(CTRL_P + CTRL_Q)
        terminal.expect_exit(0)
        terminal.expect_settings_restored()
    expect_equal(machine.state_of(name), "running", "state")
    with Terminal(machine.command("attach", name)) as terminal:
        terminal.press("echo kept $KEPT\r")
        terminal.expect_text("kept yes")
        terminal.press("exit\r")
        terminal.expect_exit(0)


@test(only=EMULATION)
def the_first_detach_key_alone_reaches_the_program(machine):
    with Terminal(machine.command("exec", "-it", box(machine), "sh", "-c",
                                  "stty raw -echo; echo ready; head -c 2 | od -An -tx1")) as terminal:
        terminal.expect_text("ready")
        terminal.press(CTRL_P + "x")
        terminal.expect_text("10 78")
        terminal.expect_exit(0)


@test(only=EMULATION)
def a_killed_command_leaves_the_terminal_as_it_was(machine):
    name = new_name()
    with shell(machine, name) as terminal:
        terminal.expect_text("prompt> ", 60)
        machine.danchi("kill", name)
        terminal.expect_exit(137)
        terminal.expect_settings_restored()


@test(only=EMULATION)
def a_client_ended_by_sigterm_leaves_the_terminal_as_it_was(machine):
    with shell(machine, new_name()) as terminal:
        terminal.expect_text("prompt> ", 60)
        terminal.signal(signal.SIGTERM)
        wait_until(lambda: terminal.process.poll() is not None or terminal.read_some(0.1),
                   "the client ends", 10)
        terminal.expect_settings_restored()


@test(only=EMULATION)
def a_terminal_needs_a_terminal(machine):
    result = machine.danchi("run", "-it", "--rm", *in_box(machine), image(machine), "true", check=False)
    expect(result.status in (2, 125), f"exit status {result.status}")
    expect("TTY" in result.stderr or "terminal" in result.stderr, f"error: {result.stderr!r}")
    expect_error(result, result.status)


@test(only=EMULATION)
def stats_fit_the_terminal_and_leave_out_what_matters_least(machine):
    name = box(machine)
    for columns, titles in ((160, ["CONTAINER ID", "CONTEXT", "MEM %", "GUEST MEM"]), (120, ["CONTEXT"]), (80, [])):
        with Terminal(machine.command("stats", "--no-stream", name), 24, columns) as terminal:
            shown = terminal.expect_text("PIDS") + terminal.expect_text("\n") + terminal.expect_text("\n")
            lines = shown.replace("\r", "").strip().splitlines()
            expect(len(lines) == 2 and all(len(line) <= columns for line in lines), f"{columns}: {lines}")
            for title in ["NAME", "CPU %", "MEM USAGE / LIMIT", "NET I/O", "BLOCK I/O", "PIDS", *titles]:
                expect(title in lines[0], f"{columns} columns: no {title!r} in {lines[0]!r}")
            expect(name in lines[1], f"{columns}: {lines}")
            print(f"# {lines[0]}\n# {lines[1]}")
