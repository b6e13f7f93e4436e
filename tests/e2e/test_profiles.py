# SPDX-License-Identifier: Apache-2.0
"""Profiles, policies of contexts, and what a container really has of them."""

import contextlib
import os

from machine import EMULATION, expect, expect_equal
from suite import (context, exec_sh, expect_error, image, machine_json_events, new_name, run_sh,
                   start_sh, test)

SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
STANDARD = 0x4EB  # CHOWN DAC_OVERRIDE FOWNER KILL SETGID SETUID NET_BIND_SERVICE
NET_RAW = 1 << 13
STATUS = "grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status"


def sets_of(text):
    words = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    expect_equal((words["NoNewPrivs"].strip(), words["Seccomp"].strip()), ("1", "2"),
                 "NoNewPrivs, Seccomp")
    return tuple(int(words[name], 16) for name in SETS)


@contextlib.contextmanager
def policy(machine, *lines):
    """A context with these lines as its [confinement]."""
    with context(machine) as name:
        path = f"{machine.config}/contexts.d/{name}.conf"
        write_policy(path, *lines)
        yield name, path


def write_policy(path, *lines):
    with open(path) as file:
        text = file.read().split("[confinement]")[0]
    with open(path + ".new", "w") as file:
        file.write(text + "[confinement]\n" + "".join(line + "\n" for line in lines))
    os.rename(path + ".new", path)


@test("R3.5", "R5.12", seconds=240)
def standard_gives_root_what_entrypoints_need_and_other_users_nothing(machine):
    name = start_sh(machine, "sleep 1000", "--profile", "standard")
    root = sets_of(exec_sh(machine, STATUS, "-u", "0", container=name).stdout)
    expect_equal(root, (0, STANDARD, STANDARD, STANDARD, 0), "root's sets")
    user = sets_of(exec_sh(machine, STATUS, "-u", "1000", container=name).stdout)
    expect_equal(user, (0, 0, 0, STANDARD, 0), "another user's sets")
    # What the entrypoints of common images do: take a directory, fill it, become somebody.
    exec_sh(machine, "mkdir /srv/db && chown 70:70 /srv/db && chmod 700 /srv/db && "
                     "echo x > /srv/db/file && chown 70:70 /srv/db/file && "
                     "[ $(stat -c %u:%g /srv/db/file) = 70:70 ]", "-u", "0", container=name)
    for script in "mknod /tmp/x b 7 0", "mount -t tmpfs none /mnt", "chroot / true", \
                  "ip link add type dummy", "echo x > /proc/sys/kernel/core_pattern":
        result = exec_sh(machine, script, "-u", "0", container=name, check=False)
        expect(result.status != 0, f"{script}: not refused")
    facts = machine.inspect(name)
    expect_equal((facts["profile"]["name"], facts["relaxations"]), ("standard", []), "inspect")
    expect_equal(int(facts["confinement"]["cap_bounding"], 16), STANDARD, "as read back")


@test("R3.5", "R5.7")
def flags_narrow_standard(machine):
    text = run_sh(machine, f"{STATUS}; touch /x 2>&1 || true", "--profile", "standard", "-u", "0",
                  "--read-only", "--cap-drop", "chown", "--cap-drop", "CAP_SETUID").stdout
    wanted = STANDARD & ~(1 | 1 << 7)
    expect_equal(sets_of(text.replace("touch:", "touch")), (0, wanted, wanted, wanted, 0), "sets")
    expect("Read-only" in text, f"the root can be written: {text}")


