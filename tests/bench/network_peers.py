# SPDX-License-Identifier: Apache-2.0
"""Podman's networks and pasta, as the network's benchmark measures them beside Danchi's.

All that they store or mount is in a mount namespace's own directories; what they add to the cell's network
is taken away by __exit__().
"""

import os
import shutil
import subprocess
import tempfile

from peers import CannotRun, run

TESTS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
PODMAN_NETWORKS = {"bridge": "its bridge (netavark)", "slirp4netns": "slirp4netns"}
IMAGE = "docker.io/danchi/busybox:test"
ARCHIVE = os.path.join(os.path.dirname(TESTS), "build", "test-images", "busybox.tar")
UID = "1000"


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            raise CannotRun(f"{tool} is not installed")


class Podman:
    """One network of it; a container serves, and another one asks."""

    port = 9101

    def __init__(self, network, _programs):
        need("podman", "crun", *(["slirp4netns"] if network == "slirp4netns" else ["iptables"]))
        # Debian's crun does not run where both versions of cgroups are mounted; without them it does.
        if os.path.ismount("/sys/fs/cgroup/unified"):
            subprocess.run(["umount", "-l", "/sys/fs/cgroup/unified"], check=True)
        # Not on an overlay, which is no lower directory of another one.
        self.directory = tempfile.mkdtemp(prefix="danchi-podman-", dir=os.path.join(os.path.dirname(TESTS), "build"))
        self.network = network
        self.words = ["podman", "--cgroup-manager", "cgroupfs", "--events-backend", "none", "--runtime", "crun",
                      "--storage-driver", "overlay", "--root", f"{self.directory}/storage", "--runroot",
                      f"{self.directory}/run", "--tmpdir", f"{self.directory}/tmp"]

    def container(self, *words):
        return run(*self.words, "run", "--cgroups=disabled", "--network", self.network, "--log-driver", "none",
                   "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--read-only", *words)

    def serve(self, port):
        run(*self.words, "load", "-q", "-i", ARCHIVE)
        self.container("-d", "--name", "server", "-p", f"127.0.0.1:{self.port}:{port}", IMAGE, "net-server", str(port))

    def client(self, words):
        return run(*self.words, "exec", "server", "net-client", *words)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run([*self.words, "rm", "-f", "-t", "0", "-a"], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        subprocess.run(["ip", "link", "del", "podman0"], stderr=subprocess.DEVNULL)
        shutil.rmtree(self.directory, ignore_errors=True)


class Pasta:
    """As a user: run by root it becomes nobody, who may not make the namespaces that it needs."""

    port = 9102

    def __init__(self, programs):
        need("pasta", "setpriv")
        self.server_program, self.client_program = programs
        self.server = None
        self.open_tun()

    @staticmethod
    def open_tun():
        """/dev/net/tun for that user, in this mount namespace alone."""
        directory = "/run/danchi-bench-tun"
        os.makedirs(directory, exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", "dev,mode=755", "tun", directory)
        run("mknod", "-m", "666", f"{directory}/tun", "c", "10", "200")
        run("mount", "--bind", f"{directory}/tun", "/dev/net/tun")

    @staticmethod
    def words(to_port, *command):
        return ["setpriv", "--reuid", UID, "--regid", UID, "--clear-groups", "pasta", "-f", "--config-net", "-t",
                to_port, "-u", "none", "-T", "none", "-U", "none", "--", *command]

    def serve(self, port):
        self.server = subprocess.Popen(self.words(f"127.0.0.1/{self.port}:{port}", self.server_program, str(port)),
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)

    def client(self, words):
        return run(*self.words("none", self.client_program, *words))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.server:
            self.server.kill()
            self.server.wait()
        for path in "/dev/net/tun", "/run/danchi-bench-tun":
            subprocess.run(["umount", path], check=True)
