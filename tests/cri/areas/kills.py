# SPDX-License-Identifier: Apache-2.0
"""What happens when a part of it is killed in the middle of something.

Whatever was under way may fail.  Afterwards the CRI's view is true, what is there can be removed, new pods
work and nothing is left.
"""

import contextlib
import os
import signal
import threading
import time

from areas import test
from areas.faults import running
from client import CriError
from leftovers import nothing_left
from machine import PATIENCE, all_commands, expect, expect_equal, kill9, wait_until


class Doing(threading.Thread):
    """A call that is under way; `error` is what it ended with."""

    def __init__(self, function):
        super().__init__()
        self.function, self.error, self.result = function, None, None
        self.start()

    def run(self):
        try:
            self.result = self.function()
        except CriError as error:
            self.error = error

    def end(self, seconds=150):
        self.join(seconds * PATIENCE)
        expect(not self.is_alive(), "a call does not end")
        return self.error


def works(pod):
    """A new container of it."""
    container = pod.sh("echo works; exec sleep 1000")
    container.log_has("works")
    container.remove()


def remove(pod):
    """As the kubelet does: again and again."""
    pod.node.pods.remove(pod)

    def is_removed():
        try:
            pod.stop()
            pod.node.client.call("RemovePodSandbox", pod_sandbox_id=pod.id)
        except CriError:
            return False
        return True
    wait_until(is_removed, "the pod is removed", 30)


def forget_lost(node, pod):
    """Removes what a call that failed has left of a pod, by the CRI's own list, as the kubelet does."""
    for one in node.client.call("ListContainers").containers:
        if one.pod_sandbox_id == pod.id and one.id not in [known.id for known in pod.containers]:
            with contextlib.suppress(CriError):
                node.client.call("StopContainer", container_id=one.id, timeout=90)
            node.client.call("RemoveContainer", container_id=one.id)


@test("R5.16", seconds=300, not_crio="what it does in the middle is containerd's")
def containerd_may_be_killed_in_the_middle_of_anything(node):
    with nothing_left(node), node.pod() as pod:
        staying = pod.sh("i=0; while :; do echo line $i; i=$((i+1)); sleep 0.2; done")
        created, begun = pod.create("sleep", "1000"), pod.sh("trap '' TERM; sleep 1000 & wait")
        moments = [(lambda: pod.create("sleep", "1000"), 0.03), (lambda: pod.create("sleep", "1000"), 0.2),
                   (created.start, 0.05), (created.start, 0.4),
                   (lambda: staying.execute("sleep", "1"), 0.3), (lambda: begun.stop(3), 0.5)]
        for call, seconds in moments:
            doing = Doing(call)
            time.sleep(seconds)
            node.end_service(signal.SIGKILL)
            doing.end()
            node.start_service()
            for one in staying, created, begun:
                one.client = node.client
            expect_equal(staying.state(), "running", "what runs beside it")
            expect_equal(staying.execute("echo", "here"), "here\n", "an exec afterwards")
        expect_equal(pod.status().state, node.messages.SANDBOX_READY, "the pod")
        before = staying.log().count("\n")
        wait_until(lambda: staying.log().count("\n") > before + 2, "its log goes on", 20)
        forget_lost(node, pod)
        works(pod)


@test("R4.5", seconds=300, only_danchi=True)
def danchis_processes_may_be_killed_beside_a_pod(node):
    """Relay, danchi-share, danchi-gateway and danchid itself: the pod goes on, and a new one works."""
    with nothing_left(node):
        others = running(node)
        with node.pod() as pod:
            container = pod.sh("i=0; while :; do echo line $i; i=$((i+1)); sleep 0.2; done")
            ending = pod.sh("sleep 4; exit 5")
            [entry] = node.machine.json("context", "inspect", *(running(node) - others))
            doing = Doing(lambda: container.execute("sleep", "1000", timeout=100, check=False))
            wait_until(lambda: "sleep 1000" in container.execute("ps"), "an exec runs")
            kill9(entry["guest"]["relay_pid"])
            error = doing.end()
            expect(error is not None or doing.result.exit_code == 255, f"the exec: {error} {doing.result}")
            expect_equal(ending.wait().exit_code, 5, "the end of what ended meanwhile")
            wait_until(lambda: container.execute("echo", "here", check=False).stdout == b"here\n", "an exec", 20)
            for program in "danchi-share", "danchi-gateway":
                for pid in children(node.machine.daemon.pid, program):
                    kill9(pid)
            expect_equal(container.state(), "running", "it without helpers")
            # What needs them fails, by name.
            with contextlib.suppress(CriError):
                pod.sh("true")
                expect(False, "a container has a root without danchi-share")
            node.machine.kill_daemon()
            node.machine.start()
            expect_equal(container.execute("echo", "here"), "here\n", "an exec after danchid's return")
            before = container.log().count("\n")
            wait_until(lambda: container.log().count("\n") > before + 2, "its log goes on", 20)
            works(pod)
            with node.pod() as another:
                works(another)


