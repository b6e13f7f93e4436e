# SPDX-License-Identifier: Apache-2.0
"""The areas of the CRI's validation suite, as tests of our own: one module each, all in TESTS.

    @test("R5.16")
    def a_pod_is_ready_once_it_runs(node): ...

`only_danchi`: what holds for Danchi alone, where runc's pods differ.  `core`: what KVM, vsock and another
kernel could change; the lab runs these as well.  `not_crio`: why CRI-O cannot do so, whatever its runtime.
"""

import importlib

TESTS = []
AREAS = ("runtime", "sandbox", "container", "streams", "logs", "stats", "security", "namespaces", "network",
         "volumes", "kubelet", "packages", "manifests", "load", "faults", "kills",
         "space", "weight", "ctr")


def test(*demands, seconds=60, only_danchi=False, core=False, not_crio=""):
    def add(function):
        function.demands, function.seconds = demands, seconds
        function.is_danchis, function.is_core, function.not_crio = only_danchi, core, not_crio
        function.sentence = function.__name__.replace("_", " ")
        function.area = function.__module__.rsplit(".", 1)[-1]
        TESTS.append(function)
        return function
    return add


for area in AREAS:
    importlib.import_module(f"areas.{area}")
