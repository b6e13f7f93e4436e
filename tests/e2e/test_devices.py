# SPDX-License-Identifier: Apache-2.0
"""The machine of a guest: which devices it has, seen from inside and from QEMU, and nothing more.

docs/devices.md has the reason for each that is listed here.
"""

import glob
import os
import re
import stat
import subprocess

from machine import expect, expect_equal, proc_status
from suite import box, exec_sh, test

# The guest's buses as PCI ids.  The bridges are q35 itself; a port for each disk that may come.
HOST_BRIDGE, LPC_BRIDGE, PORT = "8086:29c0", "8086:2918", "1b36:000c"
DISK, SERIAL, VSOCK, BALLOON = "1af4:1042", "1af4:1043", "1af4:1053", "1af4:1045"

# QEMU's own names, of everything in its device tree.  A new version that brings another device by
# itself fails this test: then it gets a reason, or is taken away.
QTREE = {
    # q35
    "q35-pcihost", "mch", "ICH9-LPC", "ioapic", "kvm-ioapic",
    # the chips of a PC that no switch removes
    "isa-i8259", "kvm-i8259", "isa-pit", "kvm-pit", "mc146818rtc", "isa-pcspk", "i8257",
    "kvmvapic", "kvmclock",
    # ours
    "pcie-root-port", "virtio-blk-pci", "virtio-blk-pci-non-transitional", "virtio-blk-device",
    "virtio-serial-pci-non-transitional", "virtio-serial-device", "virtserialport",
    "virtio-balloon-pci-non-transitional", "virtio-balloon-device",
    "vhost-vsock-pci-non-transitional", "vhost-vsock-device", "isa-serial", "fw_cfg_io",
}

# What a command line may not have, whatever else changes.
NEVER = ("usb-", "VGA", "virtio-net", "virtio-gpu", "e1000", "cirrus", "ahci", "ide-",
         "scsi", "-vnc", "-spice", "virtio-rng", "virtio-9p", "vhost-user", "tpm", "watchdog", "i6300",
         "-netdev", "-nic", "intel-hda", "-gdb", "-qmp", "-loadvm", "-incoming", "hmp")


def guest(machine):
    """(pid of QEMU, its command line, the domain's name) of the shared box's guest."""
    entry = machine.inspect(box(machine))
    pid = entry["guest"]["qemu_pid"]
    with open(f"/proc/{pid}/cmdline") as file:
        words = file.read().rstrip("\0").split("\0")
    names = [word.split("=", 1)[1].split(",")[0] for word in words if word.startswith("guest=")]
    expect_equal(len(names), 1, f"names in {words}")
    return pid, words, names[0]


def virsh(*words):
    return subprocess.run(["virsh", "-c", "qemu:///system", *words], capture_output=True, text=True,
                          check=True).stdout


@test("R4.1")
def its_buses_hold_only_what_has_a_reason(machine):
    script = "cd /sys/bus/pci/devices && for d in *; do echo $(cat $d/vendor $d/device); done"
    found = ["{}:{}".format(*(one.removeprefix("0x") for one in line.split()))
             for line in exec_sh(machine, script, container=box(machine)).stdout.splitlines()]
    channel = VSOCK if machine.transport == "vsock" else SERIAL
    expect_equal(sorted(set(found)), sorted({HOST_BRIDGE, LPC_BRIDGE, PORT, DISK, BALLOON, channel}),
                 "kinds of devices on the guest's buses")
    for single in HOST_BRIDGE, LPC_BRIDGE, BALLOON, channel:
        expect_equal(found.count(single), 1, f"number of {single}")


@test("R4.1")
def qemu_has_no_device_but_those_with_a_reason(machine):
    tree = virsh("qemu-monitor-command", guest(machine)[2], "--hmp", "info qtree")
    found = set(re.findall(r'dev: ([\w.-]+), id', tree))
    expect("isa-serial" in found and len(found) > 8, f"no device tree: {tree[:400]}")
    expect_equal(sorted(found - QTREE), [], "devices without a reason")


@test("R4.1", "R2.2")
def qemus_command_line_is_the_one_that_was_decided(machine):
    _, words, _ = guest(machine)
    line = " ".join(words)

    def value(option):
        expect_equal(words.count(option), 1, f"how often {option} is in {line}")
        return words[words.index(option) + 1]
    expect_equal(value("-sandbox"), "on,obsolete=deny,elevateprivileges=deny,spawn=deny,"
                 "resourcecontrol=deny", "-sandbox")
    for flag in "-no-user-config", "-nodefaults", "-no-shutdown":
        expect(flag in words, f"no {flag} in {line}")
    expect_equal(value("-display"), "none", "-display")
    machine_words = ",".join(words[i + 1] for i, word in enumerate(words) if word == "-machine")
    for word in ("usb=off", "vmport=off", "smm=off", "dump-guest-core=off", "mem-merge=off", "i8042=off",
                 "sata=off", "smbus=off"):
        expect(word in machine_words.split(","), f"no {word} in {machine_words}")
    expect("-no-hpet" in words or "hpet=off" in machine_words, f"an HPET: {line}")
    # libvirt's way to say that there is no sound.
    if "-audiodev" in words:
        expect_equal(value("-audiodev"), '{"id":"audio1","driver":"none"}', "-audiodev")
    for word in NEVER:
        # As the beginning of a word or an option's value: file names are not devices.
        expect(not re.search(rf"(^| |,|:\"){re.escape(word)}", line.replace("usb=off", "")),
               f"{word} is in {line}")


