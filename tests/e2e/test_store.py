# SPDX-License-Identifier: Apache-2.0
"""The store: layers kept once, whole or not at all, whatever dies or fills up."""

import contextlib
import glob
import os
import shutil
import stat
import subprocess

from layered import busybox_layer, layer, write_archive
from machine import EMULATION, PATIENCE, expect, expect_equal, wait_until
from suite import expect_error, image, test
from test_images import store_contents


def layers_of(machine):
    return {path.split("/")[-2] for path in glob.glob(f"{machine.state}/store/layers/*/layer.erofs")}


def archive(machine, name, *layers):
    path = f"{machine.run}/{name}.tar"
    write_archive(path, f"{name}:1", layers)
    return path


def is_sound(machine):
    """By the store's own verification: every blob and every disk is hashed."""
    result = machine.danchi("image", "verify", check=False, timeout=300)
    expect_equal(result.status, 0, f"image verify: {result.stdout}{result.stderr}")


def run(machine, name, script):
    return machine.out("run", "--rm", name, "sh", "-c", script, timeout=200)


@test("R5.2", "R5.6", only=EMULATION, seconds=600)
def images_that_share_layers_keep_them_once_also_when_loaded_at_the_same_time(machine):
    image(machine)
    before = layers_of(machine)
    # Over the test image's own layer, which is there, one that neither is first to make.
    shared = layer({"shared": b"of both\n", "both/a": b"a\n", "both/b": b"b\n"}, ("both",))
    paths = [archive(machine, "left", busybox_layer(), shared,
                     layer({"own": b"left\n", "both/.wh.a": b""})),
             archive(machine, "right", busybox_layer(), shared,
                     layer({"own": b"right\n", "shared": b"changed\n"}))]
    clients = [machine.spawn("load", "-i", path) for path in paths]
    for client in clients:
        _, stderr = client.communicate(timeout=300 * PATIENCE)
        expect_equal(client.returncode, 0, f"exit status of a load; {stderr!r}")
    expect_equal(len(layers_of(machine) - before), 3, "layers that are new")
    expect_equal(run(machine, "left:1", "cat shared own; ls both"), "of both\nleft\nb", "of left")
    expect_equal(run(machine, "right:1", "cat shared own; ls both"), "changed\nright\na\nb",
                 "of right")
    disk = machine.json("image", "inspect", "left:1")[0]["disk"]
    with open(disk) as file:
        expect_equal(sum("FLAT" in line for line in file), 3, f"layers in {disk}")
    machine.danchi("image", "rm", "left:1")
    expect_equal(len(layers_of(machine) - before), 2, "layers without those of one image alone")
    expect_equal(run(machine, "right:1", "cat own"), "right", "what is left still runs")
    is_sound(machine)
    machine.danchi("image", "rm", "right:1")
    expect_equal(layers_of(machine), before, "layers in the end")


def steps(machine, known):
    """What is there, on the disk, when a load has come so far."""
    staging = f"{machine.state}/store/staging/*"
    return {"the archive is read": lambda: glob.glob(f"{staging}/plain"),
            "the first layer is made": lambda: glob.glob(f"{staging}/output"),
            "the second layer is made": lambda: layers_of(machine) - known}


@test("R5.2", seconds=900, only=EMULATION)
def a_daemon_that_is_killed_in_the_middle_of_a_load_leaves_a_sound_store(machine):
    image(machine)
    before, known = store_contents(machine), layers_of(machine)
    path = archive(machine, "killed", layer({"first": b"1"}), layer({"second": b"2"}))
    for words, has_come in steps(machine, known).items():
        client = machine.spawn("load", "-i", path)
        wait_until(has_come, words, 120)
        machine.kill_daemon()
        client.wait()
        machine.start()
        expect_equal(store_contents(machine), before, f"the store, killed when {words}")
    machine.danchi("load", "-i", path, timeout=300)
    is_sound(machine)
    machine.danchi("image", "rm", "killed:1")
    expect_equal(store_contents(machine), before, "the store in the end")


@contextlib.contextmanager
def room_for_one_guest(machine):
    machine.more_settings = "unpack_total_memory_mib = 1\n"
    machine.restart()
    try:
        yield
    finally:
        machine.more_settings = ""
        machine.restart()


