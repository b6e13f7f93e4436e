# SPDX-License-Identifier: Apache-2.0
"""The life of the store: what is kept, said of it, given out again, removed; what crashes, full disks
and many commands at a time leave of it."""

import contextlib
import hashlib
import io
import json
import os
import random
import re
import shutil
import subprocess
import tarfile
import threading
import time

from machine import ARCHIVES, EMULATION, PATIENCE, expect, expect_equal
from suite import expect_error, image, in_box, new_name, test

ROUNDS = int(os.environ.get("STORE_ROUNDS", "12"))
DERIVED = "localhost/store/derived:1"
TIME = 1700000000
HEX = re.compile("^[0-9a-f]{64}$")


def digest(data):
    return hashlib.sha256(data).hexdigest()


def tar_of(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(data), TIME, 0o644
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def write_derived(path, name=DERIVED, content=b"derived\n"):
    """An image of the test image's layer and one over it, with a history of four steps."""
    with tarfile.open(f"{ARCHIVES}/busybox.tar") as tar:
        base = tar.extractfile(json.load(tar.extractfile("manifest.json"))[0]["Layers"][0]).read()
    layers = [base, tar_of([("srv/derived", content)])]
    config = json.dumps({
        "created": "2024-01-02T03:04:05Z", "architecture": "amd64", "os": "linux",
        "config": {"Cmd": ["/bin/cat", "/srv/derived"], "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest(one) for one in layers]},
        "history": [{"created": "2024-01-01T00:00:00Z", "created_by": "ADD rootfs"},
                    {"created_by": "ENV A=\u001b[2J\u202e", "empty_layer": True},
                    {"created": "2024-01-02T03:04:05Z", "created_by": "COPY derived /srv"},
                    {"created_by": "CMD cat", "empty_layer": True}]}).encode()
    manifest = json.dumps([{"Config": digest(config) + ".json", "RepoTags": [name],
                            "Layers": [digest(one) + "/layer.tar" for one in layers]}]).encode()
    with open(path, "wb") as file:
        file.write(tar_of([(digest(config) + ".json", config), ("manifest.json", manifest)]
                          + [(digest(one) + "/layer.tar", one) for one in layers]))
    return path


def derived(machine):
    """The image that shares its base with the test image."""
    image(machine)
    if DERIVED not in [name for one in machine.json("images") for name in one["names"]]:
        machine.danchi("load", "-i", write_derived(f"{machine.run}/derived.tar"), timeout=300)
    return DERIVED


def inspect(machine, name):
    return machine.json("image", "inspect", name)[0]


def store_names(machine, kind):
    path = f"{machine.state}/store/{kind}"
    return set(os.listdir(path)) if os.path.isdir(path) else set()


def expect_sound(machine, what):
    """image verify finds nothing, and after gc the store has what its images need and no more."""
    result = machine.danchi("image", "verify", "--all", check=False, timeout=120)
    expect_equal(result.status, 0, f"image verify {what}: {result.stdout} {result.stderr}")
    machine.danchi("gc")
    images = [inspect(machine, one["id"]) for one in machine.json("images")]
    layers = {layer["key"] for one in images for layer in one["layers"]}
    blobs = {layer["blob"] for one in images for layer in one["layers"]}
    blobs |= {one["id"] for one in images}
    blobs |= {one["manifest_sha256"] for one in images if one["manifest_sha256"].strip("0")}
    expect_equal(store_names(machine, "images"), {one["id"] for one in images}, f"images {what}")
    expect_equal(store_names(machine, "layers"), layers, f"layers {what}")
    expect_equal(store_names(machine, "blobs/sha256"), blobs, f"blobs {what}")
    expect_equal(store_names(machine, "staging"), set(), f"staging {what}")


@test("R5.9", "R5.5", seconds=400, only=EMULATION)
def a_shared_base_is_kept_once_and_shown(machine):
    derived(machine)
    base, one = inspect(machine, image(machine)), inspect(machine, DERIVED)
    expect_equal(len(one["layers"]), 2, "layers of the derived image")
    expect_equal(one["layers"][0]["key"], base["layers"][0]["key"], "key of the base")
    expect_equal(one["base_layers"], 1, "layers of the base")
    shared = [other["id"] for other in one["layers"][0]["shared_with"]]
    expect(base["id"] in shared, f"the base is shared with {shared}")
    expect_equal(one["layers"][1]["shared_with"], [], "who shares the upper layer")
    expect_equal(one["shared_bytes"], one["layers"][0]["size_bytes"], "shared bytes")
    expect_equal(one["own_bytes"], one["layers"][1]["size_bytes"], "own bytes")
    expect(one["age_days"] > 300, f"age: {one['age_days']}")
    expect(all(HEX.match(layer["root_hash"]) for layer in one["layers"]), "root hashes")
    table = machine.out("images").splitlines()
    row = next(line for line in table if line.startswith("localhost/store/derived"))
    expect("SHARED" in table[0] and "MiB" in row, f"the table: {table}")


@test("R5.9", seconds=400, only=EMULATION)
def the_history_names_steps_and_layers(machine):
    derived(machine)
    history = machine.json("image", "history", DERIVED)
    keys = [layer["key"] for layer in inspect(machine, DERIVED)["layers"]]
    expect_equal([step.get("layer") for step in history], [None, keys[1], None, keys[0]], "layers")
    expect_equal([step["size_bytes"] > 0 for step in history], [False, True, False, True], "sizes")
    expect_equal(history[1]["created"], "2024-01-02T03:04:05Z", "time of a step")
    result = machine.danchi("image", "history", "--no-trunc", DERIVED)
    for byte in b"\x1b\x07", "\u202e".encode():
        expect(byte not in result.raw_stdout, f"{byte!r} reaches the terminal")


@test(seconds=400, only=EMULATION)
def names_move_and_images_without_names_are_pruned(machine):
    derived(machine)
    first, second = inspect(machine, image(machine))["id"], inspect(machine, DERIVED)["id"]
    machine.danchi("tag", DERIVED, "moves:1")
    machine.danchi("tag", image(machine), "moves:1")
    expect_equal(inspect(machine, "moves:1")["id"], first, "the name moved")
    expect_equal(machine.out("untag", "moves:1"), "name localhost/moves:1", "untag")
    expect_error(machine.danchi("untag", "moves:1", check=False), 1, "not in the store")
    expect_error(machine.danchi("tag", DERIVED, "no such name!", check=False), 2)
    machine.danchi("untag", DERIVED)
    expect_equal(machine.json("images", "--filter", "dangling=true")[0]["id"], second, "dangling")
    dry = machine.json("image", "prune", "--dry-run")
    expect_equal([one["id"] for one in dry["images"]], [second], "what would go")
    own = machine.json("images", "--filter", "dangling=true")[0]["own_bytes"]
    expect(dry["reclaimed_bytes"] >= own, f"{dry['reclaimed_bytes']} of {own} bytes")
    expect_equal(machine.json("image", "prune", "--filter", "until=10h")["images"], [], "too young")
    container = new_name()
    machine.danchi("create", "--name", container, second, "true")
    for flags in (), ("-a",):
        pruned = [one["id"] for one in machine.json("image", "prune", "-n", *flags)["images"]]
        expect(second not in pruned, f"an image in use would go: {pruned}")
    expect_equal(machine.json("image", "prune")["images"], [], "in use")
    machine.danchi("rm", container)
    machine.danchi("tag", second, DERIVED)
    expect_equal(machine.json("image", "prune")["images"], [], "it has a name again")
    expect_sound(machine, "after pruning")


def skopeo(*words):
    done = subprocess.run(["skopeo", "--insecure-policy", *words], capture_output=True, text=True,
                          timeout=120 * PATIENCE)
    expect_equal(done.returncode, 0, f"skopeo {words}: {done.stderr}")
    return done.stdout


@test("R5.6", only=EMULATION, seconds=900)
def what_is_saved_is_the_same_image_for_everybody(machine):
    derived(machine)
    before = inspect(machine, DERIVED)
    docker, oci = f"{machine.run}/saved.tar", f"{machine.run}/saved-oci.tar"
    machine.danchi("save", "-o", docker, DERIVED, image(machine))
    machine.danchi("save", "--format", "oci", "-o", oci, DERIVED)
    config = json.loads(skopeo("inspect", "--config", f"docker-archive:{docker}:{DERIVED}"))
    expect_equal(config["rootfs"]["diff_ids"],
                 ["sha256:" + layer["diff_id"] for layer in before["layers"]], "diff ids")
    for number, source in enumerate((f"docker-archive:{docker}:{DERIVED}",
                                     f"oci-archive:{oci}:{DERIVED}")):
        out = f"{machine.run}/copied{number}"
        skopeo("copy", source, f"dir:{out}")
        with open(f"{out}/manifest.json") as file:
            expect_equal(json.load(file)["config"]["digest"], "sha256:" + before["id"], source)
        shutil.rmtree(out)
    # Standard output has the same bytes, and a terminal gets none.
    piped = machine.danchi("save", DERIVED, image(machine)).raw_stdout
    with open(docker, "rb") as file:
        expect(piped == file.read(), "the archive on standard output differs")
    # Removed and loaded again: the same in every part.
    machine.danchi("image", "rm", DERIVED)
    machine.danchi("load", "-i", docker, "--reference", DERIVED, timeout=300)
    after = inspect(machine, DERIVED)
    for part in "id", "layers", "history", "config":
        expect_equal(after[part], before[part], part)
    loaded = machine.json("load", "-i", oci, timeout=300)[0]
    expect_equal((loaded["id"], loaded["names"]), (before["id"], [DERIVED]), "loaded from OCI")
    expect_sound(machine, "after loading what was saved")


@contextlib.contextmanager
def damaged(path, offset=None):
    """One byte of a file of the store is changed, or the whole is away for a while."""
    if offset is None:
        os.rename(path, path + ".away")
    else:
        flip(path, offset)
    try:
        yield
    finally:
        if offset is None:
            os.rename(path + ".away", path)
        else:
            flip(path, offset)


def flip(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 1]))


