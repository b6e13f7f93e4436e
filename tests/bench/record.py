# SPDX-License-Identifier: Apache-2.0
"""What the audit record costs: for a request, alone and among many, and for danchid's start."""

import hashlib
import json
import os
import socket
import statistics
import struct
import time

from machine import Machine

CALLERS, EACH = 32, 8
RECORD_BYTES, FILE_BYTES = 64 << 20, 16 << 20


class Caller:
    """A connection of the raw API, without a process to start for each request."""

    def __init__(self, machine):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(machine.socket)

    def send(self, verb):
        message = json.dumps({"verb": verb, "args": {}}).encode()
        self.socket.sendall(struct.pack(">I", len(message)) + message)

    def receive(self):
        size = struct.unpack(">I", self.socket.recv(4, socket.MSG_WAITALL))[0]
        self.socket.recv(size, socket.MSG_WAITALL)

    def time(self, verb):
        started = time.monotonic()
        self.send(verb)
        self.receive()
        return time.monotonic() - started


def time_requests(machine):
    """Seconds: a request whose line nobody waits for, one whose line is synced first, and one of many
    callers at a time."""
    callers = [Caller(machine) for _ in range(CALLERS)]
    unwaited = statistics.median(callers[0].time("version") for _ in range(50))
    alone = statistics.median(callers[0].time("profile-list") for _ in range(50))
    started = time.monotonic()
    for _ in range(EACH):
        for caller in callers:
            caller.send("profile-list")
        for caller in callers:
            caller.receive()
    among = (time.monotonic() - started) / CALLERS / EACH
    for caller in callers:
        caller.socket.close()
    return unwaited, alone, among


def write_record(state, size):
    """A record as danchid writes it (docs/audit-record.md), of that many bytes."""
    os.makedirs(f"{state}/audit", mode=0o700)
    os.makedirs(f"{state}/audit-anchor", mode=0o700)
    seq, prev, written, number, file = 0, "0" * 64, 0, 0, None
    body = json.dumps({"verb": "container-list", "phase": "whole",
                       "who": {"uid": 0, "gid": 0, "pid": 1, "command": "danchi " + "x" * 40},
                       "decision": "allow", "rule": "root", "outcome": "ok"},
                      separators=(",", ":"))[1:-1]
    while written < size:
        if written >= number * FILE_BYTES:
            number += 1
            file and file.close()
            file = open(f"{state}/audit/{number:04}.jsonl", "w")
        seq += 1
        line = f'{{"seq":{seq},"time_us":{1700000000000000 + seq},"prev":"{prev}",{body}'
        prev = hashlib.sha256(line.encode()).hexdigest()
        written += file.write(f'{line},"hash":"{prev}"}}\n')
    file.close()
    anchor = (f"danchi-record-anchor 1 seq={seq} time_us={1700000000000000 + seq} hash={prev}")
    check = hashlib.sha256(anchor.encode()).hexdigest()[:16]
    with open(f"{state}/audit-anchor/head", "w") as file:
        file.write(f"{anchor} check={check}\n")


def time_start(size):
    """Seconds from danchid's start to its first answer, with a record of that size, and those that
    it takes to verify it."""
    machine = Machine(f"bench-record-{size >> 20}")
    try:
        if size:
            write_record(machine.state, size)
        started = time.monotonic()
        machine.start()
        took = time.monotonic() - started
        machine.stop()
        checked = machine.danchi("audit", "verify-log", "--anchor",
                                 f"{machine.state}/audit-anchor/head", f"{machine.state}/audit")
        return took, checked.seconds
    finally:
        machine.daemon and machine.daemon.poll() is None and machine.kill_daemon()
        machine.remove_directories()


def rows(machine, runs):
    """Names, seconds, notes."""
    unwaited, alone, among = time_requests(machine)
    empty = statistics.median(time_start(0)[0] for _ in range(runs))
    starts = [time_start(RECORD_BYTES) for _ in range(runs)]
    large = statistics.median(start for start, _ in starts)
    return [("a request whose line is not waited for", unwaited, ""),
            ("a recorded request, one at a time", alone, "the disk's sync"),
            (f"a recorded request, {CALLERS} callers at a time", among, "syncs are shared"),
            ("danchid's start, empty record", empty, ""),
            ("danchid's start, record of 64 MiB", large,
             f"goal +100 ms {'reached' if large - empty <= 0.1 else 'missed'}"),
            ("danchi audit verify-log of 64 MiB", statistics.median(t for _, t in starts), "")]
