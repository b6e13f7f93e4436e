# SPDX-License-Identifier: Apache-2.0
"""The real containerd-shim-danchi-v2 over real ttrpc, between a containerd and a danchid of the test's.

    CELL_LIBVIRT=no ./tests/tools/cell.sh ./tests/shim/test-NOUN.py [WORD...]

Bundles, pipes, start, delete; a container as containerd's client has it.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import select
import subprocess
import tempfile
import threading
import time

from danchid import Danchid
from ttrpc import Client, EventTaker, Failed, pb

BUILD = os.environ.get("DN_TEST_BUILD", "build")
SHIM = os.path.join(BUILD, "bin/containerd-shim-danchi-v2")
NAMESPACE = "k8s.io"
SOCKETS = "/run/containerd/s"
NOT_FOUND, ALREADY_EXISTS, DENIED, FAILED_PRECONDITION, INVALID, UNIMPLEMENTED = 5, 6, 7, 9, 3, 12
CREATED, RUNNING, STOPPED, PAUSED = 1, 2, 3, 4
PROCESS_TYPE = "types.containerd.io/opencontainers/runtime-spec/1/Process"


def eventually(condition, what, timeout=15):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


class Reader(threading.Thread):
    """The client's end of an output pipe."""

    def __init__(self, path, begins=True):
        super().__init__(daemon=True)
        self.path = path
        self.data = bytearray()
        self.digest = hashlib.sha256()
        self.size = 0
        self.keeps = True
        self.fd = -1
        if begins:
            self.begin()

    def begin(self):
        # As containerd: its end is there before the shim's.
        self.fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.start()

    def run(self):
        # Until somebody writes, or has: a pipe without a writer yet would count as one that ended.
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        poll.poll()
        fcntl.fcntl(self.fd, fcntl.F_SETFL, 0)
        with contextlib.suppress(OSError):
            while piece := os.read(self.fd, 65536):
                self.size += len(piece)
                self.digest.update(piece)
                if self.keeps:
                    self.data += piece
        os.close(self.fd)

    def end(self, timeout=10):
        self.join(timeout)
        assert not self.is_alive(), f"{self.path}: no end of file"
        return bytes(self.data)


class World:
    @contextlib.contextmanager
    def fresh(self):
        with tempfile.TemporaryDirectory(prefix="danchi-shim.") as directory:
            lab = Lab(directory)
            try:
                yield lab
            finally:
                lab.end()

    def end(self):
        pass


class Lab:
    """One containerd's and one danchid's worth of everything."""

    def __init__(self, directory):
        self.directory = directory
        self.danchid = Danchid(f"{directory}/danchid.sock")
        self.events = EventTaker(f"{directory}/containerd.sock.ttrpc")
        self.address = f"{directory}/containerd.sock"
        self.daemons = []
        self.clients = []
        self.log = b""

    def end(self):
        for client in self.clients:
            client.close()
        for pid in self.daemons:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        self.danchid.end()
        self.events.stop()
        for name in os.listdir(SOCKETS) if os.path.isdir(SOCKETS) else ():
            os.unlink(f"{SOCKETS}/{name}")

    def environment(self, **more):
        return {**os.environ, "DANCHI_SOCKET": self.danchid.path, "TTRPC_ADDRESS": self.address + ".ttrpc", **more}

    def bundle(self, name, args=("true",), annotations=None, env=(), terminal=False, network="", user=None, rights=None,
               **more):
        path = f"{self.directory}/bundles/{name}"
        os.makedirs(f"{path}/rootfs")
        os.mkfifo(f"{path}/log")
        space = {"type": "network"}
        if network:
            space["path"] = network
        config = {"ociVersion": "1.0.2", "annotations": annotations or {}, "root": {"path": "rootfs"},
                  "process": {"args": list(args), "cwd": "/", "terminal": terminal,
                              "env": [f"PATH={os.environ['PATH']}"] + list(env)},
                  "linux": {"namespaces": [{"type": "pid"}] + ([space] if network is not None else [])}}
        if user:
            config["process"]["user"] = user
        if rights:
            config["process"]["capabilities"] = rights
        config.update(more)
        with open(f"{path}/config.json", "w") as file:
            json.dump(config, file)
        return path

    def run_shim(self, name, action, *more, cwd=None, stdin=b"", check=True, environment=None, address=None):
        address = self.address if address is None else address
        command = [os.path.abspath(SHIM), "-namespace", NAMESPACE, "-address", address, "-publish-binary",
                   "/usr/bin/containerd", "-id", name, *more, action]
        result = subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, timeout=30,
                                env=environment or self.environment())
        assert not check or result.returncode == 0, result
        return result

    def start(self, name, **more):
        """The `start` of a container whose bundle is there; its answer."""
        result = self.run_shim(name, "start", cwd=f"{self.directory}/bundles/{name}", **more)
        assert result.stderr == b"", result.stderr
        return result.stdout.decode()

    def delete(self, name):
        bundle = f"{self.directory}/bundles/{name}"
        result = self.run_shim(name, "delete", "-bundle", bundle,
                               cwd=bundle if os.path.isdir(bundle) else self.directory)
        return pb.DeleteResponse.FromString(result.stdout)

    def connect(self, address):
        assert address.startswith("unix:///"), address
        client = Client(address[len("unix://"):])
        self.clients.append(client)
        return client

    def fifo(self, name):
        path = f"{self.directory}/{name}"
        os.mkfifo(path)
        return path

    def task(self, name="c1", args=("true",), streams="oe", **more):
        """A container that is its own pod, created and not started."""
        self.bundle(name, args, **more)
        return Task(self, name, self.connect(self.start(name)), streams, more.get("terminal", False))


