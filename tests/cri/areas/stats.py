# SPDX-License-Identifier: Apache-2.0
"""Statistics."""

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
