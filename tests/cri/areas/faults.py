# SPDX-License-Identifier: Apache-2.0
"""What happens when a part of it ends."""

import signal
import time

from areas import test
from machine import PATIENCE, expect_equal, kill9, wait_until


@test("R4.5", seconds=180)
def pods_go_on_while_containerd_is_away(node):
    go_on(node, signal.SIGTERM)


@test("R4.5", seconds=180, core=True)
def pods_go_on_when_containerd_was_killed(node):
    go_on(node, signal.SIGKILL)


def go_on(node, number):
    with node.shared_pod() as pod:
        container = pod.sh("i=0; while :; do echo line $i; i=$((i+1)); sleep 0.2; done")
        ending = pod.sh("sleep 2; exit 5")
        container.log_has("line 1")
        node.end_service(number)
        if node.service == "CRI-O":
            time.sleep(4 * PATIENCE)  # of what ends after its start again it is told nothing, and does not ask
        node.start_service()
        for one in (container, ending):
            one.client = node.client
        expect_equal(container.state(), "running", "its state")
        before = container.log().count("\n")
        wait_until(lambda: container.log().count("\n") > before + 2, "its log goes on", 20)
        expect_equal(container.execute("echo", "here"), "here\n", "an exec afterwards")
        expect_equal(ending.wait().exit_code, 5, "the exit code of what ended meanwhile")


@test(seconds=180, only_danchi=True, core=True)
def a_guest_that_dies_is_known_within_seconds(node):
    others = running(node)
    with node.pod() as pod:
        container = pod.sh("exec sleep 1000")
        [entry] = node.machine.json("context", "inspect", *(running(node) - others))
        kill9(entry["guest"]["qemu_pid"])
        wait_until(lambda: container.state() == "exited", "the container is known to have ended", 15)
        wait_until(lambda: pod.status().state == node.messages.SANDBOX_NOTREADY, "so is the pod", 15)


def running(node):
    """Names of the contexts that have a guest: the pod that other tests share may be among them."""
    return {one["name"] for one in node.machine.json("context", "ls") if one["state"] == "running"}
