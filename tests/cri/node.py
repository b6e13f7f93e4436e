# SPDX-License-Identifier: Apache-2.0
"""A Kubernetes node without Kubernetes: Debian's containerd with real CNI plug-ins, and danchid, all in a
cell (tests/tools/cell.sh), driven through the CRI socket as kubelet drives it.

A node can run its pods by `runc` as well: what fails there too is a fault of the test.
"""

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

from client import Client, CriError, Stream, load_messages
from machine import BUILD, EMULATION, PATIENCE, TOP, Failure, Machine, expect, wait_until
from small import mount_small
from snapshotter import Snapshotter

IMAGE = "docker.io/danchi/busybox:test"
PAUSE = "docker.io/danchi/pause:test"
CNI_PLUGINS = "/usr/lib/cni"
POD_NETWORK = "10.89.0.0/24", "fd89::/64"

# What is said to all versions, and where the CRI's settings are in each.
COMMON = """version = {version}
root = "{root}"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.internal.v1.opt"]
[grpc]
  address = "/run/containerd/containerd.sock"
[proxy_plugins]
  [proxy_plugins.files]
    type = "snapshot"
    address = "{root}/../snapshots/socket"
  [proxy_plugins.blocks]
    type = "snapshot"
    address = "{root}/../snapshots/socket"
"""
VERSION_1 = """[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{cni}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
    default_runtime_name = "danchi"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runsc]
      runtime_type = "io.containerd.runsc.v1"
"""
VERSION_2 = """[plugins.'io.containerd.cri.v1.images']
  snapshotter = "{snapshotter}"
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "{pause}"
[plugins.'io.containerd.grpc.v1.cri']
  stream_server_address = "127.0.0.1"
[plugins.'io.containerd.cri.v1.runtime']
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["{plugins}"]
    conf_dir = "{cni}"
  [plugins.'io.containerd.cri.v1.runtime'.containerd]
    default_runtime_name = "danchi"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
"""

