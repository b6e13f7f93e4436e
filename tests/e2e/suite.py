# SPDX-License-Identifier: Apache-2.0
"""How an end-to-end test is written and found.

    @test("R1.1")
    def contexts_have_kernels_of_their_own(machine): ...

The name is the sentence that is printed, the words in the decorator are the demands it meets.  A
test gets the machine with danchid running; containers it leaves behind are removed after it.
"""

import contextlib
import itertools
import json
import os
import subprocess

from machine import ARCHIVES, expect

BOX = "keep-box"
BOX_CONTEXT = "e2e-box"

tests = []
_numbers = itertools.count(1)


class Skip(Exception):
    """Raised by a test that cannot run here, with the reason."""


def test(*demands, seconds=120, only=None):
    """seconds: the test's time; only: the one mode (machine.EMULATION, .KVM) it runs in.

    What belongs to one mode: what can only be seen there, and, since the lab is slow, what shows
    nothing of transport, accelerator or kernel."""
    def add(function):
        function.demands, function.seconds, function.only = demands, seconds, only
        function.sentence = function.__name__.replace("_", " ")
        function.group = function.__module__.removeprefix("test_")
        tests.append(function)
        return function
    return add


def new_name(prefix="t"):
    return f"{prefix}{next(_numbers)}"


def image(machine):
    """The small test image, loaded once."""
    if not hasattr(machine, "image"):
        loaded = machine.json("load", "-i", f"{ARCHIVES}/busybox.tar", timeout=300)
        names = loaded[0]["names"]
        machine.image = names[0] if names else loaded[0]["id"]
    return machine.image


def box(machine):
    """A running container that the tests share, to exec in."""
    entry = machine.container(BOX)
    if entry and entry["state"] != "running":
        machine.danchi("rm", "-f", BOX)
        entry = None
    if not entry:
        if BOX_CONTEXT not in [one["name"] for one in machine.json("context", "ls")]:
            create_context(machine, BOX_CONTEXT)
        machine.danchi("run", "-d", "--name", BOX, "--context", BOX_CONTEXT, image(machine),
                       "sleep", "1000000")
    return BOX


def in_box(machine):
    """Flags for a container beside the shared one: its guest runs already, which saves a boot.  For
    tests that look at containers; those that look at guests start fresh ones."""
    box(machine)
    return "--context", BOX_CONTEXT


def place(machine, flags, fresh):
    return () if fresh or "--context" in flags else in_box(machine)


def create_context(machine, name, tenant="acme", stage="test", tier="backend"):
    machine.danchi("context", "create", "--tenant", tenant, "--stage", stage, "--tier", tier, name)
    return name


@contextlib.contextmanager
def context(machine, tenant="acme", stage="test", tier="backend"):
    """A context for the length of a with statement."""
    name = create_context(machine, new_name("e2e-c"), tenant, stage, tier)
    try:
        yield name
    finally:
        machine.danchi("context", "rm", "-f", name, check=False)


@contextlib.contextmanager
def as_the_hosts_own(own):
    """What danchi reads where no directory is named.  Cell and lab have mounts of their own."""
    os.makedirs("/var/lib/danchi", exist_ok=True)
    subprocess.run(["mount", "--bind", own.state, "/var/lib/danchi"], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "/var/lib/danchi"], check=True)


def run_sh(machine, script, *flags, check=True, fresh=False, **options):
    """`danchi run --rm FLAGS IMAGE sh -c SCRIPT`, in a guest of its own only where it is fresh."""
    return machine.danchi("run", "--rm", *place(machine, flags, fresh), *flags, image(machine), "sh",
                          "-c", script, check=check, **options)


def exec_sh(machine, script, *flags, container=None, check=True, **options):
    """`danchi exec FLAGS CONTAINER sh -c SCRIPT`, in the shared box where none is named."""
    return machine.danchi("exec", *flags, container or box(machine), "sh", "-c", script,
                          check=check, **options)


def start_sh(machine, script, *flags, name=None, fresh=False):
    """`danchi run -d`, likewise; returns the container's name."""
    name = name or new_name()
    machine.danchi("run", "-d", "--name", name, *place(machine, flags, fresh), *flags,
                   image(machine), "sh", "-c", script)
    return name


def expect_error(result, status, *words):
    """One line that begins with `danchi: ` and holds all words, and perhaps hint lines after it."""
    result.expect_status(status)
    lines = result.stderr.splitlines()
    expect(lines and lines[0].startswith("danchi: "), f"no error line: {result.stderr!r}")
    for word in words:
        expect(word.lower() in result.stderr.lower(), f"{word!r} is not in {result.stderr!r}")


def machine_json_events(machine, name):
    """The events so far of the container with that name."""
    lines = machine.out("--format", "json", "events", "--since", "60m").splitlines()
    return [event for event in map(json.loads, lines) if event.get("name") == name]
