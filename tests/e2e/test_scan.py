# SPDX-License-Identifier: Apache-2.0
"""Scanning: the operator's scanner in a guest of its own, its verdict kept, shown and enforced."""

import contextlib
import json
import os
import subprocess
import sys
import time

from machine import ARCHIVES, EMULATION, PATIENCE, TOP, expect, expect_equal, wait_until
from suite import expect_error, image, new_name, test
from test_image_store import damaged
from test_policy import context_file, settings

MAKE_IMAGE = os.path.join(TOP, "tests", "images", "make-image.py")

# What the scanner does is in the file `mode` of its data; /bin/sh is of the image that it runs in.
SCANNER = r"""#!/bin/sh
read mode < /scan-data/mode
finding() {
  printf '{"id":"%s","severity":"%s","package":"demo","installed":"%s","fixed":"2","title":"%s"}' \
    "$1" "$2" "$(cat /scan/opt/demo/version)" "$3"
}
case $mode in
  version)
    if grep -q '^1$' /scan/opt/demo/version; then
      printf '{"verdict":"fail","summary":"demo is old","findings":[%s,%s]}' \
        "$(finding TEST-1 low 'a small one')" "$(finding TEST-2 critical 'tab\tand \u001b[31m')"
    else
      printf '{"verdict":"pass","summary":"nothing found"}'
    fi ;;
  look)
    # Each line is a promise; the first that does not hold is the summary.
    why=
    promise() { [ -n "$why" ] || eval "$2" || why="$1"; }
    options() { grep " $1 " /proc/self/mountinfo | cut -d' ' -f6; }
    promise 'the image is writable' '! touch /scan/x 2> /dev/null'
    closed() { [ "$(options $1 | tr , "\n" | grep -c -e ^ro$ -e ^nosuid$ -e ^nodev$ -e ^noexec$)" = 4 ]; }
    promise 'mount options of /scan' 'closed /scan'
    promise 'mount options of /scan-data' 'closed /scan-data'
    promise 'a program of the image runs' '! /scan/bin/busybox true 2> /dev/null'
    promise 'a set-id bit is left' '[ ! -u /scan/opt/demo/setid ]'
    promise 'a link leads out of the container' '[ "$(cat /scan/opt/demo/out)" = "Danchi test image" ]'
    promise 'what others may not read is hidden' '[ "$(cat /scan/opt/demo/secret/file)" = secret ]'
    promise 'there is a network' '[ "$(ls /sys/class/net)" = lo ]'
    promise 'data can be written' '! touch /scan-data/x 2> /dev/null'
    promise 'it can become root' '[ "$(grep NoNewPrivs /proc/self/status | tr -dc 01)" = 1 ]'
    promise 'another capability' '[ "$(grep CapBnd /proc/self/status | cut -f2)" = 0000000000000004 ]'
    promise 'no seccomp filter' '[ "$(grep "^Seccomp:" /proc/self/status | tr -dc 0-9)" = 2 ]'
    [ -z "$why" ] && printf '{"verdict":"pass"}' || printf '{"verdict":"fail","summary":"%s"}' "$why" ;;
  large) cat /scan/opt/demo/large > /dev/null; printf '{"verdict":"pass"}' ;;
  endless) exec yes '{"verdict":"pass"}' ;;
  hang) printf '{"verdict":"pass"}'; exec sleep 1000 ;;
  status) printf '{"verdict":"pass"}'; exit 3 ;;
esac
"""


def make_image(machine, name, version):
    """An archive whose package `demo` has this version, and things to stumble over."""
    root, archive = f"{machine.run}/{name}-root", f"{machine.run}/{name}.tar"
    demo = f"{root}/opt/demo"
    os.makedirs(f"{demo}/secret", mode=0o700)
    os.makedirs(f"{root}/bin")
    subprocess.run(["cp", "/bin/busybox", f"{root}/bin/busybox"], check=True)
    large = "x" * 32768 + "in the middle" + "x" * 32768
    for path, text in (("version", version), ("secret/file", "secret"), ("setid", "x"),
                       ("large", large)):
        with open(f"{demo}/{path}", "w") as file:
            file.write(text + "\n")
    os.chmod(f"{demo}/secret/file", 0o600)
    os.chmod(f"{demo}/setid", 0o6755)
    os.symlink("../../../../../etc/motd", f"{demo}/out")
    os.symlink("/", f"{demo}/top")
    os.makedirs(f"{root}/{name}")  # no two are the same image
    subprocess.run([sys.executable, MAKE_IMAGE, root, archive, "docker", "--name",
                    f"docker.io/danchi/{name}:1", "--own", "/opt/demo/secret=1000:1000", "--cmd",
                    "/bin/busybox"], check=True)
    return archive, f"docker.io/danchi/{name}:1"


