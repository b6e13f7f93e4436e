#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`make bench`, its table of images: the same archives in Danchi, Podman and containerd.

    images.py [--rounds N] [--large FILES:BYTES|none] [--json FILE]

Runs in a cell, whose /var has Danchi's store.  The archives and the peers' stores lie in build/bench
and are removed again.
"""

import argparse
import contextlib
import glob
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "e2e"), HERE]
import peers  # noqa: E402
from machine import ARCHIVES, BUILD, EMULATION, KVM, TOP, Machine, probe_mode, proc_status  # noqa: E402
from suite import create_context  # noqa: E402

LARGE_PY = os.path.join(TOP, "tests", "images", "large.py")
SMALL = f"{ARCHIVES}/busybox.tar"
# Three images of one base of a hundred MiB, each with a layer of its own.
BASE, TOPS = "1:20000:104857600", ("101:200:2097152", "102:200:2097152", "103:200:2097152")
# A guest that is emulated takes a quarter of an hour for the whole one; an eighth says as much.
LARGE = {KVM: "300000:2147483648", EMULATION: "37500:268435456"}
READ_ALL = "find / -xdev -type f | xargs cat > /dev/null; echo read; sleep 1000000"
WORK = os.path.join(BUILD, "bench")


def make_archives(large):
    family = [f"{WORK}/family-{number}.tar" for number in range(len(TOPS))]
    for number, path in enumerate(family):
        subprocess.run([LARGE_PY, path, "--name", f"localhost/family:{number}", "--busybox", SMALL,
                        "--layer", BASE, "--layer", TOPS[number]], check=True)
    if large:
        subprocess.run([LARGE_PY, f"{WORK}/large.tar", "--name", "localhost/large:1", "--layer",
                        f"7:{large}"], check=True)
    return family, f"{WORK}/large.tar" if large else None


class Watch:
    """The highest resident sizes of danchid and of QEMU while it is open, in KiB."""

    def __init__(self, daemon_pid):
        self.daemon_pid, self.daemon_kib, self.qemu_kib = daemon_pid, 0, 0
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.poll, daemon=True)

    def poll(self):
        while not self.is_over.wait(0.2):
            for path in glob.glob("/proc/[0-9]*/comm"):
                with contextlib.suppress(OSError, KeyError):
                    with open(path) as file:
                        name, pid = file.read().strip(), int(path.split("/")[2])
                    if name.startswith("qemu-system"):
                        self.qemu_kib = max(self.qemu_kib, kib_of(pid))
                    elif pid == self.daemon_pid:
                        self.daemon_kib = max(self.daemon_kib, kib_of(pid))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()


def kib_of(pid):
    return int(proc_status(pid)["VmRSS"].split()[0])


class Danchi:
    """The same methods as those of peers.py, and what only Danchi is asked."""

    def __init__(self):
        # In the cell's /var, because guests' uids may not enter the build tree.
        self.machine = Machine("bench-images")
        # The default limits are what the large image has to fit into.
        self.machine.settings = ""
        self.machine.start()
        self.store = f"{self.machine.state}/store"
        if not os.path.isdir(self.store):
            self.store = self.machine.state
        self.version = f"Danchi, {self.machine.accelerator}"
        self.context = create_context(self.machine, "bench-images")

    def load(self, archive):
        return self.machine.danchi("load", "-i", archive, timeout=1800).seconds

    def remove_images(self):
        for image in self.machine.json("images"):
            self.machine.danchi("image", "rm", image["id"])
        # Layers that nobody uses any more.
        self.machine.danchi("gc", check=False)

    def start(self, image, name, context=None, words=("sleep", "1000000")):
        return self.machine.danchi("run", "-d", "--name", name, "--context", context or self.context,
                                   image, *words, timeout=300).seconds

    def end(self, names):
        self.machine.danchi("rm", "-f", *names)

    def close(self):
        self.machine.remove_all()
        for context in self.machine.json("context", "ls"):
            self.machine.danchi("context", "rm", "-f", context["name"], check=False)
        self.machine.stop()
        self.machine.remove_directories()

    # Only here.

    def layer_files(self):
        return [path for name in ("layer.erofs", "rootfs.erofs")
                for path in glob.glob(f"{self.store}/**/{name}", recursive=True)]

    def forget_cache(self):
        for path in self.layer_files():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def cached_kib(self):
        files = self.layer_files()
        text = subprocess.run(["fincore", "--bytes", "--noheadings", "--output", "RES", *files],
                              check=True, stdout=subprocess.PIPE).stdout
        return sum(int(word) for word in text.split()) // 1024

    def read_all(self, image, name, context):
        """A container that reads each file of its image, in a guest of its own."""
        self.start(image, name, create_context(self.machine, context), ("sh", "-c", READ_ALL))
        while "read" not in self.machine.out("logs", name):
            time.sleep(0.2)
        return self.cached_kib()


def measure_tenth_elsewhere(danchi, image, found):
    """The tenth container, in a context whose guest does not run yet."""
    before = peers.memory_kib(danchi.own)
    found["tenth_elsewhere_s"] = danchi.start(image, "elsewhere", create_context(danchi.machine,
                                                                                 "bench-elsewhere"))
    time.sleep(1)
    found["tenth_elsewhere_kib"] = peers.memory_kib(danchi.own) - before
    danchi.end(["elsewhere"])
    danchi.machine.danchi("context", "rm", "-f", "bench-elsewhere")


def measure_cache(danchi, family, found):
    for path in family[:2]:
        danchi.load(path)
    danchi.forget_cache()
    found["cache_kib"] = [danchi.cached_kib()]
    for number, image in enumerate(("family:0", "family:0", "family:1")):
        found["cache_kib"].append(danchi.read_all(f"localhost/{image}", f"reader-{number}",
                                                  f"bench-reader-{number}"))
    guests = [danchi.machine.inspect(f"reader-{number}")["guest"]["qemu_pid"] for number in range(3)]
    found["qemu_pss_kib"] = [pss_kib(pid) for pid in guests]
    danchi.end([f"reader-{number}" for number in range(3)])
    for number in range(3):
        danchi.machine.danchi("context", "rm", "-f", f"bench-reader-{number}")
    danchi.remove_images()


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))


def measure_danchi(wanted):
    danchi = Danchi()
    try:
        danchi.own = peers.processes()
        large = wanted.pop("large", None)
        found = peers.measure(danchi, wanted)
        danchi.load(wanted["small"])
        measure_tenth_elsewhere(danchi, wanted["image"], found)
        danchi.remove_images()
        measure_cache(danchi, wanted["family"], found)
        if large:
            with Watch(danchi.machine.daemon.pid) as watch:
                found["load_large_s"] = danchi.load(large)
            found["large_danchid_kib"], found["large_guest_kib"] = watch.daemon_kib, watch.qemu_kib
            found["large_kib"] = peers.disk_kib(danchi.store)
        return found
    finally:
        danchi.close()


# The table.

def seconds(value):
    return f"{value:.2f} s"


def mib(value):
    return f"{value / 1024:.1f} MiB"


ROWS = (
    ("load, 4 MB image of one layer", "load_small_s", seconds),
    ("load, 20,000 files in 100 MiB", lambda found: found["load_family_s"][0], seconds),
    ("  a second image of that base", lambda found: statistics.median(found["load_family_s"][1:]), seconds),
    ("store, three images of that base", "family_kib", mib),
    ("tenth container of an image, until it runs", "tenth_s", seconds),
    ("  memory it adds", "tenth_kib", mib),
    ("  in a context of its own, until it runs", "tenth_elsewhere_s", seconds),
    ("  memory it adds", "tenth_elsewhere_kib", mib),
    ("ten containers, memory altogether", "ten_kib", mib),
    ("host cache: one guest has read all of an image", lambda found: found["cache_kib"][1], mib),
    ("  added by a second guest, same image",
     lambda found: found["cache_kib"][2] - found["cache_kib"][1], mib),
    ("  added by a third guest, another image of the base",
     lambda found: found["cache_kib"][3] - found["cache_kib"][2], mib),
    ("  its QEMU's share of memory", lambda found: found["qemu_pss_kib"][2], mib),
    ("load, large image", "load_large_s", seconds),
    ("  highest: danchid", "large_danchid_kib", mib),
    ("  highest: the guest that unpacks, as a process", "large_guest_kib", mib),
    ("  store", "large_kib", mib),
)
# What a runtime on the host's own kernel has no counterpart of.
OURS = ("tenth_elsewhere_s", "tenth_elsewhere_kib", "large_danchid_kib", "large_guest_kib", "large_kib")


def cell(found, what, show):
    with contextlib.suppress(KeyError, IndexError):
        return show(what(found) if callable(what) else found[what])
    return "-"


def print_table(results, large):
    names = [found.get("version", name) for name, found in results.items()]
    print(f"\nimages, the same archives in each; {os.cpu_count()} processors; large image: "
          f"{large or 'left out'}\n")
    width = max(len(words) for words, _, _ in ROWS)
    print(" " * width, *(f"{name:>24}" for name in names))
    for words, what, show in ROWS:
        print(f"{words:<{width}}", *(f"{cell(found, what, show):>24}" for found in results.values()))
    for name, found in results.items():
        if "reason" in found:
            print(f"{name}: not measured: {found['reason']}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large", help="FILES:BYTES, or none")
    parser.add_argument("--only", nargs="*", default=["danchi", "podman", "containerd"])
    parser.add_argument("--json")
    options = parser.parse_args()
    options.large = options.large or LARGE[probe_mode()]
    if options.large == "none":
        options.large = None
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    results = {}
    try:
        family, large = make_archives(options.large)
        wanted = {"small": SMALL, "image": "docker.io/danchi/busybox:test", "family": family,
                  "large": large, "rounds": options.rounds}
        for name in options.only:
            print(f"measuring {name}", file=sys.stderr)
            results[name] = (measure_danchi(dict(wanted)) if name == "danchi"
                             else peers.ask(name, f"{WORK}/{name}", wanted))
        print_table(results, options.large)
        if options.json:
            with open(options.json, "w") as file:
                json.dump(results, file, indent=1)
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
