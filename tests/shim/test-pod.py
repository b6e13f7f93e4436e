#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A pod's shim, and which containers are of it."""

import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../network")]
from harness import main, test  # noqa: E402
from pods import MEMBER, SANDBOX, member, pod  # noqa: E402
from ttrpc import pb  # noqa: E402
from world import (CREATED, DENIED, FAILED_PRECONDITION, INVALID, RUNNING, UNIMPLEMENTED, Task, World,  # noqa: E402
                   eventually, fails, is_gone, shell)


@test()
def a_pod_has_one_shim_and_one_guest_and_the_sandbox_is_the_guest(lab):
    sandbox = pod(lab)
    one = member(lab, "a1", shell("echo one; sleep 1000"))
    two = member(lab, "a2", shell("echo two; exit 0"))
    assert len({sandbox.shim_pid, one.shim_pid, two.shim_pid}) == 1
    assert len({sandbox.pid, one.pid, two.pid}) == 1 and not is_gone(sandbox.pid)
    one.start()
    assert two.run() == 0
    created = [args for verb, args in lab.danchid.requests if verb == "pod-create"]
    assert len(created) == 1 and created[0]["netns"] == "/var/run/netns/cni-x"
    assert created[0]["hostname"] == "podhost" and created[0]["config"]["annotations"] == SANDBOX
    assert [args["rootfs"] for verb, args in lab.danchid.requests if verb == "pod-container-create"] == [
        f"{lab.directory}/bundles/{name}/rootfs" for name in ("a1", "a2")]
    # A container that goes takes nothing of the pod's along: neither Shutdown nor `delete`.
    two.delete()
    two.shutdown()
    lab.delete("a2")
    assert one.state().status == RUNNING and sandbox.state().status == RUNNING
    fails(FAILED_PRECONDITION, sandbox.exec, "x", ("true",))
    pids = sandbox.client.call("Pids", pb.PidsRequest(id="p1"), pb.PidsResponse)
    assert [process.pid for process in pids.processes] == [sandbox.pid]
    sandbox.kill(18)
    assert sandbox.state().status == RUNNING
    waits = [one.begin_wait(), sandbox.begin_wait()]
    sandbox.kill(9)
    assert one.client.receive(waits[0], pb.WaitResponse).exit_status == 137
    assert sandbox.client.receive(waits[1], pb.WaitResponse).exit_status == 137
    assert lab.danchid.pods == {}
    ends = [event.container_id for event in lab.events.wait_for("/tasks/exit", 3)]
    assert ends == ["a2", "a1", "p1"], ends
    one.delete()
    sandbox.shutdown()
    assert not is_gone(sandbox.shim_pid)
    sandbox.delete()
    sandbox.shutdown()
    eventually(lambda: is_gone(sandbox.shim_pid), "the shim is still there")


@test()
def a_sandbox_has_ended_only_once_danchid_has_taken_everything_away(lab):
    sandbox = pod(lab)
    one = member(lab, "a1", ("sleep", "1000"))
    one.start()
    lab.danchid.removal_s = 1
    client = sandbox.client
    kill, wait = client.send("Kill", pb.KillRequest(id="p1", signal=9)), sandbox.begin_wait()
    eventually(lambda: not lab.danchid.pods, "the pod was not removed")
    assert one.wait() == 137  # its guest has gone already
    assert sandbox.state().status == RUNNING
    eventually(lambda: client.has_answer(kill) and client.has_answer(wait), "no answers")
    # In this order: who waits may close the connection then.
    assert [stream for stream in client.answers if stream in (kill, wait)] == [kill, wait]
    assert sandbox.wait() == 137


@test()
def a_guest_that_dies_ends_all_of_its_pod(lab):
    sandbox = pod(lab)
    one = member(lab, "a1", ("sleep", "1000"))
    one.start()
    two = member(lab, "a2", ("sleep", "1000"))
    lab.danchid.pods["p1"].kill()
    process = next(iter(lab.danchid.containers.values())).process
    process.lose()
    process.kill(9)
    assert one.wait() == 137 and sandbox.wait() == 137
    assert two.state().status == CREATED
    fails(FAILED_PRECONDITION, two.start)
    two.kill(9)
    assert two.wait() == 137
    for task in (one, two, sandbox):
        assert task.delete().exit_status == 137
    assert lab.danchid.pods == {}


@test()
def cri_os_annotations_group_and_what_is_of_no_pod_is_its_own(lab):
    lab.bundle("p1", annotations={"io.kubernetes.cri-o.ContainerType": "sandbox",
                                  "io.kubernetes.cri-o.SandboxID": "p1"})
    lab.bundle("a1", annotations={"io.kubernetes.cri-o.ContainerType": "container",
                                  "io.kubernetes.cri-o.SandboxID": "p1"})
    lab.bundle("d1", annotations={"io.kubernetes.docker.type": "container", "io.kubernetes.sandbox.id": "p1"})
    lab.bundle("s1")
    addresses = {name: lab.start(name) for name in ("p1", "a1", "d1", "s1")}
    assert addresses["p1"] == addresses["a1"] == addresses["d1"] != addresses["s1"]
    for address in set(addresses.values()):
        lab.connect(address).call("Shutdown", pb.ShutdownRequest(now=True))


