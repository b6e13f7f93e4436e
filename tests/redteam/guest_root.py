# SPDX-License-Identifier: Apache-2.0
"""As the guest's root towards the host: questions, and attacks with a guest each.

The guests' agent differs from the real one by tests/redteam/hook.c.  Beside each attacked guest a
bystander of another context counts on, and may not notice.
"""

import glob
import hashlib
import os
import re
import stat
import time

from machine import Failure, expect, expect_equal, proc_status, wait_until
from network import CardTest
from test_binds import OWNER, bindable

BYSTANDER = "bystander"
# What a guest's console and frames may cost on the host (docs/protocol.md; 16 MiB for danchid's own
# heap and its log).
RELAY_KIB = 16 * 1024
RELAY_GROWTH_KIB = 4 * 1024
DAEMON_GROWTH_KIB = 16 * 1024
CONSOLE_BYTES = 64 * 1024 + 4096

# What ends the guest at once, as one that broke the protocol.
VIOLATIONS = {
    "unknown": "a frame of no known type",
    "reserved": "a frame whose second field is not zero",
    "oversized": "a frame of four gigabytes",
    "order": "an order that only the host gives",
    "ready": "a second READY",
    "stream": "data on a stream that nobody made",
    "fields": "a message with fields cut short",
    "name": "a container named as a path",
    "garbage": "four megabytes of no frame at all",
}
# What is a nuisance, and bounded.
FLOODS = {
    "frames": "answers that nobody asked for",
    "console": "the console, with escapes",
}


def listing(top):
    """Everything below: its kind, mode, owner, times of change, and content."""
    found = {}
    for directory, names, files in os.walk(top):
        for path in (os.path.join(directory, name) for name in (*names, *files)):
            status = os.lstat(path)
            content = None
            if stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    content = file.read()
            found[path] = (status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns,
                           status.st_nlink, content)
    expect(any(path.endswith("/data/mine") and entry[1] == OWNER for path, entry in found.items()),
           f"nothing of the owner's is there: {sorted(found)}")
    return found


