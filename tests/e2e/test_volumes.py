# SPDX-License-Identifier: Apache-2.0
"""Volumes: what is on them stays, belongs to whom it belonged, and is one context's at a time."""

import os
import struct

import memory
from machine import EMULATION, expect, expect_equal, kill9, wait_until
from suite import (BOX_CONTEXT, context, expect_error, image, in_box, new_name, run_sh, start_sh,
                   test)
from test_writable import holds

MARKER = "quince-jelly-on-the-third-floor"


def volume(machine, name):
    return machine.json("volume", "inspect", name)[0]


def new_volume(machine, *flags):
    """A volume of the shared guest's tenant."""
    return machine.out("volume", "create", "--context", BOX_CONTEXT, *flags, new_name("vol")).strip()


def acl_users(path):
    """Uids that the file's ACL names: acl(5), tag 2 of 8 bytes each behind a head of 4."""
    try:
        entries = os.getxattr(path, "system.posix_acl_access")[4:]
    except OSError:
        return []
    return [uid for tag, _, uid in struct.iter_unpack("<HHI", entries) if tag == 2]


def free(machine, name):
    """A volume is let go of a moment after its last container ended."""
    wait_until(lambda: not volume(machine, name)["held_by"], f"volume {name} is free")


@test("R5.7")
def what_is_on_a_volume_outlives_its_containers_and_keeps_its_owners(machine):
    in_box(machine)
    name = new_volume(machine, "--size", "200m", "--label", "what=test")
    mount = f"{name}:/vol"
    run_sh(machine, "mkdir -m 777 /vol/mine", "-v", mount, "-u", "0")
    run_sh(machine, "umask 077; echo kept > /vol/mine/file", "-v", mount, "-u", "1000:1001")
    free(machine, name)
    # Two that run take ranges of ids, so that the next one has another than the first.
    others = [start_sh(machine, "exec sleep 1000"), start_sh(machine, "exec sleep 1000")]
    done = run_sh(machine, "cat /vol/mine/file && stat -c %u:%g /vol/mine/file", "-v", mount, "-u",
                  "1000:1001")
    expect_equal(done.stdout, "kept\n1000:1001\n", "what the next container reads")
    run_sh(machine, "cat /vol/mine/file", "-v", mount, "-u", "2000", check=False).expect_status(1)
    done = run_sh(machine, "touch /vol/x; df -m /vol | tail -1; grep ' /vol ' /proc/mounts", "-v",
                  f"{mount}:ro,noexec", "-u", "0")
    expect("Read-only file system" in done.stderr, f"written to: {done.stderr!r}")
    total = int(done.stdout.split()[1])
    expect(170 <= total <= 200, f"{total} MiB, of a volume of 200")
    expect(" ext4 ro,nosuid,nodev,noexec," in done.stdout, f"its flags: {done.stdout!r}")
    facts = volume(machine, name)
    expect_equal(facts["labels"], {"what": "test"}, "its labels")
    expect(facts["used_bytes"] < 8 << 20, f"{facts['used_bytes']} bytes of the host's")
    machine.danchi("rm", "-f", *others)
    free(machine, name)
    expect_equal(acl_users(facts["disk"]), [], "who may open its file when nobody has it")
    machine.danchi("volume", "rm", name)
    expect(not os.path.exists(os.path.dirname(facts["disk"])), "its directory is still there")


@test("R5.7", only=EMULATION)
def a_full_volume_is_an_error_of_its_containers_alone(machine):
    in_box(machine)
    name = new_volume(machine, "--size", "48m")
    script = ("dd if=/dev/zero of=/vol/big bs=64k count=1000 2>&1; echo x > /tmp/x && cat /tmp/x;"
              " rm /vol/big; echo again > /vol/small && cat /vol/small")
    done = run_sh(machine, script, "-v", f"{name}:/vol", "-u", "0")
    expect("No space left on device" in done.stdout, f"no ENOSPC in {done.stdout!r}")
    expect(done.stdout.endswith("x\nagain\n"), f"cannot be written after it: {done.stdout!r}")
    free(machine, name)
    wait_until(lambda: volume(machine, name)["used_bytes"] < 16 << 20,
               "what was freed is the host's again")
    machine.danchi("volume", "rm", name)


