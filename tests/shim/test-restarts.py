#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Others that go away: danchid, its sessions, containerd."""

import os
import sys
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../network")]
from harness import main, test  # noqa: E402
from ttrpc import pb  # noqa: E402
from world import RUNNING, Task, World, eventually, is_gone, shell  # noqa: E402


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
def removals_outlast_a_danchid_that_is_killed_in_their_middle(lab):
    """What is gone can be removed again; or containerd would have a task that it cannot delete."""
    task = lab.task(args=("sleep", "1000"))
    task.start()
    task.kill(9)
    assert task.wait() == 137
    lab.danchid.faults["pod-remove"] = threading.Event()
    sent = task.client.send("Delete", pb.DeleteRequest(id="c1"))
    eventually(lambda: "pod-remove" in lab.danchid.verbs(), "nothing was asked for")
    lab.danchid.stop()
    lab.danchid.faults.pop("pod-remove").set()
    time.sleep(0.3)
    lab.danchid.listen()
    assert task.client.receive(sent, pb.DeleteResponse).exit_status == 137
    assert lab.danchid.verbs().count("pod-remove") == 2 and lab.danchid.containers == {}


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


if __name__ == "__main__":
    sys.exit(main(World))