@test("R5.2", seconds=400, only=EMULATION)
def a_load_that_is_interrupted_leaves_nothing_and_its_memory_to_the_next(machine):
    image(machine)
    before, known = store_contents(machine), layers_of(machine)
    others = set(machine.guest_ids())
    # So many that it is not over before it is cut short.
    path = archive(machine, "cut", *(layer({f"file{i}": b"x"}) for i in range(12)))
    with room_for_one_guest(machine):
        cut = machine.spawn("load", "-i", path)
        wait_until(steps(machine, known)["the archive is read"], "its guest is there", 60)
        waiting = machine.spawn("load", "-i", archive(machine, "next", layer({"third": b"3"})))
        wait_until(steps(machine, known)["the second layer is made"], "one layer", 120)
        expect_equal(len(glob.glob(f"{machine.state}/store/staging/*/archive")), 2, "archives")
        expect_equal(len(set(machine.guest_ids()) - others), 1, "guests while one load waits")
        expect_equal(waiting.poll(), None, "the one that waits")
        cut.kill()
        cut.wait()
        _, stderr = waiting.communicate(timeout=200 * PATIENCE)
        expect_equal(waiting.returncode, 0, f"the one that waited; {stderr!r}")
        machine.danchi("image", "rm", "next:1")
    wait_until(lambda: store_contents(machine) == before, "the store is as before", 30)
    wait_until(lambda: set(machine.guest_ids()) == others, "no guest is left", 30)


def libvirts():
    """Processes of libvirtd: it may see mounts of its own (tests/tools/host.sh)."""
    for path in glob.glob("/proc/[0-9]*/comm"):
        with contextlib.suppress(OSError), open(path) as file:
            if file.read().strip() == "libvirtd":
                yield path.split("/")[2]


@contextlib.contextmanager
def loop_device(machine, mib):
    """A node for it in danchid's directory: libvirtd's /dev is its own."""
    disk, node = f"{machine.state}/disk", f"{machine.state}/device"
    subprocess.run(["truncate", "-s", f"{mib}M", disk], check=True)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", disk], check=True)
    loop = subprocess.run(["losetup", "--find", "--show", disk], check=True, capture_output=True,
                          text=True).stdout.strip()
    try:
        os.mknod(node, stat.S_IFBLK | 0o600, os.stat(loop).st_rdev)
        yield node
    finally:
        subprocess.run(["losetup", "-d", loop], check=True)
        for path in disk, node:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


@contextlib.contextmanager
def small_store(machine, mib):
    """danchid with an empty store on a disk of its own."""
    store = f"{machine.state}/store"
    machine.stop()
    with contextlib.ExitStack() as stack:
        stack.callback(machine.start)
        device = stack.enter_context(loop_device(machine, mib))
        for prefix in [], *(["nsenter", "-t", pid, "-m"] for pid in libvirts()):
            subprocess.run([*prefix, "mount", device, store], check=True)
            stack.callback(subprocess.run, [*prefix, "umount", store], check=True)
        stack.callback(machine.stop)
        machine.start()
        yield store


def fill(store, free_kib):
    """Leaves so much room on its disk."""
    filler = f"{store}/filler"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(filler)
    size = shutil.disk_usage(store).free - free_kib * 1024
    subprocess.run(["fallocate", "-l", str(size), filler], check=True)


@test("R5.2", seconds=600, only=EMULATION)
def a_full_disk_is_one_clear_error_and_leaves_no_part_of_an_image(machine):
    image(machine)
    path = archive(machine, "full", layer({f"file{i}": os.urandom(1 << 20) for i in range(4)}))
    kib = os.path.getsize(path) // 1024
    with small_store(machine, 256) as store:
        # Room for half of the archive; for it and half of its blob; for both and little more.
        for free in kib // 2, kib * 3 // 2, kib * 2 + 1024:
            fill(store, free)
            before = store_contents(machine)
            result = machine.danchi("load", "-i", path, check=False, timeout=300)
            expect_error(result, 1)
            expect("disk is full" in result.stderr, f"with {free} KiB: {result.stderr!r}")
            expect_equal(store_contents(machine), before, f"the store, with {free} KiB")
        os.unlink(f"{store}/filler")
        machine.danchi("load", "-i", path, timeout=300)
        is_sound(machine)
    expect(machine.json("images"), "the store of before is there again")
