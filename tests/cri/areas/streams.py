# SPDX-License-Identifier: Apache-2.0
"""Exec and attach with streams, as `kubectl exec -it` and `kubectl attach` have them."""

import json

from areas import test
from client import ERROR, RESIZE, STDERR, STDOUT
from machine import expect, expect_equal, wait_until


@test(seconds=120)
def exec_streams_both_outputs_and_takes_input(node):
    with node.shared_pod() as pod:
        container = pod.sh("exec sleep 1000")
        stream = container.stream("sh", "-c", "read line; echo got $line; echo err >&2; exit 4", stdin=True)
        stream.send(b"a line\n")
        received = stream.read_all()
        expect_equal((received.get(STDOUT), received.get(STDERR)), (b"got a line\n", b"err\n"), "its output")
        status = json.loads(received[ERROR])
        causes = {cause["reason"]: cause["message"] for cause in status["details"]["causes"]}
        expect_equal(causes.get("ExitCode"), "4", "its exit code")


@test(seconds=120, core=True)
def exec_on_a_terminal_knows_its_size(node):
    with node.shared_pod() as pod:
        container = pod.sh("exec sleep 1000")
        stream = container.stream("sh", stdin=True, tty=True)
        stream.send(json.dumps({"Width": 101, "Height": 33}).encode(), RESIZE)

        def has_size():
            stream.send(b"stty size\n")
            stream.read_until(b"\n")
            return b"33 101" in stream.received.get(STDOUT, b"") or stream.read_one() and False
        wait_until(has_size, "the terminal has the size", 20)
        stream.send(b"exit\n")
        stream.read_all()


@test(seconds=120)
def attach_joins_a_containers_streams(node):
    with node.shared_pod() as pod:
        container = pod.create("sh", "-c", "while read line; do echo got $line; done; echo end", stdin=True)
        container.start()
        stream = container.attach(stdin=True)
        stream.send(b"one\n")
        stream.read_until(b"got one\n")
        stream.send(b"two\n")
        stream.read_until(b"got two\n")
        stream.close()
        expect(container.state() == "running", "it ended with the client")
        container.log_has("got two")
