# SPDX-License-Identifier: Apache-2.0
"""Volumes as kubelet makes them: directories and files of the node."""

import os
import subprocess

from areas import test
from client import CriError
from machine import expect, expect_equal, wait_until


def pods_directory(pod, kind, name):
    """Where kubelet keeps a volume of that pod."""
    path = f"{pod.node.kubelet}/pods/{pod.uid}/volumes/kubernetes.io~{kind}/{name}"
    os.makedirs(path, exist_ok=True)
    return path


def swap(path, version, files):
    """As kubelet's atomic writer: ..data is a link that is moved in one step."""
    os.makedirs(f"{path}/..{version}", exist_ok=True)
    for name, content in files.items():
        with open(f"{path}/..{version}/{name}", "w") as file:
            file.write(content)
        if not os.path.islink(f"{path}/{name}"):
            os.symlink(f"..data/{name}", f"{path}/{name}")
    os.symlink(f"..{version}", f"{path}/..data_tmp")
    os.rename(f"{path}/..data_tmp", f"{path}/..data")


@test("R5.8", seconds=120, core=True)
def a_config_map_is_there_and_follows_a_change(node):
    with node.shared_pod() as pod:
        path = pods_directory(pod, "configmap", "settings")
        swap(path, "1", {"key": "first"})
        container = pod.sh("exec sleep 1000", mounts=[{"container_path": "/etc/settings", "host_path": path,
                                                       "readonly": True}])
        expect_equal(container.execute("cat", "/etc/settings/key"), "first", "its content")
        expect(container.execute("touch", "/etc/settings/x", check=False).exit_code != 0, "it can be written")
        swap(path, "2", {"key": "second"})
        wait_until(lambda: container.execute("cat", "/etc/settings/key") == "second", "the change is seen", 90)


@test("R5.7", seconds=120)
def an_empty_directory_is_shared_by_the_pods_containers(node):
    with node.shared_pod() as pod:
        path = pods_directory(pod, "empty-dir", "scratch")
        os.chmod(path, 0o777)
        mounts = [{"container_path": "/scratch", "host_path": path}]
        one, other = (pod.sh("exec sleep 1000", mounts=mounts) for _ in range(2))
        one.exec_sh("echo shared > /scratch/file")
        expect_equal(other.execute("cat", "/scratch/file"), "shared\n", "what the other sees")


@test(seconds=120)
def a_termination_log_is_written_through(node):
    with node.shared_pod() as pod:
        path = f"{pod.node.kubelet}/pods/{pod.uid}/containers/one"
        os.makedirs(path)
        path += "/0123abcd"
        with open(path, "w"):
            pass
        os.chmod(path, 0o666)
        container = pod.sh("echo why > /dev/termination-log", mounts=[{"container_path": "/dev/termination-log",
                                                                       "host_path": path}])
        container.wait()
        with open(path) as file:
            expect_equal(file.read(), "why\n", "the node's file")


@test("R1.6", seconds=120, only_danchi=True)
def a_path_of_the_host_is_refused_where_policy_names_none(node):
    with node.shared_pod() as pod:
        try:
            pod.create("true", mounts=[{"container_path": "/host", "host_path": "/etc"}]).start()
        except CriError as error:
            expect("/etc" in str(error), error)
            return
        expect(False, "a pod has /etc of the host")


@test(seconds=120)
def mounts_that_are_private_stay_where_they_are(node):
    """rprivate: what the node mounts later is not seen in the container."""
    with node.shared_pod() as pod:
        path = pods_directory(pod, "empty-dir", "private")
        os.makedirs(f"{path}/below", exist_ok=True)
        container = pod.sh("exec sleep 1000", mounts=[{"container_path": "/vol", "host_path": path}])
        subprocess.run(["mount", "-t", "tmpfs", "later", f"{path}/below"], check=True)
        try:
            with open(f"{path}/below/file", "w"):
                pass
            expect_equal(container.execute("ls", "/vol/below"), "", "what the container sees of it")
        finally:
            subprocess.run(["umount", f"{path}/below"], check=True)


@test(seconds=120)
def a_container_that_takes_anothers_place_at_once_sees_its_own_root(node):
    """What a guest has just seen of the share must not be taken for what is there now."""
    with node.shared_pod() as pod:
        for number in range(4):
            path = pods_directory(pod, "empty-dir", f"turn{number}")
            with open(f"{path}/{number}", "w"):
                pass
            container = pod.sh("ls /turn; touch /of-mine", security={"run_as_user": {"value": 0}},
                               mounts=[{"container_path": "/turn", "host_path": path}])
            expect_equal(container.wait().exit_code, 0, "its exit code")
            expect_equal(container.log(), f"{number}\n", "what it sees")
            container.remove()
