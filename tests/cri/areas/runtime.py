# SPDX-License-Identifier: Apache-2.0
"""Runtime info."""

import os
import tomllib

import yaml

from areas import test
from machine import TOP, expect, expect_equal

CONFIG = os.path.join(TOP, "config", "kubernetes")


def read_yaml(name):
    with open(os.path.join(CONFIG, name)) as file:
        return list(yaml.safe_load_all(file))


@test()
def the_shipped_files_name_one_runtime_class(_node):
    """containerd reads one of the first two when a node starts; the others are read here."""
    with open(os.path.join(CONFIG, "containerd-1.toml"), "rb") as file:
        older = tomllib.load(file)["plugins"]["io.containerd.grpc.v1.cri"]["containerd"]["runtimes"]["danchi"]
    with open(os.path.join(CONFIG, "containerd-2.toml"), "rb") as file:
        newer = tomllib.load(file)["plugins"]["io.containerd.cri.v1.runtime"]["containerd"]["runtimes"]["danchi"]
    for key, value in older.items():
        expect_equal(newer[key], value, f"{key} of containerd 2")
    with open(os.path.join(CONFIG, "crio.conf"), "rb") as file:
        crio = tomllib.load(file)["crio"]["runtime"]["runtimes"]["danchi"]
    expect(os.path.isabs(crio["runtime_root"]), "CRI-O would make pipes in its own directory")
    expect_equal((crio["runtime_type"], os.path.basename(crio["runtime_path"])), ("vm", "containerd-shim-danchi-v2"),
                 "CRI-O's")
    [runtime_class] = read_yaml("runtimeclass.yaml")
    expect_equal(runtime_class["handler"], "danchi", "the handler")
    [pod] = read_yaml("pod.yaml")
    expect_equal(pod["spec"]["runtimeClassName"], runtime_class["metadata"]["name"], "the pod's class")
    namespace, *policies = read_yaml("namespace.yaml")
    expect_equal({policy["metadata"]["namespace"] for policy in policies}, {namespace["metadata"]["name"]}, "where")
    expect_equal(pod["metadata"]["namespace"], namespace["metadata"]["name"], "the pod's namespace")


@test()
def the_runtime_tells_its_version_and_that_it_is_ready(node):
    version = node.client.call("Version")
    expect_equal(version.runtime_api_version, "v1", "the API's version")
    conditions = {one.type: one.status for one in node.client.call("Status").status.conditions}
    expect(conditions["RuntimeReady"] and conditions["NetworkReady"], conditions)


@test(only_danchi=True)
def the_overhead_of_a_pod_is_printed_for_the_runtime_class(node):
    """Without KVM it is more than the shipped file has, by what the emulator takes."""
    [runtime_class] = read_yaml("runtimeclass.yaml")
    shipped, here = runtime_class["overhead"]["podFixed"], node.machine.json("info")["pods"]["overhead"]
    expect_equal(here["cpu"], shipped["cpu"], "of a processor")
    expect(int(here["memory"].removesuffix("Mi")) >= int(shipped["memory"].removesuffix("Mi")), here)


@test()
def an_unknown_runtime_class_is_refused(node):
    try:
        node.pod(runtime="nobodys")
    except Exception as error:  # pylint: disable=broad-except
        expect("nobodys" in str(error), error)
        return
    expect(False, "a pod runs in a class that nobody has configured")