class GuestRoot:
    def __init__(self, machine, tally, image):
        self.machine, self.tally, self.image = machine, tally, image

    def run(self, guarded):
        machine = self.machine
        self.disks = self.hash_disks()
        self.start_container(BYSTANDER, BYSTANDER)
        guarded(self.tally, "redteam: guest root's questions are refused", 120, self.ask)
        guarded(self.tally, "redteam: guest root attacks the share of host directories: refused, and "
                "nothing there changes", 120, self.attack_share)
        guarded(self.tally, "redteam: a container's card, and the guest root's, lead nowhere but out", 240,
                self.use_card)
        for name, what in VIOLATIONS.items():
            guarded(self.tally, f"redteam: guest root sends {what}: its guest ends", 90,
                    self.violate, name)
        for name, what in FLOODS.items():
            guarded(self.tally, f"redteam: guest root floods {what}: the host's memory is bounded",
                    120, self.flood, name)
        guarded(self.tally, "redteam: guest root resets the machine: its guest ends", 90, self.reset)
        guarded(self.tally, "redteam: the disks that guests boot from are unchanged", 60,
                self.compare_disks)
        machine.danchi("rm", "-f", BYSTANDER)

    def start_container(self, context, name):
        self.machine.danchi("context", "create", "--tenant", "acme", "--stage", "test", "--tier",
                            "backend", context)
        self.machine.danchi("run", "-d", "--name", name, "--context", context, self.image,
                            "--neighbour")

    def end_context(self, context):
        self.machine.danchi("context", "rm", "-f", context)
        self.expect_bystander()

    def expect_bystander(self):
        """It runs, in the guest that it began in, and answers."""
        expect_equal(self.machine.state_of(BYSTANDER), "running", "state of the bystander")
        found = self.machine.danchi("exec", BYSTANDER, "/redteam-probe", "kernel.hostname")
        expect("refused" in found.stdout, f"the bystander answers {found.stdout!r}")

    def guest_of(self, name):
        return self.machine.inspect(name)["guest"]

    def console_of(self, guest_id):
        for path in glob.glob(f"{self.machine.run}/guests/{guest_id}/*console*"):
            if os.path.isfile(path):
                return path
        raise Failure(f"no console of guest {guest_id}: "
                      f"{os.listdir(f'{self.machine.run}/guests/{guest_id}')}")

    def read_console(self, path):
        with open(path, "rb") as file:
            return file.read().decode(errors="replace")

    def log_bytes(self):
        return os.path.getsize(self.machine.log_path)

    def ask(self):
        self.start_container("red-probes", "asked")
        self.expect_refused("asked", "guest")
        self.expect_read_only_disks()
        self.end_context("red-probes")

    def expect_refused(self, name, family):
        """The traitor in the container's guest asks all of the family, and the table's answers come."""
        path = self.console_of(self.guest_of(name)["id"])
        wait_until(lambda: "redteam-end" in self.read_console(path), "all questions are asked", 90)
        lines = re.findall(rf"redteam\t({family}\.\S+)\t(\S+)\t(\S+)", self.read_console(path))
        wanted = {line.split("\t")[0] for line in self.machine.probe_list
                  if line.startswith(f"{family}.")}
        self.machine.results.setdefault(("guest", "root"), []).extend(lines)
        missing = sorted(wanted - {line[0] for line in lines})
        expect(not missing, f"without an answer: {missing}")
        bad = [" ".join(line) for line in lines if line[1] not in ("refused", "permitted")]
        expect(not bad, "\n".join(bad))

    def attack_share(self):
        """share.c has what is tried: as the guest's root, and as the bind's owner."""
        context = f"{self.machine.config}/contexts.d/red-share.conf"
        with bindable(self.machine) as top:
            os.makedirs(os.path.dirname(context), exist_ok=True)
            with open(context, "w") as file:
                file.write(f"[context]\ntenant = acme\nstage = test\ntier = backend\n"
                           f"[volumes]\nbinds = {top}/data:rw\n")
            before = listing(top)
            self.machine.danchi("run", "-d", "--name", "shared", "--context", "red-share", "-u",
                                "1000", "-v", f"{top}/data:/data:rw", "-v", f"{top}/data:/still",
                                self.image, "--neighbour")
            self.expect_refused("shared", "share")
            expect_equal(listing(top), before, "the host's files afterwards")
            self.end_context("red-share")

    def use_card(self):
        lines = CardTest(self.machine, self.image).run(lambda guest: self.read_console(self.console_of(guest)))
        self.machine.results[("guest", "card")] = lines
        bad = [" ".join(line) for line in lines if line[1] not in ("refused", "permitted")]
        wanted = sum(line.startswith("networks.") for line in self.machine.probe_list)
        expect(len(lines) == wanted and not bad, f"{len(lines)} of {wanted} answers, {bad}")
        self.expect_bystander()

    def expect_read_only_disks(self):
        """A guest's own refusal is worth as much as its kernel: QEMU must hold no disk for writing."""
        found = 0
        for pid in self.machine.guest_processes("qemu-system"):
            for path in glob.glob(f"/proc/{pid}/fd/*"):
                target = os.readlink(path)
                if not target.endswith(".erofs") and f"{self.machine.state}/" not in target:
                    continue
                with open(path.replace("/fd/", "/fdinfo/")) as file:
                    flags = int(re.search(r"flags:\s*(\d+)", file.read())[1], 8)
                expect_equal(flags & os.O_ACCMODE, os.O_RDONLY, f"how QEMU has opened {target}")
                found += 1
        # Two guests, each with a boot disk and an image's.
        expect(found >= 4, f"only {found} disks of QEMU's were found")

    def violate(self, name):
        before = self.log_bytes()
        victim = f"victim-{name}"
        self.start_container(f"red-{name}", victim)
        wait_until(lambda: self.machine.state_of(victim) == "exited", "the guest was ended", 60)
        with open(self.machine.log_path, errors="replace") as log:
            log.seek(before)
            text = log.read()
        expect("the guest broke the protocol" in text, f"danchid's log says nothing of it: {text}")
        self.machine.results.setdefault(("guest", "violation"), []).append(
            (f"guest.{name}", "refused", "suspect"))
        self.end_context(f"red-{name}")

    def flood(self, name):
        victim = f"victim-{name}"
        daemon_before = self.resident_kib(self.machine.daemon.pid)
        self.start_container(f"red-{name}", victim)
        guest = self.guest_of(victim)
        path = self.console_of(guest["id"])
        relay_before, relay_most, daemon_most = self.resident_kib(guest["relay_pid"]), 0, 0
        end = time.monotonic() + 60
        while f"redteam-attack\tred-{name}\t0" not in self.read_console(path):
            expect(time.monotonic() < end, "the flood has no end")
            relay_most = max(relay_most, self.resident_kib(guest["relay_pid"]))
            daemon_most = max(daemon_most, self.resident_kib(self.machine.daemon.pid))
            expect(os.path.getsize(path) <= CONSOLE_BYTES, "the console's file has grown")
            time.sleep(0.1)
        self.expect_bystander()
        expect(relay_most <= min(RELAY_KIB, relay_before + RELAY_GROWTH_KIB),
               f"the relay has grown from {relay_before} to {relay_most} KiB")
        expect(daemon_most <= daemon_before + DAEMON_GROWTH_KIB,
               f"danchid has grown from {daemon_before} to {daemon_most} KiB")
        expect_equal(self.machine.state_of(victim), "running", "state of the flooding guest")
        print(f"        relay {relay_before} to {relay_most} KiB, danchid {daemon_before} to "
              f"{daemon_most} KiB", flush=True)
        self.end_context(f"red-{name}")

    def reset(self):
        self.start_container("red-reset", "victim-reset")
        wait_until(lambda: self.machine.state_of("victim-reset") == "exited", "the guest ended", 60)
        self.end_context("red-reset")

    @staticmethod
    def resident_kib(pid):
        try:
            return int(proc_status(pid)["VmRSS"].split()[0])
        except (OSError, KeyError):
            return 0

    def hash_disks(self):
        """Everything that a guest's disk is made of: kernel, roots, and unpacked images."""
        found = {}
        for top in f"{self.machine.build}/images", f"{self.machine.state}/store":
            for directory, _, names in os.walk(top):
                for name in names:
                    path = os.path.join(directory, name)
                    if os.path.isfile(path) and os.path.getsize(path) > 4096:
                        with open(path, "rb") as file:
                            found[path] = hashlib.file_digest(file, "sha256").hexdigest()
        return found

    def compare_disks(self):
        expect(any(path.endswith("guest.erofs") for path in self.disks), "no boot disk was seen")
        expect_equal(self.hash_disks(), self.disks, "digests of disks")
