#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What limits and health checks cost, and what the balloon gives back.

    limits.py [--seconds N]     in a cell
"""

import argparse
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
from hog import busy_seconds, samples  # noqa: E402
from machine import Machine, proc_status  # noqa: E402
from suite import box, exec_sh, start_sh  # noqa: E402

MIB = 1 << 20
# Far above what the work takes: what is measured is the counting, not the waiting.
LIMITS = ("-m", "100m", "--cpus", "1", "--pids-limit", "50", "--read-bps", "1g", "--write-bps", "1g",
          "--read-iops", "100000", "--write-iops", "100000")
WORK = {
    "count to 20,000 in a shell": "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done",
    "200 processes": "i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done",
    "write 16 MiB to the scratch disk": "dd if=/dev/zero of=/var/x bs=1M count=16 conv=fsync 2>/dev/null",
}
ROUNDS = 7


def row(what, value, note=""):
    print(f"{what:<52} {value:>14}  {note}".rstrip(), flush=True)


def own_mib(pid):
    return int(proc_status(pid)["RssAnon"].split()[0]) / 1024


def show_balloon(machine):
    name = start_sh(machine, "sleep 1000", "-m", "120m", "--tmpfs", "/fill:size=100m")
    pid = machine.inspect(name)["guest"]["qemu_pid"]
    before = own_mib(pid)
    exec_sh(machine, "head -c 80000000 /dev/zero > /fill/x", container=name)
    filled = own_mib(pid)
    exec_sh(machine, "rm /fill/x", container=name)
    # The guest's kernel reports two seconds later; until then, and until it has not changed for one.
    after, started, took = filled, time.monotonic(), 0
    while took < 10:
        time.sleep(1)
        now, took = own_mib(pid), time.monotonic() - started
        if took > 3 and abs(now - after) < 1:
            break
        after = now
    row("QEMU's own memory: before, filled with 76 MiB, freed", f"{before:.0f} {filled:.0f} {now:.0f} MiB",
        f"{(filled - now) / max(filled - before, 1) * 100:.0f} % came back in {took:.0f} s")
    machine.danchi("rm", "-f", name)


def busy(machine, pid, seconds):
    """Processor milliseconds a second of QEMU, and of its relay."""
    pids = pid, machine.inspect(box(machine))["guest"]["relay_pid"], machine.daemon.pid
    before = [busy_seconds(one) for one in pids]
    time.sleep(seconds)
    return sum(busy_seconds(one) for one in pids) - sum(before)


def show_health(machine, seconds):
    pid = machine.inspect(box(machine))["guest"]["qemu_pid"]
    quiet = busy(machine, pid, seconds)
    name = start_sh(machine, "sleep 1000", "--health-cmd", "true", "--health-interval", "500ms")
    time.sleep(2)
    checks = machine.inspect(name)["health"]["checks"]
    checked = busy(machine, pid, seconds)
    checks = machine.inspect(name)["health"]["checks"] - checks
    machine.danchi("rm", "-f", name)
    row("a health check (true), processor time of the host", f"{(checked - quiet) / checks * 1000:.0f} ms",
        f"{checks} checks; a quiet guest takes {quiet / seconds * 1000:.0f} ms a second")


def seconds_of(machine, name, script):
    """By the guest's clock."""
    said = exec_sh(machine, f"s=$(cut -d' ' -f1 /proc/uptime); {script}; "
                   "echo $s $(cut -d' ' -f1 /proc/uptime)", "-u", "0", container=name).stdout
    before, after = map(float, said.split())
    return max(after - before, 0.01)


def compare(what, names, measure):
    """Medians of the one without limits and the one with them, which take turns."""
    took = [[measure(name) for name in names] for _ in range(ROUNDS)]
    without, within = (statistics.median(column) for column in zip(*took))
    row(what + ", without and with limits", f"{without * 1000:.0f} {within * 1000:.0f} ms",
        f"{(within / without - 1) * 100:+.0f} %")


def show_limits(machine):
    names = [start_sh(machine, "sleep 1000", "--writable=disk:64m", *flags) for flags in ((), LIMITS)]
    for what, script in WORK.items():
        compare(what, names, lambda name: seconds_of(machine, name, script))
    compare("exec", names, lambda name: samples(machine, name, 1)[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10)
    seconds = parser.parse_args().seconds
    machine = Machine("bench-limits")
    machine.start()
    try:
        box(machine)
        print(f"\nlimits, health, balloon ({machine.accelerator})")
        show_balloon(machine)
        show_health(machine, seconds)
        show_limits(machine)
    finally:
        machine.remove_all()
        machine.stop()
        machine.remove_directories()


if __name__ == "__main__":
    main()