@test("R4.1", "R2.1")
def every_disk_is_raw_by_declaration_and_images_are_read_only(machine):
    _, words, _ = guest(machine)
    nodes = [word for word in words if word.startswith('{"') and '"driver":' in word
             and ('"filename"' in word or '"file":' in word)]
    formats = [node for node in nodes if '"file":' in node]
    expect(len(formats) >= 1, f"no disk in {words}")
    for node in formats:
        expect('"driver":"raw"' in node, f"not raw: {node}")
        expect('"read-only":true' in node, f"an image that QEMU may write: {node}")
    pid = guest(machine)[0]
    for name in os.listdir(f"/proc/{pid}/fd"):
        target = os.readlink(f"/proc/{pid}/fd/{name}")
        if target.endswith(".erofs"):
            with open(f"/proc/{pid}/fdinfo/{name}") as file:
                flags = next(line.split()[1] for line in file if line.startswith("flags:"))
            expect_equal(int(flags, 8) & os.O_ACCMODE, os.O_RDONLY, f"access mode of {target}")


@test("R4.1", "R5.11")
def qemu_is_sandboxed_and_nobody_by_the_kernels_word(machine):
    pid = guest(machine)[0]
    # The filter holds for each of QEMU's threads, not only for the first.
    for thread in os.listdir(f"/proc/{pid}/task"):
        status = proc_status(f"{pid}/task/{thread}")
        expect_equal((status["Seccomp"], status["NoNewPrivs"]), ("2", "1"), f"thread {thread}")
        for key in "CapPrm", "CapEff", "CapInh", "CapAmb":
            expect_equal(int(status[key], 16), 0, f"{key} of thread {thread}")
        ids = set(status["Uid"].split())
        expect(len(ids) == 1 and int(ids.pop()) >= 200001, f"uid of thread {thread}")
        expect_equal(set(status["Gid"].split()), set(status["Uid"].split()), "gid, as the uid")
    with open(f"/proc/{pid}/smaps") as file:
        flags = [line for line in file if line.startswith("VmFlags:")]
    expect(flags and not any(" mg" in line for line in flags), "KSM may merge the guest's memory")


@test("R2.1")
def no_other_user_reaches_the_monitor_or_the_channels(machine):
    pid, _, name = guest(machine)
    # libvirt makes the monitor's, in a directory whose name has the domain's first 20 letters.
    monitors = glob.glob(f"/var/lib/libvirt/qemu/domain-*-{name[:20]}*/monitor.sock")
    expect_equal(len(monitors), 1, f"monitors of {name}")
    ours = glob.glob(f"{machine.run}/guests/{name.removeprefix('danchi-')}/*.sock")
    channels = {"console.sock", "relay.sock"} | ({"agent.sock"} if machine.transport == "serial" else set())
    expect_equal({os.path.basename(path) for path in ours}, channels, "sockets of the guest")
    sockets = [path for path in monitors + ours if stat.S_ISSOCK(os.stat(path).st_mode)]
    expect_equal(len(sockets), len(monitors + ours), "sockets that are such")
    connect = ("import socket, sys\ns = socket.socket(socket.AF_UNIX)\n"
               "sys.exit(0 if s.connect_ex(sys.argv[1]) == 13 else 1)")
    for path in sockets:
        # As another guest's uid: that is who would want to.
        done = subprocess.run(["python3", "-c", connect, path], user=299999, group=299999, extra_groups=[])
        expect_equal(done.returncode, 0, f"{path} answers a stranger with EACCES")
    expect(pid > 0, "QEMU runs")


@test("R4.1")
def the_kernel_names_no_keyboard_no_disk_controller_and_no_bus_that_were_removed(machine):
    # /proc/ioports names a PC's keyboard ports whether there is one or not: not asked.
    script = "ls /sys/bus/serio/devices /sys/class/ata_port /sys/class/i2c-adapter /sys/bus/platform/devices"
    text = exec_sh(machine, script, container=box(machine), check=False).stdout
    expect("serial8250" in text, f"no devices at all: {text}")
    for word in "i8042", "serio0", "ata1", "i2c-0":
        expect(word not in text, f"{word} is in {text}")
