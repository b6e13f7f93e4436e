# SPDX-License-Identifier: Apache-2.0
"""danchid's directories without room."""

import contextlib
import os

from areas import test
from client import CriError
from leftovers import nothing_left
from machine import expect, expect_equal


@contextlib.contextmanager
def full(directory):
    """Not a byte is left, until the end."""
    path = os.path.join(directory, "filler")
    size = 0
    with open(path, "wb") as file:
        for step in 1 << 20, 1 << 12:
            with contextlib.suppress(OSError):
                while True:
                    os.posix_fallocate(file.fileno(), size, step)
                    size += step
    expect(os.statvfs(directory).f_bavail == 0, "there is room")
    try:
        yield
    finally:
        os.unlink(path)


def refused(call, *words):
    try:
        call()
    except CriError as error:
        expect(all(word in error.details for word in words), error.details)
        return
    expect(False, "it went through")


@contextlib.contextmanager
def without_room(node, directory):
    """Of a pod with something that runs, told is the end of what ends meanwhile; afterwards all is as ever."""
    with nothing_left(node):
        with node.pod() as pod:
            container = pod.sh("i=0; while :; do echo line $i; i=$((i+1)); sleep 0.2; done")
            ending = pod.sh("sleep 3; exit 4")
            with full(directory):
                refused(node.pod, directory, "make room")
                yield pod
                expect_equal(container.execute("echo", "here"), "here\n", "an exec")
                expect_equal(ending.wait().exit_code, 4, "the end of what ended meanwhile")
                before = container.log().count("\n")
                container.log_has(f"line {before + 2}\n")
            again = pod.sh("exit 6")
            expect_equal(again.wait().exit_code, 6, "a container afterwards")
        with node.pod() as pod:
            expect_equal(pod.sh("exit 7").wait().exit_code, 7, "a pod afterwards")


@test("R5.16", seconds=240, only_danchi=True)
def a_full_state_directory_costs_new_containers_alone(node):
    with without_room(node, node.machine.state) as pod:
        refused(lambda: pod.sh("true"), node.machine.state, "make room")
        # Nor does a danchid that starts there lose anybody.
        node.machine.kill_daemon()
        node.machine.start()


@test("R5.16", seconds=240, only_danchi=True)
def a_full_run_directory_costs_new_pods_alone(node):
    with without_room(node, node.machine.run) as pod:
        expect_equal(pod.sh("exit 5").wait().exit_code, 5, "a container in the pod that runs")
