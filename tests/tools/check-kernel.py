#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`make check-kernel`: the tuned kernel can be built, and took every option of images/kernel.config."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from priority import step_back  # noqa: E402
from tally import Tally, forget_tally  # noqa: E402


def main():
    forget_tally("kernel")
    tally = Tally("kernel")
    step_back()
    name = "kernel: it is built of images/kernel.config and took every option of it"
    # images/tuned-kernel.sh compares the configuration and fails by itself.
    build = subprocess.run([os.environ.get("MAKE", "make"), "--no-print-directory", "kernel"],
                           stdin=subprocess.DEVNULL)
    if build.returncode == 0 and os.path.getsize("build/images/tuned/vmlinuz") > 0:
        tally.passes(name)
    else:
        tally.fails(name, f"`make kernel`: exit status {build.returncode}")
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