CNI = {
    "cniVersion": "1.0.0", "name": "pods",
    "plugins": [
        {"type": "bridge", "bridge": "cni0", "isGateway": True, "hairpinMode": True,
         "ipam": {"type": "host-local",
                  "ranges": [[{"subnet": POD_NETWORK[0]}], [{"subnet": POD_NETWORK[1]}]],
                  "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}},
        {"type": "portmap", "capabilities": {"portMappings": True}}],
}


class Node:
    """Directories: `directory` on a real disk, since overlayfs does not go onto a cell's overlay."""

    service = "containerd"
    waits_for_containers = False  # before they go, as long as the caller does: kubelet stops them itself

    def __init__(self, runtime="danchi", snapshotter="overlayfs", programs="/usr/bin"):
        self.programs = programs  # containerd's and ctr's directory: fetch-containerd.sh
        self.is_version_2 = self.find_version(programs)
        self.runtime, self.snapshotter = runtime, snapshotter  # of pods that name none
        os.makedirs(os.path.join(BUILD, "cri"), exist_ok=True)
        self.directory = tempfile.mkdtemp(prefix="node-", dir=os.path.join(BUILD, "cri"))
        # The owners of what lies there are translated, which overlayfs cannot, either.
        self.kubelet = os.path.join(self.directory, "kubelet")
        self.messages = load_messages(os.path.join(self.directory, "messages"))
        self.log_path = os.path.join(self.directory, "service.log")
        self.process = self.client = None
        self.numbers = itertools.count(1)
        self.machine = machine = Machine("cri")
        # Where a shim looks when nothing says otherwise; a cell's own /run and /var.
        machine.run, machine.state, machine.socket = "/run/danchi", "/var/lib/danchi", "/run/danchi/danchid.sock"
        # Pods say nothing of memory here; and a shim asks for nothing: on a host without KVM it is the host that
        # has to say so.
        self.permitted = os.path.join(self.directory, "permitted")  # of hostPath volumes
        machine.more_settings += (f"[pods]\nmemory_mib = 192\nkubelet_directory = {self.kubelet}\n"
                                  f"binds = {self.permitted}/open:rw;{self.permitted}/closed:ro\n")
        if machine.mode == EMULATION:
            machine.more_settings += "[guest]\nallow_emulation = yes\n"
        self.pods = []
        self.shared = self.snapshots_beside = None

    # What another runtime's node does in another way: crio.py.

    @staticmethod
    def find_version(programs):
        version = subprocess.run([f"{programs}/containerd", "--version"], check=True, capture_output=True)
        return b"/v2 " in version.stdout

    def write_config(self, cni):
        ours = os.path.join(TOP, "config", "kubernetes", f"containerd-{2 if self.is_version_2 else 1}.toml")
        # Ours is added as an operator adds it.
        with open(os.path.join(self.directory, "containerd.toml"), "w") as file, open(ours) as runtime_class:
            file.write((COMMON + (VERSION_2 if self.is_version_2 else VERSION_1)).format(
                version=3 if self.is_version_2 else 2, root=os.path.join(self.directory, "root"), pause=PAUSE,
                cni=cni, plugins=CNI_PLUGINS, snapshotter=self.snapshotter))
            file.write(runtime_class.read())

    def command(self):
        return [f"{self.programs}/containerd", "--config", os.path.join(self.directory, "containerd.toml")]

    def connect(self):
        return Client("/run/containerd/containerd.sock", self.messages)

    # Life.

    def start(self):
        cni = os.path.join(self.directory, "cni")
        os.makedirs(cni, exist_ok=True)
        with open(os.path.join(cni, "10-pods.conflist"), "w") as file:
            json.dump(CNI, file)
        self.write_config(cni)
        os.makedirs("/run/netns", exist_ok=True)
        # The pod's namespaces and roots are mounts that containerd and shims have to share.
        subprocess.run(["mount", "--make-rshared", "/"], check=True)
        # As a node has it: for port-forward containerd asks for the addresses of "localhost".
        hosts = os.path.join(self.directory, "hosts")
        with open(hosts, "w") as file:
            file.write("127.0.0.1 localhost\n::1 localhost\n")
        subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
        if self.runtime == "danchi":
            mount_small(self.machine.state, "192m")
            mount_small(self.machine.run, "64m")
            self.machine.start()
        # After all that goes to other namespaces, since gRPC has threads; and before containerd, which looks
        # for it once and then ever more seldom.
        if self.service == "containerd":
            self.snapshots_beside = Snapshotter(os.path.join(self.directory, "snapshots"))
        self.start_service()
        self.import_image(os.path.join(BUILD, "test-images", "busybox.tar"), IMAGE)
        self.import_image(self.pause_archive(), PAUSE)

    def start_service(self):
        environment = os.environ | {"PATH": f"{BUILD}/bin:{self.programs}:{os.environ['PATH']}"}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                start_new_session=True)
        self.client = self.connect()
        wait_until(self.is_ready, f"{self.service} answers", 30)

    def is_ready(self):
        expect(self.process.poll() is None, f"{self.service} ended:\n{self.log_tail()}")
        try:
            status = self.client.call("Status", timeout=2).status
        except CriError:
            return False
        # containerd 2.3 has another that tells of settings which will go one day.
        conditions = {one.type: one.status for one in status.conditions}
        return conditions["RuntimeReady"] and conditions["NetworkReady"]

    def end_service(self, number=signal.SIGTERM):
        self.client.close()
        self.process.send_signal(number)
        self.process.wait(30 * PATIENCE)

    def end(self):
        for pod in list(self.pods):
            with contextlib.suppress(CriError):
                pod.remove()
        self.end_service()
        if self.snapshots_beside is not None:
            self.snapshots_beside.end()
        if self.runtime == "danchi":
            self.machine.stop()
            for directory in self.machine.state, self.machine.run:
                subprocess.run(["umount", "-l", directory], check=False, capture_output=True)
        subprocess.run(["umount", "-R", os.path.join(self.directory, "root")], check=False, capture_output=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    def log_tail(self, lines=25):
        with open(self.log_path, errors="replace") as log:
            return "".join(log.readlines()[-lines:])

    # Images.

    def ctr(self, *arguments, check=True, namespace="k8s.io", timeout=90, **options):
        command = [f"{self.programs}/ctr", "--address", "/run/containerd/containerd.sock", "--namespace",
                   namespace, *arguments]
        done = subprocess.run(command, capture_output=True, timeout=timeout * PATIENCE, **options)
        if check and done.returncode != 0:
            raise Failure(f"{' '.join(command)}: {done.stderr.decode(errors='replace')}")
        return done

    def import_image(self, archive, name):
        known = {line.split()[0] for line in self.ctr("images", "ls").stdout.decode().splitlines()[1:]}
        self.ctr("images", "import", archive)
        new = {line.split()[0] for line in self.ctr("images", "ls").stdout.decode().splitlines()[1:]} - known
        if name not in new:
            self.ctr("images", "tag", new.pop(), name)
        wait_until(lambda: name in [tag for image in self.client.call("ListImages").images
                                    for tag in image.repo_tags], f"the CRI knows image {name}")

    def pause_archive(self):
        """What no runtime of ours ever runs; runc does."""
        root = os.path.join(self.directory, "pause")
        os.makedirs(root)
        shutil.copy("/bin/busybox", os.path.join(root, "pause"))
        os.symlink("pause", os.path.join(root, "sleep"))
        archive = os.path.join(self.directory, "pause.tar")
        maker = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "images", "make-image.py")
        subprocess.run([maker, root, archive, "docker", "--name", PAUSE, "--cmd", "/sleep", "--cmd", "1000000"],
                       check=True, capture_output=True)
        return archive

    # Pods.

    def pod(self, **fields):
        """A pod that runs; `fields` go into its PodSandboxConfig, `security` into its security context."""
        return Pod(self, **fields)

    @contextlib.contextmanager
    def shared_pod(self):
        """A pod like any other, for tests that look at containers and leave the pod as it is: a boot less."""
        if self.shared is None or self.statuses().get(self.shared.id) != self.messages.SANDBOX_READY:
            self.shared = self.pod()
        try:
            yield self.shared
        finally:
            for container in self.shared.containers:
                with contextlib.suppress(CriError):
                    container.remove()
            self.shared.containers.clear()

    def statuses(self):
        return {pod.id: pod.state for pod in self.client.call("ListPodSandbox").items}


class Pod:
    def __init__(self, node, linux=None, security=None, timeout=120, runtime=None, name=None, namespace="tests",
                 **fields):
        self.node, self.messages = node, node.messages
        number = next(node.numbers)
        self.name, self.uid = name or f"pod{number}", f"uid-{number}"
        self.logs = os.path.join(node.directory, "logs", self.name)
        os.makedirs(self.logs)
        security = security or {}
        security.setdefault("namespace_options", {"pid": 1})
        self.config = self.messages.PodSandboxConfig(
            metadata={"name": self.name, "uid": self.uid, "namespace": namespace, "attempt": 0},
            linux={"security_context": security, **(linux or {})},
            **({"hostname": self.name, "log_directory": self.logs} | fields))
        # The kubelet's: to CRI-O they say who the pod is.
        for key, value in (("name", self.name), ("namespace", namespace), ("uid", self.uid)):
            self.config.labels[f"io.kubernetes.pod.{key}"] = value
        self.id = node.client.call("RunPodSandbox", config=self.config, timeout=timeout,
                                   runtime_handler=runtime or node.runtime).pod_sandbox_id
        node.pods.append(self)
        self.containers = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    def status(self):
        return self.node.client.call("PodSandboxStatus", pod_sandbox_id=self.id).status

    def create(self, *command, name=None, **fields):
        """A container that has not started."""
        return Container(self, command, name or f"c{next(self.node.numbers)}", **fields)

    def run(self, *command, **fields):
        container = self.create(*command, **fields)
        container.start()
        return container

    def sh(self, script, **fields):
        return self.run("sh", "-c", script, **fields)

    def stop(self):
        if self.node.waits_for_containers:
            for container in self.containers:
                with contextlib.suppress(CriError):
                    container.stop(0)
        self.node.client.call("StopPodSandbox", pod_sandbox_id=self.id)

    def remove(self):
        if self in self.node.pods:
            self.node.pods.remove(self)
            self.stop()
            self.node.client.call("RemovePodSandbox", pod_sandbox_id=self.id)


class Container:
    def __init__(self, pod, command, name, image=IMAGE, attempt=0, linux=None, security=None, **fields):
        self.pod, self.client, self.name = pod, pod.node.client, name
        config = pod.messages.ContainerConfig(
            metadata={"name": name, "attempt": attempt}, image={"image": image, "user_specified_image": image},
            command=list(command),
            log_path=f"{name}.log", linux={"security_context": security or {}, **(linux or {})}, **fields)
        if not config.linux.security_context.HasField("namespace_options"):
            config.linux.security_context.namespace_options.CopyFrom(
                pod.config.linux.security_context.namespace_options)
        config.labels["io.kubernetes.container.name"] = name
        self.log_path = os.path.join(pod.config.log_directory, config.log_path)
        self.id = self.client.call("CreateContainer", pod_sandbox_id=pod.id, config=config,
                                   sandbox_config=pod.config).container_id
        pod.containers.append(self)

    def start(self):
        self.client.call("StartContainer", container_id=self.id)

    def status(self):
        return self.client.call("ContainerStatus", container_id=self.id).status

    def state(self):
        """created, running, exited or unknown"""
        return self.pod.messages.ContainerState.Name(self.status().state).removeprefix("CONTAINER_").lower()

    def wait(self, seconds=30):
        """Its status once it has exited."""
        wait_until(lambda: self.state() == "exited", f"container {self.name} ends: {self.status()}", seconds)
        return self.status()

    def execute(self, *command, timeout=30, check=True):
        """ExecSync: the standard output as text."""
        request = self.pod.messages.ExecSyncRequest(container_id=self.id, cmd=list(command), timeout=timeout)
        done = self.client.call("ExecSync", request=request, timeout=(timeout or 60) + 30)
        if check and done.exit_code != 0:
            raise Failure(f"{command}: {done.exit_code}: {done.stderr!r}")
        return done.stdout.decode() if check else done

    def exec_sh(self, script, **options):
        return self.execute("sh", "-c", script, **options)

    def stream(self, *command, stdin=False, tty=False):
        url = self.client.call("Exec", container_id=self.id, cmd=list(command), tty=tty, stdin=stdin, stdout=True,
                               stderr=not tty).url
        return Stream(url)

    def attach(self, stdin=False, tty=False):
        return Stream(self.client.call("Attach", container_id=self.id, stdin=stdin, tty=tty, stdout=True,
                                       stderr=not tty).url)

    def log(self):
        """The text of the log's lines, without their time, stream and tag."""
        with open(self.log_path) as file:
            return "".join(line.split(" ", 3)[3] for line in file)

    def log_has(self, text, seconds=20):
        def has():
            return os.path.exists(self.log_path) and text in self.log()
        wait_until(has, f"{text!r} in the log of {self.name}", seconds)

    def stop(self, timeout=2):
        request = self.pod.messages.StopContainerRequest(container_id=self.id, timeout=timeout)
        self.client.call("StopContainer", request=request, timeout=timeout + 60)

    def remove(self):
        if self.pod.node.waits_for_containers:
            self.stop(0)
        self.client.call("RemoveContainer", container_id=self.id)


def seconds_of(function):
    begun = time.monotonic()
    function()
    return time.monotonic() - begun
