# SPDX-License-Identifier: Apache-2.0
"""Security contexts, honoured and tightened."""

import json
import os

from areas import test
from client import CriError
from machine import expect, expect_equal

# The test image's own user is not root.
ROOT = {"run_as_user": {"value": 0}}


def status_of(container, key):
    for line in container.execute("cat", "/proc/1/status").splitlines():
        if line.startswith(key + ":"):
            return line.split(":", 1)[1].split()
    raise AssertionError(key)


@test("R2.3", "R3.6", seconds=120, only_danchi=True, core=True)
def seccomp_is_on_whatever_the_pod_says_of_it(node):
    with node.shared_pod() as pod:
        for profile in ({}, {"seccomp": {"profile_type": 0}}, {"seccomp": {"profile_type": 1}}):
            container = pod.sh("exec sleep 1000", security=profile)
            expect_equal(status_of(container, "Seccomp"), ["2"], f"the mode with {profile}")
            container.stop(0)
            container.remove()


@test("R3.5", "R5.12", seconds=120)
def capabilities_are_dropped_and_added(node):
    with node.shared_pod() as pod:
        container = pod.sh("exec sleep 1000", security={"capabilities": {"drop_capabilities": ["ALL"]}})
        expect_equal(int(status_of(container, "CapBnd")[0], 16), 0, "the bounding set")
        container = pod.sh("exec sleep 1000", security={"capabilities": {"drop_capabilities": ["ALL"],
                                                                         "add_capabilities": ["NET_BIND_SERVICE"]},
                                                        **ROOT})
        expect_equal(int(status_of(container, "CapEff")[0], 16), 1 << 10, "the effective set")


@test("R3.4", seconds=120)
def no_new_privileges_is_set_when_asked_for(node):
    with node.shared_pod() as pod:
        container = pod.sh("exec sleep 1000", security={"no_new_privs": True})
        expect_equal(status_of(container, "NoNewPrivs"), ["1"], "the flag")


@test("R3.4", seconds=120, only_danchi=True)
def privileges_are_not_gained_even_where_that_is_allowed(node):
    with node.shared_pod() as pod:
        container = pod.sh("exec sleep 1000", security={"no_new_privs": False})
        expect_equal(status_of(container, "NoNewPrivs"), ["1"], "the flag")


@test("R2.2", seconds=120, only_danchi=True)
def proc_is_masked_for_a_pod_that_wants_it_bare_too(node):
    """procMount: Unmasked is no path at all."""
    with node.shared_pod() as pod:
        container = pod.sh("wc -c < /proc/kcore; wc -c < /proc/sched_debug; echo x > /proc/sysrq-trigger",
                           security={"masked_paths": [], "readonly_paths": [], **ROOT})
        container.wait()
        expect(container.log().splitlines()[0] == "0" and "ead-only" in container.log(), container.log())


@test("R5.3", seconds=120)
def a_user_has_the_number_that_the_image_says(node):
    with node.shared_pod() as pod:
        container = pod.sh("id -u; id -g", security={"run_as_username": "root"})
        container.wait()
        expect_equal(container.log(), "0\n0\n", "whom it runs as")


@test("R4.3", seconds=120)
def volumes_of_a_read_only_root_are_written(node):
    with node.shared_pod() as pod:
        path = os.path.join(node.kubelet, "pods", pod.uid, "volumes", "kubernetes.io~empty-dir", "cache")
        os.makedirs(path, exist_ok=True)
        os.chmod(path, 0o777)
        container = pod.sh("echo x > /cache/file && echo y > /dev/shm/file && echo z > /x", security={
            "readonly_rootfs": True, **ROOT}, mounts=[{"container_path": "/cache", "host_path": path}])
        container.wait()
        expect("ead-only" in container.log(), container.log())
        with open(f"{path}/file") as file:
            expect_equal(file.read(), "x\n", "the volume")


