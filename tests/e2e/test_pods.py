# SPDX-License-Identifier: Apache-2.0
"""Pods of Kubernetes, as the shim has them made: a guest for each, its containers in it."""

import concurrent.futures
import contextlib
import json
import os
import shutil
import subprocess

import ask
from machine import EMULATION, expect, expect_equal, kill9, wait_until
from suite import test
from test_binds import mount_owners

SETTINGS = """[guest]
allow_emulation = yes
[pods]
memory_mib = 192
"""
NAMESPACES = ["pid", "ipc", "uts", "mount", "network"]
CAPABILITIES = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
                "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID"]
STANDARD_MOUNTS = [
    ("/proc", "proc", ["nosuid", "noexec", "nodev"]),
    ("/dev", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
    ("/dev/pts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620",
                            "gid=5"]),
    ("/dev/mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
    ("/sys", "sysfs", ["nosuid", "noexec", "nodev", "ro"]),
    ("/run", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
]

SHM = {"destination": "/dev/shm", "type": "bind", "options": ["rbind", "ro"],
       "source": "/run/containerd/io.containerd.grpc.v1.cri/sandboxes/p1/shm"}


def config(*args, uid=0, groups=(), mounts=(), annotations=None, **more):
    """A config.json as containerd writes it."""
    every = [{"destination": target, "type": kind, "source": kind, "options": options}
             for target, kind, options in STANDARD_MOUNTS]
    sets = {name: CAPABILITIES for name in ("bounding", "effective", "permitted")}
    document = {
        "ociVersion": "1.1.0",
        "process": {"terminal": False, "user": {"uid": uid, "gid": uid,
                                                "additionalGids": list(groups)},
                    "args": list(args), "env": ["PATH=/bin", "HELLO=world"], "cwd": "/",
                    "capabilities": sets, "noNewPrivileges": False, "oomScoreAdj": -998,
                    "apparmorProfile": "cri-containerd.apparmor.d",
                    "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 2048, "soft": 1024}]},
        "root": {"path": "rootfs"},
        "mounts": every + list(mounts),
        "annotations": annotations or {},
        "linux": {"namespaces": [{"type": name} for name in NAMESPACES],
                  "cgroupsPath": "/kubepods/burstable/one",
                  "resources": {"devices": [{"allow": False, "access": "rwm"}],
                                "memory": {"limit": 64 << 20}, "cpu": {"shares": 512}},
                  "maskedPaths": ["/proc/kcore"], "readonlyPaths": ["/proc/sys"]},
    }
    document["linux"].update(more)
    return document


class Pods:
    """Directories as containerd has them, and the verbs of one machine."""

    def __init__(self, machine):
        self.machine = machine
        self.top = f"{machine.state}-pods"
        mount_owners(self.top)

    def ask(self, verb, args):
        return ask.Answer(ask.ask(self.machine.socket, verb, args))

    def ok(self, verb, args):
        answer = self.ask(verb, args)
        expect(answer.ok is not None, f"{verb}: {answer.error}")
        return answer.ok

    def refused(self, verb, args, *words):
        answer = self.ask(verb, args)
        expect(answer.error is not None, f"{verb} goes through: {answer.ok}")
        for word in words:
            expect(word in json.dumps(answer.error), f"{word!r} is not in {answer.error}")

    def create(self, pod, document=None, **more):
        os.makedirs(f"{self.top}/{pod}", exist_ok=True)
        return self.ok("pod-create", {"id": pod, "namespace": "k8s.io", "netns": "",
                                      "bundle": f"{self.top}/{pod}",
                                      "config": document or config("/pause"), **more})

    def rootfs(self, name):
        """An overlay of two layers and one that is written, as the overlayfs snapshotter has it."""
        top = f"{self.top}/{name}"
        for directory in "1/fs/bin", "1/fs/etc", "2/fs/etc", "3/fs", "3/work", "rootfs":
            os.makedirs(f"{top}/{directory}")
        shutil.copy(shutil.which("busybox"), f"{top}/1/fs/bin/busybox")
        for applet in "sh", "cat", "id", "sleep", "echo", "ls", "stat", "touch", "rm", "hostname", "grep", "mv":
            os.symlink("busybox", f"{top}/1/fs/bin/{applet}")
        for place, text in ("1/fs/etc/lower", "lower\n"), ("1/fs/etc/both", "below\n"), (
                "2/fs/etc/both", "above\n"):
            with open(f"{top}/{place}", "w") as file:
                file.write(text)
        os.chown(f"{top}/1/fs/etc/lower", 33, 33)
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                        f"index=off,lowerdir={top}/2/fs:{top}/1/fs,upperdir={top}/3/fs,"
                        f"workdir={top}/3/work", f"{top}/rootfs"], check=True)
        return f"{top}/rootfs"

    def container(self, pod, name, document):
        rootfs = self.rootfs(f"{pod}-{name}")
        made = self.ok("pod-container-create", {"pod": pod, "id": name, "config": document,
                                                "rootfs": rootfs})
        self.ok("container-start", {"container": made["id"]})
        return made["id"]

    def remove(self, pod):
        return self.ok("pod-remove", {"id": pod})["was_there"]

    def end(self):
        for entry in self.ok("pod-list", {})["pods"]:
            self.remove(entry["pod"]["id"])
        subprocess.run(["umount", "-l", "-R", self.top], check=True)
        os.rmdir(self.top)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{self.top}.img")


@contextlib.contextmanager
def pods(machine, more=""):
    machine.more_settings = SETTINGS + more
    machine.restart()
    one = Pods(machine)
    try:
        yield one
    finally:
        one.end()
        machine.more_settings = ""
        machine.restart()


@test("R1.1", "R2.1", only=EMULATION)
def a_pods_containers_are_in_one_guest_and_share_what_a_pod_shares(machine):
    with pods(machine) as one:
        made = one.create("p1", config("/pause", annotations={
            "io.kubernetes.cri.sandbox-name": "web", "io.kubernetes.cri.sandbox-uid": "u-1",
            "io.kubernetes.cri.sandbox-namespace": "shop",
            "io.kubernetes.cri.sandbox-memory": str(64 << 20)}), hostname="web")
        expect(os.path.exists(f"/proc/{made['guest']['qemu_pid']}"), "there is no guest")
        one.refused("pod-create", {"id": "p1", "namespace": "k8s.io", "bundle": one.top,
                                   "config": config("/pause")}, "conflict")
        first = one.container("p1", "c1", config(
            "sh", "-c", "cat /etc/lower /etc/both; id -u; echo $HELLO; hostname; sleep 1000",
            groups=[5, 7], mounts=[SHM]))
        second = one.container("p1", "c2", config("sleep", "1000", mounts=[SHM]))
        wait_until(lambda: "web" in machine.out("logs", first), "the container has written")
        expect_equal(machine.out("logs", first).split(), ["lower", "above", "0", "world", "web"],
                     "what the container says")

        def space(container, name):
            return machine.out("exec", container, "stat", "-Lc", "%i", f"/proc/self/ns/{name}")
        for name in "user", "ipc", "uts", "net":
            expect_equal(space(first, name), space(second, name), f"the {name} namespace")
        for name in "pid", "mnt", "cgroup":
            expect(space(first, name) != space(second, name), f"the {name} namespace is shared")
        expect_equal(machine.out("exec", first, "stat", "-c", "%u", "/etc/lower"), "33",
                     "whose a file of the image is")
        # As the kubelet's sandbox directory is bound, and as several of the pod see it.
        machine.danchi("exec", first, "sh", "-c", "echo mine > /dev/shm/note")
        expect_equal(machine.out("exec", second, "cat", "/dev/shm/note"), "mine", "/dev/shm")
        # What is written is where the snapshotter looks for it, with its owner.
        machine.danchi("exec", first, "sh", "-c", "echo new > /etc/lower; rm /etc/both; touch /new")
        upper = f"{one.top}/p1-c1/3/fs"
        expect_equal(open(f"{upper}/etc/lower").read(), "new\n", "what was written")
        expect_equal(os.stat(f"{upper}/new").st_uid, 0, "whose a new file is")
        # The guest is the pod's: it stays when containers end, and others come in.
        one.ok("container-kill", {"container": first, "signal": "KILL"})
        expect_equal(one.ok("container-wait", {"container": first})["exit_code"], 137, "its end")
        one.ok("container-remove", {"container": first})
        third = one.container("p1", "c3", config("sleep", "1000"))
        expect_equal(space(third, "net"), space(second, "net"), "the later one's network")
        listed = one.ok("pod-list", {})["pods"]
        expect_equal([entry["pod"]["name"] for entry in listed], ["web"], "pods that are listed")
        expect_equal(listed[0]["tenant"], "shop", "the pod's tenant")
        expect(one.remove("p1"), "the pod was not there")
        expect(not one.remove("p1"), "the pod is there still")
        expect(not os.path.exists(f"/proc/{made['guest']['qemu_pid']}"), "its guest is there")
        expect_equal([entry for entry in machine.containers() if entry["id"] == third], [],
                     "its containers")


def put_version(volume, version, files, uid=0, gid=0, mode=0o400):
    """As the kubelet writes a secret: a directory of this version, then the link to it."""
    os.makedirs(f"{volume}/..{version}")
    for name, text in files.items():
        with open(f"{volume}/..{version}/{name}", "w") as file:
            file.write(text)
        os.chmod(file.name, mode)
        os.chown(file.name, uid, gid)
        if not os.path.lexists(f"{volume}/{name}"):
            os.symlink(f"..data/{name}", f"{volume}/{name}")
    os.symlink(f"..{version}", f"{volume}/..data_tmp")
    os.rename(f"{volume}/..data_tmp", f"{volume}/..data")


def bind(source, target, *options):
    return {"destination": target, "type": "bind", "source": source,
            "options": ["rbind", "rprivate", *options]}


@test("R2.2", "R3.4", "R5.4", only=EMULATION)
def a_pods_volumes_come_from_the_host_and_a_pod_outlives_danchid(machine):
    top = f"{machine.state}-pods"
    more = f"kubelet_directory = {top}/kubelet\nbinds = {top}/granted:ro\n"
    with pods(machine, more) as one:
        kubelet = f"{one.top}/kubelet/pods/u-2"
        secret = f"{kubelet}/volumes/kubernetes.io~secret/token"
        disk = f"{kubelet}/volumes/kubernetes.io~empty-dir/disk"
        memory = f"{kubelet}/volumes/kubernetes.io~empty-dir/memory"
        for directory in secret, disk, memory, f"{kubelet}/containers", f"{one.top}/granted":
            os.makedirs(directory)
        for place in secret, memory:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "kubelet", place], check=True)
        os.chmod(disk, 0o777)
        put_version(secret, "one", {"key": "first\n"}, gid=2000, mode=0o440)
        open(f"{kubelet}/containers/log", "w").close()
        os.chmod(f"{kubelet}/containers/log", 0o666)
        for path, text in (f"{one.top}/granted/file", "granted\n"), (f"{kubelet}/etc-hosts",
                                                                     "10.0.0.9 pod-host\n"):
            with open(path, "w") as file:
                file.write(text)
        labels = {"io.kubernetes.cri.sandbox-uid": "u-2"}
        made = one.create("p2", config("/pause", annotations=labels))
        mounts = [bind(secret, "/secret", "ro"), bind(disk, "/disk", "rw"),
                  bind(memory, "/memory", "rw"), bind(f"{one.top}/granted", "/granted", "ro"),
                  bind(f"{kubelet}/etc-hosts", "/etc/hosts", "rw"),
                  bind(f"{kubelet}/containers/log", "/dev/termination-log", "rw")]
        first = one.container("p2", "c1", config("sleep", "1000", uid=1000, groups=[2000],
                                                 mounts=mounts))
        second = one.container("p2", "c2", config("sleep", "1000", mounts=mounts[:3]))

        def sh(script, container=first):
            return machine.out("exec", container, "sh", "-c", script)
        expect_equal(sh("cat /secret/key /granted/file; stat -Lc %u:%g /secret/key").split(),
                     ["first", "granted", "0:2000"], "what comes from the host")
        expect_equal(sh("cat /etc/hosts"), "10.0.0.9 pod-host", "the kubelet's /etc/hosts")
        expect("Read-only" in sh("(echo x > /secret/key) 2>&1 || true"), "a secret can be written")
        sh("echo a > /disk/a; echo m > /memory/m; echo done > /dev/termination-log")
        expect_equal((os.stat(f"{disk}/a").st_uid, open(f"{kubelet}/containers/log").read()),
                     (1000, "done\n"), "what the container wrote")
        expect_equal(sh("cat /disk/a /memory/m", second).split(), ["a", "m"], "the other's view")
        expect_equal(os.listdir(memory), [], "the host's side of a volume in memory")
        put_version(secret, "two", {"key": "second\n", "more": "more\n"}, gid=2000, mode=0o440)
        shutil.rmtree(f"{secret}/..one")
        wait_until(lambda: sh("cat /secret/key; cat /secret/more || true").split()
                   == ["second", "more"], "a secret's new version is there", 20)
        expect_equal(sh("ls -A /secret").split(), ["..data", "..one", "..two", "key", "more"],
                     "the volume")

        # What was promised holds, also of what lies in the share.
        promised = machine.danchi("--format", "json", "verify", check=False, timeout=120)
        expect(promised.status == 0 and ",copy" in promised.stdout,
               f"verify: {promised.status}: {promised.stdout[-400:]}")

        # danchid goes and comes; whoever is in the guest stays.
        kill9(machine.daemon.pid)
        machine.daemon.wait()
        machine.start()
        expect_equal(sh("cat /memory/m"), "m", "a container after danchid's end")
        put_version(secret, "three", {"key": "third\n"}, gid=2000, mode=0o440)
        wait_until(lambda: sh("cat /secret/key") == "third", "it is looked after again", 20)
        one.container("p2", "c3", config("sleep", "1000"))

        # What is not granted is said.
        def refuse(document, *words):
            one.refused("pod-container-create", {"pod": "p2", "id": "no", "rootfs": one.top,
                                                 "config": document}, "denied", *words)
        refuse(config("sh", mounts=[bind("/srv", "/host", "ro")]), "/srv", "[pods] binds")
        refuse(config("sh", mounts=[bind("/etc", "/host", "ro")]), "given to no guest")
        refuse(config("sh", mounts=[bind(f"{one.top}/granted", "/w", "rw")]), "read-only")
        refuse(config("sh", devices=[{"path": "/dev/fuse", "type": "c"}]), "devices")
        refuse(config("sh", namespaces=[{"type": "pid"}, {"type": "ipc"}]), "hostNetwork")
        refuse(config("sh", sysctl={"kernel.panic": "1"}), "kernel.panic")
        # A path leads to QEMU, whichever container it means: the one to be debugged has to be named.
        debugger = joining(made, "sleep", "1000")
        refuse(debugger, "DANCHI_TARGET=NAME", "c1", "c2")
        debugger["process"]["env"].append("DANCHI_TARGET=c2")
        fourth = one.container("p2", "c4", debugger)
        expect_equal(sh("stat -Lc %i /proc/self/ns/pid", fourth), sh("stat -Lc %i /proc/self/ns/pid", second),
                     "whose processes the debugger is among")

        # Its bundle goes without a word: then gc removes the pod.
        os.rmdir(f"{one.top}/p2")
        expect("pod p2" in one.ok("gc", {})["removed"], "gc does not tell of the pod")
        expect_equal(one.ok("pod-list", {})["pods"], [], "pods after gc")
        expect(not os.path.exists(f"/proc/{made['guest']['qemu_pid']}"), "its guest is there")

        # danchid ends while it makes one: what is half made goes with the next danchid's start.
        os.makedirs(f"{one.top}/p3")
        asked = {"id": "p3", "namespace": "k8s.io", "bundle": f"{one.top}/p3",
                 "config": config("/pause")}
        others = machine.guest_ids()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            answer = pool.submit(one.ask, "pod-create", asked)
            wait_until(lambda: machine.guest_ids() != others, "a guest is begun", 20)
            kill9(machine.daemon.pid)
            machine.daemon.wait()
            with contextlib.suppress(OSError):
                answer.result(30)
        machine.start()
        one.ok("gc", {})
        expect_equal((one.ok("pod-list", {})["pods"], machine.guest_ids()), ([], others),
                     "what is left")