@test("R5.7", "R1.4", only=EMULATION)
def a_volume_is_one_contexts_at_a_time_and_one_tenants_for_ever(machine):
    in_box(machine)
    name = new_volume(machine, "--size", "32m")
    holder = start_sh(machine, "echo first > /vol/x; exec sleep 1000", "-u", "0", "-v",
                      f"{name}:/vol")
    done = machine.danchi("verify", holder, check=False)
    differ = [line for line in done.stdout.splitlines() if " DIFFERS " in line.upper() or not line.startswith("ok ")]
    expect_equal(done.status, 0, f"verify: {differ}")
    # In its own context others may share it.
    run_sh(machine, "cat /vol/x; echo second > /vol/x", "-v", f"{name}:/vol", "-u", "0")
    with context(machine) as other, context(machine, tenant="zeta") as stranger:
        for options in ("", ":ro"):
            refused = run_sh(machine, "true", "--context", other, "-v", f"{name}:/vol{options}",
                             check=False)
            expect_error(refused, 125, name, BOX_CONTEXT, holder, "writable")
        expect_equal([one["name"] for one in machine.json("context", "ls")
                      if one["name"] == other and one["state"] == "running"], [],
                     "guests that were started for it")
        # danchid knows it again when it was killed, and so does the one after it.
        machine.kill_daemon()
        machine.restart()
        refused = run_sh(machine, "true", "--context", other, "-v", f"{name}:/vol", check=False)
        expect_error(refused, 125, name, BOX_CONTEXT, holder)
        expect_error(machine.danchi("volume", "rm", name, check=False), 1, name, holder)
        # The same name is another volume to another tenant, and its id is of no use to it.
        machine.danchi("create", "--name", new_name("z"), "--context", stranger, "-v",
                       f"{name}:/vol", image(machine))
        ids = {one["id"] for one in machine.json("volume", "ls") if one["name"] == name}
        expect_equal(len(ids), 2, "volumes of this name")
        mine = machine.json("inspect", holder)[0]["volumes"][0]["id"]
        refused = machine.danchi("create", "--context", stranger, "--mount",
                                 f"volume-id={mine},target=/vol", image(machine), check=False)
        expect_error(refused, 2, "volume-id")
    machine.danchi("rm", "-f", holder)
    for one in ids:
        free(machine, one)
        machine.danchi("volume", "rm", one)


@test("R4.6")
def an_encrypted_volume_is_noise_on_the_host_and_takes_its_own_key(machine):
    in_box(machine)
    name = new_volume(machine, "--size", "64m", "--encrypt")
    keys = [os.path.join(machine.state, f"key-{i}") for i in range(3)]
    for i, key in enumerate(keys):
        with open(key, "wb") as file:
            file.write(os.urandom(64 if i < 2 else 63))
    mount = ("-v", f"{name}:/vol", "-u", "0")
    disk = volume(machine, name)["disk"]
    script = (f"i=0; while [ $i -lt 2000 ]; do echo {MARKER}; i=$((i+1)); done > /vol/marker;"
              " sync; grep -c quince /vol/marker")
    done = run_sh(machine, script, *mount, "--volume-key", f"{name}={keys[0]}")
    expect_equal(done.stdout, "2000\n", "lines that were written")
    expect(os.stat(disk).st_blocks * 512 > (64 << 10), "nothing is on the disk")
    expect(not holds(disk, MARKER), "the host's file holds what the container wrote")
    free(machine, name)
    expect_error(run_sh(machine, "true", *mount, check=False), 125, name, "--volume-key")
    wrong = run_sh(machine, "true", *mount, "--volume-key", f"{name}={keys[1]}", check=False)
    expect_error(wrong, 125, name, "key is not the one")
    short = run_sh(machine, "true", *mount, "--volume-key", f"{name}={keys[2]}", check=False)
    expect_error(short, 125, "64 random bytes")
    free(machine, name)
    done = run_sh(machine, "tail -1 /vol/marker", *mount, "--volume-key", f"{name}={keys[0]}")
    expect_equal(done.stdout, f"{MARKER}\n", "with the right key")
    with open(keys[0], "rb") as file:
        secret = file.read()
    places = machine.state, machine.run
    expect_equal(memory.search_files(places, secret), [keys[0]], "files with the key in them")
    expect_equal(memory.search_files(places, secret.hex()), [], "files with the key in hexadecimal")
    free(machine, name)
    machine.danchi("volume", "rm", name)


