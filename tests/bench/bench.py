#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`make bench`: what a start, an exec and a byte cost on this machine, medians beside the floor.

    bench.py [--runs N] [--json FILE]

The runs of the different measurements take turns, so that a slow minute of the machine hits all.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "e2e"), HERE]
import record  # noqa: E402
from floor import Floor  # noqa: E402
from machine import BUILD, KVM, Machine, proc_status  # noqa: E402
from suite import create_context, image  # noqa: E402

STREAM_BYTES = 64 << 20
# Goals under emulation (docs/development.md says where they come from).
GOAL_COLD_RATIO, GOAL_EXEC_MS, GOAL_RELAY_KIB, GOAL_GUEST_MIB = 1.6, 150, 4096, 40


def timed(machine, *arguments):
    return machine.danchi(*arguments, timeout=180).seconds


class Bench:
    def __init__(self, machine, runs):
        self.machine, self.runs = machine, runs
        self.floor = Floor(BUILD, machine.accelerator)
        self.samples, self.phases, self.rows = {}, {}, []

    def take(self, name, value):
        self.samples.setdefault(name, []).append(value)

    def median(self, name):
        return statistics.median(self.samples[name])

    # Measurements.

    def prepare(self):
        image(self.machine)
        create_context(self.machine, "bench")
        self.machine.danchi("run", "-d", "--name", "bench-box", "--context", "bench",
                            image(self.machine), "sleep", "1000000")

    def one_round(self):
        self.take("floor", self.floor.time_ready())
        self.cold_run()
        self.take("exec", timed(self.machine, "exec", "bench-box", "true"))
        self.take("warm", timed(self.machine, "run", "--rm", "--context", "bench",
                                image(self.machine), "true"))
        self.take("version", timed(self.machine, "version"))

    def cold_run(self):
        path = f"{self.machine.run}/trace.json"
        self.take("cold", timed(self.machine, "run", "--rm", "--trace", path,
                                image(self.machine), "true"))
        with open(path) as file:
            phases = json.load(file)["phases"]
        for phase in phases:
            seconds = (phase["end_us"] - phase["start_us"]) / 1e6
            self.phases.setdefault(phase["name"], []).append(seconds)
        started = max((phase["end_us"] for phase in phases if phase["name"] == "container"),
                      default=0)
        self.take("cold-started", started / 1e6)
        # The guest is taken down beside the client's end; the next run shall not share the cores.
        while len(self.machine.guest_ids()) > 1:
            time.sleep(0.05)

    def throughput(self):
        for _ in range(3):
            started = time.monotonic()
            # dd, not head: a program that writes in pieces as large as the channel's.
            subprocess.run(self.machine.command("exec", "bench-box", "dd", "if=/dev/zero",
                                                "bs=65536", f"count={STREAM_BYTES >> 16}"),
                           check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            self.take("out", STREAM_BYTES / (time.monotonic() - started))
            started = time.monotonic()
            source = subprocess.Popen(["head", "-c", str(STREAM_BYTES), "/dev/zero"],
                                      stdout=subprocess.PIPE)
            subprocess.run(self.machine.command("exec", "-i", "bench-box", "sh", "-c",
                                                "cat > /dev/null"), check=True,
                           stdin=source.stdout)
            source.wait()
            self.take("in", STREAM_BYTES / (time.monotonic() - started))
            self.take("raw", self.floor.serial_throughput())

    def memory(self):
        guest = self.machine.inspect("bench-box")["guest"]
        for name, pid in (("danchid", self.machine.daemon.pid), ("relay", guest["relay_pid"]),
                          ("qemu", guest["qemu_pid"])):
            self.take(f"{name}-rss", int(proc_status(pid)["VmRSS"].split()[0]))
            self.take(f"{name}-pss", pss_kib(pid))
        stats = self.machine.json("stats", "--no-stream", "bench-box")[0]
        self.take("guest-used", stats["guest_memory_used_bytes"] / 1024)

    # The table.

    def row(self, what, value, note=""):
        self.rows.append((what, value, note))

    def tell(self):
        floor, started = self.median("floor"), self.median("cold-started")
        ratio = started / floor
        self.row("raw QEMU, same kernel and devices, to 'ready'", seconds(floor), "the floor")
        self.row("danchi run --rm IMAGE true, cold: whole command", seconds(self.median("cold")))
        self.row("  to the start of the process", seconds(started),
                 f"{ratio:.2f} × the floor{verdict(ratio <= GOAL_COLD_RATIO, '1.6')}")
        for name, values in self.phases.items():
            self.row(f"    {name}", seconds(statistics.median(values)))
        spent = self.median("exec") * 1000
        self.row("danchi exec CONTAINER true", seconds(spent / 1000),
                 verdict(spent <= GOAL_EXEC_MS, f"{GOAL_EXEC_MS} ms").strip(", "))
        self.row("danchi run, second container in a running guest", seconds(self.median("warm")))
        self.row("danchi version (client and daemon alone)", seconds(self.median("version")))
        raw = self.median("raw")
        self.row("virtio-serial by hand, out of the guest", rate(raw), "the raw transport")
        for name, what in ("out", "stdout of exec"), ("in", "stdin of exec"):
            value = self.median(name)
            self.row(what, rate(value), f"{value / raw * 100:.0f} % of raw")
        relay, used = self.median("relay-rss"), self.median("guest-used") / 1024
        self.row("resident: danchid", kib(self.median("danchid-rss")))
        self.row("resident: danchi-relay", kib(relay),
                 verdict(relay <= GOAL_RELAY_KIB, "4 MiB").strip(", "))
        self.row("resident: QEMU", kib(self.median("qemu-rss")),
                 f"of which its own share {kib(self.median('qemu-pss'))}")
        self.row("idle guest: memory used in it", f"{used:.1f} MiB",
                 verdict(used <= GOAL_GUEST_MIB, "40 MiB with the tuned kernel").strip(", "))

    def print_table(self):
        print(f"\n{self.machine.accelerator}, {self.machine.transport}, medians of {self.runs} "
              f"runs, {os.cpu_count()} processors\n")
        width = max(len(what) for what, _, _ in self.rows)
        for what, value, note in self.rows:
            print(f"{what:<{width}}  {value:>11}  {note}".rstrip())


def seconds(value):
    return f"{value * 1000:.0f} ms"


def rate(value):
    return f"{value / (1 << 20):.1f} MiB/s"


def kib(value):
    return f"{value / 1024:.1f} MiB"


def verdict(is_reached, goal):
    return f", goal {goal} {'reached' if is_reached else 'missed'}"


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--json")
    options = parser.parse_args()
    machine = Machine("bench")
    if machine.mode == KVM:
        print("bench: KVM works here; the goals are those for emulation")
    machine.start()
    bench = Bench(machine, options.runs)
    try:
        bench.prepare()
        bench.one_round()
        bench.samples.clear()
        bench.phases.clear()
        for number in range(options.runs):
            bench.one_round()
            print(f"\rround {number + 1} of {options.runs}", end="", file=sys.stderr)
        print(file=sys.stderr)
        bench.throughput()
        bench.memory()
        bench.tell()
        for what, value, note in record.rows(machine, min(options.runs, 3)):
            bench.row(what, f"{value * 1000:.1f} ms", note)
        bench.print_table()
        if options.json:
            with open(options.json, "w") as file:
                json.dump({"samples": bench.samples, "phases": bench.phases}, file, indent=1)
    finally:
        bench.floor.close()
        machine.remove_all()
        machine.danchi("context", "rm", "-f", "bench", check=False)
        machine.stop()
        machine.remove_directories()
    return 0


if __name__ == "__main__":
    sys.exit(main())
