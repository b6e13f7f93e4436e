#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The real containerd-shim-danchi-v2 over real ttrpc, between a containerd and a danchid of the test's.

    CELL_LIBVIRT=no ./tests/tools/cell.sh python3 tests/shim/test-shim.py [WORD...]
"""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../network")]
from harness import main, test  # noqa: E402
from danchid import Refusal  # noqa: E402
from ttrpc import HEADER, LIMIT, REQUEST, Client, pb  # noqa: E402
from world import (ALREADY_EXISTS, CREATED, DENIED, FAILED_PRECONDITION, INVALID, NOT_FOUND, PAUSED,  # noqa: E402
                   RUNNING, SHIM, STOPPED, UNIMPLEMENTED, Reader, Task, World, eventually, fails)

SANDBOX = {"io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri.sandbox-id": "p1"}
MEMBER = {"io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-id": "p1"}


def shell(script):
    return ("sh", "-c", script)


def pod(lab):
    """A pod that runs, without containers."""
    lab.bundle("p1", annotations=SANDBOX, network="/var/run/netns/cni-x", hostname="podhost")
    task = Task(lab, "p1", lab.connect(lab.start("p1")), streams="")
    task.start()
    return task


def member(lab, name, args, streams="oe", **more):
    lab.bundle(name, args, annotations=MEMBER, **more)
    return Task(lab, name, lab.connect(lab.start(name)), streams, more.get("terminal", False))


def is_gone(pid):
    """It may go between any two of these calls, so between open(2) and read(2), too."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


# The life of a container.

@test()
def a_container_runs_and_its_life_is_told_in_order(lab):
    task = lab.task(args=shell("echo out; echo err >&2; exit 3"))
    assert task.pid == lab.danchid.pods["c1"].pid
    state = task.state()
    assert (state.status, state.pid, state.stdout) == (CREATED, task.pid, task.stdout)
    assert task.start() == task.pid
    assert task.wait() == 3
    assert (task.out.end(), task.err.end()) == (b"out\n", b"err\n")
    state = task.state()
    assert (state.status, state.exit_status) == (STOPPED, 3) and state.exited_at.seconds > time.time() - 60
    gone = task.delete()
    assert (gone.pid, gone.exit_status) == (task.pid, 3)
    assert lab.danchid.pods == {} and lab.danchid.containers == {}
    fails(NOT_FOUND, task.state)
    task.shutdown()
    eventually(lambda: is_gone(task.shim_pid), "the shim is still there")
    lab.events.wait_for("/tasks/delete")
    assert lab.events.topics() == ["/tasks/create", "/tasks/start", "/tasks/exit", "/tasks/delete"]
    ended = lab.events.wait_for("/tasks/exit")[0]
    assert (ended.container_id, ended.id, ended.pid, ended.exit_status) == ("c1", "c1", task.pid, 3)
    assert {envelope.namespace for envelope in lab.events.envelopes} == {"k8s.io"}
    assert os.listdir("/run/containerd/s") == []


@test()
def waits_are_answered_whenever_they_came_and_on_every_connection(lab):
    task = lab.task(args=shell("read x; exit 5"), streams="ioe")
    other = lab.connect(f"unix://{task.client.socket.getpeername()}")
    early = [task.begin_wait(), task.begin_wait(), task.begin_wait(client=other)]
    task.start()
    assert not any(task.client.has_answer(stream) for stream in early[:2])
    # One that goes away takes nothing along.
    third = lab.connect(f"unix://{task.client.socket.getpeername()}")
    task.begin_wait(client=third)
    third.close()
    with open(task.stdin, "w") as pipe:
        pipe.write("go\n")
    answers = [task.client.receive(stream, pb.WaitResponse) for stream in early[:2]]
    answers.append(other.receive(early[2], pb.WaitResponse))
    assert [answer.exit_status for answer in answers] == [5, 5, 5]
    assert task.wait() == 5
    task.delete()
    fails(NOT_FOUND, task.wait)


@test()
def a_signal_ends_it_and_its_number_is_told(lab):
    task = lab.task(args=("sleep", "1000"))
    task.start()
    task.kill(0)
    task.kill(15)
    assert task.wait() == 143
    fails(NOT_FOUND, task.kill, 9)
    fails(NOT_FOUND, task.kill, 0)


@test()
def what_may_not_be_is_refused_with_its_code(lab):
    task = lab.task(args=("sleep", "1000"))
    fails(ALREADY_EXISTS, task.create)
    fails(FAILED_PRECONDITION, task.exec, "early", ("true",))
    fails(NOT_FOUND, task.state, "nobody")
    task.start()
    fails(FAILED_PRECONDITION, task.start)
    fails(FAILED_PRECONDITION, task.delete)
    fails(FAILED_PRECONDITION, lambda: task.client.call("Resume", pb.ResumeRequest(id="c1")))
    fails(UNIMPLEMENTED, lambda: task.client.call("Checkpoint", pb.CheckpointRequest(id="c1")))
    fails(INVALID, task.kill, 100)
    for name in ("../c2", "a/b", "", "a..b", "x" * 77, "-a", "a-"):
        fails(INVALID, task.create, id=name)
    fails(INVALID, task.create, id="c2", bundle="relative")
    fails(NOT_FOUND, task.create, id="c2", bundle="/nowhere")
    fails(NOT_FOUND, task.client.call, "State", pb.StateRequest(id="c2"))


