# SPDX-License-Identifier: Apache-2.0
"""ttrpc from the outside: a client of the shim, and the part of containerd that takes events.

The messages are those of launcher/shim/proto, made into Python by protoc when the tests begin.
"""

import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading

from listener import Listener

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
HEADER = struct.Struct(">IIBB")
REQUEST, RESPONSE, DATA = 1, 2, 3
LIMIT = 4 * 1024 * 1024
TASK = "containerd.task.v2.Task"


def make_messages():
    """All messages of all .proto files, as attributes of one object."""
    protos = os.path.join(TOP, "launcher/shim/proto")
    names = sorted(os.listdir(protos))
    with tempfile.TemporaryDirectory() as out:
        subprocess.run(["protoc", f"--proto_path={protos}", f"--python_out={out}"] + names, cwd=protos, check=True)
        sys.path.insert(0, out)
        sys.dont_write_bytecode = True
        try:
            modules = [__import__(name.replace(".proto", "_pb2")) for name in names]
        finally:
            sys.path.remove(out)
    messages = type("Messages", (), {})
    for module in modules:
        for name, descriptor in module.DESCRIPTOR.message_types_by_name.items():
            setattr(messages, name, getattr(module, descriptor.name))
    return messages


pb = make_messages()


class Failed(Exception):
    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class Closed(Exception):
    pass


def receive_exactly(connection, size):
    parts = bytearray()
    while len(parts) < size:
        piece = connection.recv(size - len(parts))
        if not piece:
            raise Closed()
        parts += piece
    return bytes(parts)


def receive_frame(connection):
    length, stream, kind, flags = HEADER.unpack(receive_exactly(connection, HEADER.size))
    return stream, kind, flags, receive_exactly(connection, length)


class Client:
    """One connection.  Any thread may send; answers are kept until they are asked for."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.stream = -1
        self.answers = {}
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)
        self.is_closed = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            while True:
                stream, kind, _, data = receive_frame(self.socket)
                with self.changed:
                    self.answers[stream] = (kind, data)
                    self.changed.notify_all()
        except (Closed, OSError):
            with self.changed:
                self.is_closed = True
                self.changed.notify_all()

    def send_raw(self, data):
        self.socket.sendall(data)

    def send_frame(self, data, kind=REQUEST, flags=0, stream=None):
        with self.lock:
            if stream is None:
                self.stream += 2
                stream = self.stream
            self.socket.sendall(HEADER.pack(len(data), stream, kind, flags) + data)
        return stream

    def send(self, method, request, service=TASK):
        payload = request if isinstance(request, bytes) else request.SerializeToString()
        envelope = pb.Request(service=service, method=method, payload=payload)
        envelope.metadata.add(key="containerd-namespace-ttrpc", value="k8s.io")
        return self.send_frame(envelope.SerializeToString())

    def has_answer(self, stream):
        with self.lock:
            return stream in self.answers

    def receive(self, stream, answer=None, timeout=20):
        """The message, or Failed.  TimeoutError, Closed."""
        with self.changed:
            if not self.changed.wait_for(lambda: stream in self.answers or self.is_closed, timeout):
                raise TimeoutError(f"no answer on stream {stream}")
            if stream not in self.answers:
                raise Closed()
            kind, data = self.answers.pop(stream)
        assert kind == RESPONSE, kind
        response = pb.Response.FromString(data)
        if response.status.code:
            raise Failed(response.status.code, response.status.message)
        return answer.FromString(response.payload) if answer else response.payload

    def call(self, method, request, answer=None, service=TASK, timeout=20):
        return self.receive(self.send(method, request, service), answer, timeout)

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


class EventTaker(Listener):
    """containerd's side of events."""

    def __init__(self, path):
        super().__init__(path)
        self.events = []  # (topic, message)
        self.envelopes = []
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)
        self.listen()

    def _serve(self, connection):
        try:
            while True:
                stream, kind, _, data = receive_frame(connection)
                assert kind == REQUEST and stream % 2 == 1
                request = pb.Request.FromString(data)
                assert request.service == "containerd.services.events.ttrpc.v1.Events"
                assert request.method == "Forward"
                self._take(pb.ForwardRequest.FromString(request.payload).envelope)
                connection.sendall(HEADER.pack(0, stream, RESPONSE, 0))
        except (Closed, OSError):
            connection.close()

    def _take(self, envelope):
        assert envelope.timestamp.seconds > 0
        prefix, name = envelope.event.type_url.rsplit(".", 1)
        assert prefix == "containerd.events", envelope.event.type_url
        with self.changed:
            self.envelopes.append(envelope)
            self.events.append((envelope.topic, getattr(pb, name).FromString(envelope.event.value)))
            self.changed.notify_all()

    def wait_for(self, topic, count=1, timeout=15):
        """The events of @topic, once there are as many."""
        def found():
            return [message for at, message in self.events if at == topic]
        with self.changed:
            assert self.changed.wait_for(lambda: len(found()) >= count, timeout), (topic, self.events)
            return found()

    def topics(self):
        with self.lock:
            return [topic for topic, _ in self.events]