@test("R4.3", seconds=120)
def a_root_is_read_only_or_not_as_asked_for(node):
    with node.shared_pod() as pod:
        closed = pod.sh("touch /x; echo $?; touch /etc/x; echo $?", security={"readonly_rootfs": True, **ROOT})
        closed.wait()
        expect(closed.log().count("Read-only") == 2 and "\n0" not in closed.log(), closed.log())
        opened = pod.sh("touch /x && echo made && ls /x", security=ROOT)
        opened.wait()
        expect_equal(opened.log(), "made\n/x\n", "in one that is not")


@test("R5.3", seconds=120)
def groups_are_those_asked_for(node):
    with node.shared_pod() as pod:
        container = pod.sh("id -G", security={"run_as_user": {"value": 1000}, "run_as_group": {"value": 1000},
                                              "supplemental_groups": [1234, 5678]})
        container.wait()
        expect({"1000", "1234", "5678"} <= set(container.log().split()), container.log())


@test("R2.2", seconds=120)
def paths_are_masked_and_read_only(node):
    with node.shared_pod() as pod:
        container = pod.sh("wc -c < /proc/uptime; echo x > /proc/sys/kernel/panic",
                           security={"masked_paths": ["/proc/uptime"], "readonly_paths": ["/proc/sys"], **ROOT})
        container.wait()
        expect(container.log().splitlines()[0] == "0" and "ead-only" in container.log(), container.log())


@test("R1.4", "R1.6", seconds=120, only_danchi=True)
def a_privileged_container_is_refused_where_the_node_grants_none(node):
    with node.pod(security={"privileged": True, "namespace_options": {"pid": 1}}) as pod:
        try:
            pod.sh("exec sleep 1000", security={"privileged": True})
        except CriError as error:
            expect("privileged" in str(error).lower() and "danchi.conf" in str(error), error)
            return
        expect(False, "a privileged container runs")


@test("R1.4", "R1.6", seconds=120, only_danchi=True)
def a_privileged_container_that_the_node_grants_is_confined_to_its_guest(node):
    path = f"{node.machine.config}/danchi.conf"
    with open(path) as file:
        before = file.read()
    try:
        with open(path, "w") as file:
            file.write(f"{before}[pods]\nprivileged = yes\n")
        with node.pod(security={"privileged": True, "namespace_options": {"pid": 1}}) as pod:
            container = pod.sh("exec sleep 1000", security={"privileged": True, **ROOT})
            expect(int(status_of(container, "CapEff")[0], 16) & 1 << 21, "it has not got CAP_SYS_ADMIN")
            expect(container.execute("cat", "/proc/self/uid_map").split()[1] != "0", "it is the guest's root")
            devices = set(container.exec_sh("ls /dev").split())
            expect(not devices & {"kvm", "mem", "sda", "vda", "vhost-vsock"}, devices)
            with open("/proc/sys/kernel/random/boot_id") as file:
                expect(container.execute("cat", "/proc/sys/kernel/random/boot_id") != file.read(), "the host's kernel")
    finally:
        with open(path, "w") as file:
            file.write(before)


@test("R3.6", seconds=120)
def a_profile_of_the_nodes_is_used(node):
    path = os.path.join(node.directory, "no-chmod.json")
    with open(path, "w") as file:
        json.dump({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["chmod", "fchmodat", "fchmodat2"], "action": "SCMP_ACT_ERRNO"}]}, file)
    with node.shared_pod() as pod:
        container = pod.sh("touch /tmp/x; chmod 600 /tmp/x 2>&1; echo $?",
                           security={"seccomp": {"profile_type": 2, "localhost_ref": path}})
        container.wait()
        expect(container.log().endswith("\n1\n"), container.log())


@test("R2.2", seconds=120, not_crio="it leaves out, with a warning, what no namespace has")
def a_sysctl_that_is_not_the_pods_is_refused(node):
    try:
        pod = node.pod(linux={"sysctls": {"kernel.panic": "7"}})
    except CriError as error:
        expect("kernel.panic" in str(error), error)
        return
    pod.remove()
    expect(False, "a pod has set kernel.panic")
