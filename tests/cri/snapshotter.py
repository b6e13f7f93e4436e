# SPDX-License-Identifier: Apache-2.0
"""A snapshotter beside containerd whose snapshots are file systems: what containerd's own devmapper and
blockfile are where a machine has them, for machines without the former's kernel and the latter's version.

Each snapshot is an ext4 in a file, copied from its parent's.  `files` hands the file out, with mount option
"loop", as blockfile does; `blocks` a block device, as devmapper does.
"""

import concurrent.futures
import contextlib
import importlib
import os
import subprocess
import sys
import time

import grpc

HERE = os.path.dirname(os.path.realpath(__file__))
SERVICE = "containerd.services.snapshots.v1.Snapshots"
NAMES = "files", "blocks"
SIZE = "48M"


class Missing(Exception):
    pass


class Snapshot:
    def __init__(self, path, info):
        self.path, self.info, self.device = path, info, None


class Snapshotter:
    def __init__(self, directory):
        self.directory = directory
        os.makedirs(f"{directory}/messages")
        subprocess.run(["protoc", f"--proto_path={HERE}", f"--python_out={directory}/messages", "snapshots.proto"],
                       check=True)
        sys.path.insert(0, f"{directory}/messages")
        self.pb = importlib.import_module("snapshots_pb2")
        self.socket = f"{directory}/socket"
        self.snapshots = {}  # by snapshotter and key
        self.number = 0
        self.base = f"{directory}/base"
        subprocess.run(["mkfs.ext4", "-q", self.base, SIZE], check=True, capture_output=True)
        # One at a time: nothing here needs more.
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, self.handlers()),))
        self.server.add_insecure_port(f"unix://{self.socket}")
        self.server.start()

    def handlers(self):
        pb = self.pb
        kinds = {"Prepare": (self.prepare, pb.MakeRequest), "View": (self.view, pb.MakeRequest),
                 "Mounts": (self.mounts, pb.KeyRequest), "Commit": (self.commit, pb.CommitRequest),
                 "Remove": (self.remove, pb.KeyRequest), "Stat": (self.stat, pb.KeyRequest),
                 "Update": (self.update, pb.UpdateRequest), "Usage": (self.usage, pb.KeyRequest),
                 "Cleanup": (lambda request: pb.Empty(), pb.KeyRequest)}
        made = {name: grpc.unary_unary_rpc_method_handler(
            self.answered(function), request_deserializer=kind.FromString,
            response_serializer=lambda response: response.SerializeToString()) for name, (function, kind)
            in kinds.items()}
        made["List"] = grpc.unary_stream_rpc_method_handler(
            self.list, request_deserializer=pb.ListRequest.FromString,
            response_serializer=lambda response: response.SerializeToString())
        return made

    def answered(self, function):
        def answer(request, context):
            try:
                return function(request)
            except Missing as missing:
                context.abort(grpc.StatusCode.NOT_FOUND, f"snapshot {missing}: not found")
        return answer

    def find(self, snapshotter, key):
        try:
            return self.snapshots[snapshotter, key]
        except KeyError:
            raise Missing(key) from None

    def named(self, snapshotter, name):
        """That of a container; containerd's keys begin with its namespace and a number."""
        return next(snapshot for (of, key), snapshot in self.snapshots.items()
                    if of == snapshotter and key.split("/")[-1] == name)

    def make(self, request, kind):
        if (request.snapshotter, request.key) in self.snapshots:
            raise AssertionError(f"{request.key}: there already")
        parent = self.find(request.snapshotter, request.parent).path if request.parent else self.base
        self.number += 1
        path = f"{self.directory}/{self.number}"
        subprocess.run(["cp", "--sparse=always", parent, path], check=True)
        snapshot = Snapshot(path, self.pb.Info(name=request.key, parent=request.parent, kind=kind,
                                               created_at={"seconds": int(time.time())}, labels=request.labels))
        if request.snapshotter == "blocks":
            done = subprocess.run(["losetup", "-f", "--show", path], check=True, capture_output=True, text=True)
            snapshot.device = done.stdout.strip()
        self.snapshots[request.snapshotter, request.key] = snapshot
        return self.mounts_of(snapshot)

    def mounts_of(self, snapshot):
        way = "ro" if snapshot.info.kind == self.pb.VIEW else "rw"
        mount = self.pb.Mount(type="ext4", source=snapshot.device or snapshot.path,
                              options=[way] if snapshot.device else ["loop", way])
        return self.pb.MountsResponse(mounts=[mount])

    def prepare(self, request):
        return self.make(request, self.pb.ACTIVE)

    def view(self, request):
        return self.make(request, self.pb.VIEW)

    def mounts(self, request):
        return self.mounts_of(self.find(request.snapshotter, request.key))

    def commit(self, request):
        snapshot = self.find(request.snapshotter, request.key)
        self.let_go(snapshot)
        snapshot.info.name, snapshot.info.kind = request.name, self.pb.COMMITTED
        snapshot.info.labels.update(request.labels)
        self.snapshots[request.snapshotter, request.name] = self.snapshots.pop((request.snapshotter, request.key))
        return self.pb.Empty()

    def let_go(self, snapshot):
        """As `dmsetup remove`: of what is in use it fails."""
        if snapshot.device is not None:
            subprocess.run(["losetup", "-d", snapshot.device], check=True)
            if os.path.exists(f"/sys/block/{os.path.basename(snapshot.device)}/loop/backing_file"):
                raise AssertionError(f"{snapshot.device} is in use")
            snapshot.device = None

    def remove(self, request):
        snapshot = self.find(request.snapshotter, request.key)
        self.let_go(snapshot)
        os.unlink(snapshot.path)
        del self.snapshots[request.snapshotter, request.key]
        return self.pb.Empty()

    def stat(self, request):
        return self.pb.StatResponse(info=self.find(request.snapshotter, request.key).info)

    def update(self, request):
        info = self.find(request.snapshotter, request.info.name).info
        info.labels.clear()
        info.labels.update(request.info.labels)
        return self.pb.StatResponse(info=info)

    def usage(self, request):
        status = os.stat(self.find(request.snapshotter, request.key).path)
        return self.pb.UsageResponse(size=status.st_blocks * 512, inodes=1)

    def list(self, request, _context):
        yield self.pb.ListResponse(info=[snapshot.info for (name, _), snapshot in self.snapshots.items()
                                         if name == request.snapshotter])

    def end(self):
        self.server.stop(None)
        for snapshot in self.snapshots.values():
            with contextlib.suppress(subprocess.CalledProcessError, AssertionError):
                self.let_go(snapshot)
        # Also what a test that failed has left to nobody: loop devices are the whole machine's.
        bound = subprocess.run(["losetup", "-nO", "NAME,BACK-FILE"], check=True, capture_output=True, text=True).stdout
        for line in bound.splitlines():
            if self.directory in line:
                subprocess.run(["losetup", "-d", line.split()[0]], check=False)
