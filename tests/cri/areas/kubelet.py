# SPDX-License-Identifier: Apache-2.0
"""Volumes as a user of kubelet's asks for them, made on the node as kubelet makes them."""

import contextlib
import os
import socket
import subprocess

from areas import test
from areas.volumes import pods_directory, swap
from client import CriError
from machine import expect, expect_equal, wait_until
from node import IMAGE

ROOT = {"run_as_user": {"value": 0}}
FS_GROUP = 2345
USER = {"run_as_user": {"value": 1000}, "run_as_group": {"value": 1000}, "supplemental_groups": [FS_GROUP]}


def mount(target, source, readonly=False, **more):
    return {"container_path": target, "host_path": source, "readonly": readonly, **more}


@contextlib.contextmanager
def mounted(*arguments):
    """A mount of the node's, for as long as the test lasts; the last argument is its place."""
    subprocess.run(["mount", *arguments], check=True)
    try:
        yield arguments[-1]
    finally:
        subprocess.run(["umount", "-l", arguments[-1]], check=True)


def in_memory(pod, kind, name, size="1m"):
    """A volume that kubelet has in tmpfs: medium Memory, secrets, projected ones."""
    return mounted("-t", "tmpfs", "-o", f"size={size},mode=777", "tmpfs", pods_directory(pod, kind, name))


def sub_path(pod, stack, volume, number, source):
    """What a subPath of a volume leads to, where kubelet mounts it."""
    place = f"{pod.node.kubelet}/pods/{pod.uid}/volume-subpaths/{volume}/c/{number}"
    os.makedirs(os.path.dirname(place), exist_ok=True)
    if os.path.isdir(source):
        os.mkdir(place)
    else:
        with open(place, "w"):
            pass
    return stack.enter_context(mounted("--bind", source, place))


def put(path, text, mode=0o644, gid=0):
    with open(path, "w") as file:
        file.write(text)
    os.chown(path, 0, gid)
    os.chmod(path, mode)


@test("R5.8", seconds=120)
def memory_of_a_volume_has_its_limit_and_is_the_pods(node):
    with node.shared_pod() as pod, in_memory(pod, "empty-dir", "limited") as path:
        os.chown(path, 0, FS_GROUP)
        os.chmod(path, 0o2777)
        mounts = [mount("/limited", path)]
        one = pod.sh("exec sleep 1000", mounts=mounts, security=USER)
        said = one.exec_sh("df -k /limited | tail -n 1; dd if=/dev/zero of=/limited/file bs=64k count=17 2>&1; "
                           "stat -c '%g %a' /limited; stat -c %g /limited/file")
        expect_equal(said.split()[1], "1024", "its size in KiB")
        expect("No space left" in said, said)
        expect_equal(said.splitlines()[-2:], [f"{FS_GROUP} 2777", str(FS_GROUP)], "its group, and a file's")
        other = pod.sh("exec sleep 1000", mounts=mounts)
        expect_equal(other.exec_sh("wc -c < /limited/file"), f"{1 << 20}\n", "what another container finds")


@test("R5.8", seconds=120)
def a_volume_on_disk_is_counted_where_kubelet_counts_it(node):
    """Its sizeLimit is kubelet's, which evicts by what it finds in the directory."""
    with node.shared_pod() as pod:
        path = pods_directory(pod, "empty-dir", "counted")
        os.chmod(path, 0o777)
        container = pod.sh("dd if=/dev/zero of=/vol/file bs=64k count=16; sync", mounts=[mount("/vol", path)])
        container.wait()
        used = subprocess.run(["du", "-sk", path], check=True, capture_output=True).stdout.split()[0]
        expect(1024 <= int(used) < 1200, used)


