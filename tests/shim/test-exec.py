#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Processes of Exec."""

import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../network")]
from harness import main, test  # noqa: E402
from ttrpc import pb  # noqa: E402
from world import (ALREADY_EXISTS, CREATED, FAILED_PRECONDITION, INVALID, NOT_FOUND, RUNNING, STOPPED,  # noqa: E402
                   World, eventually, fails, shell)


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
def an_exec_has_the_groups_and_capabilities_that_it_asks_for(lab):
    rights = {"bounding": ["CAP_CHOWN", "CAP_KILL"], "effective": ["CAP_CHOWN", "CAP_KILL"]}
    task = lab.task(args=("sleep", "1000"), user={"uid": 0, "gid": 0}, rights=rights)
    task.start()
    show = shell("echo $FAKE_USER $FAKE_GROUPS $FAKE_CAPABILITIES")
    # What is the container's own is not said: danchid has it.
    for number, (more, said) in enumerate((
            ({"user": {"uid": 0, "gid": 0}, "capabilities": rights}, "null null"),
            ({"user": {"uid": 5, "gid": 6, "additionalGids": [7, 8]}}, "5:6 [7, 8] null"),
            ({"user": {"uid": 5, "gid": 6, "additionalGids": None}}, "5:6 null null"),
            ({"capabilities": {"bounding": ["CAP_KILL"]}}, '7:8 null ["CAP_KILL"]'),
            ({"capabilities": {"bounding": None}}, "7:8 null []"),
            ({"capabilities": {}}, "7:8 null []"))):
        (out, _), _ = task.exec(f"e{number}", show, **more)
        task.start(f"e{number}")
        assert task.wait(f"e{number}") == 0
        assert out.end().decode().strip() == said, (more, said)


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


if __name__ == "__main__":
    sys.exit(main(World))
