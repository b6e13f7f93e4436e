#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a container is told and tells, from create to delete."""

import os
import sys
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../network")]
from harness import main, test  # noqa: E402
from danchid import Refusal  # noqa: E402
from ttrpc import pb  # noqa: E402
from world import (ALREADY_EXISTS, CREATED, FAILED_PRECONDITION, INVALID, NOT_FOUND, STOPPED,  # noqa: E402
                   UNIMPLEMENTED, Task, World, eventually, fails, is_gone, shell, socket_of)


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
def limits_without_end_reach_danchid(lab):
    """RLIM_INFINITY as Go writes it, above what a signed integer holds."""
    infinity, most = (1 << 64) - 1, (1 << 63) - 1
    process = {"args": ["sleep", "1000"], "cwd": "/", "env": [f"PATH={os.environ['PATH']}"],
               "rlimits": [{"type": "RLIMIT_CORE", "soft": infinity, "hard": infinity}]}
    task = lab.task(process=process)
    [container] = lab.danchid.containers.values()
    assert container.config["process"]["rlimits"] == [{"type": "RLIMIT_CORE", "soft": most, "hard": most}]
    task.start()
    task.kill(9)
    assert task.wait() == 137
    task.delete()


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


if __name__ == "__main__":
    sys.exit(main(World))