def children(parent, program):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, IndexError):
            with open(f"/proc/{pid}/stat") as file:
                fields = file.read()
            if int(fields.rsplit(")", 1)[1].split()[1]) == parent and f"({program[:15]})" in fields:
                found.append(int(pid))
    expect(found, f"no {program} runs")
    return found


def restart_danchid(node):
    node.machine.kill_daemon()
    node.machine.start()


@test("R5.16", seconds=400, only_danchi=True)
def danchid_may_be_killed_while_a_pod_is_made(node):
    with nothing_left(node):
        for seconds in 0.0, 0.6, 1.5:
            known = set(node.machine.guest_ids())
            doing = Doing(node.pod)
            wait_until(lambda: set(node.machine.guest_ids()) - known, "a guest is begun", 30)
            time.sleep(seconds)
            restart_danchid(node)
            error = doing.end()
            if error is None:
                works(doing.result)
                remove(doing.result)
            else:
                expect("danchi" in str(error), error)
        with node.pod() as pod:
            works(pod)


@test("R5.16", seconds=400, only_danchi=True)
def danchid_may_be_killed_while_a_container_is_made_and_a_pod_removed(node):
    with nothing_left(node):
        pod = node.pod()
        for seconds in 0.02, 0.15:
            doing = Doing(lambda: pod.create("sleep", "1000"))
            time.sleep(seconds)
            restart_danchid(node)
            doing.end()
        for seconds in 0.1, 0.5:
            container = pod.create("sleep", "1000")
            doing = Doing(container.start)
            time.sleep(seconds)
            restart_danchid(node)
            if doing.end() is None:
                expect_equal(container.state(), "running", "what was started")
            else:
                wait_until(lambda: container.state() == "exited", f"it has ended: {container.status()}", 20)
        forget_lost(node, pod)
        works(pod)
        doing = Doing(pod.stop)
        time.sleep(0.1)
        restart_danchid(node)
        doing.end()
        remove(pod)


@test("R5.16", seconds=400, only_danchi=True,
      not_crio="it has no call for what a shim left, and gives up on such a pod")
def a_shim_may_be_killed_at_any_stage(node):
    with nothing_left(node):
        known = shim_pids()
        doing = Doing(node.pod)
        wait_until(lambda: shim_pids() - known, "a shim runs", 20)
        time.sleep(0.3)
        kill_all(shim_pids() - known)
        expect(doing.end() is not None, "a pod runs without its shim")
        # Before a container has started, and with one and an exec that runs.
        pod = node.pod()
        container, other = pod.create("sleep", "1000"), pod.sh("exec sleep 1000")
        doing = Doing(lambda: other.execute("sleep", "1000", timeout=100, check=False))
        wait_until(lambda: other.execute("ps").count("sleep 1000") == 2, "an exec runs")
        kill_all(shim_pids() - known)
        error = doing.end(30)
        expect(error is not None or doing.result.exit_code != 0, "the exec ended well")
        wait_until(lambda: pod.status().state == node.messages.SANDBOX_NOTREADY, "the pod is known to be lost", 20)
        wait_until(lambda: other.state() == "exited", "its container is known to have ended", 20)
        expect(other.status().exit_code != 0 and other.status().reason, other.status())
        try:
            container.start()
            expect(False, "a container starts without its pod")
        except CriError:
            pass
        remove(pod)
        # While it ends.
        pod = node.pod()
        doing = Doing(pod.stop)
        time.sleep(0.05)
        kill_all(shim_pids() - known)
        doing.end()
        remove(pod)


def shim_pids():
    return {pid for pid, words in all_commands() if words[0].endswith("containerd-shim-danchi-v2")}


def kill_all(pids):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@test("R5.16", seconds=200, only_danchi=True)
def a_guest_may_die_while_a_container_starts(node):
    with nothing_left(node):
        others = running(node)
        with node.pod() as pod:
            [entry] = node.machine.json("context", "inspect", *(running(node) - others))
            container, beside = pod.create("sleep", "1000"), pod.sh("exec sleep 1000")
            exec_beside = Doing(lambda: beside.execute("sleep", "1000", timeout=100, check=False))
            doing = Doing(container.start)
            time.sleep(0.2)
            kill9(entry["guest"]["qemu_pid"])
            doing.end(30)
            error = exec_beside.end(30)
            expect(error is not None or exec_beside.result.exit_code != 0, "the exec ended well")
            for one in container, beside:
                status = one.wait(20)
                expect(status.exit_code != 0 and status.reason, status)
            wait_until(lambda: pod.status().state == node.messages.SANDBOX_NOTREADY, "the pod is known to be lost", 20)
