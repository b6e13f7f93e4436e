#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Pause, limits and statistics."""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../network")]
from harness import main, test  # noqa: E402
from danchid import Refusal  # noqa: E402
from pods import member, pod  # noqa: E402
from ttrpc import pb  # noqa: E402
from world import FAILED_PRECONDITION, INVALID, PAUSED, RUNNING, World, fails  # noqa: E402


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


def metrics_of(client, name):
    """What containerd is told of a task, and whether it is in version 2's members."""
    is_v2 = subprocess.run(["stat", "-fc", "%T", "/sys/fs/cgroup"], capture_output=True, text=True,
                           check=True).stdout.strip() == "cgroup2fs"
    answer = client.call("Stats", pb.StatsRequest(id=name), pb.StatsResponse).stats
    assert answer.type_url == f"io.containerd.cgroups.v{2 if is_v2 else 1}.Metrics"
    return (pb.MetricsV2 if is_v2 else pb.MetricsV1).FromString(answer.value), is_v2


def use_of(client, name):
    """Nanoseconds, bytes, the limit's bytes, processes."""
    metrics, is_v2 = metrics_of(client, name)
    memory, cpu = metrics.memory, metrics.cpu
    if is_v2:
        return cpu.usage_usec * 1000, memory.usage, memory.usage_limit, metrics.pids.current
    return cpu.usage.total, memory.usage.usage, memory.usage.limit, metrics.pids.current


@test()
def the_sandboxs_statistics_are_what_the_guest_takes_of_the_host(lab):
    sandbox = pod(lab)
    of_guest = (7654321000, 300 << 20, 700 << 20, 60)
    assert use_of(sandbox.client, "p1") == of_guest
    one = member(lab, "a1", ("sleep", "1000"))
    one.start()
    assert use_of(sandbox.client, "p1") == of_guest
    assert use_of(sandbox.client, "a1") == (1234567000, 4096000, 2 ** 64 - 1, 3)
    # The last ones stay, as a container's do, also where danchid has no answer any more.
    lab.danchid.faults["context-stats"] = Refusal("failed", "no")
    assert use_of(sandbox.client, "p1") == of_guest
    sandbox.kill(9)
    assert sandbox.wait() == 137
    assert use_of(sandbox.client, "p1") == of_guest


@test()
def statistics_come_in_the_hosts_type_and_outlive_the_container(lab):
    sandbox = pod(lab)
    task = member(lab, "a1", ("sleep", "1000"), env=["FAKE_OOM=1"])
    task.start()

    def stats(name):
        return metrics_of(task.client, name)[0]
    is_v2 = metrics_of(task.client, "a1")[1]
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
    assert stats("p1").pids.current == 60 and sandbox.state().status == RUNNING


if __name__ == "__main__":
    sys.exit(main(World))