class Task:
    """A container as a client of containerd has it."""

    def __init__(self, lab, name, client, streams="oe", terminal=False, creates=True, rootfs=()):
        self.lab, self.name, self.client, self.terminal = lab, name, client, terminal
        self.stdin = lab.fifo(name + "-stdin") if "i" in streams else ""
        self.stdout = lab.fifo(name + "-stdout") if "o" in streams else ""
        self.stderr = lab.fifo(name + "-stderr") if "e" in streams and not terminal else ""
        self.out = Reader(self.stdout) if self.stdout else None
        self.err = Reader(self.stderr) if self.stderr else None
        self.rootfs = rootfs
        if creates:
            self.create()

    def create(self, **more):
        fields = {"id": self.name, "bundle": f"{self.lab.directory}/bundles/{self.name}", "terminal": self.terminal,
                  "stdin": self.stdin, "stdout": self.stdout, "stderr": self.stderr, "rootfs": self.rootfs, **more}
        self.pid = self.client.call("Create", pb.CreateRequest(**fields), pb.CreateResponse).pid
        shim = self.client.call("Connect", pb.ConnectRequest(id=self.name), pb.ConnectResponse).shim_pid
        if shim not in self.lab.daemons:
            self.lab.daemons.append(shim)
        self.shim_pid = shim

    def start(self, exec_id=""):
        return self.client.call("Start", pb.StartRequest(id=self.name, exec_id=exec_id), pb.StartResponse).pid

    def state(self, exec_id=""):
        return self.client.call("State", pb.StateRequest(id=self.name, exec_id=exec_id), pb.StateResponse)

    def begin_wait(self, exec_id="", client=None):
        return (client or self.client).send("Wait", pb.WaitRequest(id=self.name, exec_id=exec_id))

    def wait(self, exec_id="", timeout=30):
        return self.client.receive(self.begin_wait(exec_id), pb.WaitResponse, timeout).exit_status

    def kill(self, number=9, exec_id="", is_for_all=False):
        request = pb.KillRequest(id=self.name, exec_id=exec_id, signal=number, all=is_for_all)
        self.client.call("Kill", request)

    def delete(self, exec_id=""):
        return self.client.call("Delete", pb.DeleteRequest(id=self.name, exec_id=exec_id), pb.DeleteResponse)

    def close_io(self, exec_id=""):
        self.client.call("CloseIO", pb.CloseIORequest(id=self.name, exec_id=exec_id, stdin=True))

    def shutdown(self, now=False):
        self.client.call("Shutdown", pb.ShutdownRequest(id=self.name, now=now))

    def exec(self, exec_id, args, streams="oe", terminal=False, **more):
        """Registers a process; returns its readers and the path of its input."""
        paths = {key: self.lab.fifo(f"{self.name}-{exec_id}-{key}")
                 for key, letter in (("stdin", "i"), ("stdout", "o"), ("stderr", "e"))
                 if letter in streams and not (terminal and letter == "e")}
        readers = [Reader(paths[key]) for key in ("stdout", "stderr") if key in paths]
        process = {"args": list(args), "cwd": "/", "terminal": terminal, "user": {"uid": 7, "gid": 8},
                   "env": [f"PATH={os.environ['PATH']}"], **more}
        spec = pb.Any(type_url=PROCESS_TYPE, value=json.dumps(process).encode())
        self.client.call("Exec", pb.ExecRequest(id=self.name, exec_id=exec_id, terminal=terminal, spec=spec, **paths))
        return readers, paths.get("stdin")

    def run(self):
        """From Start to the exit status."""
        self.start()
        return self.wait()


def fails(code, function, *arguments, **named):
    try:
        function(*arguments, **named)
    except Failed as error:
        assert error.code == code, error
        return error.message
    raise AssertionError(f"{function} did not fail")


def shell(script):
    return ("sh", "-c", script)


def is_gone(pid):
    """It may go between any two of these calls, so between open(2) and read(2), too."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def socket_of(lab, name="c1"):
    with open(f"{lab.directory}/bundles/{name}/address") as file:
        return file.read()[len("unix://"):]