@test()
def one_that_never_started_can_be_killed_and_deleted(lab):
    task = lab.task(args=("/no/such/program",))
    waits = task.begin_wait()
    message = fails(2, task.start)
    assert "executable file not found" in message and "no such file or directory" in message, message
    assert task.state().status == CREATED
    # Its streams have ended already: a client waits for that first.
    assert task.out.end() == b"" and task.err.end() == b""
    fails(FAILED_PRECONDITION, task.start)
    task.kill(9)
    assert task.client.receive(waits, pb.WaitResponse).exit_status == 137
    assert task.state().status == STOPPED
    assert task.delete().exit_status == 137


@test()
def a_kill_that_comes_while_it_is_starting_is_not_forgotten(lab):
    for verb, fails_first in ("container-start", False), ("container-start", True):
        name = f"c{fails_first:d}"
        task = lab.task(name, args=("/no/such/program",) if fails_first else ("sleep", "1000"))
        hold = lab.danchid.faults[verb] = threading.Event()
        asked = lab.danchid.verbs().count(verb)
        start, wait = task.client.send("Start", pb.StartRequest(id=name)), task.begin_wait()
        eventually(lambda: lab.danchid.verbs().count(verb) > asked, "it was not asked for")
        fails(FAILED_PRECONDITION, task.start)
        fails(FAILED_PRECONDITION, task.delete)
        task.kill(9)
        assert task.state().status == CREATED
        hold.set()
        if fails_first:
            fails(2, task.client.receive, start)
        else:
            task.client.receive(start)
        assert task.client.receive(wait, pb.WaitResponse).exit_status == 137
        task.delete()
        task.shutdown()


@test()
def a_failed_create_leaves_nothing(lab):
    lab.danchid.faults["pod-container-create"] = Refusal("limit", "no room")
    lab.bundle("c1")
    task = Task(lab, "c1", lab.connect(lab.start("c1")), creates=False)
    message = fails(8, task.create)
    assert "no room" in message and "see the test" in message, message
    assert lab.danchid.pods == {}
    assert task.out.end() == b""
    fails(NOT_FOUND, task.state)


@test()
def nobody_waits_for_a_create_any_more_and_so_it_is_undone(lab):
    hold = threading.Event()
    lab.danchid.faults["pod-container-create"] = hold
    lab.bundle("c1")
    task = Task(lab, "c1", lab.connect(lab.start("c1")), streams="", creates=False)
    stream = task.client.send("Create", pb.CreateRequest(id="c1", bundle=f"{lab.directory}/bundles/c1"))
    eventually(lambda: "pod-container-create" in lab.danchid.verbs(), "it was not asked for")
    assert not task.client.has_answer(stream)
    task.client.close()
    lab.connect(f"unix://{socket_of(lab)}").call("Shutdown", pb.ShutdownRequest(id="c1"))
    time.sleep(0.1)
    hold.set()
    eventually(lambda: not lab.danchid.pods, "the pod is still there")
    eventually(lambda: not lab.danchid.containers, "the container is still there")
    eventually(lambda: os.listdir("/run/containerd/s") == [], "the socket is still there")


def socket_of(lab, name="c1"):
    with open(f"{lab.directory}/bundles/{name}/address") as file:
        return file.read()[len("unix://"):]


# Pods.

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
def a_pod_that_says_what_only_its_runtime_may_say_is_refused(lab):
    """CRI-O lays a pod's annotations over its own."""
    crio = "io.kubernetes.cri-o."
    lab.bundle("p1", annotations={crio + "ContainerType": "sandbox", crio + "SandboxID": "p1"}, network="/run/netns/p1")
    address = lab.start("p1")
    pod = Task(lab, "p1", lab.connect(address), streams="")
    lab.bundle("q1", annotations={crio + "ContainerType": "container", crio + "SandboxID": "p1"},
               network="/run/netns/q1")
    assert lab.start("q1") == address
    other = Task(lab, "q1", lab.connect(address), streams="", creates=False)
    assert "whose network it has not" in fails(DENIED, other.create)
    lab.bundle("q2", annotations={crio + "ContainerType": "sandbox", crio + "SandboxID": "q2", **MEMBER})
    result = lab.run_shim("q2", "start", cwd=f"{lab.directory}/bundles/q2", check=False)
    assert result.returncode == 1 and b"another runtime's" in result.stderr, result
    pod.kill(9)
    pod.delete()
    pod.shutdown()


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


# start and delete.