@test("R5.8", seconds=180)
def a_sub_path_is_a_part_of_a_volume_of_any_kind(node):
    with node.shared_pod() as pod, contextlib.ExitStack() as stack:
        settings, work = pods_directory(pod, "configmap", "set"), pods_directory(pod, "empty-dir", "work")
        swap(settings, "1", {"key": "first"})
        secret = stack.enter_context(in_memory(pod, "secret", "password"))
        swap(secret, "1", {"token": "hidden"})
        memory = stack.enter_context(in_memory(pod, "empty-dir", "memory"))
        for directory in f"{work}/part", f"{memory}/part":
            os.mkdir(directory)
            os.chmod(directory, 0o777)
        put(f"{work}/part/there", "before", 0o666)
        mounts = [mount("/etc/key", sub_path(pod, stack, "set", 0, f"{settings}/..1/key"), True),
                  mount("/etc/token", sub_path(pod, stack, "password", 1, f"{secret}/..1/token"), True),
                  mount("/part", sub_path(pod, stack, "work", 2, f"{work}/part")),
                  mount("/closed", sub_path(pod, stack, "work", 3, f"{work}/part"), True),
                  mount("/memory", memory),
                  mount("/in-memory", sub_path(pod, stack, "memory", 4, f"{memory}/part"))]
        container = pod.sh("exec sleep 1000", mounts=mounts, security=ROOT)
        # Kubernetes says of both that they stay what they were.
        swap(settings, "2", {"key": "second"})
        said = container.exec_sh("cat /etc/key /etc/token /part/there; echo x > /part/new; "
                                 "echo y > /in-memory/new; cat /memory/part/new; "
                                 "for f in /etc/key /etc/token /closed/new; do { echo z > $f; } 2>&1; done; true")
        expect(said.startswith("firsthiddenbeforey\n"), said)
        expect_equal(said.count("ead-only"), 3, f"places that are closed: {said!r}")
        with open(f"{work}/part/new") as file:
            expect_equal(file.read(), "x\n", "what the node finds")


@test("R5.8", seconds=180)
def a_projected_volume_has_its_modes_its_group_and_its_changes(node):
    """A token, a config map and the downward API in one, as kubelet makes it for an fsGroup."""
    def write(version, token, label):
        swap(path, version, {"token": token, "ca.crt": "certificate", "labels": label})
        for name, mode in ("token", 0o440), ("ca.crt", 0o444), ("labels", 0o640):
            os.chown(f"{path}/..{version}/{name}", 0, FS_GROUP)
            os.chmod(f"{path}/..{version}/{name}", mode)
        os.chown(f"{path}/..{version}", 0, FS_GROUP)
        os.chmod(f"{path}/..{version}", 0o2750)

    with node.shared_pod() as pod, in_memory(pod, "projected", "access") as path:
        write("1", "first", 'app="one"')
        container = pod.sh("exec sleep 1000", mounts=[mount("/access", path, True)], security=USER)
        said = container.exec_sh("cd /access; cat token ca.crt labels; echo; "
                                 "for f in token ca.crt labels; do stat -L -c '%u %g %a' $f; done")
        expect_equal(said.splitlines(), ['firstcertificateapp="one"', f"0 {FS_GROUP} 440", f"0 {FS_GROUP} 444",
                                         f"0 {FS_GROUP} 640"], "content, owners and modes")
        stranger = pod.sh("cat /access/token", mounts=[mount("/access", path, True)],
                          security={"run_as_user": {"value": 1001}, "run_as_group": {"value": 1001}})
        expect(stranger.wait().exit_code != 0, "somebody who is not of the group reads it")
        write("2", "second", 'app="two"')
        wait_until(lambda: container.exec_sh("cat /access/token /access/labels") == 'secondapp="two"',
                   "the change is seen, whole", 90)


@test("R5.8", seconds=120)
def a_directory_of_an_fs_group_hands_it_down(node):
    with node.shared_pod() as pod:
        path = pods_directory(pod, "empty-dir", "grouped")
        os.chown(path, 0, FS_GROUP)
        os.chmod(path, 0o2775)
        container = pod.sh("umask 002; cd /vol; echo x > file; mkdir below; chmod 2770 below; echo y > below/file; "
                           "stat -c '%u %g %a' file below below/file", mounts=[mount("/vol", path)], security=USER)
        expect_equal(container.wait().exit_code, 0, container.log())
        expect_equal(container.log().splitlines(),
                     [f"1000 {FS_GROUP} 664", f"1000 {FS_GROUP} 2770", f"1000 {FS_GROUP} 664"], "whose they are")
        expect_equal(os.stat(f"{path}/below/file").st_gid, FS_GROUP, "whose it is on the node")


@test("R1.6", seconds=180)
def host_paths_are_directories_and_files_that_policy_names(node):
    for name in "open", "closed":
        os.makedirs(f"{node.permitted}/{name}", exist_ok=True)
        put(f"{node.permitted}/{name}/file", "here", 0o666)
    with node.shared_pod() as pod:
        container = pod.sh("cat /open/file /file; echo new > /file; echo x > /closed/file", security=ROOT, mounts=[
            mount("/open", f"{node.permitted}/open"), mount("/file", f"{node.permitted}/open/file"),
            mount("/closed", f"{node.permitted}/closed", True)])
        container.wait()
        expect("herehere" in container.log() and "ead-only" in container.log(), container.log())
        with open(f"{node.permitted}/open/file") as file:
            expect_equal(file.read(), "new\n", "the node's file")