def said_by(machine, container):
    return machine.out("logs", container).split()


@test("R4.6", seconds=240, only=EMULATION)
def a_restart_needs_the_key_only_where_the_guest_that_had_it_is_gone(machine):
    key = os.path.join(machine.state, "key-restart")
    with open(key, "wb") as file:
        file.write(os.urandom(64))
    with context(machine) as own:
        volume_name = machine.out("volume", "create", "--context", own, "--encrypt", "--size", "32m",
                                  new_name("vol")).strip()
        flag = f"{volume_name}={key}"
        none = run_sh(machine, "true", "--context", own, "-v", f"{volume_name}:/vol", check=False)
        expect_error(none, 125, volume_name, "--volume-key")
        expect_equal([one["state"] for one in machine.json("context", "ls") if one["name"] == own],
                     ["stopped"], "the guest, of a start that can be seen to fail")
        name = new_name()
        machine.danchi("run", "-d", "--name", name, "--context", own, "--restart", "always", "-u", "0",
                       "-v", f"{volume_name}:/vol", "--volume-key", flag, image(machine), "sh", "-c",
                       "trap 'exit 1' USR1; echo x >> /vol/runs; wc -l < /vol/runs; sync;"
                       " sleep 1000 & wait")

        def runs(count):
            wait_until(lambda: said_by(machine, name)[-1:] == [str(count)],
                       f"run {count} has what the ones before it wrote", 40)
        runs(1)
        machine.danchi("restart", "-t", "0", name)
        runs(2)
        machine.danchi("kill", "-s", "USR1", name)
        runs(3)
        # Its guest goes, and with it the key: the policy says what it lacks.
        kill9(machine.json("context", "inspect", own)[0]["guest"]["qemu_pid"])
        wanted = f"starting it again: volume '{volume_name}': is encrypted, and needs its key"
        wait_until(lambda: wanted in (machine.inspect(name).get("reason") or ""),
                   "inspect has the policy's reason", 40)
        expect_error(machine.danchi("restart", name, check=False), 2, volume_name, "--volume-key")
        machine.danchi("restart", "--volume-key", flag, name)
        runs(4)
        machine.danchi("stop", "-t", "0", name)
        free(machine, volume_name)
        machine.danchi("rm", name)
        machine.danchi("volume", "rm", volume_name)


@test("R5.7", only=EMULATION)
def a_container_that_is_stopped_before_its_policy_starts_it_lets_go_of_its_volume(machine):
    in_box(machine)
    name = new_volume(machine, "--size", "32m")
    container = start_sh(machine, "exit 1", "--restart", "always", "-u", "0", "-v", f"{name}:/vol")

    def is_waiting():
        restart = machine.inspect(container)["restart"]
        return machine.state_of(container) == "restarting" and restart["restarts"] >= 3
    wait_until(is_waiting, "its policy waits to start it again", 40)
    expect(volume(machine, name)["held_by"], "nobody has the volume meanwhile")
    machine.danchi("stop", container)
    free(machine, name)
    machine.danchi("rm", container)
    machine.danchi("volume", "rm", name)