@test("R4.6", seconds=400, only=EMULATION)
def verify_names_each_damaged_thing_with_a_remedy(machine):
    derived(machine)
    store = f"{machine.state}/store"
    one = inspect(machine, DERIVED)
    upper, lower = one["layers"][1], one["layers"][0]
    layer = f"{store}/layers/{upper['key']}/layer.erofs"
    cases = (
        (layer, 4096, "block 1 is not what its hash tree promises"),
        (layer, upper["data_blocks"] * 4096, "root hash"),
        (layer, None, "is missing"),
        (f"{store}/blobs/sha256/{lower['blob']}", 700, "not those of its digest"),
        (f"{store}/blobs/sha256/{one['id']}", None, "is missing"),
        (f"{store}/images/{one['id']}/image.json", 3, "image.json"),
    )
    for path, offset, words in cases:
        with damaged(path, offset):
            result = machine.danchi("image", "verify", check=False, timeout=120)
            expect_equal(result.status, 1, f"{path} at {offset}: {result.stdout}")
            expect(words in result.stdout and "remedy: " in result.stdout, result.stdout)
            named = machine.danchi("image", "verify", DERIVED, check=False, timeout=120)
            expect_equal(named.status, 1, f"{path} at {offset}, by name")
    # What the other image does not need is not its damage.
    with damaged(layer, 4096):
        machine.danchi("image", "verify", image(machine), timeout=120)
    os.chmod(layer, 0o666)
    result = machine.danchi("image", "verify", check=False, timeout=120)
    os.chmod(layer, 0o444)
    expect("could have been written by others" in result.stdout, result.stdout)
    # A blob that is damaged ends no archive.
    out = f"{machine.run}/never.tar"
    with damaged(f"{store}/blobs/sha256/{lower['blob']}", 700):
        expect_error(machine.danchi("save", "-o", out, DERIVED, check=False), 1, "digest")
    expect(not os.path.exists(out), "there is an archive of damaged bytes")
    expect_sound(machine, "after the damage was mended")