@test("R1.6", seconds=120, only_danchi=True)
def what_cannot_be_is_refused_by_name(node):
    os.makedirs(f"{node.permitted}/open", exist_ok=True)
    with node.shared_pod() as pod, contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket(socket.AF_UNIX))
        # Its path has to be short.
        place = os.open(f"{node.permitted}/open", os.O_PATH)
        listening.bind(f"/proc/self/fd/{place}/socket")
        stack.callback(os.unlink, f"{node.permitted}/open/socket")
        os.close(place)
        huge = pods_directory(pod, "empty-dir", "huge")
        stack.enter_context(mounted("-t", "hugetlbfs", "huge", huge))
        both = stack.enter_context(mounted("-t", "tmpfs", "both", pods_directory(pod, "empty-dir", "both")))
        subprocess.run(["mount", "--make-shared", both], check=True)
        for wish, words in ((mount("/run/x.sock", f"{node.permitted}/open/socket"), "is a socket"),
                            (mount("/huge", huge), "medium: HugePages"),
                            (mount("/both", both, propagation=2), "Bidirectional")):
            try:
                pod.create("true", mounts=[wish]).start()
            except CriError as error:
                expect(words in str(error), error)
            else:
                expect(False, f"{words}: it started")


@test(seconds=120, only_danchi=True)
def what_the_node_mounts_later_is_not_seen(node):
    """HostToContainer: accepted, and what the node mounts below the volume stays the node's."""
    os.makedirs(f"{node.permitted}/open/below", exist_ok=True)
    with node.shared_pod() as pod, mounted("--bind", f"{node.permitted}/open", f"{node.permitted}/open") as top:
        subprocess.run(["mount", "--make-rshared", top], check=True)
        container = pod.sh("exec sleep 1000", mounts=[mount("/open", top, propagation=1)])
        with mounted("-t", "tmpfs", "later", f"{top}/below"):
            put(f"{top}/below/file", "later")
            expect_equal(container.execute("ls", "/open/below"), "", "what the container sees of it")


@test(seconds=180, only_danchi=True)
def an_image_is_a_volume(node):
    """As containerd 2.1 mounts one: an overlay of the image's layers, below a directory of the sandbox's."""
    if node.is_version_2:
        with node.shared_pod() as pod:
            wish = {"container_path": "/model", "readonly": True, "image": {"image": IMAGE}}
            container = pod.sh("ls /model/bin/busybox; touch /model/x", security=ROOT, mounts=[wish])
            container.wait()
            expect("/model/bin/busybox" in container.log() and "ead-only" in container.log(), container.log())
        return
    with node.shared_pod() as pod:
        top = f"{node.directory}/image-volumes/{pod.id}/sha256:1"
        for name in "one", "two":
            os.makedirs(f"{node.directory}/image-layers/{name}", exist_ok=True)
            put(f"{node.directory}/image-layers/{name}/{name}", name)
        os.makedirs(top)
        layers = ":".join(f"{node.directory}/image-layers/{name}" for name in ("one", "two"))
        with mounted("-t", "overlay", "-o", f"ro,lowerdir={layers}", "overlay", top):
            container = pod.sh("cat /model/one /model/two; touch /model/x", security=ROOT,
                               mounts=[mount("/model", top, True)])
            container.wait()
            expect("onetwo" in container.log() and "ead-only" in container.log(), container.log())


@test("R5.8", seconds=120)
def hosts_and_names_are_the_nodes_files(node):
    with node.shared_pod() as pod:
        path = f"{pod.node.kubelet}/pods/{pod.uid}/etc-hosts"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        put(path, "127.0.0.1 localhost\n")
        container = pod.sh("exec sleep 1000", security=ROOT, mounts=[mount("/etc/hosts", path)])
        with open(path, "a") as file:
            file.write("10.0.0.1 later\n")
        wait_until(lambda: "later" in container.execute("cat", "/etc/hosts"), "what the node adds is seen", 30)
        container.exec_sh("echo 10.0.0.2 mine >> /etc/hosts")
        with open(path) as file:
            expect_equal(file.read(), "127.0.0.1 localhost\n10.0.0.1 later\n10.0.0.2 mine\n", "the node's file")
        expect_equal(container.exec_sh("cat /etc/hostname; hostname"), f"{pod.name}\n" * 2, "its name")
