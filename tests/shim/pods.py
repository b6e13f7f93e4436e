# SPDX-License-Identifier: Apache-2.0
"""Pods as containerd's CRI asks for them: the sandbox, and containers in it."""

from world import Task

SANDBOX = {"io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri.sandbox-id": "p1"}
MEMBER = {"io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-id": "p1"}


def pod(lab):
    """A pod that runs, without containers."""
    lab.bundle("p1", annotations=SANDBOX, network="/var/run/netns/cni-x", hostname="podhost")
    task = Task(lab, "p1", lab.connect(lab.start("p1")), streams="")
    task.start()
    return task


def member(lab, name, args, streams="oe", **more):
    lab.bundle(name, args, annotations=MEMBER, **more)
    return Task(lab, name, lab.connect(lab.start(name)), streams, more.get("terminal", False))