# What goes on while danchid is killed; test_store.py does it during a load.  Commands that end soon
# come again until it is gone.
VICTIMS = (("image", "rm", "-f", DERIVED), ("image", "prune", "-a"), ("tag", DERIVED, "again:1"),
           ("untag", DERIVED), ("save", "-o", "/dev/null", DERIVED), ("image", "verify"),
           ("gc",))


def kill_during(machine, words, seconds):
    client = machine.spawn(*words)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if client.poll() is not None:
            client = machine.spawn(*words)
        time.sleep(0.002)
    machine.kill_daemon()
    client.wait(30 * PATIENCE)


@test("R4.6", seconds=900, only=EMULATION)
def kill_9_at_any_moment_leaves_a_sound_store(machine):
    derived(machine)
    chance = random.Random(int(os.environ.get("CHAOS_SEED", "7")))
    machine.remove_all()
    machine.stop()
    store, kept = f"{machine.state}/store", f"{machine.state}/store-kept"
    shutil.copytree(store, kept)
    try:
        for number in range(ROUNDS):
            words = VICTIMS[number % len(VICTIMS)]
            machine.start()
            kill_during(machine, words, chance.uniform(0.01, 0.4))
            machine.start()
            expect_sound(machine, f"after round {number}, killed during {' '.join(words)}")
            machine.stop()
            shutil.rmtree(store)
            shutil.copytree(kept, store)
    finally:
        if machine.daemon and machine.daemon.poll() is None:
            machine.stop()
        shutil.rmtree(store, ignore_errors=True)
        os.rename(kept, store)
        machine.start()
    expect_sound(machine, "at the end")


