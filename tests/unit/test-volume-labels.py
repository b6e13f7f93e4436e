#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What AppArmor would let a guest's QEMU do, above all with disks of volumes, on a machine without
AppArmor.

libvirt makes the rules of each guest with a program of its own, virt-aa-helper, when the guest is
started and when a disk is attached.  Here it is given our golden documents (tests/golden/domain),
prints its rules and neither writes nor loads any; apparmor_parser compiles what comes of them.  That
a kernel holds QEMU to them is not shown.

Prints TAP.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
GOLDEN = f"{TOP}/tests/golden/domain"
HELPER, PARSER = "/usr/lib/libvirt/virt-aa-helper", "/usr/sbin/apparmor_parser"
UUID = "6db79009-070b-4a12-87c9-fdfc29170d5b"
VOLUME = "/var/lib/danchi/volumes/00112233445566778899aabbccddeeff/disk.raw"
OTHER = VOLUME.replace("0011", "4455")


def golden(name):
    with open(f"{GOLDEN}/{name}") as file:
        return file.read()


def document(*disks, of="kvm-vsock.xml"):
    """A guest's, with these disks attached, as libvirt has it while it runs."""
    text = golden(of)
    text = re.sub(r"(</name>)", rf"\1\n  <uuid>{UUID}</uuid>", text, count=1)
    return text.replace("</devices>", "".join(disks) + "</devices>")


def rules(text, *flags):
    """{path: permissions} of a guest with that document, and the rules as text."""
    done = subprocess.run([HELPER, *(flags or ("-c",)), "-d", "-u", f"libvirt-{UUID}"], input=text,
                          capture_output=True, text=True)
    if done.returncode != 0:
        return None, done.stderr
    lines = [line for line in (done.stdout + done.stderr).splitlines() if re.match(r'\s+(deny )?"/', line)]
    found = dict(re.match(r'\s+"([^"]+)" (\w+),', line).groups() for line in lines
                 if "deny" not in line)
    return found, "\n".join(lines)


def of_volumes(found):
    return {path: mode for path, mode in found.items() if path.startswith("/var/lib/danchi/volumes")}


def compare(found, wanted, what):
    return [] if found == wanted else [f"{what}: {found}, not {wanted}"]


def each_kind_of_guest_gets_a_profile_with_what_it_opens():
    """libvirt starts no guest for which its helper makes none."""
    wrong = []
    for name in "kvm-vsock", "tcg-serial", "disks-limits", "share", "card":
        text = document(of=f"{name}.xml")
        found, errors = rules(text)
        if found is None:
            wrong.append(f"{name}: {errors}")
            continue
        # The share's socket is for config/apparmor/libvirt-qemu.
        opened = r"(?:file|path)='(/[^']+)'|<(?:kernel|initrd|loader)[^>]*>(/[^<]+)"
        for path in re.findall(opened, text):
            path = path[0] or path[1]
            wrong += [] if path in found else [f"{name}: no rule of {path}"]
        wrong += [f"{name}: {path} {mode}" for path, mode in found.items()
                  if "/boot/" in path and "w" in mode]
    return wrong


def what_lies_below_usr_gets_a_guest_none():
    """Why danchid copies kernels, roots and firmware: launcher/guest/boot-files.h."""
    wrong = []
    for where in "/usr/lib/danchi/images", "/usr/local/lib/danchi/images", "/usr/share/qemu":
        for name in "guest.erofs", "vmlinuz", "initramfs.cpio", "qboot.rom":
            found, errors = rules(document().replace(f"/var/lib/danchi/boot/{name}",
                                                     f"{where}/{name}"))
            if found is not None or "restricted" not in errors:
                wrong.append(f"{where}/{name}: is not refused, so it need not be copied")
    return wrong


def a_guest_without_volumes_reaches_none():
    found, _ = rules(document())
    return compare(of_volumes(found), {}, "rules of volumes")


def a_disk_that_is_attached_is_the_only_one_it_gets():
    found, _ = rules(document(), "-r", "-F", VOLUME)
    return compare(found, {VOLUME: "rwk"}, "what is added")


def a_guest_with_volumes_reaches_these_and_writes_what_it_may():
    disks = golden("volume-disk.xml"), golden("volume-disk-read-only.xml").replace(VOLUME, OTHER)
    found, text = rules(document(*disks))
    return compare(of_volumes(found), {VOLUME: "rwk", OTHER: "rk"}, "rules of volumes") + (
        [] if f'deny "{OTHER}" w,' in text else ["writing what is read-only is not denied"])


def a_disk_that_was_detached_is_out_of_its_reach():
    found, _ = rules(document(golden("volume-disk.xml")), "-r")
    left, _ = rules(document(), "-r")
    return compare(of_volumes(found), {VOLUME: "rwk"}, "with it") + compare(of_volumes(left), {},
                                                                           "without it")


def compiles(directory, text):
    """Whether AppArmor's compiler takes the profile, with the abstractions below @directory."""
    done = subprocess.run([PARSER, "-QTK", "-b", directory], input=text, capture_output=True,
                          text=True)
    return done.returncode == 0, done.stderr


def the_profile_of_such_a_guest_compiles_with_ours_beside_it():
    """config/apparmor/libvirt-qemu is for the file that the distribution leaves to the operator."""
    if not os.path.exists(PARSER):
        return None
    _, own = rules(document(golden("volume-disk.xml")))
    profile = (f"#include <tunables/global>\nprofile libvirt-{UUID} flags=(attach_disconnected) {{\n"
               f"  #include <abstractions/libvirt-qemu>\n{own}\n}}\n")
    wrong = []
    with tempfile.TemporaryDirectory() as directory:
        for part in "abi", "abstractions", "tunables", "local":
            shutil.copytree(f"/etc/apparmor.d/{part}", f"{directory}/{part}")
        local = f"{directory}/local/abstractions/libvirt-qemu"
        os.makedirs(os.path.dirname(local), exist_ok=True)
        shutil.copy(f"{TOP}/config/apparmor/libvirt-qemu", local)
        works, errors = compiles(directory, profile)
        wrong += [] if works else [f"with ours: {errors}"]
        # So that this is known to be able to fail.
        with open(local, "a") as file:
            file.write("/var/lib/danchi/nonsense\n")
        works, _ = compiles(directory, profile)
        wrong += ["with a mistake in ours it is taken, too"] if works else []
    with open(f"{TOP}/config/apparmor/libvirt-qemu") as file:
        lines = [line for line in file if not line.startswith("#")]
    wrong += ["ours gives all guests volumes"] if "volumes" in "".join(lines) else []
    wrong += [] if any("/share.sock rw," in line and line.startswith("owner ") for line in lines) \
        else ["ours gives no guest the socket of its share"]
    return wrong


def main():
    tests = [each_kind_of_guest_gets_a_profile_with_what_it_opens,
             what_lies_below_usr_gets_a_guest_none, a_guest_without_volumes_reaches_none,
             a_disk_that_is_attached_is_the_only_one_it_gets,
             a_guest_with_volumes_reaches_these_and_writes_what_it_may,
             a_disk_that_was_detached_is_out_of_its_reach,
             the_profile_of_such_a_guest_compiles_with_ours_beside_it]
    failed = 0
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        name = test.__name__.replace("_", " ")
        wrong = test() if os.path.exists(HELPER) else None
        if wrong is None:
            print(f"ok {number} {name} # SKIP no virt-aa-helper or apparmor_parser")
            continue
        for line in wrong:
            print(f"# {line}")
        print(f"{'not ok' if wrong else 'ok'} {number} {name}")
        failed += bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
