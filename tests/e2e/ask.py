# SPDX-License-Identifier: Apache-2.0
"""Requests to danchid as bytes on its socket, from a process that has a certain user's ids.

Run as a program it reads {"socket": PATH, "requests": [[VERB, ARGS], ...]} and writes a list with
what danchid answered to each, the messages' bytes as they came and the number of descriptors.
"""

import array
import base64
import json
import socket
import struct
import subprocess
import sys
import time

# Debian's, which every user can run; the one that runs the tests may be root's alone.
PYTHON = "/usr/bin/python3"
TIMEOUT_S = 60
FDS_MAX = 8


def receive(connection, size):
    """(bytes, descriptors); fewer bytes at the end of the stream."""
    data, fds = b"", 0
    while len(data) < size:
        part, ancillary, _, _ = connection.recvmsg(size - len(data), socket.CMSG_SPACE(4 * FDS_MAX))
        for level, kind, payload in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds += len(array.array("i", payload[:len(payload) // 4 * 4]))
        if not part:
            break
        data += part
    return data, fds


def ask(path, verb, args):
    """Patiently: the audit record takes only so much of one user in a while."""
    while True:
        entry = ask_once(path, verb, args)
        if b"than the audit record takes" not in base64.b64decode(entry["bytes"]):
            return entry
        time.sleep(1)


def ask_once(path, verb, args):
    answer, fds = b"", 0
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TIMEOUT_S)
        connection.connect(path)
        request = json.dumps({"verb": verb, "args": args}).encode()
        connection.sendall(struct.pack(">I", len(request)) + request)
        while True:
            head, came = receive(connection, 4)
            if len(head) < 4:
                break
            body, more = receive(connection, struct.unpack(">I", head)[0])
            answer, fds = answer + head + body, fds + came + more
            if json.loads(body).keys() & {"ok", "error"}:
                break
    return {"bytes": base64.b64encode(answer).decode(), "fds": fds}


class Answer:
    """What came: `raw`, and its last message as `ok` or `error`."""

    def __init__(self, entry):
        self.raw, self.fds = base64.b64decode(entry["bytes"]), entry["fds"]
        self.messages, rest = [], self.raw
        while rest:
            size = struct.unpack(">I", rest[:4])[0]
            self.messages.append(json.loads(rest[4:4 + size]))
            rest = rest[4 + size:]
        last = self.messages[-1] if self.messages else {}
        self.ok, self.error = last.get("ok"), last.get("error")
        self.events = [message["event"] for message in self.messages if "event" in message]


def start(path, user, requests):
    """Begins to ask; finish() returns what is answered.  user: (uid, gid, supplementary groups)."""
    uid, gid, groups = user
    with open(__file__) as source:
        program = source.read()
    asker = subprocess.Popen([PYTHON, "-c", program], user=uid, group=gid,
                             extra_groups=list(groups), cwd="/", stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    asker.stdin.write(json.dumps({"socket": path, "requests": requests}).encode())
    asker.stdin.close()
    asker.stdin = None
    return asker


def finish(asker, seconds):
    output, _ = asker.communicate(timeout=seconds)
    return [Answer(entry) for entry in json.loads(output)]


if __name__ == "__main__":
    task = json.load(sys.stdin)
    json.dump([ask(task["socket"], verb, args) for verb, args in task["requests"]], sys.stdout)
