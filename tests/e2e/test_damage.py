# SPDX-License-Identifier: Apache-2.0
"""A layer that is changed behind danchid's back: EIO and never wrong data, and everybody hears of
it."""

import json
import os
import tempfile

from layered import busybox_layer, layer, write_archive
from machine import EMULATION, expect, expect_equal, wait_until
from suite import new_name, test

PIECE = 4096
MARKS = (b"seventeen grey herons stand in the shallow water", b"a lighthouse nobody keeps any more")


def load(machine, name):
    """An image of three layers; a large file in the middle one and one in the top one."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "archive.tar")
        write_archive(path, name, [
            busybox_layer(),
            layer({"extra/herons": (MARKS[0] + b"\n").ljust(64 * PIECE, b"h"),
                   "extra/gone": b"gone", "extra/fine": b"fine\n"}),
            layer({"extra/.wh.gone": b"", "extra/top": (MARKS[1] + b"\n").ljust(2 * PIECE, b"t")})])
        machine.danchi("load", "-i", path, timeout=400)


def spoil(machine, mark):
    """Changes one byte in the block of the store that begins with the mark; returns the file."""
    store = os.path.join(machine.state, "store", "layers")
    for key in os.listdir(store):
        path = os.path.join(store, key, "layer.erofs")
        with open(path, "rb") as file:
            at = file.read().find(mark)
        if at >= 0:
            with open(path, "r+b") as file:
                file.seek(at)
                file.write(b"S")
            return path
    raise AssertionError(f"no layer of the store holds {mark!r}")


def damage_events(machine):
    lines = machine.out("--format", "json", "events", "--since", "60m").splitlines()
    return [event for event in map(json.loads, lines)
            if event["type"] == "image" and event["action"] == "damage"]


@test("R4.6", "R4.3", seconds=600, only=EMULATION)
def a_changed_block_of_a_layer_is_an_error_and_an_event_and_never_wrong_data(machine):
    name, image_name = new_name("spoilt"), "localhost/spoilt:1"
    load(machine, image_name)
    machine.danchi("run", "-d", "--name", name, image_name, "sleep", "1000")
    whole = machine.out("exec", name, "sh", "-c", "ls /extra; cat /extra/fine; head -c 9 /extra/top")
    expect_equal(whole, "fine\nherons\ntop\nfine\na lightho", "what the layers show together")
    lines = {line["control"]: line for line in machine.json("verify", name)}
    expect_equal([lines[f"root.layer.{n}"]["verdict"] for n in range(3)], ["ok"] * 3,
                 "what verify says of whole layers")
    spoil(machine, MARKS[0])
    read = machine.danchi("exec", name, "sh", "-c", "cat /extra/herons > /dev/null; echo status $?;"
                          " head -c 9 /extra/herons", check=False)
    expect("Input/output error" in read.stderr or "I/O error" in read.stderr,
           f"no EIO: {read.stderr!r}")
    expect("status 1" in read.stdout, f"it was read all the same: {read.stdout!r}")
    expect("S" not in read.stdout, "changed data was read")
    others = machine.danchi("exec", name, "sh", "-c", "cat /extra/fine; cat /extra/top | wc -c")
    expect_equal(others.stdout, f"fine\n{2 * PIECE}\n", "the other files")
    wait_until(lambda: damage_events(machine), "an event of the damage")
    event = damage_events(machine)[0]
    attributes = event["attributes"]
    expect_equal(attributes["layer"], "1", f"the layer that {event} names")
    expect(machine.inspect(name)["id"] == attributes["container"], "the event is of the container")
    expect_equal(machine.inspect(name)["damage"]["layer"], 1, "the layer that inspect names")
    log = machine.log_tail(200)
    expect("is not what it was when the image was unpacked" in log, "danchid's log lacks it")
    acts = machine.danchi("--format", "json", "audit", "log", "--verb", "image-damage",
                          f"{machine.state}/audit").stdout
    expect("layer 1" in acts, f"the audit record has {acts!r}")
    found = machine.danchi("audit", check=False).stdout
    expect("was changed: layer 1" in found, "the audit has no finding of it")
    verify = machine.danchi("verify", name, check=False)
    expect(verify.status != 0 and "root.layer.1" in verify.stdout + verify.stderr,
           f"verify says {verify.stdout!r}")
    machine.danchi("rm", "-f", name)
    check = machine.danchi("image", "verify", image_name, check=False)
    expect(check.status != 0, "image verify calls a spoilt image sound")
    machine.danchi("image", "rm", image_name)
