# SPDX-License-Identifier: Apache-2.0
"""The node with CRI-O in containerd's place: `run.py --crio DIR`, where DIR has crio and pinns.

No Debian has CRI-O, so it is built by hand and these runs are not a part of `make check`.  Images come
by skopeo straight into CRI-O's storage, as nothing here has a registry.
"""

import os
import subprocess

from client import Client
from machine import BUILD, TOP
from node import CNI_PLUGINS, PAUSE, Node

SOCKET = "/run/crio/crio.sock"
RUNROOT = "/run/containers/storage"

# Conmon and the default runtime are looked for at its start, and never run for pods of Danchi.
CONFIG = """[crio]
root = "{root}"
runroot = "{runroot}"
storage_driver = "overlay"
log_dir = "{directory}/crio-logs"
version_file = "/run/crio/version"
clean_shutdown_file = "{directory}/clean.shutdown"
[crio.api]
listen = "{socket}"
stream_address = "127.0.0.1"
stream_port = "0"
[crio.runtime]
default_runtime = "runc"
cgroup_manager = "cgroupfs"
conmon_cgroup = "pod"
pinns_path = "{programs}/pinns"
namespaces_dir = "/run/namespaces"
hooks_dir = []
[crio.runtime.runtimes.runc]
runtime_path = "/usr/sbin/runc"
monitor_path = "/usr/bin/conmon"
[crio.image]
pause_image = "{pause}"
pause_command = "/sleep 1000000"
signature_policy = "{policy}"
[crio.network]
network_dir = "{cni}"
plugin_dirs = ["{plugins}"]
[crio.nri]
enable_nri = false
"""


class CrioNode(Node):
    service = "CRI-O"
    waits_for_containers = True

    def __init__(self, runtime, programs):
        super().__init__(runtime, programs=programs)
        self.policy = os.path.join(self.directory, "policy.json")

    @staticmethod
    def find_version(_programs):
        """Of CRI-O nothing depends on it."""
        return False

    def write_config(self, cni):
        with open(self.policy, "w") as file:
            file.write('{"default": [{"type": "insecureAcceptAnything"}]}\n')
        ours = os.path.join(TOP, "config", "kubernetes", "crio.conf")
        directory = os.path.join(self.directory, "crio.conf.d")
        os.makedirs(directory)
        with open(os.path.join(self.directory, "crio.conf"), "w") as file:
            file.write(CONFIG.format(
                root=os.path.join(self.directory, "root"), runroot=RUNROOT, directory=self.directory, socket=SOCKET,
                programs=self.programs, pause=PAUSE, policy=self.policy, cni=cni, plugins=CNI_PLUGINS))
        # Ours as an operator adds it, with the shim of this build.
        with open(ours) as source, open(os.path.join(directory, "50-danchi.conf"), "w") as file:
            file.write(source.read().replace('"/usr/bin/', f'"{BUILD}/bin/'))

    def command(self):
        return [f"{self.programs}/crio", "--config", os.path.join(self.directory, "crio.conf"),
                "--config-dir", os.path.join(self.directory, "crio.conf.d")]

    def connect(self):
        return Client(SOCKET, self.messages)

    def import_image(self, archive, name):
        subprocess.run(["skopeo", "--policy", self.policy, "copy", f"docker-archive:{archive}",
                        f"containers-storage:[overlay@{self.directory}/root+{RUNROOT}]{name}"],
                       check=True, capture_output=True)