@test("R2.4", "R5.3", seconds=240)
def files_of_the_image_have_their_owners_inside(machine):
    """Idmapped mounts: ids of the image are the container's, whatever ids of the guest it has."""
    with context(machine) as name:
        # Two containers at a time, so that their ranges of guest ids differ.
        first = start_sh(machine, "sleep 1000", "--context", name)
        second = start_sh(machine, "sleep 1000", "--context", name, "--profile", "standard")
        maps = []
        for container in first, second:
            owners = exec_sh(machine, "stat -c %u:%g / /etc/passwd /home/app /home/other",
                             container=container).stdout.split()
            expect_equal(owners, ["0:0", "0:0", "1000:1000", "1001:1001"], "owners")
            maps.append(exec_sh(machine, "cat /proc/self/uid_map", container=container).stdout)
        expect(maps[0] != maps[1], f"both have the guest's ids {maps[0]}")
        exec_sh(machine, "touch /home/app/new && chown 1001:5 /home/app/new && "
                         "[ $(stat -c %u:%g /home/app/new) = 1001:5 ]", "-u", "0",
                container=second)
        result = exec_sh(machine, "chown 65536 /home/app/new", "-u", "0", container=second,
                         check=False)
        expect(result.status != 0, "chown to an id outside the range")


@test("R3.5", only=EMULATION)
def capabilities_are_added_only_as_the_contexts_policy_says(machine):
    refused = run_sh(machine, "true", "--cap-add", "NET_RAW", check=False)
    expect_error(refused, 125, "capability NET_RAW", "[confinement] capabilities")
    with policy(machine, "capabilities = NET_RAW") as (name, path):
        for flags in (["--cap-add", "ALL"], ["--cap-add", "NET_RAW", "--cap-add", "SYS_ADMIN"]):
            refused = run_sh(machine, "true", "--context", name, *flags, check=False)
            expect_error(refused, 125)
        # Ambient, so that a user other than root has it after execve.
        text = run_sh(machine, STATUS, "--context", name, "--cap-add", "NET_RAW", "-u",
                      "1000").stdout
        expect_equal(sets_of(text), (NET_RAW,) * 5, "a user's sets")
        kept = start_sh(machine, "sleep 1000", "--context", name, "--cap-add", "NET_RAW")
        facts = machine.inspect(kept)
        expect_equal(facts["relaxations"], ["capability NET_RAW"], "inspect")
        event = next(one for one in machine_json_events(machine, kept) if one["action"] == "create")
        expect("capability NET_RAW" in str(event) and "strict/1" in str(event), str(event))
        # A policy that became narrower holds at the next start.
        machine.danchi("stop", "-t", "0", kept)
        write_policy(path, "capabilities =")
        expect_error(machine.danchi("start", kept, check=False), 1, "capability NET_RAW")


@test("R3.6", seconds=240, only=EMULATION)
def a_filter_goes_away_only_as_the_contexts_policy_says(machine):
    unconfined = "--security-opt", "seccomp=unconfined"
    expect_error(run_sh(machine, "true", *unconfined, check=False), 125, "seccomp unconfined")
    with policy(machine, "seccomp = unconfined") as (name, _):
        kept = start_sh(machine, "sleep 1000", "--context", name, *unconfined)
        expect_equal(machine.inspect(kept)["relaxations"], ["seccomp unconfined"], "inspect")
        # The layers behind the filter: no capability, and no user namespace that would bring some.
        text = exec_sh(machine, "unshare -n true 2>&1; unshare -U true 2>&1; "
                                "cat /proc/sys/user/max_user_namespaces; "
                                "grep Seccomp: /proc/self/status", container=kept).stdout
        expect("Operation not permitted" in text, f"a network namespace was made: {text}")
        # ENOSPC by its count, EPERM by the guest's setting for Debian's kernel: whichever is first.
        expect("unshare(0x10000000): No space left" in text
               or "unshare(0x10000000): Operation not permitted" in text,
               f"a user namespace was made: {text}")
        expect("\n0\n" in text, f"max_user_namespaces: {text}")
        expect("Seccomp:\t2" in text, f"the head of the filter is gone: {text}")