@test("R5.7", seconds=240, only=EMULATION)
def what_was_flushed_is_there_after_qemu_was_killed_and_in_another_guest(machine):
    with context(machine) as own:
        name = machine.out("volume", "create", "--tenant", "acme", "--size", "64m",
                           new_name("vol")).strip()
        victim = start_sh(machine, "echo flushed > /vol/x; sync; echo ready; exec sleep 1000",
                          "--context", own, "-u", "0", "-v", f"{name}:/vol")
        wait_until(lambda: "ready" in machine.out("logs", victim), "it has written", seconds=30)
        expect_equal(len(acl_users(volume(machine, name)["disk"])), 1, "uids that may open it")
        kill9(machine.json("context", "inspect", own)[0]["guest"]["qemu_pid"])
        free(machine, name)
        expect_equal(acl_users(volume(machine, name)["disk"]), [], "uids that may open it")
        # A guest for this container alone; what it writes, without flushing, stays as well.
        done = run_sh(machine, "cat /vol/x; echo more > /vol/y", "--tenant", "acme", "-u", "0",
                      "-v", f"{name}:/vol", fresh=True)
        expect_equal(done.stdout, "flushed\n", "what the next guest reads")
        free(machine, name)
        done = run_sh(machine, "cat /vol/y", "-v", f"{name}:/vol")
        expect_equal(done.stdout, "more\n", "what the one after that reads")
        free(machine, name)
        machine.danchi("rm", victim)
        machine.danchi("volume", "rm", name)


@test("R5.7", only=EMULATION)
def volumes_without_a_name_go_with_their_container_or_are_pruned(machine):
    in_box(machine)
    before = {one["name"] for one in machine.json("volume", "ls")}

    def fresh():
        return {one["name"] for one in machine.json("volume", "ls")} - before

    one, other = new_name("anon"), new_name("anon")
    for name in (one, other):
        machine.danchi("create", "--name", name, *in_box(machine), "-v", "/vol", image(machine))
    expect_equal(len(fresh()), 2, "volumes of two containers")
    expect_error(machine.danchi("volume", "rm", *fresh(), check=False), 1, one, other)
    machine.danchi("rm", "-v", one)
    expect_equal(len(fresh()), 1, "volumes after rm -v")
    machine.danchi("rm", other)
    expect_equal(len(fresh()), 1, "volumes after rm")
    done = run_sh(machine, "echo x > /vol/x", "-v", "/vol", "-u", "0")
    done.expect_status(0)
    wait_until(lambda: len(fresh()) == 1, "the one of a container with --rm is gone")
    # As with docker: the image has a directory of uid 1000's there.
    done = run_sh(machine, "stat -c %u /data", "-v", "/data")
    expect_equal(done.stdout, "1000\n", "the owner of what the image has")
    wait_until(lambda: len(fresh()) == 1, "likewise")
    # Nothing is made for a container that may not be.
    refused = machine.danchi("create", *in_box(machine), "-v", "/vol", "--cap-add", "SYS_ADMIN",
                             image(machine), check=False)
    expect_error(refused, 1, "SYS_ADMIN")
    expect_equal(len(fresh()), 1, "volumes after a refusal")
    kept = new_volume(machine)
    machine.danchi("volume", "prune")
    expect_equal(fresh(), {kept}, "volumes after prune")
    machine.danchi("volume", "prune", "-a")
    expect_equal(fresh(), set(), "volumes after prune -a")


@test("R5.7", only=EMULATION)
def what_cannot_be_mounted_is_refused_by_name(machine):
    in_box(machine)
    for flag, text, words in (("-v", "data:/", "'/' itself"), ("-v", "data:/proc", "/proc"),
                              ("-v", "a/../b:/x", "neither"), ("-v", "data:/x:suid", "nosuid"),
                              ("--mount", "type=npipe,target=/x", "npipe")):
        refused = machine.danchi("create", *in_box(machine), flag, text, image(machine), check=False)
        expect_error(refused, 2, text, words)
    expect_error(machine.danchi("volume", "create", "--size", "1m", "small", check=False), 2, "32m")
    expect_error(machine.danchi("volume", "create", "--size", "90g", "huge", check=False), 1,
                 "largest_mib")
    expect_error(machine.danchi("volume", "create", "../x", check=False), 2, "not a name")
    expect_error(machine.danchi("volume", "inspect", "nowhere", check=False), 1, "there is none")