def joining(made, *args, **more):
    """A config.json as containerd writes it for a container whose processes are the pod's, or another's."""
    spaces = [{"type": name} for name in NAMESPACES if name != "pid"]
    path = f"/proc/{made['guest']['qemu_pid']}/ns/pid"
    return config(*args, namespaces=[*spaces, {"type": "pid", "path": path}], **more)


@test("R2.2", "R3.5", "R5.3", "R5.18", only=EMULATION)
def a_pods_containers_may_share_their_processes(machine):
    with pods(machine) as one:
        made = one.create("p3")
        shm = SHM | {"source": SHM["source"].replace("/p1/", "/p3/")}
        first = one.container("p3", "c1", joining(made, "sleep", "1001", mounts=[shm]))
        second = one.container("p3", "c2", joining(made, "sh", "-c", "sleep 1002 & exec sleep 1003"))

        def sh(script, container=first):
            return machine.out("exec", container, "sh", "-c", script)

        def all_commands():
            return sh("cat /proc/[0-9]*/cmdline 2>/dev/null; true")
        expect_equal(sh("stat -Lc %i /proc/self/ns/pid"), sh("stat -Lc %i /proc/self/ns/pid", second), "the namespace")
        wait_until(lambda: "1003" in all_commands(), "the other's processes are seen", 20)
        # The pod's root can do nothing to who keeps the namespace, nor look into it.
        expect_equal(sh("kill -9 1; cat /proc/1/comm; ls /proc/1/root/ /proc/1/fd 2>&1 | grep -c denied").split(),
                     ["danchi-keeper", "2"], "process 1, to the pod's root")
        # Its own are its own, and end with its first; the other's go on.
        expect_equal(len(one.ok("container-top", {"container": second})["processes"]), 2, "its own processes")
        one.ok("container-kill", {"container": second, "signal": "TERM"})
        expect_equal(one.ok("container-wait", {"container": second})["exit_code"], 143, "its end")
        wait_until(lambda: "1002" not in all_commands() and "1003" not in all_commands(), "all of it ends", 20)
        promised = machine.danchi("--format", "json", "verify", check=False, timeout=120)
        whose = [line["actual"] for line in json.loads(promised.stdout)
                 if line["control"] == "namespace.pid.whose"]
        expect(promised.status == 0 and whose == ["the pod's"], f"{whose}, {promised.stdout[-400:]}")

        # An exec has the groups and capabilities that it asks for, where the container has them.
        def execute(**more):
            one.ok("container-exec", {"container": first, "command": [
                "sh", "-c", "id -G > /dev/shm/new; grep CapBnd /proc/self/status >> /dev/shm/new; "
                "mv /dev/shm/new /dev/shm/out"], **more})
            wait_until(lambda: sh("[ ! -e /dev/shm/out ] || cat /dev/shm/out") != "", "the exec's output", 20)
            return sh("cat /dev/shm/out; rm /dev/shm/out").split()
        expect_equal(execute(user="1000:1001", groups=[7, 65535])[:3], ["1001", "7", "65535"], "its groups")
        expect_equal(int(execute(capabilities=["CAP_KILL"])[-1], 16), 1 << 5, "its capabilities")
        one.refused("container-exec", {"container": first, "command": ["id"], "capabilities": ["CAP_SYS_ADMIN"]},
                    "denied", "has not got it")
        # Of the host's processes there are none.
        made["guest"]["qemu_pid"] = 1
        one.refused("pod-container-create", {"pod": "p3", "id": "c3", "rootfs": one.rootfs("p3-c3"),
                                             "config": joining(made, "true")}, "hostPID")
        one.refused("pod-create", {"id": "p4", "namespace": "k8s.io", "netns": "", "bundle": one.top,
                                   "config": joining(made, "/pause")}, "hostPID")
        expect(one.remove("p3"), "the pod was not there")
