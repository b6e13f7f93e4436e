#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a peer may send, and who is heard."""

import os
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../network")]
from harness import main, test  # noqa: E402
from ttrpc import HEADER, LIMIT, REQUEST, Client, pb  # noqa: E402
from world import CREATED, INVALID, NOT_FOUND, UNIMPLEMENTED, World, eventually, fails  # noqa: E402


@test()
def broken_frames_and_garbage_harm_nobody(lab):
    task = lab.task(args=("sleep", "1000"))
    path = task.client.socket.getpeername()
    for data in (b"", b"\0", b"GET / HTTP/1.1\r\n\r\n", os.urandom(100000), HEADER.pack(100, 1, REQUEST, 0) + b"short",
                 HEADER.pack(2 ** 32 - 1, 1, REQUEST, 0) + b"x" * 100000, HEADER.pack(0, 0, 0, 0) * 1000):
        peer = Client(path)
        peer.send_raw(data)
        peer.close()
    client = lab.connect(f"unix://{path}")
    # Longer than the limit: refused on its stream, and the connection goes on.
    over = client.send_frame(b"x" * (LIMIT + 1))
    fails(8, client.receive, over)
    assert client.call("State", pb.StateRequest(id="c1"), pb.StateResponse).status == CREATED
    fails(INVALID, client.receive, client.send_frame(b"\xff" * 50))
    fails(INVALID, client.receive, client.send_frame(b"", stream=1000000))
    fails(INVALID, client.receive, client.send_frame(b"", stream=1))
    fails(UNIMPLEMENTED, client.receive, client.send_frame(b"", flags=2))
    client.send_frame(b"", kind=3)
    client.send_frame(b"", kind=77)
    fails(UNIMPLEMENTED, client.call, "Frobnicate", pb.StateRequest())
    fails(UNIMPLEMENTED, client.call, "State", pb.StateRequest(id="c1"),
          service="containerd.runtime.sandbox.v1.Sandbox")
    fails(INVALID, client.call, "State", b"\x0a\xff\xff\xff\xff\x0f")
    assert client.call("State", pb.StateRequest(id="c1"), pb.StateResponse,
                       service="containerd.task.v3.Task").id == "c1"
    # A whole frame of exactly the limit, in pieces.
    padding = pb.Request(service="containerd.task.v2.Task", method="State",
                         payload=pb.StateRequest(id="c1", exec_id="x" * (LIMIT - 100)).SerializeToString())
    fails(NOT_FOUND, client.receive, client.send_frame(padding.SerializeToString()))
    assert task.state().status == CREATED


@test()
def more_connections_than_the_limit_are_closed_and_harm_nobody(lab):
    task = lab.task(args=("sleep", "1000"))
    path = task.client.socket.getpeername()
    peers = [Client(path) for _ in range(300)]
    eventually(lambda: sum(peer.is_closed for peer in peers) == 300 - 255, "some are not closed")
    assert task.state().status == CREATED
    for peer in peers:
        peer.close()
    eventually(lambda: len(os.listdir(f"/proc/{task.shim_pid}/fd")) < 30, "descriptors are left")
    assert task.state().status == CREATED


@test()
def a_peer_that_reads_nothing_loses_its_connection_and_no_other(lab):
    task = lab.task(args=("sleep", "1000"))
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(task.client.socket.getpeername())
    # Each answer repeats the id that was asked for, cut; so many that they fill every buffer.
    request = pb.Request(service="containerd.task.v2.Task", method="State",
                         payload=pb.StateRequest(id="c1").SerializeToString()).SerializeToString()
    sent = 0
    peer.settimeout(20)
    try:
        for stream in range(1, 2000000, 2):
            peer.sendall(HEADER.pack(len(request), stream, REQUEST, 0) + request)
            sent += 1
    except (BrokenPipeError, ConnectionResetError):
        pass
    print(f"# {sent} requests")
    assert sent < 999999
    assert task.state().status == CREATED
    peer.close()


@test()
def others_than_root_are_not_heard(lab):
    task = lab.task(args=("sleep", "1000"))
    path = task.client.socket.getpeername()
    script = (f"import socket,os\ns=socket.socket(socket.AF_UNIX)\ns.connect({path!r})\n"
              "os._exit(0 if s.recv(1) == b'' else 1)")
    os.chmod("/run/containerd", 0o711)
    os.chmod("/run/containerd/s", 0o711)
    os.chmod(path, 0o666)
    subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c", script],
                   check=True, timeout=20)
    os.chmod("/run/containerd/s", 0o700)
    assert task.state().status == CREATED


if __name__ == "__main__":
    sys.exit(main(World))
