# SPDX-License-Identifier: Apache-2.0
"""The world of the tests of pods' networks: a network namespace that stands for the host's, danchi-gateway in it,
and pods that are gone at each test's end."""

import contextlib
import socket

from gateway import Gateway, Refused
from pod import Pod, look_for_no_duplicates, serve
from wire import CLONE_NEWNET, LIBC, output, run

GATEWAY4, GATEWAY6 = "10.88.0.1", "fd88::1"


class World:
    def __init__(self):
        # CNI's plug-ins leave a bridge and forwarding behind, which are no business of other tests'.
        assert LIBC.unshare(CLONE_NEWNET) == 0
        run("ip", "link", "set", "lo", "up")
        look_for_no_duplicates()
        self.gateway = Gateway()
        self.pods = []
        self.sockets = []

    @contextlib.contextmanager
    def fresh(self):
        try:
            yield self
        finally:
            self.clean()
        expect_nothing_left()

    def clean(self):
        for listening in self.sockets:
            end_server(listening)
        self.sockets.clear()
        for pod in self.pods:
            pod.end_guest()
            if pod.is_there():
                pod.delete()
        for slot in self.gateway.slots():
            self.gateway.close(slot)
        self.pods.clear()

    def pod(self, name="pod", slot=3, config=None):
        pod = Pod(self, name, slot, config)
        self.pods.append(pod)
        return pod

    def serve(self, family, address, port, guest=None):
        listening = guest.serve(family, address, port) if guest else serve(socket.socket(family), address, port)
        self.sockets.append(listening)

    def end(self):
        self.gateway.stop()


def end_server(listening):
    """Its thread, which waits for clients, holds it open otherwise."""
    with contextlib.suppress(OSError):
        listening.shutdown(socket.SHUT_RDWR)
    listening.close()


def expect_nothing_left():
    left = [line for line in output("nft", "list", "tables").splitlines() if "danchi" in line]
    left += [line for line in output("ip", "-o", "link").splitlines() if ": dn2" in line]
    left += output("ip", "netns", "list").splitlines()
    assert not left, left


def refusal(function, *arguments):
    try:
        return f"not refused: {function(*arguments)}"
    except Refused as refused:
        return str(refused)


def words_of(lines, first):
    return [line[1:] for line in lines if line[0] == first]