@test("R2.2", "R3.5", only=EMULATION)
def a_callers_own_profile_is_no_looser_than_the_operators(machine):
    directory = f"{machine.run}-profiles"
    os.makedirs(directory, exist_ok=True)
    strict = machine.out("profile", "show", "strict")
    changes = {
        "tighter": ("pids = 512", "pids = 20"),
        "looser": ("/proc/kcore = masked", "/proc/kcore = readonly"),
        "mighty": ("capabilities =", "capabilities = SYS_ADMIN"),
        "damaged": ("pids = 512", "pids = lots"),
    }
    for name, (was, becomes) in changes.items():
        with open(f"{directory}/{name}.conf", "w") as file:
            file.write(strict.replace("name = strict", f"name = {name}").replace(was, becomes))

    def run(name, *flags, check=False):
        return run_sh(machine, "cat /sys/fs/cgroup/pids.max", "--profile",
                      f"{directory}/{name}.conf", *flags, check=check)
    try:
        expect_equal(run("tighter", check=True).stdout, "20\n", "pids.max")
        expect_error(run("looser"), 125, "path /proc/kcore is not masked", "profile_files")
        expect_error(run("mighty"), 125, "capability SYS_ADMIN")
        expect_error(run("damaged"), 125, "[cgroup] pids = lots")
        with policy(machine, "profile_files = yes") as (name, _):
            run("looser", "--context", name, check=True)
            expect_error(run("mighty", "--context", name), 125, "capability SYS_ADMIN")
    finally:
        for name in changes:
            os.unlink(f"{directory}/{name}.conf")
        os.rmdir(directory)


@test("R2.2", only=EMULATION)
def a_profile_that_is_missing_or_damaged_starts_nothing(machine):
    os.makedirs(f"{machine.config}/profiles", exist_ok=True)
    path = f"{machine.config}/profiles/strict.conf"
    expect_error(run_sh(machine, "true", "--profile", "no-such", check=False, fresh=True), 125, "no-such",
                 "strict")
    with open(path, "w") as file:
        file.write("[profile]\nname = strict\nversion = 2\n")
    try:
        expect_error(run_sh(machine, "true", check=False, fresh=True), 125, "is missing")
        expect("damaged" in machine.out("profile", "ls"), "profile ls shows no damage")
    finally:
        os.unlink(path)
    run_sh(machine, "true", fresh=True)


@test("R2.2", only=EMULATION)
def a_container_keeps_the_profile_it_was_made_with(machine):
    os.makedirs(f"{machine.config}/profiles", exist_ok=True)
    path = f"{machine.config}/profiles/strict.conf"
    text = machine.out("profile", "show", "strict")
    name = new_name()
    machine.danchi("create", "--name", name, image(machine), "cat", "/sys/fs/cgroup/pids.max")
    was = machine.inspect(name)["profile"]
    with open(path, "w") as file:
        file.write(text.replace("pids = 512", "pids = 99").replace("version = 1", "version = 2"))
    try:
        expect_equal(run_sh(machine, "cat /sys/fs/cgroup/pids.max", fresh=True).stdout, "99\n", "of the new")
        machine.restart()
        expect_equal(machine.danchi("start", "-a", name).stdout, "512\n", "of the old")
        expect_equal(machine.inspect(name)["profile"], was, "its profile")
    finally:
        os.unlink(path)


@test("R2.2", only=EMULATION)
def a_context_names_its_profiles(machine):
    with policy(machine, "profiles = standard", "profile = standard") as (name, path):
        text = run_sh(machine, STATUS, "--context", name, "-u", "0").stdout
        expect_equal(sets_of(text)[1], STANDARD, "the default is the context's")
        refused = run_sh(machine, "true", "--context", name, "--profile", "strict", check=False)
        expect_error(refused, 125, "--profile 'strict'", "standard")
        # Nor a file that is called so, be it the very same and no looser.
        own = f"{machine.run}/own.conf"
        with open(own, "w") as file:
            file.write(machine.out("profile", "show", "strict"))
        refused = run_sh(machine, "true", "--context", name, "--profile", own, check=False)
        os.unlink(own)
        expect_error(refused, 125, "calls itself 'strict'", "[profile] name")
        write_policy(path, "profiles = all of them")
        refused = run_sh(machine, "true", "--context", name, check=False)
        expect_error(refused, 125, "[confinement] profiles")
