# SPDX-License-Identifier: Apache-2.0
"""Podman and containerd as they are measured beside Danchi: one class each, with the same methods.

    peers.py podman|containerd DIRECTORY < JSON of archives, > JSON of what was measured

Runs in a mount namespace of its own inside a cell (tests/tools/cell.sh), with all that it stores below
DIRECTORY and no network.  What cannot be measured here is said with its reason.
"""

import contextlib
import glob
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
CONTAINERS = 10
CGROUP = "danchi-bench"


class CannotRun(Exception):
    """A peer that does not run here, with the reason."""


def run(*words, **options):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=900, **options)
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise CannotRun(lines[-1] if lines else f"exit status {done.returncode}")
    return done.stdout.decode()


def timed(*words):
    started = time.monotonic()
    run(*words)
    return time.monotonic() - started


def memory_kib(ignored=()):
    """What all processes of this cell but those of the measurement share out among them."""
    total = 0
    for path in glob.glob("/proc/[0-9]*/smaps_rollup"):
        if int(path.split("/")[2]) in ignored:
            continue
        with contextlib.suppress(OSError, StopIteration):
            with open(path) as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return total


def processes():
    return {int(path.split("/")[2]) for path in glob.glob("/proc/[0-9]*/stat")}


def disk_kib(directory):
    return int(run("du", "-sk", directory).split()[0])


class Podman:
    tools = ["podman", "crun"]

    def __init__(self, directory):
        self.store = f"{directory}/storage"
        # Debian's crun does not run where both versions of cgroups are mounted; without them it does.
        if os.path.ismount("/sys/fs/cgroup/unified"):
            subprocess.run(["umount", "-l", "/sys/fs/cgroup/unified"], check=True)
        self.words = ["podman", "--cgroup-manager", "cgroupfs", "--events-backend", "none", "--runtime",
                      "crun", "--storage-driver", "overlay", "--root", self.store, "--runroot",
                      f"{directory}/run", "--tmpdir", f"{directory}/tmp"]
        self.version = f"podman {run('podman', '--version').split()[-1]}, crun"

    def load(self, archive):
        return timed(*self.words, "load", "-q", "-i", archive)

    def remove_images(self):
        run(*self.words, "rmi", "-a", "-f")

    def start(self, image, name):
        return timed(*self.words, "run", "-d", "--name", name, "--cgroups=disabled", "--network", "none",
                     "--log-driver", "none", "--ulimit", "nofile=1024:1024", "--ulimit",
                     "nproc=1024:1024", "--read-only", image, "sleep", "1000000")

    def end(self, names):
        run(*self.words, "rm", "-f", "-t", "0", *names)

    def close(self):
        pass


class Containerd:
    tools = ["containerd", "ctr", "runc"]

    def __init__(self, directory):
        self.store, self.socket = f"{directory}/root", f"{directory}/sock"
        with open(f"{directory}/config.toml", "w") as file:
            file.write(f'version = 2\nroot = "{self.store}"\nstate = "{directory}/state"\n'
                       'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
                       f'[grpc]\naddress = "{self.socket}"\n')
        with open(f"{directory}/log", "wb") as log:
            self.daemon = subprocess.Popen(["containerd", "-c", f"{directory}/config.toml", "-l", "warn"],
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.words = ["ctr", "-a", self.socket]
        self.wait_for_daemon(f"{directory}/log")
        self.version = f"containerd {run('containerd', '--version').split()[2].split('~')[0]}, runc"

    def wait_for_daemon(self, log):
        for _ in range(200):
            with contextlib.suppress(CannotRun):
                run(*self.words, "version")
                return
            if self.daemon.poll() is not None:
                break
            time.sleep(0.1)
        with open(log) as file:
            raise CannotRun("containerd ends: " + file.read().strip().splitlines()[-1][:120])

    def load(self, archive):
        return timed(*self.words, "image", "import", archive)

    def remove_images(self):
        # --sync: what is not used any more is removed before the command ends.
        for name in run(*self.words, "image", "ls", "-q").split():
            run(*self.words, "image", "rm", "--sync", name)

    def start(self, image, name):
        return timed(*self.words, "run", "-d", "--read-only", "--null-io", "--cgroup",
                     f"{CGROUP}/{name}", image, name, "sleep", "1000000")

    def end(self, names):
        for name in names:
            run(*self.words, "task", "rm", "-f", name)
            run(*self.words, "container", "rm", name)

    def close(self):
        self.daemon.terminate()
        self.daemon.wait()
        for path in glob.glob(f"/sys/fs/cgroup/*/{CGROUP}"):
            with contextlib.suppress(OSError):
                os.rmdir(path)


PEERS = {"podman": Podman, "containerd": Containerd}


def measure(peer, wanted):
    """wanted: `small`: an archive and its image; `family`: archives that share a base; `large`: one, or
    missing; `rounds`."""
    # Daemons are there once, whatever runs; what containers add is counted.
    found, own = {"version": peer.version}, processes()
    loads = []
    for _ in range(wanted["rounds"]):
        loads.append(peer.load(wanted["small"]))
        peer.remove_images()
    found["load_small_s"] = statistics.median(loads)
    before = disk_kib(peer.store)
    found["load_family_s"] = [peer.load(path) for path in wanted["family"]]
    found["family_kib"] = disk_kib(peer.store) - before
    peer.remove_images()
    peer.load(wanted["small"])
    names = [f"box-{number}" for number in range(CONTAINERS)]
    for name in names[:-1]:
        peer.start(wanted["image"], name)
    tenths, added = [], []
    for _ in range(max(wanted["rounds"], 5)):
        with_nine = memory_kib(own)
        tenths.append(peer.start(wanted["image"], names[-1]))
        time.sleep(1)
        found["ten_kib"] = memory_kib(own)
        added.append(found["ten_kib"] - with_nine)
        peer.end(names[-1:])
    found["tenth_s"], found["tenth_kib"] = statistics.median(tenths), statistics.median(added)
    found["tenths_s"] = tenths
    peer.end(names[:-1])
    peer.remove_images()
    if wanted.get("large"):
        found["load_large_s"] = peer.load(wanted["large"])
        peer.remove_images()
    return found


def ask(name, directory, wanted):
    """What measure() finds, in namespaces of its own; or {"reason": ...}."""
    for tool in PEERS[name].tools:
        if not shutil.which(tool):
            return {"reason": f"{tool} is not installed"}
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    try:
        done = subprocess.run(["unshare", "--mount", "--propagation", "private", "--pid", "--fork",
                               "--kill-child", "--mount-proc", sys.executable, __file__, name, directory],
                              input=json.dumps(wanted).encode(), stdout=subprocess.PIPE)
        return json.loads(done.stdout or b'{"reason": "ended without a word"}')
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def main():
    name, directory = sys.argv[1:]
    wanted, peer = json.load(sys.stdin), None
    try:
        peer = PEERS[name](directory)
        found = measure(peer, wanted)
    except (CannotRun, OSError, subprocess.SubprocessError) as error:
        found = {"reason": str(error)}
    finally:
        if peer:
            peer.close()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
