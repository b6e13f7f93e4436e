#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a bind costs: files written, read and looked up through it, beside the same on the host.

    binds.py [--mib N] [--files N]     in a cell

By a shell in a container of a guest, and one on the host. What is read is in the host's
page cache, not in the guest's, which reads it in another container than wrote it.
"""

import argparse
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
from machine import Machine  # noqa: E402
from suite import image  # noqa: E402

WORK = {
    "write": "dd if=/dev/zero of=$D/big bs=1M count={mib} conv=fsync 2>/dev/null",
    "read": "cat $D/big > /dev/null",
    "make files": "i=0; mkdir $D/many; while [ $i -lt {files} ]; do echo x > $D/many/$i; i=$((i+1));"
                  " done",
    "find files": "ls -lR $D > /dev/null",
}


def timed(command):
    start = time.monotonic()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return time.monotonic() - start


def in_container(machine, script, path):
    """Seconds by the guest's clock: a start is not what is measured."""
    text = f"D=/d; s=$(cut -d' ' -f1 /proc/uptime); {script}; echo $s $(cut -d' ' -f1 /proc/uptime)"
    out = machine.out("run", "--rm", "-u", "0", "-v", f"{path}:/d:rw", image(machine), "sh", "-c",
                      text, timeout=300)
    before, after = map(float, out.split())
    return max(after - before, 0.01)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=128)
    parser.add_argument("--files", type=int, default=1000)
    options = parser.parse_args()
    machine = Machine("bench-binds")
    path = f"{machine.state}-binds"
    os.makedirs(path)
    subprocess.run(["mount", "-t", "tmpfs", "binds", path], check=True)
    for name in "host", "guest":
        os.mkdir(f"{path}/{name}")
    machine.more_settings = f"[volumes]\nbinds = {path}:rw\n"
    machine.start()
    try:
        print(f"{'host directories':<24} {'host':>10} {'container':>10}")
        for what, script in WORK.items():
            script = script.format(mib=options.mib, files=options.files)
            host = timed(["sh", "-c", f"D={path}/host; {script}"])
            guest = in_container(machine, script, f"{path}/guest")
            if what in ("write", "read"):
                host, guest = (f"{options.mib / value:.0f} MiB/s" for value in (host, guest))
            else:
                host, guest = (f"{options.files / value:.0f} /s" for value in (host, guest))
            print(f"{what:<24} {host:>10} {guest:>10}", flush=True)
    finally:
        machine.remove_all()
        machine.stop()
        machine.remove_directories()
        subprocess.run(["umount", "-l", path], check=True)
        os.rmdir(path)


if __name__ == "__main__":
    main()