@test(seconds=600, only=EMULATION)
def commands_beside_each_other_lose_no_image_in_use(machine):
    derived(machine)
    container, problems = new_name(), []
    machine.danchi("run", "-d", "--name", container, *in_box(machine), image(machine), "sleep", "10000")
    end = time.monotonic() + 12 * PATIENCE

    def again(*words, allowed=(0, 1)):
        while time.monotonic() < end:
            result = machine.danchi(*words, check=False, timeout=120)
            if result.status not in allowed or "Traceback" in result.stderr:
                problems.append((words, result.status, result.stderr))

    def create_and_remove():
        while time.monotonic() < end:
            name = new_name("beside")
            if machine.danchi("create", "--name", name, DERIVED, "true", check=False).status == 0:
                # From here on its image is in use; names come and go.
                identity = machine.inspect(name)["image_id"]
                if machine.danchi("image", "inspect", identity, check=False).status != 0:
                    problems.append(f"the image of {name} is gone")
                machine.danchi("rm", name)
            machine.danchi("load", "-i", f"{machine.run}/derived.tar", check=False, timeout=300)

    write_derived(f"{machine.run}/derived.tar")
    work = [lambda: again("tag", DERIVED, "beside:1"), lambda: again("rmi", "beside:1"),
            lambda: again("image", "prune"), lambda: again("image", "verify", allowed=(0,)),
            lambda: again("save", "-o", "/dev/null", image(machine), allowed=(0,)),
            lambda: again("image", "rm", DERIVED), create_and_remove]
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(not problems, f"{problems[:3]}")
    expect_equal(machine.state_of(container), "running", "the container")
    expect_equal(machine.out("exec", container, "echo", "there"), "there", "its image")
    machine.danchi("rm", "-f", container)
    expect_sound(machine, "after many commands at a time")


@contextlib.contextmanager
def small_store(machine, spare_bytes):
    """The store on a file system with so much room left.  danchid starts anew on it."""
    store = f"{machine.state}/store"
    kept = f"{machine.state}/store-kept"
    machine.remove_all()
    machine.stop()
    os.rename(store, kept)
    os.mkdir(store, 0o711)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512m,mode=711", "small", store], check=True)
    try:
        subprocess.run(["cp", "-a", f"{kept}/.", store], check=True)
        with open(f"{store}/ballast", "wb") as file:
            free = os.statvfs(store).f_bavail * os.statvfs(store).f_frsize
            os.posix_fallocate(file.fileno(), 0, free - spare_bytes)
        machine.start()
        yield store
    finally:
        if machine.daemon and machine.daemon.poll() is None:
            machine.stop()
        subprocess.run(["umount", store], check=True)
        os.rmdir(store)
        os.rename(kept, store)
        machine.start()


def sizes(directory):
    return {path: os.path.getsize(os.path.join(top, path))
            for top, _, names in os.walk(directory) for path in names}


# test_store.py has the moments of a load.
@test(seconds=600, only=EMULATION)
def a_full_disk_gives_one_error_and_no_part_of_an_image(machine):
    derived(machine)
    other = write_derived(f"{machine.run}/other.tar", "localhost/store/other:1", os.urandom(100000))
    with small_store(machine, 0) as store:
        before = sizes(store)
        result = machine.danchi("load", "-i", other, check=False, timeout=300)
        expect_error(result, 1, "disk is full", "danchi image prune")
        expect_error(machine.danchi("tag", DERIVED, "full:1", check=False), 1, "no space")
        expect_error(machine.danchi("image", "inspect", "full:1", check=False), 1)
        expect_equal(sizes(store), before, "the store")
        machine.danchi("image", "verify", timeout=120)
        machine.danchi("image", "rm", DERIVED)
        expect(not [one for one in machine.json("images") if DERIVED in one["names"]],
               "an image cannot be removed from a full disk")
    mount = f"{machine.run}/small"
    os.mkdir(mount)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "small", mount], check=True)
    try:
        result = machine.danchi("save", "-o", f"{mount}/a.tar", DERIVED, check=False)
        expect_error(result, 1, "no space left")
        expect_equal(os.listdir(mount), [], "what is left of the archive")
    finally:
        subprocess.run(["umount", mount], check=True)
        os.rmdir(mount)
