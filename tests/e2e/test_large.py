# SPDX-License-Identifier: Apache-2.0
"""A large image: unpacked within stated limits, and gone when its load is cancelled.

docs/images.md, "Limits", has these numbers; `make bench` takes them of one that is twenty times larger."""

import os
import signal
import subprocess
import sys
import time

from machine import EMULATION, PATIENCE, TOP, expect, proc_status, wait_until
from suite import image, test
from test_images import store_contents

LARGE = os.path.join(TOP, "tests", "images", "large.py")
FILES, SIZE = 15000, 80 << 20
LOAD_S, DANCHID_KIB = 120, 64 << 10


def archive(machine):
    path = f"{machine.run}/large.tar"
    if not os.path.exists(path):
        subprocess.run([sys.executable, LARGE, path, "--name", "localhost/large:e2e", "--layer",
                        f"7:{FILES}:{SIZE}"], check=True)
    return path


def everything(machine):
    """What a load makes: in the store, of guests' files, and processes."""
    files = {os.path.join(directory, name) for directory, _, names in os.walk(f"{machine.run}/guests")
             for name in names}
    return (store_contents(machine), files, machine.guest_processes("qemu-system"),
            machine.guest_processes("danchi-relay"))


def heed_ctrl_c():
    """A shell starts what goes on in the background with SIGINT ignored, and that is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@test("R5.2", only=EMULATION, seconds=240)
def a_load_that_is_cancelled_with_ctrl_c_leaves_no_file_guest_or_process(machine):
    image(machine)
    archive(machine)
    before = everything(machine)
    for wait_s in 0, 4:
        client = machine.spawn("load", "-i", archive(machine), start_new_session=True, preexec_fn=heed_ctrl_c)
        wait_until(lambda: everything(machine)[2] != before[2], "a guest unpacks", 60)
        time.sleep(wait_s)
        expect(client.poll() is None, "it is done already; make the image larger")
        os.killpg(client.pid, signal.SIGINT)
        expect(client.wait(30 * PATIENCE) != 0, "a cancelled load ended with 0")
        wait_until(lambda: everything(machine) == before, "all is as before", 30)


@test("R5.2", only=EMULATION, seconds=300)
def fifteen_thousand_files_in_80_mib_are_unpacked_within_stated_limits(machine):
    started = time.monotonic()
    loaded = machine.json("load", "-i", archive(machine), timeout=280)[0]
    took = time.monotonic() - started
    highest_kib = int(proc_status(machine.daemon.pid)["VmHWM"].split()[0])
    found = machine.json("image", "inspect", loaded["id"])[0]
    expect(FILES <= found["files"] <= FILES + 300, f"files: {found['files']}")
    expect(took <= LOAD_S * PATIENCE, f"took {took:.0f} s")
    expect(highest_kib <= DANCHID_KIB, f"danchid's highest: {highest_kib} KiB")
    machine.danchi("image", "rm", loaded["id"])
