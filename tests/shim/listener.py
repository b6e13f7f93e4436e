# SPDX-License-Identifier: Apache-2.0
"""A server of the test's on a unix socket, that can go away and come back while its clients live."""

import contextlib
import os
import socket
import threading


class Listener:
    """Whoever is one says in _serve(connection) what a connection's life is, on a thread of its own."""

    def __init__(self, path):
        self.path = path
        self.connections = []
        self.listener = None

    def listen(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def stop(self):
        """As one that ends: nobody listens, connections are gone; what else runs goes on."""
        os.unlink(self.path)
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.connections = []

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