@contextlib.contextmanager
def images_go(machine):
    """Images that come in meanwhile go at the end."""
    before = {one["id"] for one in machine.json("images")}
    try:
        yield
    finally:
        for one in machine.json("images"):
            for name in one["names"] or [one["id"]]:
                if one["id"] not in before:
                    machine.danchi("image", "rm", "-f", name, check=False)


@contextlib.contextmanager
def scanner(machine, more=""):
    """danchi.conf with the scanner; yields a function that sets what it does."""
    directory = f"{machine.run}/scanner"
    os.makedirs(directory, exist_ok=True)
    with open(f"{directory}/scan", "w") as file:
        file.write(SCANNER)

    def set_mode(mode):
        with open(f"{directory}/mode", "w") as file:
            file.write(mode + "\n")
    with images_go(machine), settings(machine) as add:
        add(f"[scan]\nimage = {image(machine)}\nprogram = {directory}/scan\n"
            f"data = {directory}/mode\n{more}")
        set_mode("version")
        yield set_mode


def scan_of(machine, name):
    return machine.json("image", "inspect", name)[0]["provenance"]["scan"]


def layer_of(machine, name):
    return machine.json("image", "inspect", name)[0]["layers"][0]["key"]


def scan(machine, name):
    """Has it scanned.  Returns: the verdict, its summary, exit status and seconds."""
    start = time.monotonic()
    done = machine.danchi("--format", "json", "image", "scan", name, check=False, timeout=300)
    expect(done.status in (0, 1) and done.stdout, f"status {done.status}: {done.stderr!r}")
    verdict = json.loads(done.stdout)[0]["scan"]
    return verdict["verdict"], verdict["summary"], done.status, time.monotonic() - start


@test("R4.3", seconds=600, only=EMULATION)
def an_image_is_scanned_when_it_is_loaded_and_a_context_refuses_what_fails(machine):
    image(machine)
    old, old_name = make_image(machine, new_name("scan"), "1")
    new, new_one = make_image(machine, new_name("scan"), "2")
    with scanner(machine), context_file(machine, "[context]\ntenant = acme\nstage = test\n"
                                        "tier = backend\n[images]\nscan = pass\n") as (name, path):
        for archive in old, new:
            machine.danchi("load", "-i", archive, timeout=300)
        verdict = scan_of(machine, old_name)
        expect_equal((verdict["verdict"], verdict["summary"]), ("fail", "demo is old"), "the verdict")
        expect_equal([(one["id"], one["severity"], one["package"], one["installed"], one["fixed"])
                      for one in verdict["findings"]],
                     [("TEST-2", "critical", "demo", "1", "2"), ("TEST-1", "low", "demo", "1", "2")],
                     "findings, the most severe first")
        expect_equal(verdict["findings"][0]["title"], "tab?and ?[31m", "a title without controls")
        expect_equal(verdict["counts"], {"low": 1, "medium": 0, "high": 0, "critical": 1}, "counts")
        expect(verdict["scanner"].startswith("image ") and " program " in verdict["scanner"]
               and verdict["data"][0].startswith("mode="), f"who scanned: {verdict}")
        expect_equal(scan_of(machine, new_one)["verdict"], "pass", "the other's verdict")

        refused = machine.danchi("create", "--context", name, old_name, "true", check=False)
        expect_error(refused, 1, "fail (1 critical, 1 low)", f"rule image-scan, {path}:6",
                     "danchi image scan")
        machine.danchi("create", "--name", new_name(), "--context", name, new_one, "true")
        refused = machine.danchi("create", "--context", name, image(machine), "true", check=False)
        expect_error(refused, 1, "rule image-scan")

        events = machine.out("--format", "json", "events", "--since", "60m").splitlines()
        scans = [event for event in map(json.loads, events) if event["action"] == "scan"]
        expect(any("fail (1 critical, 1 low)" in json.dumps(event) for event in scans), scans)
        record = machine.out("audit", "log", "--verb", "image-scanned", f"{machine.state}/audit")
        expect("image-scanned" in record, "no line of the record")
        machine.danchi("rm", "-f", *[one["name"] for one in machine.json("ps", "-a")
                                     if one.get("context") == name])


