# SPDX-License-Identifier: Apache-2.0
"""A small client of the Container Runtime Interface: what kubelet says to a runtime, in Python.

Messages are those of cri.proto, made by protoc when the tests start.  Debian's own Python has gRPC
(python3-grpcio) and protobuf; streams (exec, attach, port-forward) are WebSockets, as kubelet's.
"""

import importlib
import os
import subprocess
import sys
import time

import grpc
import websocket
from machine import PATIENCE

HERE = os.path.dirname(os.path.realpath(__file__))
STDIN, STDOUT, STDERR, ERROR, RESIZE = range(5)
MESSAGE_BYTES_MAX = 32 << 20


def load_messages(directory):
    """The module of the messages, made in `directory`."""
    os.makedirs(directory, exist_ok=True)
    subprocess.run(["protoc", f"--proto_path={HERE}", f"--python_out={directory}", "cri.proto"], check=True)
    sys.path.insert(0, directory)
    return importlib.import_module("cri_pb2")


class CriError(Exception):
    """What the runtime refused, by its gRPC code and words."""

    def __init__(self, call, error):
        super().__init__(f"{call}: {error.code().name}: {error.details()}")
        self.code = error.code().name
        self.details = error.details()


class Client:
    """One connection to a runtime's socket."""

    METHODS = {
        "RuntimeService": {
            "Version": ("VersionRequest", "VersionResponse"),
            "Status": ("StatusRequest", "StatusResponse"),
            "RunPodSandbox": ("RunPodSandboxRequest", "RunPodSandboxResponse"),
            "StopPodSandbox": ("PodRequest", "Empty"),
            "RemovePodSandbox": ("PodRequest", "Empty"),
            "PodSandboxStatus": ("PodRequest", "PodSandboxStatusResponse"),
            "ListPodSandbox": ("ListPodSandboxRequest", "ListPodSandboxResponse"),
            "PodSandboxStats": ("PodRequest", "PodSandboxStatsResponse"),
            "CreateContainer": ("CreateContainerRequest", "CreateContainerResponse"),
            "StartContainer": ("ContainerRequest", "Empty"),
            "StopContainer": ("StopContainerRequest", "Empty"),
            "RemoveContainer": ("ContainerRequest", "Empty"),
            "ListContainers": ("ListContainersRequest", "ListContainersResponse"),
            "ContainerStatus": ("ContainerRequest", "ContainerStatusResponse"),
            "UpdateContainerResources": ("UpdateContainerResourcesRequest", "Empty"),
            "ReopenContainerLog": ("ContainerRequest", "Empty"),
            "ExecSync": ("ExecSyncRequest", "ExecSyncResponse"),
            "Exec": ("ExecRequest", "UrlResponse"),
            "Attach": ("AttachRequest", "UrlResponse"),
            "PortForward": ("PortForwardRequest", "UrlResponse"),
            "ContainerStats": ("ContainerRequest", "ContainerStatsResponse"),
            "ListContainerStats": ("ListContainerStatsRequest", "ListContainerStatsResponse"),
        },
        "ImageService": {"ListImages": ("ListImagesRequest", "ListImagesResponse")},
    }

    def __init__(self, socket_path, messages):
        self.messages = messages
        self.channel = grpc.insecure_channel(
            f"unix://{socket_path}", options=[
                ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
                # A server that is just starting is tried again soon.
                ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 500)])
        self.calls = {}
        for service, methods in self.METHODS.items():
            for method, (request, response) in methods.items():
                self.calls[method] = (getattr(messages, request), self.channel.unary_unary(
                    f"/runtime.v1.{service}/{method}",
                    request_serializer=getattr(messages, request).SerializeToString,
                    response_deserializer=getattr(messages, response).FromString))

    def call(self, method, timeout=60, **fields):
        """`fields` are the request's, or `request` is the whole of it."""
        kind, function = self.calls[method]
        request = fields.pop("request", None)
        if request is None:
            request = kind(**fields)
        try:
            return function(request, timeout=timeout * PATIENCE)
        except grpc.RpcError as error:
            raise CriError(method, error) from None

    def close(self):
        self.channel.close()


class Stream:
    """An exec, attach or port-forward: channels of bytes over one WebSocket."""

    def __init__(self, url, protocol="v4.channel.k8s.io"):
        self.socket = websocket.create_connection(url.replace("http://", "ws://"), subprotocols=[protocol],
                                                  timeout=60 * PATIENCE)
        self.received = {}

    def send(self, data, channel=STDIN):
        self.socket.send_binary(bytes([channel]) + data)

    def read_one(self):
        """False at the end."""
        try:
            frame = self.socket.recv()
        except websocket.WebSocketConnectionClosedException:
            return False
        if not frame:
            return False
        if isinstance(frame, str):
            frame = frame.encode("latin-1")
        self.received[frame[0]] = self.received.get(frame[0], b"") + frame[1:]
        return True

    def read_until(self, text, channel=STDOUT, seconds=30):
        end = time.monotonic() + seconds * PATIENCE
        while text not in self.received.get(channel, b""):
            if time.monotonic() > end or not self.read_one():
                raise AssertionError(f"{text!r} did not come: {self.received}")
        return self.received[channel]

    def read_all(self):
        while self.read_one():
            pass
        return self.received

    def close(self):
        self.socket.close()
