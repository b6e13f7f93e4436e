# SPDX-License-Identifier: Apache-2.0
"""Namespaces: what the containers of a pod share, and what the host never shares."""

from areas import test
from client import CriError
from machine import expect, expect_equal

NAMESPACES = "for n in net ipc uts pid; do readlink /proc/self/ns/$n; done; sleep 1000"


def namespaces(container):
    container.log_has("pid:")
    return container.log().split()


@test("R5.13", seconds=120)
def network_ipc_and_names_are_the_pods_and_processes_each_containers(node):
    with node.shared_pod() as pod:
        one, other = namespaces(pod.sh(NAMESPACES)), namespaces(pod.sh(NAMESPACES))
        expect_equal(one[:3], other[:3], "network, IPC and UTS namespaces")
        expect(one[3] != other[3], "they share processes")


@test(seconds=120, only_danchi=True)
def a_shared_process_namespace_is_refused_by_name(node):
    with node.pod(security={"namespace_options": {"pid": 0}}) as pod:
        try:
            pod.sh(NAMESPACES)
        except CriError as error:
            expect("shareProcessNamespace" in str(error), error)
            return
        expect(False, "it started, with processes of its own")


@test("R1.6", seconds=120, only_danchi=True,
      not_crio="the host's IPC namespace has a path like a pod's own, so the pod gets its own")
def the_hosts_network_and_ipc_are_refused(node):
    for option in ("network", "ipc"):
        try:
            node.pod(security={"namespace_options": {option: 2, "pid": 1}})
        except CriError as error:
            expect("host" in str(error).lower(), error)
            continue
        expect(False, f"a pod has the host's {option} namespace")
