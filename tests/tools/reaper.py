#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a program and reaps, at once, every orphan it leaves: reaper.py PIDFILE PROGRAM [ARG...]

QEMU is no child of libvirtd's: it goes to the nearest reaper, normally pid 1.  libvirt counts QEMU
as alive until it is reaped, and some pid 1 of containers and test machines do that every other
second only, so that each end of a guest would take two seconds.

The program's pid is written to PIDFILE.  Goes on after the program's end until the last orphan has
ended, so that a libvirtd started anew finds its QEMUs as they were.
"""
import ctypes
import os
import signal
import sys

PR_SET_CHILD_SUBREAPER = 36


def main():
    pidfile, command = sys.argv[1], sys.argv[2:]
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        sys.exit("reaper: prctl failed")
    child = os.fork()
    if child == 0:
        os.execvp(command[0], command)
    with open(pidfile + ".new", "w", encoding="ascii") as file:
        file.write(f"{child}\n")
    os.rename(pidfile + ".new", pidfile)
    # The program is ended by its own pid; a signal to this one must not orphan the orphans.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


main()
