# SPDX-License-Identifier: Apache-2.0
"""Images: loaded without the host parsing them, listed, removed; hostile ones refused."""

import glob
import hashlib
import os
import subprocess
import sys
import time

from machine import ARCHIVES, EMULATION, PATIENCE, TOP, expect, expect_equal, wait_until
from suite import expect_error, image, new_name, test

HOSTILE = os.path.join(TOP, "tests", "images", "hostile.py")


def store_contents(machine):
    """Every file and directory of the store, with its size."""
    found = {}
    for directory, _, names in os.walk(machine.state):
        if any(part in directory for part in ("/log", "/containers", "/seccomp", "/events")):
            continue
        for name in names:
            path = os.path.join(directory, name)
            if "images" in path or "blobs" in path or "staging" in path:
                found[path] = os.path.getsize(path)
    return found


@test("R5.6", only=EMULATION)
def both_archive_formats_give_the_same_image(machine):
    first = machine.json("load", "-i", f"{ARCHIVES}/busybox.tar", timeout=300)[0]
    second = machine.json("load", "-i", f"{ARCHIVES}/busybox-oci.tar", timeout=300)[0]
    for one in first, second:
        result = machine.danchi("run", "--rm", one["id"], "sh", "-c", "cat /etc/passwd | md5sum")
        one["sum"] = result.stdout
    expect_equal(first["sum"], second["sum"], "the same file in both")


@test(only=EMULATION)
def loading_again_is_quick_and_changes_nothing(machine):
    image(machine)
    before = store_contents(machine)
    machine.danchi("load", "-i", f"{ARCHIVES}/busybox.tar", timeout=300)
    expect_equal(store_contents(machine), before, "the store")


@test(only=EMULATION)
def load_reads_standard_input(machine):
    with open(f"{ARCHIVES}/busybox.tar", "rb") as file:
        done = subprocess.run(machine.command("load"), stdin=file, capture_output=True,
                              timeout=300 * PATIENCE)
    expect_equal(done.returncode, 0, f"exit status; stderr: {done.stderr!r}")


@test(only=EMULATION)
def images_lists_and_inspects_what_was_loaded(machine):
    name = image(machine)
    expect(name.split("/")[-1].split(":")[0] in machine.out("images"), "the table lacks it")
    entry = machine.json("images")[0]
    for key in "id", "names", "size_bytes", "layers", "created_us":
        expect(key in entry, f"{key} is missing: {entry}")
    expect(entry["id"] in machine.out("image", "inspect", name), "inspect lacks the id")


@test(only=EMULATION)
def an_image_in_use_is_not_removed(machine):
    name = new_name()
    machine.danchi("create", "--name", name, image(machine), "true")
    expect_error(machine.danchi("image", "rm", image(machine), check=False), 1)
    machine.danchi("run", "--rm", image(machine), "true")


@test("R5.2")
def the_images_root_is_a_read_only_disk_that_guests_share(machine):
    image(machine)
    disks = glob.glob(f"{machine.state}/store/layers/*/layer.erofs")
    expect(disks, "no layer in the store")
    disks += glob.glob(f"{machine.state}/store/images/*/disk.vmdk")
    for path in disks:
        status = os.stat(path)
        expect_equal((status.st_uid, status.st_mode & 0o222), (0, 0), f"owner and w of {path}")


# One for each of the unpacker's steps and for the host's limits, by the words of its refusal.  Each boots
# a guest; the unpacker's own test (tests/unit/test-unpack-run.c) takes every archive of hostile.py.
ATTACKS = ("cannot decompress", "duplicate object key", "has the wrong digest", "the name has '..'",
           "the files are larger than the limit")


def hostile_cases(machine):
    cases, left = [], list(ATTACKS)
    directory = f"{machine.run}/hostile"
    subprocess.run([sys.executable, HOSTILE, directory], check=True, stdout=subprocess.DEVNULL)
    with open(f"{directory}/index") as index:
        for line in index:
            name, _, words = line.rstrip("\n").partition(" ")
            if words in left:
                left.remove(words)
                cases.append((os.path.join(directory, name), words))
    expect(not left, f"hostile.py has no archive for {left}")
    return cases


@test("R5.2", seconds=600, only=EMULATION)
def a_hostile_archive_ends_in_one_error_and_an_unchanged_store(machine):
    image(machine)
    before = store_contents(machine)
    wrong = []
    for path, words in hostile_cases(machine):
        name = os.path.basename(path)
        result = machine.danchi("load", "-i", path, check=False, timeout=300)
        lines = result.stderr.splitlines()
        if result.status != 1:
            wrong.append(f"{name}: exit status {result.status}: {result.stderr!r}")
        elif not lines or not lines[0].startswith("danchi: ") or words not in result.stderr:
            wrong.append(f"{name}: wanted {words!r} in {result.stderr!r}")
        if store_contents(machine) != before:
            changed = set(store_contents(machine).items()) ^ set(before.items())
            wrong.append(f"{name}: the store changed: {sorted(changed)[:4]}")
            before = store_contents(machine)
    expect(not wrong, "\n".join(wrong))


@test("R5.2", only=EMULATION)
def what_is_no_archive_is_refused(machine):
    image(machine)
    before = store_contents(machine)
    for data in b"", b"hello", os.urandom(100000):
        result = machine.danchi("load", input=data, check=False, timeout=300)
        expect_error(result, 1 if data else 2)  # nothing at all on stdin is wrong usage
    expect_equal(store_contents(machine), before, "the store")


@test(only=EMULATION)
def a_load_that_is_interrupted_leaves_nothing(machine):
    image(machine)
    before = store_contents(machine)
    client = machine.spawn("load", stdin=subprocess.PIPE)
    with open(f"{ARCHIVES}/busybox.tar", "rb") as file:
        client.stdin.write(file.read(50000))
        client.stdin.flush()
    time.sleep(0.5)
    client.kill()
    client.wait()
    wait_until(lambda: store_contents(machine) == before, "the store is as before")


@test("R2.5", only=EMULATION)
def the_digest_of_an_image_is_that_of_its_config(machine):
    identity = machine.json("image", "inspect", image(machine))[0]["id"]
    expect(len(identity) == 64 and int(identity, 16) >= 0, f"id: {identity!r}")
    import json
    import tarfile
    with tarfile.open(f"{ARCHIVES}/busybox.tar") as archive:
        config = json.load(archive.extractfile("manifest.json"))[0]["Config"]
        digest = hashlib.sha256(archive.extractfile(config).read()).hexdigest()
    expect_equal(identity, digest, "id")
