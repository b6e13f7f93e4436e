# SPDX-License-Identifier: Apache-2.0
"""What Danchi could leave behind on a host, as sets that are compared before and after."""

import glob
import os
import re
import struct
import subprocess

from machine import all_commands

PROGRAMS = ("danchid", "danchi-relay", "danchi-intake", "danchi-gateway", "danchi-share", "skopeo",
            "qemu-system-x86_64", "virtiofsd")
# The lowest uid of Danchi's default range for contexts (launcher/guest/identity.h).
FIRST_CONTEXT_UID = 200001
LAST_CONTEXT_UID = 265536
ACL_USER = 0x02  # linux/posix_acl.h


def domains():
    listing = subprocess.run(["virsh", "-c", "qemu:///system", "list", "--all", "--name"],
                             capture_output=True, text=True, timeout=300)
    return {name for name in listing.stdout.split() if name.startswith("danchi-")}


def processes():
    return {f"{os.path.basename(words[0])} (pid {pid})" for pid, words in all_commands()
            if os.path.basename(words[0]) in PROGRAMS}


def mounts():
    with open("/proc/self/mountinfo") as file:
        targets = [line.split()[4] for line in file]
    return {target for target in targets if "danchi" in target}


def loop_devices():
    listing = subprocess.run(["losetup", "-nlO", "NAME,BACK-FILE"], capture_output=True, text=True)
    return {line for line in listing.stdout.splitlines() if "danchi" in line}


def unix_sockets():
    with open("/proc/net/unix") as file:
        paths = [line.split()[7] for line in file if len(line.split()) > 7]
    return {path for path in paths if "danchi" in path}


def owned_files():
    """Files under /run, /var/lib and /dev/shm that belong to an identity of a context."""
    found = set()
    for top in "/run", "/var/lib", "/dev/shm":
        for directory, _, names in os.walk(top):
            for path in [directory] + [os.path.join(directory, name) for name in names]:
                try:
                    uid = os.lstat(path).st_uid
                except OSError:
                    continue
                if FIRST_CONTEXT_UID <= uid <= LAST_CONTEXT_UID:
                    found.add(path)
    return found


def device_acls():
    """Entries for single users on device nodes: QEMU needs them only while it runs."""
    found = set()
    for path in "/dev/kvm", "/dev/vhost-vsock":
        try:
            value = os.getxattr(path, "system.posix_acl_access")
        except OSError:
            continue
        # After a version of 4 bytes: tag, permissions, id.  An ACL without users is a mode.
        for tag, _, identity in struct.iter_unpack("<HHI", value[4:]):
            if tag == ACL_USER:
                found.add(f"an entry for uid {identity} on {path}")
    return found


def networks():
    """Taps, tables of rules and routes of guests."""
    listings = [["ip", "-o", "link"], ["nft", "list", "tables"], ["ip", "route"], ["ip", "-6", "route"]]
    lines = [line.strip() for words in listings
             for line in subprocess.run(words, capture_output=True, text=True).stdout.splitlines()]
    return {line for line in lines if re.search(r"\bdn2\d{5}\b|\bdanchi\b|\bproto 100\b", line)}


def guest_files(machine):
    """What each guest has under the machine's own directories."""
    patterns = (f"{machine.run}/guests/*", f"{machine.run}/journal/*", f"{machine.state}/guests/*",
                f"{machine.state}/staging/*", f"{machine.state}/store/staging/*")
    return {path for pattern in patterns for path in glob.glob(pattern)}


CHECKS = {
    "domains": domains, "processes": processes, "mounts": mounts, "loop devices": loop_devices,
    "sockets": unix_sockets, "files of a context's uid": owned_files, "ACLs": device_acls, "networks": networks,
}


def snapshot():
    return {what: check() for what, check in CHECKS.items()}


def difference(before, after):
    """Lines about what is there now and was not there before."""
    return [f"{what}: {thing}" for what in CHECKS for thing in sorted(after[what] - before[what])]
