# SPDX-License-Identifier: Apache-2.0
"""Secrets in guests.  All ways of a delivery, and of its failing, are in tests/scale/secret-delivery.py."""

import glob
import hashlib
import json
import os

import memory
from machine import EMULATION, expect, expect_equal, wait_until
from suite import exec_sh, expect_error, image, in_box, new_name, run_sh, test
from test_guest_hardening import variant


def digest(machine, container, path, *flags):
    """What is printed goes through the relay: so only a digest is asked for."""
    return exec_sh(machine, f"md5sum < {path}", *flags, container=container).stdout.split()[0]


def md5(content):
    return hashlib.md5(content.encode()).hexdigest()


def expect_nowhere(machine, marker):
    for pid in [machine.daemon.pid, *machine.guest_processes("danchi-relay")]:
        expect_equal(memory.search_memory(pid, marker), [], f"the content in process {pid}")
    places = [machine.state, machine.run, machine.config, "/var/log/libvirt", "/run/libvirt"]
    expect_equal(memory.search_files(places, marker), [], "files with the content")
    expect(not memory.search_file(machine.log_path, marker), "danchid's log has the content")


@test("R5.8", "R4.2", "R3.8")
def a_secret_is_in_memory_of_its_guest_alone_and_gone_with_its_container(machine):
    marker, name = memory.new_marker(), new_name("secret")
    machine.danchi("run", "-d", "--name", name, "-u", "7:8", *in_box(machine), "--secret", "tok=-",
                   "--secret", "key=/etc/hostname,target=/etc/deep/key",
                   "--config", "conf=/etc/hostname,target=/etc/passwd-of-app", image(machine),
                   "sleep", "1000", input=marker)
    expect_equal(digest(machine, name, "/run/secrets/tok"), md5(marker), "the content's digest")
    listing = exec_sh(machine, "stat -c '%n %a %u:%g' /run/secrets/*; readlink /etc/deep/key;"
                      " grep ' /run/secrets ' /proc/mounts; echo x > /run/secrets/tok; true",
                      "-u", "0", container=name).stdout.splitlines()
    expect_equal(listing[:4], ["/run/secrets/conf 444 0:0", "/run/secrets/key 400 7:8",
                               "/run/secrets/tok 400 7:8", "/run/secrets/key"], "files")
    expect("tmpfs ro,nosuid,nodev,noexec" in listing[4], f"the mount: {listing[4]}")
    expect_nowhere(machine, marker)
    lines = json.loads(machine.danchi("--format", "json", "verify", name, check=False).stdout)
    verdicts = {line["control"]: line["verdict"] for line in lines
                if line["subject"] == "container"}
    expect_equal((verdicts["mount./run/secrets"], verdicts["mount.others"]), ("ok", "ok"),
                 "what verify says of the mount, and of others")
    machine.danchi("stop", "-t", "0", name)
    expect_error(machine.danchi("start", name, check=False), 1, "'tok', 'key', 'conf'")
    machine.danchi("rm", name)
    expect_nowhere(machine, marker)


@test("R5.8", only=EMULATION)
def a_secret_is_replaced_while_its_program_runs(machine):
    old, new, name = memory.new_marker(), memory.new_marker(), new_name("secret")
    script = "trap 'md5sum < /etc/tok' HUP; while true; do sleep 0.2; done"
    machine.danchi("run", "-d", "--name", name, *in_box(machine), "--secret",
                   "tok=-,target=/etc/tok", image(machine), "sh", "-c", script, input=old)
    machine.danchi("secret", "update", "-s", "HUP", name, "tok=-", input=new)
    wait_until(lambda: md5(new) in machine.danchi("logs", name).stdout, "the program found it")
    expect_nowhere(machine, old)
    expect_nowhere(machine, new)
    machine.danchi("restart", "-t", "0", name)
    expect_equal(digest(machine, name, "/etc/tok"), md5(new), "after a restart")


@test("R5.8", only=EMULATION)
def a_service_gives_its_credentials_by_name(machine):
    marker, directory = memory.new_marker(), f"{machine.run}-credentials"
    os.makedirs(directory, mode=0o700, exist_ok=True)
    with open(f"{directory}/tok", "w") as file:
        file.write(marker)
    os.environ["CREDENTIALS_DIRECTORY"] = directory
    try:
        done = run_sh(machine, "md5sum < /run/secrets/tok", "--secret", "tok")
        expect_equal(done.stdout.split()[0], md5(marker), "the content's digest")
    finally:
        del os.environ["CREDENTIALS_DIRECTORY"]
        os.unlink(f"{directory}/tok")
        os.rmdir(directory)
    expect_equal(glob.glob(f"{machine.state}/containers/*/tok"), [], "files of that name")


@test("R5.8", only=EMULATION)
def a_guest_older_than_secrets_is_not_given_any(machine):
    """To its agent the message is a violation: so it is refused in words, and nothing is asked for."""
    image(machine)
    with variant(machine, "elder"):
        failed = run_sh(machine, "true", "--secret", "tok=-", fresh=True, check=False, input="x")
        expect_error(failed, 125, "SECRET_LIST", "before an update of Danchi")
