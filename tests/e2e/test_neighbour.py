# SPDX-License-Identifier: Apache-2.0
"""One tenant takes all it can of processors, memory, disk, log and channel at once; what another
tenant's container answers in stays within a stated factor.  docs/resources.md, "Neighbours"."""

import statistics
import threading
import time

from machine import EMULATION, expect
from suite import box, context, exec_sh, start_sh, test

# Of the quiet tenant's median while the other is idle.  Two processors, both guests emulated.
FACTOR = 12
# Below it a median says more about the clock than about the host.
FLOOR_S = 0.05
SAMPLES = 8

# Each as much as its container may.
BURN = "while :; do :; done & while :; do :; done & wait"
FILL = "while :; do head -c 60000000 /dev/zero > /fill/x; rm /fill/x; done"
WRITE = "while :; do dd if=/dev/zero of=/var/x bs=1M count=40 conv=fsync 2>/dev/null; done"
PRINT = "yes 'a line of output that is as long as one usually is, and says nothing at all'"


def samples(machine, name):
    """Seconds of single execs, each of a process that says a word: client, danchid, relay, guest and
    back."""
    took = []
    for _ in range(SAMPLES):
        started = time.monotonic()
        exec_sh(machine, "echo here", container=name)
        took.append(time.monotonic() - started)
    return took


@test("R5.14", only=EMULATION, seconds=180)
def a_tenant_that_burns_everything_leaves_its_neighbour_within_a_factor(machine):
    name = box(machine)
    idle = statistics.median(samples(machine, name))
    with context(machine, tenant="hog") as hog:
        start_sh(machine, BURN, "--context", hog)
        start_sh(machine, FILL, "--context", hog, "--tmpfs", "/fill:size=80m", "-m", "100m")
        start_sh(machine, WRITE, "--context", hog, "--writable=disk:64m", "-u", "0")
        printer = start_sh(machine, PRINT, "--context", hog)
        over = threading.Event()
        storms = []

        def storm():
            while not over.is_set():
                machine.danchi("exec", printer, "true", check=False)
                storms.append(1)
        threads = [threading.Thread(target=storm) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            time.sleep(2)
            busy = samples(machine, name)
        finally:
            over.set()
            for thread in threads:
                thread.join()
        stats = {entry["name"]: entry for entry in machine.json("stats", "--no-stream")
                 if entry["context"] == hog}
    median = statistics.median(busy)
    print(f"# exec: idle {idle * 1000:.0f} ms, beside the hog {median * 1000:.0f} ms (worst "
          f"{max(busy) * 1000:.0f} ms), {len(storms)} execs of the hog's meanwhile")
    expect(len(stats) == 4 and len(storms) > 2, f"the hog did nothing: {len(storms)} execs, {stats}")
    expect(median <= FACTOR * max(idle, FLOOR_S),
           f"median of {median:.2f} s beside the hog, idle {idle:.2f} s: over {FACTOR} times")
