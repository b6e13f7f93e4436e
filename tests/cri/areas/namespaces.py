# SPDX-License-Identifier: Apache-2.0
"""Namespaces: what the containers of a pod share, and what the host never shares."""

import json

from areas import test
from client import CriError
from machine import expect, expect_equal, wait_until

NAMESPACES = "for n in net ipc uts pid; do readlink /proc/self/ns/$n; done; sleep 1000"
OF_POD, OWN, OF_HOST, OF_TARGET = range(4)
# An argument by which others find it.
SLEEP = "exec sleep 31337"


def namespaces(container):
    container.log_has("pid:")
    return container.log().split()


def sharing(node):
    return node.pod(security={"namespace_options": {"pid": OF_POD}})


def processes(container):
    """What `ps` shows there: pid to command."""
    lines = container.execute("ps", "-o", "pid,args").splitlines()[1:]
    return {int(line.split()[0]): line.split(None, 1)[1] for line in lines}


def pid_of(container, command):
    """Once it runs; a shell takes its time to become it."""
    def find():
        return [pid for pid, line in processes(container).items() if line == command]
    wait_until(lambda: len(find()) == 1, f"{command} is seen", 20)
    return find()[0]


def debugger(pod, target, script="exec sleep 1000", **fields):
    return pod.sh(script, security={"namespace_options": {"pid": OF_TARGET, "target_id": target.id}}, **fields)


@test("R5.13", seconds=120)
def network_ipc_and_names_are_the_pods_and_processes_each_containers(node):
    with node.shared_pod() as pod:
        one, other = namespaces(pod.sh(NAMESPACES)), namespaces(pod.sh(NAMESPACES))
        expect_equal(one[:3], other[:3], "network, IPC and UTS namespaces")
        expect(one[3] != other[3], "they share processes")


@test("R5.18", seconds=150)
def containers_of_a_pod_that_shares_see_and_signal_each_others_processes(node):
    with sharing(node) as pod:
        one, other = pod.sh(NAMESPACES), pod.sh(SLEEP)
        expect_equal(namespaces(one)[3], other.execute("readlink", "/proc/self/ns/pid").strip(), "the namespace")
        pid = pid_of(one, "sleep 31337")
        expect(pid != 1, "a container's process is process 1")
        # By its /proc, the other's files are there, too, for who has its ids.
        expect_equal(one.execute("readlink", f"/proc/{pid}/ns/mnt"), other.execute("readlink", "/proc/self/ns/mnt"),
                     "the other's mounts")
        # No process 1, which would not hear it: and its end is nobody else's.
        one.execute("kill", "-TERM", str(pid))
        expect_equal(other.wait().exit_code, 143, "the end of who was signalled")
        expect_equal(one.state(), "running", "the other")
        # A new one is among them again.
        again = pod.sh(SLEEP)
        pid_of(one, "sleep 31337")
        again.stop()
        expect_equal(again.status().exit_code, 143, "stopped by its signal")


@test("R5.18", seconds=150)
def what_a_container_leaves_in_a_pod_that_shares_ends_with_it(node):
    with sharing(node) as pod:
        watcher = pod.sh("exec sleep 1000")
        leaver = pod.sh("sleep 31337 & sleep 1; exit 3")
        expect_equal(leaver.wait().exit_code, 3, "its end")
        wait_until(lambda: "sleep 31337" not in processes(watcher).values(), "what it left ends", 20)
        # What is orphaned in one that goes on is not left as a zombie; the tests' pause container leaves it so.
        watcher.exec_sh("(sleep 0.2 &) ; true")
        if node.runtime == "danchi":
            states = "cat /proc/[0-9]*/stat 2>/dev/null; true"
            wait_until(lambda: "Z" not in watcher.exec_sh(states).split(), "orphans are reaped", 20)


@test("R5.18", seconds=150,
      not_crio="it names the process namespace of QEMU, which says nothing of the container to debug")
def a_container_joins_the_one_that_it_is_to_debug(node):
    with node.pod() as pod:
        target = pod.sh(SLEEP)
        helper = debugger(pod, target)
        expect_equal(pid_of(helper, "sleep 31337"), 1, "the target's first process, as the debugger sees it")
        helper.stop()
        expect_equal(target.state(), "running", "the target when its debugger has ended")
        helper = debugger(pod, target)
        target.stop(0)
        expect_equal(helper.wait().exit_code, 137, "the debugger's end with its target")


@test("R5.18", "R2.2", seconds=150, only_danchi=True,
      not_crio="it names the process namespace of QEMU, which says nothing of the container to debug")
def of_several_containers_the_one_to_debug_is_named_in_the_environment(node):
    with node.pod() as pod:
        one, other = pod.sh(SLEEP, name="web"), pod.sh("exec sleep 4711", name="cache")
        try:
            debugger(pod, one)
        except CriError as error:
            expect("DANCHI_TARGET=NAME" in str(error) and "cache" in str(error) and "web" in str(error), error)
        else:
            expect(False, "one was guessed")
        helper = debugger(pod, other, envs=[{"key": "DANCHI_TARGET", "value": "cache"}])
        expect_equal(pid_of(helper, "sleep 4711"), 1, "the process 1 of who was named")
        expect("sleep 31337" not in processes(helper).values(), "another's processes are seen")


@test("R3.1", "R2.2", seconds=150, only_danchi=True)
def verify_says_whose_processes_a_containers_are_among(node):
    with sharing(node) as pod:
        container = pod.sh(SLEEP)
        name = next(one["name"] for one in node.machine.containers() if one["name"].startswith(f"{container.name}-"))
        lines = json.loads(node.machine.danchi("--format", "json", "verify", name, check=False, timeout=120).stdout)
        whose = [line for line in lines if line["control"] == "namespace.pid.whose"]
        expect_equal([(line["promised"], line["actual"], line["verdict"]) for line in whose],
                     [("the pod's", "the pod's", "ok")], "the line")
        differing = [line for line in lines if line["verdict"] == "DIFFERS"]
        expect(not differing, differing)


@test("R1.6", seconds=120, only_danchi=True,
      not_crio="the host's IPC namespace has a path like a pod's own, so the pod gets its own")
def the_hosts_network_ipc_and_processes_are_refused(node):
    for option, name in (("network", "the host's network"), ("ipc", "hostIPC"), ("pid", "hostPID")):
        try:
            node.pod(security={"namespace_options": {"pid": OWN, option: OF_HOST}})
        except CriError as error:
            expect(name in str(error), error)
            continue
        expect(False, f"a pod has the host's {option} namespace")
