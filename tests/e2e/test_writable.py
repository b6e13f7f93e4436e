# SPDX-License-Identifier: Apache-2.0
"""Writable roots: in memory and on an encrypted scratch disk, of bounded size, gone with the
container."""

import glob
import os

from machine import EMULATION, expect, expect_equal, kill9, wait_until
from suite import expect_error, image, in_box, new_name, run_sh, test

MARKER = "tangerine-marmalade-in-the-cellar"


def scratch_files(machine):
    return glob.glob(os.path.join(machine.state, "guests", "*", "*.raw"))


def holds(path, text):
    """Whether a file has the text anywhere, read in pieces: it is sparse."""
    size, overlap = 1 << 20, len(text) - 1
    with open(path, "rb") as file:
        before = b""
        while piece := file.read(size):
            if text.encode() in before + piece:
                return True
            before = piece[-overlap:]
    return False


@test("R5.7")
def a_full_writable_layer_is_an_error_of_its_container_alone(machine):
    script = ("dd if=/dev/zero of=/big bs=64k count=400 2>&1; echo $(stat -c %s /big);"
              " rm /big; echo again > /small && cat /small")
    done = run_sh(machine, script, "--writable=memory:8m", "-u", "0")
    expect("No space left on device" in done.stdout, f"no ENOSPC in {done.stdout!r}")
    expect(done.stdout.endswith("again\n"), f"cannot be written after it: {done.stdout!r}")
    size = int(done.stdout.split("\n")[-3])
    expect(6 << 20 <= size <= 8 << 20, f"{size} bytes fitted into 8 MiB")


@test("R5.7", "R4.6", seconds=240)
def what_is_written_to_a_scratch_disk_is_noise_on_the_host(machine):
    """In a guest that runs: the disk is attached, and taken away with the container."""
    before = scratch_files(machine)
    name = new_name("disk")
    machine.danchi("run", "-d", "--name", name, "-u", "0", "--writable=disk:64m", *in_box(machine),
                   image(machine), "sleep", "1000")
    files = [one for one in scratch_files(machine) if one not in before]
    expect_equal(len(files), 1, "scratch files of one container")
    status = os.stat(files[0])
    expect_equal(status.st_mode & 0o777, 0o600, "its mode")
    expect(status.st_uid >= 200001, f"it belongs to uid {status.st_uid}, not to its guest's")
    script = (f"i=0; while [ $i -lt 2000 ]; do echo {MARKER}; i=$((i+1)); done > /marker;"
              " sync; grep -c tangerine /marker; df -m / | tail -1; echo x > /etc/passwd.new")
    out = machine.out("exec", "-u", "0", name, "sh", "-c", script)
    expect_equal(out.split("\n")[0], "2000", "lines that were written")
    total = int(out.split("\n")[1].split()[1])
    expect(48 <= total <= 64, f"the root has {total} MiB, of a disk of 64")
    wait_until(lambda: os.stat(files[0]).st_blocks * 512 > (64 << 10), "the disk was written to")
    expect(not holds(files[0], MARKER), "the host's file holds what the container wrote")
    expect(not holds(files[0], "lost+found"), "the host's file holds the file system's names")
    full = machine.danchi("exec", "-u", "0", name, "sh", "-c",
                          "dd if=/dev/zero of=/big bs=1M count=80; rm -f /big; echo ok > /y", timeout=120)
    expect("No space left on device" in full.stderr, f"no ENOSPC: {full.stderr!r}")
    options = machine.out("exec", name, "sh", "-c", "grep ' / ' /proc/self/mountinfo")
    expect("nosuid" in options and "nodev" in options, f"the root is mounted {options!r}")
    machine.danchi("rm", "-f", name)
    expect_equal(scratch_files(machine), before, "scratch files after rm")
    machine.danchi("run", "--rm", *in_box(machine), image(machine), "true")


@test("R5.7", seconds=240, only=EMULATION)
def a_scratch_disk_is_gone_with_its_guest_however_it_ends(machine):
    name = new_name("disk")
    machine.danchi("run", "-d", "--name", name, "-u", "0", "--writable=disk:32m", image(machine),
                   "sh", "-c", "echo kept > /here; sleep 1000")
    expect_equal(len(scratch_files(machine)), 1, "scratch files")
    wait_until(lambda: machine.danchi("exec", name, "cat", "/here", check=False).stdout == "kept\n",
               "the container has written")
    machine.kill_daemon()
    for pid in machine.guest_processes("qemu-system-x86_64"):
        kill9(pid)
    machine.start()
    machine.danchi("gc")
    expect_equal(scratch_files(machine), [], "scratch files after gc")
    wait_until(lambda: machine.state_of(name) == "exited", "the container is known to have ended")
    machine.danchi("rm", "-f", name)


@test("R5.7", only=EMULATION)
def a_scratch_disk_larger_than_the_host_gives_is_refused(machine):
    for size, words in (("disk:20g", "scratch_mib"), ("disk:1m", "16m"),
                        ("tape", "must be memory or disk")):
        result = machine.danchi("run", "--rm", f"--writable={size}", image(machine), "true",
                                check=False)
        expect_error(result, 125, words)
