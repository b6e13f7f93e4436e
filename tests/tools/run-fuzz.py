#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs libFuzzer targets for a while each; a crash, a leak or a time-out is a failure.

    run-fuzz.py [--seconds S] [--jobs N] TARGET...

New inputs are kept in build/fuzz/corpus/NAME, so that the next run starts further on; the tree's
corpus is only read.  What made a target fail is left in build/fuzz/found/NAME-*.
"""

import argparse
import concurrent.futures
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from priority import step_back  # noqa: E402
from tally import Tally, forget_tally  # noqa: E402

MEMORY_LIMIT_MIB = 1024
INPUT_SECONDS = 10


def run_target(program, seconds):
    name = os.path.basename(program).removeprefix("fuzz-")
    if not os.path.exists(program):
        return name, None, "could not be built"
    grown, found, given = f"build/fuzz/corpus/{name}", "build/fuzz/found", f"tests/fuzz/corpus/{name}"
    for directory in grown, found:
        os.makedirs(directory, exist_ok=True)
    command = [program, f"-max_total_time={seconds}", f"-timeout={INPUT_SECONDS}", "-verbosity=1",
               f"-rss_limit_mb={MEMORY_LIMIT_MIB}", "-print_final_stats=1",
               f"-artifact_prefix={found}/{name}-", grown]
    if glob.glob(f"{given}/*"):
        command.append(given)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace",
                          timeout=seconds + 300)
    return name, done.returncode, done.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("targets", nargs="*")
    options = parser.parse_intermixed_args()
    forget_tally("fuzz")
    tally = Tally("fuzz")
    # What runs beside it has waits with limits; this has none.
    step_back()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for name, status, output in pool.map(lambda t: run_target(t, options.seconds),
                                             options.targets):
            runs = re.search(r"stat::number_of_executed_units:\s*(\d+)", output or "")
            if status == 0 and runs:
                tally.passes(f"fuzz: {name}", f"{int(runs[1]):,} inputs in {options.seconds} s")
            else:
                tally.fails(f"fuzz: {name}", "\n".join((output or "").splitlines()[-40:]))
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
