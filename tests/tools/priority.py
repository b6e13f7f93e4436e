#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A part of the tests that has time lets those with deadlines go first.

    priority.py COMMAND...     in a session that is the part's own
"""

import contextlib
import os
import sys


def step_back():
    """For this process, its session and what they start.  Where the kernel groups processes by session
    (sched(7), autogroup), nice counts within a session only; the group has a value of its own."""
    os.nice(10)
    with contextlib.suppress(OSError), open("/proc/self/autogroup", "w") as file:
        file.write("10")


if __name__ == "__main__":
    step_back()
    os.execvp(sys.argv[1], sys.argv[1:])
