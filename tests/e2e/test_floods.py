# SPDX-License-Identifier: Apache-2.0
"""A guest that floods its host: memory and disk of the host stay within the stated bounds.

The bounds are those of docs/threat-model.md, "What a guest can fill".  The guest has an agent with
flood.c in it: its console and its channel are written without end, while a container of it floods its
output.  All three at once, each as fast as the guest can.
"""

import glob
import os
import re
import time

from machine import PATIENCE, expect, proc_status, wait_until
from suite import box, exec_sh, start_sh, test
from test_guest_hardening import variant

MIB = 1 << 20
FLOOD_SECONDS = 15 * min(PATIENCE, 2)

# Bytes of memory and disk, by which no flood makes them grow beyond.
RELAY_MEMORY = 16 * MIB
DANCHID_GROWTH = 32 * MIB
QEMU_GROWTH = 32 * MIB  # besides the guest's own memory, which is given to it at the start
CONSOLE_RING = 64 * 1024 + 16
CONTAINER_LOG = 64 * MIB  # both halves
EVENTS = 2 * 4 * MIB
DAEMON_LOG = 2 * 8 * MIB
RELAY_LOG = 1 * MIB


def anonymous_bytes(pid):
    """Memory that is the process's own: RssAnon, with the guest's memory in QEMU's case."""
    return int(proc_status(pid)["RssAnon"].split()[0]) * 1024


def disk_bytes(directory):
    found = 0
    for top, _, names in os.walk(directory):
        for name in names:
            try:
                found += os.lstat(os.path.join(top, name)).st_blocks * 512
            except FileNotFoundError:
                continue
    return found


def count_events(machine, name, action):
    found = 0
    for path in glob.glob(f"{machine.state}/log/events*.jsonl"):
        with open(path, errors="replace") as file:
            found += sum(1 for line in file if f'"{action}"' in line and f'"{name}"' in line)
    return found


def console_total(machine, guest):
    with open(f"{machine.run}/guests/{guest}/console.ring", "rb") as file:
        return int.from_bytes(file.read(16)[8:], "big")


def new_process(machine, program, before):
    found = set(machine.guest_processes(program)) - set(before)
    expect(len(found) == 1, f"processes of {program}: {found}")
    return found.pop()


class Watch:
    """The largest values seen while the flood goes on."""
    def __init__(self, machine, relay, qemu):
        self.pids = {"relay": relay, "qemu": qemu, "danchid": machine.daemon.pid}
        self.first = {name: anonymous_bytes(pid) for name, pid in self.pids.items()}
        self.most = dict(self.first)

    def look(self):
        for name, pid in self.pids.items():
            self.most[name] = max(self.most[name], anonymous_bytes(pid))

    def growth(self, name):
        return self.most[name] - self.first[name]


def guest_memory(machine, guest):
    """Of the guest's own memory QEMU has what the guest has touched: that is no growth of QEMU's."""
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with open(path) as file:
            words = file.read().split("\0")
        if any(guest in word for word in words) and "-m" in words:
            return int(words[words.index("-m") + 1].removesuffix("k").split(",")[0]) * MIB
    return 0


@test("R4.1", "R4.5", "R5.14", seconds=300)
def a_guest_that_floods_everything_fills_neither_memory_nor_disk(machine):
    neighbour = box(machine)
    with variant(machine, "flood"):
        relays, qemus = (machine.guest_processes(name) for name in ("danchi-relay", "qemu-system"))
        guests = set(machine.guest_ids())
        # The flood of the channel may hold up what comes after the start: that is the guest's own loss.
        name = start_sh(machine, "yes flooding the log of the host", fresh=True)
        guest = (set(machine.guest_ids()) - guests).pop()
        watch = Watch(machine, new_process(machine, "danchi-relay", relays),
                      new_process(machine, "qemu-system", qemus))
        disk, console = disk_bytes(machine.state), console_total(machine, guest)
        end = time.monotonic() + FLOOD_SECONDS
        while time.monotonic() < end:
            watch.look()
            time.sleep(0.1)
        grown = disk_bytes(machine.state) - disk
        said = console_total(machine, guest) - console
        with open(f"{machine.state}/log/relay-{guest}.log") as file:
            relay_log = file.read()
        with open(f"{machine.run}/guests/{guest}/console.ring", errors="replace") as file:
            messages = max((int(count) for count in re.findall(r"flood: (\d+) messages", file.read())), default=0)
        events = {action: count_events(machine, name, action) for action in ("oom", "exec_die")}
        print(f"       relay {watch.most['relay'] >> 10} KiB, danchid +{watch.growth('danchid') >> 10} KiB, "
              f"QEMU +{watch.growth('qemu') >> 10} KiB, disk +{grown >> 10} KiB, console {said >> 10} KiB, "
              f"{messages} messages, events {events}")
        # It did flood, and was not just dead.
        expect(said > FLOOD_SECONDS * 4096 / PATIENCE ** 2, f"the console got only {said} bytes")
        expect(messages > 1000 or "link down" in relay_log, f"{messages} messages: {relay_log}")
        # It told lies in thousands; the events that all contexts share have a few of them.
        expect(events["oom"] <= FLOOD_SECONDS + 10 and events["exec_die"] <= 1, f"events: {events}")

        expect(watch.most["relay"] <= RELAY_MEMORY, f"the relay has {watch.most['relay']} bytes")
        expect(watch.growth("danchid") <= DANCHID_GROWTH, f"danchid grew by {watch.growth('danchid')}")
        limit = QEMU_GROWTH + max(0, guest_memory(machine, guest) - watch.first["qemu"])
        expect(watch.growth("qemu") <= limit, f"QEMU grew by {watch.growth('qemu')}, over {limit}")
        size = os.path.getsize(f"{machine.run}/guests/{guest}/console.ring")
        expect(size == CONSOLE_RING, f"the console's ring has {size} bytes")
        for pattern, bound in ((f"{machine.state}/log/events*.jsonl", EVENTS),
                               (f"{machine.state}/log/danchid*.log", DAEMON_LOG),
                               (f"{machine.state}/log/relay-{guest}.log", RELAY_LOG),
                               (f"{machine.state}/containers/*/log.*", CONTAINER_LOG)):
            size = sum(os.path.getsize(path) for path in glob.glob(pattern))
            expect(size <= bound, f"{pattern}: {size} bytes, over {bound}")
        expect(grown <= EVENTS + DAEMON_LOG + RELAY_LOG + CONTAINER_LOG, f"the disk has {grown} more")

        # Neighbours do not notice, and the flooding guest can be ended.
        answer = exec_sh(machine, "echo alive", container=neighbour)
        expect(answer.stdout == "alive\n" and answer.seconds < 10 * PATIENCE, f"the neighbour: {answer}")
        machine.danchi("rm", "-f", name)
        wait_until(lambda: guest not in machine.guest_ids(), "the flooding guest is gone", 30)