@test("R4.3", "R5.15", seconds=600, only=EMULATION)
def a_scanner_sees_the_image_read_only_and_has_nothing_else(machine):
    image(machine)
    archive, name = make_image(machine, new_name("scan"), "1")
    with scanner(machine, "when = never\n") as set_mode:
        machine.danchi("load", "-i", archive, timeout=300)
        expect("scan" not in machine.json("image", "inspect", name)[0]["provenance"], "scanned")
        set_mode("look")
        expect_equal(scan(machine, name)[:3], ("pass", "", 0), "verdict, summary, status")


@test("R4.3", seconds=900, only=EMULATION)
def a_scanner_that_fails_gives_no_verdict(machine):
    image(machine)
    archive, name = make_image(machine, new_name("scan"), "1")
    with scanner(machine, f"when = never\ntimeout_s = {int(25 * max(1, PATIENCE))}\n") as set_mode:
        machine.danchi("load", "-i", archive, timeout=300)
        for mode, words in (("endless", "more than 256 KiB"), ("status", "ended with status 3"),
                            ("hang", "took more than")):
            set_mode(mode)
            verdict, summary, status, seconds = scan(machine, name)
            expect_equal((verdict, status), ("error", 1), f"{mode}: verdict and status")
            expect(words in summary, f"{mode}: {summary!r}")
        expect_equal(scan_of(machine, name)["verdict"], "error", "what is kept")
        # What is read of the image is the image: a block that was changed is seen.
        set_mode("large")
        path = f"{machine.state}/store/layers/{layer_of(machine, name)}/layer.erofs"
        with open(path, "rb") as file:
            offset = file.read().index(b"in the middle")
        with damaged(path, offset):
            verdict, summary, status, _ = scan(machine, name)
        expect_equal((verdict, status), ("error", 1), "a damaged block: verdict and status")
        expect("is damaged" in summary, f"a damaged block: {summary!r}")


@test("R4.3", seconds=300, only=EMULATION)
def a_scan_that_is_cut_short_leaves_nothing(machine):
    image(machine)
    archive, name = make_image(machine, new_name("scan"), "1")
    with scanner(machine, "when = never\n") as set_mode:
        machine.danchi("load", "-i", archive, timeout=300)
        set_mode("hang")
        guests = set(machine.guest_ids())
        for end in "client", "daemon":
            client = machine.spawn("image", "scan", name)
            wait_until(lambda: set(machine.guest_ids()) - guests, "the scan's guest", 60)
            if end == "client":
                client.kill()
                client.wait(60 * PATIENCE)
            else:
                machine.kill_daemon()
                machine.start()
                client.wait(60 * PATIENCE)
            wait_until(lambda: set(machine.guest_ids()) == guests, f"{end}: its guest is gone", 60)
            expect_equal(os.listdir(f"{machine.state}/store/staging"), [], "the staging directory")
        expect("scan" not in machine.json("image", "inspect", name)[0]["provenance"], "a verdict")


# All there is in its container's root, but for what is mounted there.
STATIC_SCANNER = r"""
#include <stdio.h>
#include <unistd.h>
int main (int argc, char **argv)
{
  int sees = access ("/scan/opt/demo/secret/file", R_OK) == 0 && access ("/bin", F_OK) != 0;
  printf ("{\"verdict\":\"%s\",\"summary\":\"%s\"}", sees ? "warn" : "fail", argc > 1 ? argv[1] : "");
  return 0;
}
"""