@test()
def two_starts_of_one_pod_at_once_make_one_shim(lab):
    lab.bundle("p1", annotations=SANDBOX)
    lab.bundle("a1", annotations=MEMBER)
    for _ in range(5):
        answers = []
        threads = [threading.Thread(target=lambda name=name: answers.append(lab.start(name)))
                   for name in ("p1", "a1", "p1", "a1")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == 4 and len(set(answers)) == 1
        client = lab.connect(answers[0])
        client.call("Shutdown", pb.ShutdownRequest())
        eventually(lambda: not os.path.exists(answers[0][len("unix://"):]), "the socket is still there")


@test()
def a_stale_socket_is_replaced_and_start_leaves_no_pipe_open(lab):
    lab.bundle("c1")
    address = lab.start("c1")  # subprocess.run() ends only once the pipe is closed by everybody
    with open(f"{lab.directory}/bundles/c1/address") as file:
        assert file.read() == address
    path = address[len("unix://"):]
    status = os.stat(path)
    assert status.st_mode & 0o777 == 0o600 and os.stat("/run/containerd/s").st_mode & 0o777 == 0o700
    lab.connect(address).call("Shutdown", pb.ShutdownRequest())
    eventually(lambda: not os.path.exists(path), "the socket is still there")
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(path)
    stale.close()
    assert lab.start("c1") == address
    lab.connect(address).call("Shutdown", pb.ShutdownRequest())


@test()
def a_start_that_cannot_be_says_why_and_fails(lab):
    os.makedirs(f"{lab.directory}/bundles/c1")
    result = lab.run_shim("c1", "start", cwd=f"{lab.directory}/bundles/c1", check=False)
    assert result.returncode == 1 and b"config.json" in result.stderr and result.stdout == b""
    for wrong in (["-id", "../x", "start"], ["-namespace", "a/b", "-id", "x", "start"], ["frobnicate"], ["-wrong"], []):
        result = subprocess.run([os.path.abspath(SHIM), *wrong], capture_output=True)
        assert result.returncode == 1 and result.stderr, wrong


@test()
def options_on_standard_input_change_nothing_and_bootstrap_params_ask_for_version_3(lab):
    lab.bundle("c1")
    options = pb.Any(type_url="runtimeoptions.v1.Options", value=b"\x12\x05/etc/")
    address = lab.start("c1", stdin=options.SerializeToString())
    assert lab.start("c1", stdin=b"\xff\xff garbage") == address
    lab.connect(address).call("Shutdown", pb.ShutdownRequest())
    eventually(lambda: not os.path.exists(address[len("unix://"):]), "the socket is still there")
    place = f"{lab.directory}/sockets"
    params = pb.BootstrapParams(instance_id="c1", namespace="k8s.io", socket_dir=place)
    result = lab.run_shim("c1", "start", cwd=f"{lab.directory}/bundles/c1", stdin=params.SerializeToString())
    answer = pb.BootstrapResult.FromString(result.stdout)
    assert (answer.version, answer.protocol) == (3, "ttrpc") and answer.address.startswith(f"unix://{place}/")
    lab.connect(answer.address).call("Shutdown", pb.ShutdownRequest(), service="containerd.task.v3.Task")


@test()
def version_and_info_are_told(lab):
    shim = os.path.abspath(SHIM)
    assert b"Version:" in subprocess.run([shim, "-v"], capture_output=True, check=True).stdout
    info = pb.RuntimeInfo.FromString(subprocess.run([shim, "-info"], capture_output=True, check=True).stdout)
    assert info.name == "io.containerd.danchi.v2" and info.version.version


@test()
def delete_after_a_crash_of_the_shim_cleans_up_and_may_run_twice_and_at_once(lab):
    sandbox = pod(lab)
    one = member(lab, "a1", ("sleep", "1000"))
    one.start()
    # The shim lives: a container's delete is not the pod's.
    answer = lab.delete("a1")
    assert answer.exit_status == 137 and answer.exited_at.seconds > 0 and "p1" in lab.danchid.pods
    os.kill(sandbox.shim_pid, signal.SIGKILL)
    answers = []
    threads = [threading.Thread(target=lambda name=name: answers.append(lab.delete(name)))
               for name in ("a1", "p1", "a1", "p1")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.exit_status for answer in answers] == [137] * 4
    assert lab.danchid.pods == {} and os.listdir("/run/containerd/s") == []


@test()
def delete_without_a_bundle_or_without_danchid_still_answers(lab):
    assert lab.delete("nothing-there").exit_status == 137
    sandbox = pod(lab)
    os.kill(sandbox.shim_pid, signal.SIGKILL)
    os.unlink(f"{lab.directory}/bundles/p1/config.json")
    assert lab.delete("p1").exit_status == 137
    assert lab.danchid.pods == {}


# Streams.

@test()
def a_hundred_megabytes_arrive_whole_before_the_end_is_told(lab):
    size = 100 * 1024 * 1024
    script = ("import sys,hashlib\nblock=bytes(range(256))*256\nfor i in range(%d):\n"
              " sys.stdout.buffer.write(i.to_bytes(4,'big')+block[4:])" % (size // 65536))
    task = lab.task(args=(sys.executable, "-c", script))
    task.out.keeps = False
    task.start()
    assert task.wait(timeout=120) == 0
    # Wait was answered: nothing may be on its way any more.
    assert task.out.size == size
    expected = hashlib.sha256()
    block = bytes(range(256)) * 256
    for i in range(size // 65536):
        expected.update(i.to_bytes(4, "big") + block[4:])
    task.out.end()
    assert task.out.digest.digest() == expected.digest()


@test()
def a_slow_reader_has_everything_before_the_end_is_told(lab):
    lab.bundle("c1", shell("head -c 40000 /dev/zero"))
    task = Task(lab, "c1", lab.connect(lab.start("c1")), streams="", creates=False)
    task.stdout = lab.fifo("slow")
    reader = os.open(task.stdout, os.O_RDONLY | os.O_NONBLOCK)
    task.create()
    task.start()
    stream = task.begin_wait()
    time.sleep(1)
    assert not task.client.has_answer(stream) and task.state().status == RUNNING
    got = 0
    while got < 40000:
        got += len(os.read(reader, 4096))
    assert task.client.receive(stream, pb.WaitResponse).exit_status == 0
    assert os.read(reader, 1) == b""
    os.close(reader)


@test()
def a_reader_that_is_lost_and_comes_back_misses_nothing(lab):
    pod(lab)
    lab.bundle("a1", shell("for i in 1 2 3; do read x; echo line $i; done"), annotations=MEMBER)
    task = Task(lab, "a1", lab.connect(lab.start("a1")), streams="i", creates=False)
    task.stdout = lab.fifo("lost")
    reader = os.open(task.stdout, os.O_RDONLY | os.O_NONBLOCK)
    task.create()
    task.start()
    writer = os.open(task.stdin, os.O_WRONLY)
    os.write(writer, b"\n")
    eventually(lambda: poll_read(reader) == b"line 1\n", "no first line")
    # containerd is restarted: both of its ends close, and its connections.
    os.close(reader)
    os.close(writer)
    task.client.close()
    time.sleep(0.2)
    assert not is_gone(task.shim_pid)
    writer = os.open(task.stdin, os.O_WRONLY)
    os.write(writer, b"\n\n")
    task.client = lab.connect(f"unix://{socket_of(lab, 'a1')}")
    again = Reader(task.stdout)
    assert task.wait() == 0
    assert again.end() == b"line 2\nline 3\n"
    os.close(writer)


def poll_read(fd):
    try:
        return os.read(fd, 4096)
    except BlockingIOError:
        return b""


@test()
def nobody_reads_and_the_end_is_told_all_the_same(lab):
    lab.bundle("c1", shell("head -c 1000000 /dev/zero; exit 4"))
    task = Task(lab, "c1", lab.connect(lab.start("c1")), streams="", creates=False)
    task.stdout = lab.fifo("unread")
    task.create()
    task.start()
    stream = task.begin_wait()
    time.sleep(0.5)
    assert task.state().status == RUNNING  # its pipe is full, so it waits
    task.kill(9)
    begun = time.monotonic()
    assert task.client.receive(stream, pb.WaitResponse, 40).exit_status == 137
    assert time.monotonic() - begun > 5
    task.delete()


@test()
def standard_input_arrives_whole_and_ends_when_the_client_says_so(lab):
    pod(lab)
    task = member(lab, "a1", ("sha256sum",), streams="ioe")
    task.start()
    data = os.urandom(1000000)
    writer = os.open(task.stdin, os.O_WRONLY)
    os.write(writer, data[:10])
    os.close(writer)  # a client that leaves is no end of file
    time.sleep(0.3)
    assert task.state().status == RUNNING
    with open(task.stdin, "wb") as pipe:
        pipe.write(data[10:])
        pipe.flush()
        task.close_io()
        task.close_io()
    assert task.wait() == 0
    assert task.out.end().split()[0].decode() == hashlib.sha256(data).hexdigest()


@test()
def a_client_of_no_pod_ends_the_input_by_leaving(lab):
    task = lab.task(args=("cat",), streams="ioe")
    with open(task.stdin, "wb") as pipe:
        pipe.write(b"said and gone")
    task.start()
    assert task.wait() == 0
    assert task.out.end() == b"said and gone"
    task.delete()
    task.shutdown()
    slow = lab.task("c2", args=("cat",), streams="ioe")
    slow.start()
    time.sleep(0.3)
    assert slow.state().status == RUNNING  # nobody has come yet, so nobody has left
    with open(slow.stdin, "wb") as pipe:
        pipe.write(b"late")
    assert slow.wait() == 0
    assert slow.out.end() == b"late"


@test()
def input_that_was_closed_before_the_start_arrives_too(lab):
    task = lab.task(args=("cat",), streams="ioe")
    writer = os.open(task.stdin, os.O_WRONLY)
    os.write(writer, b"early")
    task.close_io()
    os.close(writer)
    assert task.run() == 0
    assert task.out.end() == b"early"


@test()
def a_terminal_has_the_size_it_is_given_before_and_after_the_start(lab):
    task = lab.task(args=shell("stty size; read x; stty size"), streams="io", terminal=True)
    task.client.call("ResizePty", pb.ResizePtyRequest(id="c1", width=90, height=30))
    task.start()
    eventually(lambda: b"30 90" in task.out.data, "no size")
    task.client.call("ResizePty", pb.ResizePtyRequest(id="c1", width=0, height=0))
    task.client.call("ResizePty", pb.ResizePtyRequest(id="c1", width=101, height=41))
    time.sleep(0.2)
    with open(task.stdin, "w") as pipe:
        pipe.write("\n")
    assert task.wait() == 0
    assert b"41 101" in task.out.end()


@test()
def output_goes_into_files_and_programs_as_uris_say(lab):
    lab.bundle("f1", shell("echo out; echo err >&2"))
    task = Task(lab, "f1", lab.connect(lab.start("f1")), streams="", creates=False)
    log = f"{lab.directory}/deep/down/f1.log"
    task.create(stdout=f"file://{log}", stderr=f"file://{log}")
    assert task.run() == 0
    with open(log) as file:
        assert sorted(file.read().split()) == ["err", "out"]
    task.delete()
    task.shutdown()

    program = f"{lab.directory}/logger"
    with open(program, "w") as file:
        file.write("#!/bin/sh\nexec >>\"$2\"\necho $1 $CONTAINER_ID $CONTAINER_NAMESPACE\n"
                   "sleep 0.3; exec 5>&-; cat <&3; cat <&4; echo end\n")
    os.chmod(program, 0o755)
    lab.bundle("b1", shell("echo out; echo err >&2"))
    task = Task(lab, "b1", lab.connect(lab.start("b1")), streams="", creates=False)
    uri = f"binary://{program}?key={lab.directory}/b1.log"
    task.create(stdout=uri, stderr=uri)
    assert task.run() == 0
    task.delete()

    def logged():
        with open(f"{lab.directory}/b1.log") as file:
            return file.read().split()
    eventually(lambda: logged() == ["key", "b1", "k8s.io", "out", "err", "end"], "the program's log")
    lab.bundle("w1")
    wrong = Task(lab, "w1", lab.connect(lab.start("w1")), streams="", creates=False)
    fails(INVALID, wrong.create, stdout="ttrpc+unix:///x?streaming_id=1")
    fails(INVALID, wrong.create, stdout="relative")
    fails(NOT_FOUND, wrong.create, stdout="/nowhere/at/all")
    fails(2, wrong.create, stdout="binary:///no/such/logger", stderr="binary:///no/such/logger")


# Processes of Exec.

@test()
def exec_runs_a_process_with_its_own_streams_and_end(lab):
    user = {"uid": 1000, "gid": 1000, "additionalGids": [2000]}
    task = lab.task(args=("sleep", "1000"), user=user)
    task.start()
    # Who it runs as is said only where it is not the container's user.
    (out, _), _ = task.exec("u1", shell("echo [$FAKE_USER]"), user=user)
    task.start("u1")
    assert task.wait("u1") == 0 and out.end() == b"[]\n"
    task.delete("u1")
    (out, err), stdin = task.exec("e1", shell("cat; echo $FAKE_USER; echo bad >&2; exit 7"), "ioe")
    assert task.state("e1").status == CREATED and task.state("e1").exec_id == "e1"
    fails(ALREADY_EXISTS, task.client.call, "Exec",
          pb.ExecRequest(id="c1", exec_id="e1", spec=pb.Any(type_url="x", value=b"{}")))
    fails(FAILED_PRECONDITION, task.kill, 9, "e1")
    stream = task.begin_wait("e1")
    task.start("e1")
    with open(stdin, "w") as pipe:
        pipe.write("hello ")
        pipe.flush()
        task.close_io("e1")
    assert task.client.receive(stream, pb.WaitResponse).exit_status == 7
    assert out.end() == b"hello 7:8\n" and err.end() == b"bad\n"
    assert task.state("e1").status == STOPPED
    assert task.delete("e1").exit_status == 7
    fails(NOT_FOUND, task.state, "e1")
    assert task.state().status == RUNNING
    lab.events.wait_for("/tasks/exit", 2)
    topics = lab.events.topics()
    assert topics[2:] == ["/tasks/exec-added", "/tasks/exec-started", "/tasks/exit"] * 2, topics
    ended = lab.events.wait_for("/tasks/exit")[1]
    assert (ended.container_id, ended.id, ended.exit_status) == ("c1", "e1", 7)
    (out,), _ = task.exec("t1", shell("tty; stty size; sleep 1000"), "io", terminal=True,
                          consoleSize={"height": 11, "width": 22})
    task.start("t1")
    eventually(lambda: b"11 22" in out.data and b"/dev/pts" in out.data, "no terminal")
    task.client.call("ResizePty", pb.ResizePtyRequest(id="c1", exec_id="t1", width=5, height=5))
    task.kill(9, "t1")
    assert task.wait("t1") == 137


@test()
def an_exec_that_fails_or_never_starts_can_be_deleted_and_its_client_sees_the_end(lab):
    task = lab.task(args=("sleep", "1000"))
    task.start()
    (out, err), _ = task.exec("e1", ("/no/such/program",))
    stream = task.begin_wait("e1")
    assert "executable file not found" in fails(2, task.start, "e1")
    assert task.client.receive(stream, pb.WaitResponse).exit_status == 127
    assert out.end() == b"" and err.end() == b""
    task.delete("e1")
    (out, err), _ = task.exec("e2", ("true",))
    task.delete("e2")
    assert out.end() == b"" and err.end() == b""
    fails(INVALID, task.client.call, "Exec", pb.ExecRequest(id="c1", exec_id="e3"))
    fails(INVALID, task.client.call, "Exec",
          pb.ExecRequest(id="c1", exec_id="e3", spec=pb.Any(type_url="x", value=b"not json")))


@test()
def execs_end_with_their_container_and_before_it(lab):
    task = lab.task(args=("sleep", "1000"))
    task.start()
    for name in ("e1", "e2"):
        task.exec(name, ("sleep", "1000"), streams="")
        task.start(name)
    streams = [task.begin_wait(name) for name in ("e1", "e2", "")]
    task.kill(9, is_for_all=True)
    assert [task.client.receive(stream, pb.WaitResponse).exit_status for stream in streams] == [137] * 3
    ends = [event.id for event in lab.events.wait_for("/tasks/exit", 3)]
    assert sorted(ends[:2]) == ["e1", "e2"] and ends[2] == "c1", ends
    task.delete()


@test()
def two_hundred_short_execs_leak_no_descriptor(lab):
    task = lab.task(args=("sleep", "1000"))
    task.start()
    eventually(lambda: "container-wait" in lab.danchid.verbs(), "nobody waits for the end")
    count = len(os.listdir(f"/proc/{task.shim_pid}/fd"))
    for round_of in range(5):
        names = [f"e{round_of}-{i}" for i in range(40)]
        readers = {name: task.exec(name, shell(f"echo {name}"))[0][0] for name in names}
        streams = [task.client.send("Start", pb.StartRequest(id="c1", exec_id=name)) for name in names]
        for stream in streams:
            task.client.receive(stream)
        for name in names:
            assert task.wait(name) == 0
            assert readers[name].end() == f"{name}\n".encode()
            task.delete(name)
    eventually(lambda: len(os.listdir(f"/proc/{task.shim_pid}/fd")) <= count, "descriptors are left")


# What else is asked.

@test()
def pause_and_resume_are_seen_and_a_paused_container_can_be_killed(lab):
    task = lab.task(args=("sleep", "1000"))
    task.start()
    task.client.call("Pause", pb.PauseRequest(id="c1"))
    assert task.state().status == PAUSED
    fails(FAILED_PRECONDITION, task.client.call, "Pause", pb.PauseRequest(id="c1"))
    task.client.call("Resume", pb.ResumeRequest(id="c1"))
    assert task.state().status == RUNNING
    task.client.call("Pause", pb.PauseRequest(id="c1"))
    task.kill(9)
    assert task.wait() == 137
    lab.events.wait_for("/tasks/paused", 2)
    topics = lab.events.topics()
    assert topics[2:5] == ["/tasks/paused", "/tasks/resumed", "/tasks/paused"], topics


@test()
def limits_are_passed_on_as_danchid_takes_them(lab):
    task = lab.task(args=("sleep", "1000"))
    task.start()
    resources = {"memory": {"limit": 67108864, "swap": 67108864}, "cpu": {"quota": 50000, "period": 100000,
                 "shares": 512, "cpus": "0-1"}, "pids": {"limit": -1}, "devices": [{"allow": False}]}
    any_of = pb.Any(type_url="types.containerd.io/opencontainers/runtime-spec/1/LinuxResources",
                    value=json.dumps(resources).encode())
    task.client.call("Update", pb.UpdateRequest(id="c1", resources=any_of))
    args, = [args for verb, args in lab.danchid.requests if verb == "container-update"]
    args.pop("container")
    assert args == {"memory_bytes": 67108864, "cpus": 0.5, "cpu_shares": 512, "pids_limit": -1}
    fails(INVALID, task.client.call, "Update", pb.UpdateRequest(id="c1"))
    any_of.value = b'{"memory": [}'
    fails(INVALID, task.client.call, "Update", pb.UpdateRequest(id="c1", resources=any_of))
    lab.danchid.faults["container-update"] = Refusal("denied", "no")
    any_of.value = json.dumps(resources).encode()
    fails(7, task.client.call, "Update", pb.UpdateRequest(id="c1", resources=any_of))


@test()
def statistics_come_in_the_hosts_type_and_outlive_the_container(lab):
    sandbox = pod(lab)
    task = member(lab, "a1", ("sleep", "1000"), env=["FAKE_OOM=1"])
    task.start()
    is_v2 = subprocess.run(["stat", "-fc", "%T", "/sys/fs/cgroup"], capture_output=True, text=True,
                           check=True).stdout.strip() == "cgroup2fs"
    kind = pb.MetricsV2 if is_v2 else pb.MetricsV1

    def stats(name):
        answer = task.client.call("Stats", pb.StatsRequest(id=name), pb.StatsResponse).stats
        assert answer.type_url == f"io.containerd.cgroups.v{2 if is_v2 else 1}.Metrics"
        return kind.FromString(answer.value)
    metrics = stats("a1")
    assert metrics.pids.current == 3 and metrics.pids.limit == 100
    memory = metrics.memory
    used, limit = (memory.usage, memory.usage_limit) if is_v2 else (memory.usage.usage, memory.usage.limit)
    assert (used, limit) == (4096000, 2 ** 64 - 1)
    total = metrics.cpu.usage_usec * 1000 if is_v2 else metrics.cpu.usage.total
    assert total == 1234567000
    for name in () if is_v2 else ("usage", "swap", "kernel", "kernel_tcp"):
        assert memory.HasField(name), name
    task.kill(9)
    assert task.wait() == 137
    metrics = stats("a1")
    assert (metrics.memory_events.oom_kill if is_v2 else metrics.memory_oom_control.oom_kill) == 1
    assert metrics.pids.current == 3
    lab.events.wait_for("/tasks/exit")
    topics = lab.events.topics()
    assert topics[-2:] == ["/tasks/oom", "/tasks/exit"], topics
    assert os.path.exists(f"{lab.directory}/bundles/a1/oom")
    assert stats("p1").pids.current == 0 and sandbox.state().status == RUNNING


# Others that go away.

@test()
def danchid_may_be_restarted_while_containers_run(lab):
    task = lab.task(args=shell("read x; echo done; exit 6"), streams="ioe")
    task.start()
    stream = task.begin_wait()
    lab.danchid.stop()
    time.sleep(0.3)
    assert task.state().status == RUNNING
    kill = task.client.send("Kill", pb.KillRequest(id="c1", signal=18))
    time.sleep(0.3)
    lab.danchid.listen()
    task.client.receive(kill)
    with open(task.stdin, "w") as pipe:
        pipe.write("\n")
    assert task.client.receive(stream, pb.WaitResponse).exit_status == 6
    assert task.out.end() == b"done\n"
    task.delete()


@test()
def a_session_that_is_lost_is_taken_up_again_and_its_end_is_known(lab):
    task = lab.task(args=shell("sleep 1000"))
    task.start()
    process = next(iter(lab.danchid.containers.values())).process
    process.lose()
    eventually(lambda: "container-attach" in lab.danchid.verbs(), "it was not attached again")
    assert task.state().status == RUNNING
    time.sleep(0.2)
    task.kill(15)
    assert task.wait() == 143


@test()
def events_wait_for_a_containerd_that_is_away_and_keep_their_order(lab):
    task = lab.task(args=shell("exit 0"))
    lab.events.wait_for("/tasks/create")
    time.sleep(0.2)  # what was taken and not answered would come again
    lab.events.stop()
    begun = time.monotonic()
    assert task.run() == 0
    task.delete()
    assert time.monotonic() - begun < 5
    lab.events.listen()
    lab.events.wait_for("/tasks/delete")
    assert lab.events.topics() == ["/tasks/create", "/tasks/start", "/tasks/exit", "/tasks/delete"]


@test()
def without_an_address_nothing_is_published_and_all_goes_on(lab):
    lab.bundle("c1", shell("exit 2"))
    environment = lab.environment(TTRPC_ADDRESS="")
    task = Task(lab, "c1", lab.connect(lab.start("c1", environment=environment)))
    assert task.run() == 2
    task.delete()
    task.shutdown()
    eventually(lambda: is_gone(task.shim_pid), "the shim is still there")
    assert lab.events.topics() == []


@test()
def a_shutdown_now_ends_what_runs(lab):
    task = lab.task(args=("sleep", "1000"))
    task.start()
    task.shutdown()
    time.sleep(0.2)
    assert task.state().status == RUNNING
    task.shutdown(now=True)
    eventually(lambda: is_gone(task.shim_pid), "the shim is still there")
    assert lab.danchid.pods == {}


# What a peer may send.

@test()
def broken_frames_and_garbage_harm_nobody(lab):
    task = lab.task(args=("sleep", "1000"))
    path = task.client.socket.getpeername()
    for data in (b"", b"\0", b"GET / HTTP/1.1\r\n\r\n", os.urandom(100000), HEADER.pack(100, 1, REQUEST, 0) + b"short",
                 HEADER.pack(2 ** 32 - 1, 1, REQUEST, 0) + b"x" * 100000, HEADER.pack(0, 0, 0, 0) * 1000):
        peer = Client(path)
        peer.send_raw(data)
        peer.close()
    client = lab.connect(f"unix://{path}")
    # Longer than the limit: refused on its stream, and the connection goes on.
    over = client.send_frame(b"x" * (LIMIT + 1))
    fails(8, client.receive, over)
    assert client.call("State", pb.StateRequest(id="c1"), pb.StateResponse).status == CREATED
    fails(INVALID, client.receive, client.send_frame(b"\xff" * 50))
    fails(INVALID, client.receive, client.send_frame(b"", stream=1000000))
    fails(INVALID, client.receive, client.send_frame(b"", stream=1))
    fails(UNIMPLEMENTED, client.receive, client.send_frame(b"", flags=2))
    client.send_frame(b"", kind=3)
    client.send_frame(b"", kind=77)
    fails(UNIMPLEMENTED, client.call, "Frobnicate", pb.StateRequest())
    fails(UNIMPLEMENTED, client.call, "State", pb.StateRequest(id="c1"),
          service="containerd.runtime.sandbox.v1.Sandbox")
    fails(INVALID, client.call, "State", b"\x0a\xff\xff\xff\xff\x0f")
    assert client.call("State", pb.StateRequest(id="c1"), pb.StateResponse,
                       service="containerd.task.v3.Task").id == "c1"
    # A whole frame of exactly the limit, in pieces.
    padding = pb.Request(service="containerd.task.v2.Task", method="State",
                         payload=pb.StateRequest(id="c1", exec_id="x" * (LIMIT - 100)).SerializeToString())
    fails(NOT_FOUND, client.receive, client.send_frame(padding.SerializeToString()))
    assert task.state().status == CREATED


@test()
def more_connections_than_the_limit_are_closed_and_harm_nobody(lab):
    task = lab.task(args=("sleep", "1000"))
    path = task.client.socket.getpeername()
    peers = [Client(path) for _ in range(300)]
    eventually(lambda: sum(peer.is_closed for peer in peers) == 300 - 255, "some are not closed")
    assert task.state().status == CREATED
    for peer in peers:
        peer.close()
    eventually(lambda: len(os.listdir(f"/proc/{task.shim_pid}/fd")) < 30, "descriptors are left")
    assert task.state().status == CREATED


@test()
def a_peer_that_reads_nothing_loses_its_connection_and_no_other(lab):
    task = lab.task(args=("sleep", "1000"))
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(task.client.socket.getpeername())
    # Each answer repeats the id that was asked for, cut; so many that they fill every buffer.
    request = pb.Request(service="containerd.task.v2.Task", method="State",
                         payload=pb.StateRequest(id="c1").SerializeToString()).SerializeToString()
    sent = 0
    peer.settimeout(20)
    try:
        for stream in range(1, 2000000, 2):
            peer.sendall(HEADER.pack(len(request), stream, REQUEST, 0) + request)
            sent += 1
    except (BrokenPipeError, ConnectionResetError):
        pass
    print(f"# {sent} requests")
    assert sent < 999999
    assert task.state().status == CREATED
    peer.close()


@test()
def others_than_root_are_not_heard(lab):
    task = lab.task(args=("sleep", "1000"))
    path = task.client.socket.getpeername()
    script = (f"import socket,os\ns=socket.socket(socket.AF_UNIX)\ns.connect({path!r})\n"
              "os._exit(0 if s.recv(1) == b'' else 1)")
    os.chmod("/run/containerd", 0o711)
    os.chmod("/run/containerd/s", 0o711)
    os.chmod(path, 0o666)
    subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c", script],
                   check=True, timeout=20)
    os.chmod("/run/containerd/s", 0o700)
    assert task.state().status == CREATED


@test()
def roots_are_mounted_at_create_and_unmounted_at_delete(lab):
    for name in ("lower1", "lower2", "upper", "work", "plain"):
        os.makedirs(f"{lab.directory}/{name}")
        with open(f"{lab.directory}/{name}/{name}", "w") as file:
            file.write(name)
    subprocess.run(["mount", "-t", "tmpfs", "none", f"{lab.directory}/work"], check=True)
    os.mkdir(f"{lab.directory}/work/up")
    os.mkdir(f"{lab.directory}/work/work")
    place = lab.directory
    overlay = pb.Mount(type="overlay", source="overlay",
                       options=["index=off", f"workdir={place}/work/work", f"upperdir={place}/work/up",
                                f"lowerdir={place}/lower1:{place}/lower2"])
    bind = pb.Mount(type="bind", source=f"{place}/plain", options=["rbind", "ro"])
    # More layers than a page has room for by their whole names.
    deep = os.path.join(place, "d" * 60)
    layers = []
    for i in range(100):
        os.makedirs(f"{deep}/{i}")
        layers.append(f"{deep}/{i}")
        with open(f"{deep}/{i}/file{i}", "w"):
            pass
    many = pb.Mount(type="overlay", source="overlay", options=["lowerdir=" + ":".join(layers)])
    for name, mount, files in (("o1", overlay, ["lower1", "lower2"]), ("b1", bind, ["plain"]),
                               ("m1", many, [f"file{i}" for i in range(100)])):
        root = f"{place}/bundles/{name}/rootfs"
        lab.bundle(name, ("sleep", "1000"))
        task = Task(lab, name, lab.connect(lab.start(name)), rootfs=[mount])
        assert sorted(os.listdir(root)) == sorted(files), (name, os.listdir(root))
        if name != "o1":
            try:
                open(f"{root}/new", "w")
                raise AssertionError(f"{name}: can be written to")
            except OSError:
                pass
        task.kill(9)
        task.delete()
        task.shutdown()
        assert os.listdir(root) == []
    lab.bundle("w1")
    wrong = Task(lab, "w1", lab.connect(lab.start("w1")), streams="", creates=False,
                 rootfs=[bind, pb.Mount(type="nosuchfs", source="x")])
    assert "nosuchfs" in fails(2, wrong.create)
    assert os.listdir(f"{place}/bundles/w1/rootfs") == []
    subprocess.run(["umount", f"{place}/work"], check=True)


@test()
def the_shim_stays_small_and_says_whole_lines_to_containerds_log(lab):
    lab.bundle("c1", ("/no/such/program",))
    log = os.open(f"{lab.directory}/bundles/c1/log", os.O_RDWR | os.O_NONBLOCK)
    task = Task(lab, "c1", lab.connect(lab.start("c1")))
    fails(2, task.start)
    line = os.read(log, 4096).decode()
    assert line.startswith('time="') and " level=info msg=" in line and line.endswith("id=c1 runtime=danchi\n"), line
    with open(f"/proc/{task.shim_pid}/smaps_rollup") as file:
        private = sum(int(row.split()[1]) for row in file if row.startswith("Private"))
    print(f"# private memory: {private} KiB")
    assert private < 8192, private
    os.close(log)


if __name__ == "__main__":
    sys.exit(main(World))
