# SPDX-License-Identifier: Apache-2.0
"""Statistics."""

import json

from areas import test
from machine import expect, wait_until


@test("R5.14", seconds=120, core=True)
def a_containers_stats_count_processor_and_memory(node):
    with node.shared_pod() as pod:
        container = pod.sh("while :; do :; done", linux={"resources": {"memory_limit_in_bytes": 64 << 20}})
        idle = pod.sh("exec sleep 1000")

        def cpu(one):
            stats = node.client.call("ContainerStats", container_id=one.id).stats
            expect(stats.attributes.id == one.id and stats.memory.working_set_bytes.value < 64 << 20, stats)
            return stats.cpu.usage_core_nano_seconds.value
        first = wait_until(lambda: cpu(container), "it has used the processor")
        wait_until(lambda: cpu(container) > first + 10 ** 8, "it uses more of it", 20)
        expect(cpu(idle) < cpu(container), "an idle one has used more")
        listed = {one.attributes.id for one in node.client.call("ListContainerStats").stats}
        expect({container.id, idle.id} <= listed, listed)


@test(seconds=120)
def a_pods_stats_hold_those_of_its_containers(node):
    with node.pod(linux={"cgroup_parent": "/danchi-tests/pod"}) as pod:
        container = pod.sh("exec sleep 1000")
        stats = node.client.call("PodSandboxStats", pod_sandbox_id=pod.id).stats
        expect(stats.attributes.id == pod.id, stats)
        expect([one.attributes.id for one in stats.linux.containers] == [container.id], stats)


@test("R5.14", seconds=120, only_danchi=True)
def the_pause_containers_statistics_are_what_the_guest_takes_of_the_host(node):
    with node.shared_pod() as pod:
        container = pod.sh("exec sleep 1000")

        def rows(task):
            text = node.ctr("task", "metrics", "--format", "json", task.id).stdout
            return json.loads(text)
        guest, one = rows(pod), rows(container)

        def used(metrics):
            if "usage_usec" in metrics["cpu"]:
                return metrics["cpu"]["usage_usec"] * 1000, metrics["memory"]["usage"]
            return metrics["cpu"]["usage"]["total"], metrics["memory"]["usage"]["usage"]
        expect(used(guest)[0] > used(one)[0] > 0 and used(guest)[1] > 64 << 20 > used(one)[1], (guest, one))
