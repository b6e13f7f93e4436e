# SPDX-License-Identifier: Apache-2.0
"""Pods: their life, and what they cost."""

import os

from areas import test
from machine import expect, expect_equal, wait_until


@test("R5.16", seconds=120, core=True)
def a_pod_runs_stops_and_is_removed(node):
    with node.pod(labels={"app": "web"}, annotations={"example.org/note": "kept"}) as pod:
        status = pod.status()
        expect_equal(status.state, node.messages.SANDBOX_READY, "its state")
        expect_equal((status.labels["app"], dict(status.annotations)), ("web", {"example.org/note": "kept"}),
                     "its labels and annotations")
        listed, = [one for one in node.client.call("ListPodSandbox").items if one.id == pod.id]
        # CRI-O does not say.
        expect_equal(listed.runtime_handler, node.runtime if node.service == "containerd" else "", "its runtime class")
        expect(status.network.ip.startswith("10.89.0."), status)
        expect(node.statuses()[pod.id] == node.messages.SANDBOX_READY, "it is in no list")
        pod.stop()
        expect_equal(pod.status().state, node.messages.SANDBOX_NOTREADY, "its state once it has stopped")
        pod.stop()
    expect(pod.id not in node.statuses(), "it is in the list after its end")


@test("R1.1", "R5.16", seconds=120, only_danchi=True)
def pods_have_kernels_of_their_own_and_containers_of_one_share_theirs(node):
    script = "cat /proc/sys/kernel/random/boot_id; sleep 1000"
    with node.pod() as one, node.pod() as other:
        found = []
        for container in (one.sh(script), one.sh(script), other.sh(script)):
            container.log_has("-")
            found.append(container.log().strip())
        expect(found[0] == found[1] != found[2], found)
        with open("/proc/sys/kernel/random/boot_id") as file:
            expect(file.read().strip() not in found, "a pod runs on the host's kernel")


@test(only_danchi=True, seconds=120)
def the_sandbox_costs_no_container_and_no_process_on_the_host(node):
    """The guest is the sandbox: what the pause image has never runs."""
    with node.pod() as pod:
        expect_equal(node.machine.json("ps", "-a"), [], "containers of a pod without any")
        pauses = [pid for pid in filter(str.isdigit, os.listdir("/proc")) if is_pause(pid)]
        expect_equal(pauses, [], "processes of the pause image")
        pod.stop()


def is_pause(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().startswith(b"/sleep\0")
    except OSError:
        return False


@test(seconds=120)
def a_hostname_and_safe_sysctls_are_the_pods(node):
    with node.pod(hostname="podhost", linux={"sysctls": {"kernel.shm_rmid_forced": "1"}}) as pod:
        container = pod.sh("hostname; cat /proc/sys/kernel/shm_rmid_forced")
        container.wait()
        expect_equal(container.log(), "podhost\n1\n", "what a container of it sees")


@test(seconds=180)
def a_pod_with_an_init_container_and_three_others_restarts_one(node):
    with node.pod() as pod:
        first = pod.sh("exit 0", name="init")
        expect_equal(first.wait().exit_code, 0, "the init container's exit code")
        others = [pod.sh("exec sleep 1000", name=f"c{i}") for i in range(2)]
        crashing = pod.sh("echo once; exit 3", name="crash")
        expect_equal(crashing.wait().exit_code, 3, "the exit code")
        crashing.remove()
        again = pod.sh("echo again; exec sleep 1000", name="crash", attempt=1)
        again.log_has("again")
        expect_equal([one.state() for one in others + [again]], ["running"] * 3, "states")


@test("R5.16", seconds=300, only_danchi=True, core=True)
def nothing_of_a_pod_is_left_behind(node):
    def held():
        with open("/proc/self/mounts") as file:
            mounts = sum(node.directory in line or "/run/containerd/io" in line for line in file)
        return (mounts, sorted(os.listdir("/run/netns")), node.machine.guest_ids(),
                [entry["name"] for entry in node.machine.json("context", "ls")],
                sorted(os.listdir("/run/containerd/s") if os.path.isdir("/run/containerd/s") else []))
    before = held()
    with node.pod() as pod:
        pod.sh("exec sleep 1000")
    wait_until(lambda: held() == before, f"as before, {before}: {held()}", 10)