@test("R4.3", seconds=300, only=EMULATION)
def a_static_program_scans_before_a_container_is_made(machine):
    archive, name = make_image(machine, new_name("scan"), "1")
    directory = f"{machine.run}/static"
    os.makedirs(directory, exist_ok=True)
    subprocess.run(["gcc", "-static", "-xc", "-o", f"{directory}/scan", "-"], check=True,
                   input=STATIC_SCANNER.encode())
    with images_go(machine), settings(machine) as add, context_file(
            machine, "[context]\ntenant = acme\nstage = test\ntier = backend\n[images]\n"
            "scan = required\n") as (place, _):
        add(f"[scan]\nprogram = {directory}/scan\ncommand = word\nwhen = start\nmax_age_s = 3600\n")
        machine.danchi("load", "-i", archive, timeout=300)
        made = new_name()
        machine.danchi("create", "--name", made, "--context", place, name, timeout=300)
        verdict = scan_of(machine, name)
        expect_equal((verdict["verdict"], verdict["summary"]), ("warn", "word"), "the verdict")
        expect(verdict["scanner"].startswith("program "), verdict["scanner"])
        again = new_name()
        machine.danchi("create", "--name", again, "--context", place, name)
        expect_equal(scan_of(machine, name)["time_us"], verdict["time_us"], "it is not scanned again")
        machine.danchi("rm", made, again)


OVAL = os.path.join(TOP, "tests", "images", "sample-oval.xml")
STATUS = """Package: danchi-sample
Status: install ok installed
Priority: optional
Section: misc
Maintainer: Nobody <nobody@example.org>
Architecture: all
Version: %s
Description: a package of the tests

"""


def debian_image(machine, name, version):
    """Loads an image that says it has version of the package that sample-oval.xml knows."""
    root, archive = f"{machine.run}/{name}-root", f"{machine.run}/{name}.tar"
    os.makedirs(f"{root}/var/lib/dpkg")
    os.makedirs(f"{root}/etc")
    with open(f"{root}/var/lib/dpkg/status", "w") as file:
        file.write(STATUS % version)
    with open(f"{root}/etc/debian_version", "w") as file:
        file.write("12.4\n")
    subprocess.run([sys.executable, MAKE_IMAGE, root, archive, "docker", "--name",
                    f"docker.io/danchi/{name}:1", "--cmd", "/none"], check=True)
    machine.danchi("load", "-i", archive, timeout=300)
    return f"docker.io/danchi/{name}:1"


@test("R4.3", "R5.9", seconds=900, only=EMULATION)
def openscap_finds_a_package_that_an_oval_document_calls_vulnerable(machine):
    with images_go(machine), settings(machine) as add:
        add(f"[scan]\nimage = localhost/openscap:1\ndata = {OVAL}\n")
        # The scanner's own image comes in although there is nobody to scan it yet.
        machine.danchi("load", "-i", f"{ARCHIVES}/openscap.tar", timeout=600)
        old, new = (debian_image(machine, new_name("scan"), version) for version in ("1.0-1", "1.0-2"))
        verdict = scan_of(machine, old)
        expect_equal(verdict["verdict"], "fail", f"the old one: {verdict}")
        expect_equal([(one["id"], one["severity"], one["package"], one["installed"], one["fixed"])
                      for one in verdict["findings"]],
                     [("CVE-2026-0001", "high", "danchi-sample", "1.0-1", "0:1.0-2")], "findings")
        expect(verdict["data"][0].startswith("sample-oval.xml="), f"data: {verdict}")
        verdict = scan_of(machine, new)
        expect_equal((verdict["verdict"], verdict["summary"]), ("pass", "1 packages, 0 findings"),
                     "the new one")
        with context_file(machine, "[context]\ntenant = acme\nstage = test\ntier = backend\n"
                          "[images]\nscan = pass\n") as (name, path):
            refused = machine.danchi("create", "--context", name, old, "true", check=False)
            expect_error(refused, 1, "fail (1 high)", f"rule image-scan, {path}:6")
            made = new_name()
            machine.danchi("create", "--name", made, "--context", name, new, "true")
            machine.danchi("rm", made)
