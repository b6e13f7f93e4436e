# SPDX-License-Identifier: Apache-2.0
"""One tenant takes all it can of processors, memory, disk, network, log, channel and copies at once;
what another tenant's container answers in stays within a stated factor.  docs/resources.md,
"Neighbours"."""

import statistics
import time

from hog import QUOTA_PERCENT, Hog, samples, tell
from machine import EMULATION, expect
from suite import box, test

# Of the quiet tenant's median while the other is idle.  Two processors, both guests emulated; the hog
# with the limits that every context has, and with some of its own.
FACTOR = 12
# Below it a median says more about the clock than about the host.
FLOOR_S = 0.05
SAMPLES = 8


def check(what, took, idle):
    median = statistics.median(took)
    expect(median <= FACTOR * max(idle, FLOOR_S),
           f"median of {median:.2f} s beside {what}, idle {idle:.2f} s: over {FACTOR} times")


@test("R5.14", only=EMULATION, seconds=180)
def a_tenant_that_burns_everything_leaves_its_neighbour_within_a_factor(machine):
    name = box(machine)
    quiet = samples(machine, name, SAMPLES)
    with Hog(machine) as hog:
        time.sleep(2)
        share, open_samples = hog.share(lambda: samples(machine, name, SAMPLES))
        hog.limit()
        time.sleep(1)
        limited_share, limited = hog.share(lambda: samples(machine, name, SAMPLES))
        stats = [entry for entry in machine.json("stats", "--no-stream")
                 if entry["context"] == hog.context and entry["name"] != "(guest)"]
        hog.calm()
        received = hog.received()
    print(f"# exec: {tell('idle', quiet)}, {tell('beside a hog', open_samples)}, "
          f"{tell('with limits', limited)}; the hog's QEMU had {share:.2f}, then {limited_share:.2f} "
          f"processors; it made {hog.execs} execs, {hog.copies} copies, {received >> 20} MiB of network")
    expect(len(stats) == len(hog.names) and hog.execs > 2 and hog.copies > 0 and received > 1 << 20,
           f"the hog did too little: {hog.execs} execs, {hog.copies} copies, {received} bytes, {stats}")
    expect(limited_share <= QUOTA_PERCENT / 100 * 1.25,
           f"with a quota of {QUOTA_PERCENT} % it had {limited_share:.2f} processors")
    idle = statistics.median(quiet)
    check("a hog", open_samples, idle)
    check("a hog with limits", limited, idle)