@test()
def cri_o_calls_it_without_address_events_mounts_and_delete(lab):
    root = f"{lab.directory}/mounted"
    os.mkdir(root)
    environment = lab.environment(TTRPC_ADDRESS="")
    kinds = ("sandbox", "p1", ()), ("container", "a1", shell("echo from $0 && exit 3"))
    tasks = {}
    for kind, name, args in kinds:
        lab.bundle(name, args or ("pause",), root={"path": root},
                   annotations={"io.kubernetes.cri-o.ContainerType": kind, "io.kubernetes.cri-o.SandboxID": "p1"})
        address = lab.start(name, environment=environment, address="")
        tasks[name] = Task(lab, name, lab.connect(address), "oe" if args else "")
    tasks["p1"].start()
    assert tasks["a1"].run() == 3 and tasks["a1"].out.end() == b"from sh\n"
    made, = [args for verb, args in lab.danchid.requests if verb == "pod-container-create"]
    assert made["rootfs"] == root and made["namespace"] == "k8s.io"
    tasks["a1"].delete()
    tasks["a1"].shutdown()
    tasks["p1"].kill(15)
    assert tasks["p1"].wait() == 143
    tasks["p1"].delete()
    tasks["p1"].shutdown()
    eventually(lambda: is_gone(tasks["p1"].shim_pid), "the shim is still there")
    eventually(lambda: os.listdir("/run/containerd/s") == [], f"left: {os.listdir('/run/containerd/s')}")
    eventually(lambda: lab.danchid.pods == {}, f"pods are left: {lab.danchid.pods}")
    assert lab.events.topics() == [], lab.events.topics()


@test()
def a_container_of_another_pod_and_one_too_early_are_refused(lab):
    lab.bundle("a1", annotations=MEMBER)
    early = Task(lab, "a1", lab.connect(lab.start("a1")), streams="", creates=False)
    assert "has no guest" in fails(FAILED_PRECONDITION, early.create)
    lab.bundle("b1", annotations={**MEMBER, "io.kubernetes.cri.sandbox-id": "p2"})
    stranger = Task(lab, "b1", early.client, streams="", creates=False)
    assert "is of pod 'p2'" in fails(INVALID, stranger.create)
    lab.bundle("h1", annotations={**SANDBOX}, network=None)
    early.shutdown()
    host = Task(lab, "h1", lab.connect(lab.start("h1")), streams="", creates=False)
    assert "the host's network" in fails(UNIMPLEMENTED, host.create)
    host.shutdown()
    assert "pod-create" not in lab.danchid.verbs()


@test()
def a_pod_that_says_what_only_its_runtime_may_say_is_refused(lab):
    """CRI-O lays a pod's annotations over its own."""
    crio = "io.kubernetes.cri-o."
    lab.bundle("p1", annotations={crio + "ContainerType": "sandbox", crio + "SandboxID": "p1"}, network="/run/netns/p1")
    address = lab.start("p1")
    sandbox = Task(lab, "p1", lab.connect(address), streams="")
    lab.bundle("q1", annotations={crio + "ContainerType": "container", crio + "SandboxID": "p1"},
               network="/run/netns/q1")
    assert lab.start("q1") == address
    other = Task(lab, "q1", lab.connect(address), streams="", creates=False)
    assert "whose network it has not" in fails(DENIED, other.create)
    lab.bundle("q2", annotations={crio + "ContainerType": "sandbox", crio + "SandboxID": "q2", **MEMBER})
    result = lab.run_shim("q2", "start", cwd=f"{lab.directory}/bundles/q2", check=False)
    assert result.returncode == 1 and b"another runtime's" in result.stderr, result
    sandbox.kill(9)
    sandbox.delete()
    sandbox.shutdown()


@test()
def settings_that_nobody_would_read_are_refused(lab):
    kinds = (("runtimeoptions.v1.Options", pb.RuntimeOptions(config_path="/etc/x.toml")),
             ("cri.runtimeoptions.v1.Options", pb.RuntimeOptions(config_body=b"x = 1")))
    lab.bundle("c1")
    task = Task(lab, "c1", lab.connect(lab.start("c1")), streams="", creates=False)
    for kind, options in kinds:
        url = pb.Any(type_url=kind, value=options.SerializeToString())
        assert "danchi.conf" in fails(INVALID, lambda: task.create(options=url))  # pylint: disable=cell-var-from-loop
    task.create(options=pb.Any(type_url="runtimeoptions.v1.Options"))
    task.kill(9)
    task.delete()
    task.shutdown()


if __name__ == "__main__":
    sys.exit(main(World))
