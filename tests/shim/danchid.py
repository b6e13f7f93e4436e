# SPDX-License-Identifier: Apache-2.0
"""A danchid for tests of the shim: its API (docs/api.md) with containers that are processes of this
machine, whose standard streams are the session's sockets themselves."""

import array
import contextlib
import fcntl
import json
import os
import pty
import signal
import socket
import struct
import subprocess
import termios
import threading
import time
import uuid

from listener import Listener

FRAME = struct.Struct(">HHII")
RESIZE, SIGNAL, EXITED, LOST = 2000, 2001, 2002, 2003


class Refusal(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Process:
    """What a guest would run, with a session as the relay serves it."""

    def __init__(self, argv, env, terminal, size=(0, 0)):
        self.argv, self.env, self.terminal, self.size = argv, env, terminal, size
        self.ended = threading.Event()
        self.status = None
        self.popen = None
        self.control = None
        self.master = None

    def start(self):
        """Returns the client's ends: control, stdin, stdout, stderr."""
        if self.argv[0] == "/no/such/program":
            raise Refusal("no-command", f"container: '{self.argv[0]}' is not there")
        pairs = [socket.socketpair() for _ in range(4)]
        ours = [pair[0] for pair in pairs]
        self.control = ours[0]
        if self.terminal:
            self._start_terminal(ours)
        else:
            self.popen = subprocess.Popen(self.argv, env=self.env, stdin=ours[1], stdout=ours[2], stderr=ours[3],
                                          start_new_session=True)
            for end in ours[1:]:
                end.close()
        threading.Thread(target=self._read_control, daemon=True).start()
        threading.Thread(target=self._reap, daemon=True).start()
        return [pair[1] for pair in pairs]

    def _start_terminal(self, ours):
        self.master, slave = pty.openpty()
        if self.size[0]:
            self.resize(*self.size)
        # The slave as the terminal of a session of its own, so that its size and signals are its own.
        self.popen = subprocess.Popen(self.argv, env=self.env, stdin=slave, stdout=slave, stderr=slave,
                                      start_new_session=True,
                                      preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        ours[3].close()

        def out():
            with contextlib.suppress(OSError):
                while data := os.read(self.master, 65536):
                    ours[2].sendall(data)
            ours[2].close()

        def into():
            with contextlib.suppress(OSError):
                while data := ours[1].recv(65536):
                    os.write(self.master, data)
        self.pump = threading.Thread(target=out, daemon=True)
        self.pump.start()
        threading.Thread(target=into, daemon=True).start()

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read_control(self):
        with contextlib.suppress(OSError):
            while header := self.control.recv(FRAME.size, socket.MSG_WAITALL):
                kind, _, _, length = FRAME.unpack(header)
                payload = self.control.recv(length, socket.MSG_WAITALL)
                if kind == SIGNAL:
                    self.kill(struct.unpack(">I", payload)[0])
                elif kind == RESIZE:
                    self.resize(*struct.unpack(">HH", payload))

    def kill(self, number):
        if not self.ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.popen.pid, number)

    def send(self, kind, payload):
        with contextlib.suppress(OSError):
            self.control.sendall(FRAME.pack(kind, 0, 0, len(payload)) + payload)

    def _reap(self):
        status = self.popen.wait()
        if self.terminal:
            self.pump.join()
        self.status = 128 - status if status < 0 else status
        self.ended.set()
        oom = 1 if self.env.get("FAKE_OOM") else 0
        self.send(EXITED, struct.pack(">III", max(status, 0), max(-status, 0), oom))
        with contextlib.suppress(OSError):
            self.control.shutdown(socket.SHUT_RDWR)

    def lose(self):
        """As a relay that ends."""
        with contextlib.suppress(OSError):
            self.control.shutdown(socket.SHUT_RDWR)


class Container:
    def __init__(self, args):
        self.id = uuid.uuid4().hex
        self.args = args
        self.config = args["config"]
        config = self.config["process"]
        env = dict(line.split("=", 1) for line in config.get("env", []))
        self.process = Process(config["args"], env, args["terminal"])
        self.has_started = False
        self.execs = []


class Danchid(Listener):
    def __init__(self, path):
        super().__init__(path)
        self.pods = {}
        self.containers = {}
        self.requests = []  # (verb, args)
        self.faults = {}    # verb: a Refusal to answer it with, or an Event to wait for first
        self.removal_s = 0  # from the guest's end to the answer of pod-remove
        self.listen()

    def end(self):
        for pod in list(self.pods):
            self.verb_pod_remove({"id": pod})
        self.stop()

    def verbs(self):
        return [verb for verb, _ in self.requests]

    def _serve(self, connection):
        with contextlib.suppress(OSError, struct.error):
            while True:
                size, = struct.unpack(">I", connection.recv(4, socket.MSG_WAITALL))
                request = json.loads(connection.recv(size, socket.MSG_WAITALL))
                self._send(connection, *self._answer(request))

    def _answer(self, request):
        verb, args = request["verb"], request["args"]
        self.requests.append((verb, args))
        fault = self.faults.get(verb)
        try:
            if isinstance(fault, Refusal):
                raise fault
            if fault is not None:
                fault.wait(30)
            answer = getattr(self, "verb_" + verb.replace("-", "_"))(args)
        except Refusal as refusal:
            return {"error": {"code": refusal.code, "message": str(refusal), "hint": "see the test"}}, []
        ok, ends = answer if isinstance(answer, tuple) else (answer, [])
        return {"ok": ok}, ends

    def _send(self, connection, message, ends):
        data = json.dumps(message).encode()
        fds = array.array("i", [end.fileno() for end in ends])
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if ends else []
        connection.sendmsg([struct.pack(">I", len(data)) + data], ancillary)
        for end in ends:
            end.close()

    def _find(self, args):
        container = self.containers.get(args["container"])
        if container is None:
            raise Refusal("not-found", f"container '{args['container']}': there is none")
        return container

    def verb_pod_create(self, args):
        if args["id"] in self.pods:
            raise Refusal("conflict", f"pod '{args['id']}': is there")
        guest = subprocess.Popen(["sleep", "infinity"])
        # Reaped at once, as libvirt does with QEMU: a zombie would count as alive.
        threading.Thread(target=guest.wait, daemon=True).start()
        self.pods[args["id"]] = guest
        return {"context": "pod-" + args["id"], "guest": {"qemu_pid": guest.pid}}

    def verb_pod_container_create(self, args):
        if args["pod"] not in self.pods:
            raise Refusal("not-found", f"pod '{args['pod']}': there is none")
        container = Container(args)
        self.containers[container.id] = container
        return {"id": container.id}

    def verb_pod_remove(self, args):
        guest = self.pods.pop(args["id"], None)
        if guest is not None:
            for container in list(self.containers.values()):
                if container.args["pod"] == args["id"]:
                    self._end(container)
                    del self.containers[container.id]
            guest.kill()
            guest.wait()
            time.sleep(self.removal_s)
        return {}

    def _end(self, container):
        for process in container.execs + [container.process]:
            if process.popen is not None:
                process.kill(signal.SIGKILL)
                process.kill(signal.SIGCONT)
                process.ended.wait(5)

    def verb_container_start(self, args):
        container = self._find(args)
        container.process.size = (args["rows"], args["columns"])
        ends = container.process.start()
        container.has_started = True
        threading.Thread(target=self._end_execs, args=(container,), daemon=True).start()
        return {"id": container.id, "name": container.id}, ends

    def _end_execs(self, container):
        """As the pid namespace does."""
        container.process.ended.wait()
        for process in container.execs:
            process.kill(signal.SIGKILL)

    def verb_container_attach(self, args):
        container = self._find(args)
        if container.process.ended.is_set():
            raise Refusal("conflict", "does not run")
        pairs = [socket.socketpair() for _ in range(4)]
        container.process.control = pairs[0][0]
        for pair in pairs[1:]:
            pair[0].close()
        return {"id": container.id, "terminal": False}, [pair[1] for pair in pairs]

    def verb_container_exec(self, args):
        container = self._find(args)
        env = dict(line.split("=", 1) for line in args.get("env", []))
        env["FAKE_USER"] = args.get("user", "")
        env["FAKE_GROUPS"] = json.dumps(args.get("groups"))
        env["FAKE_CAPABILITIES"] = json.dumps(args.get("capabilities"))
        process = Process(args["command"], env, args["terminal"], (args["rows"], args["columns"]))
        ends = process.start()
        container.execs.append(process)
        return {"process": len(container.execs)}, ends

    def verb_container_kill(self, args):
        container = self._find(args)
        if not container.has_started or container.process.ended.is_set():
            raise Refusal("conflict", "does not run")
        container.process.kill(int(args["signal"]))
        return {"id": container.id}

    def verb_container_pause(self, args):
        self._find(args).process.kill(signal.SIGSTOP)
        return {}

    def verb_container_unpause(self, args):
        self._find(args).process.kill(signal.SIGCONT)
        return {}

    def verb_container_update(self, args):
        self._find(args)
        return {}

    def verb_container_wait(self, args):
        container = self._find(args)
        container.process.ended.wait()
        return {"exit_code": container.process.status}

    def verb_container_remove(self, args):
        container = self._find(args)
        self._end(container)
        del self.containers[container.id]
        return {}

    def verb_context_stats(self, args):
        name, = args["contexts"]
        if name.removeprefix("pod-") not in self.pods:
            raise Refusal("not-found", f"context '{name}': there is none")
        return {"stats": [{"context": name, "cpu_us": 7654321, "cpu_user_us": 7000000, "cpu_system_us": 654321,
                           "memory_bytes": 300 << 20, "memory_limit_bytes": 700 << 20, "vcpus": 1, "pids": 60,
                           "guest_memory_bytes": 256 << 20, "guest_memory_used_bytes": 50 << 20,
                           "processes": [{"name": "qemu", "pid": self.pods[name.removeprefix("pod-")].pid,
                                          "cpu_us": 7654321, "memory_bytes": 300 << 20}]}]}

    def verb_container_stats(self, args):
        container = self._find({"container": args["containers"][0]})
        if container.process.ended.is_set():
            raise Refusal("conflict", "does not run")
        return {"stats": [{"id": container.id, "cpu_us": 1234567, "cpu_user_us": 1000000, "cpu_system_us": 234567,
                           "throttled_us": 5, "memory_bytes": 4096000, "memory_cache_bytes": 1024000,
                           "memory_limit_bytes": -1, "oom_kills": 0, "pids": 3, "pids_limit": 100,
                           "read_bytes": 11, "written_bytes": 22}]}
