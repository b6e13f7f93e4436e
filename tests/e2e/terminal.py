# SPDX-License-Identifier: Apache-2.0
"""A person at a terminal: danchi behind a pty, keys pressed and text waited for."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

from machine import PATIENCE, expect


class Terminal:
    def __init__(self, command, rows=24, columns=80):
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.settings = termios.tcgetattr(self.slave)
        self.seen = b""
        self.process = subprocess.Popen(command, stdin=self.slave, stdout=self.slave,
                                        stderr=self.slave, start_new_session=True,
                                        preexec_fn=self._take_terminal)

    @staticmethod
    def _take_terminal():
        # After setsid: SIGWINCH and SIGINT reach the foreground of a controlling terminal only.
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys):
        os.write(self.master, keys.encode())

    def read_some(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            try:
                self.seen += os.read(self.master, 65536)
            except OSError:
                pass

    def expect_text(self, text, seconds=20):
        """Waits until the text was seen, and forgets all up to its end."""
        end = time.monotonic() + seconds * PATIENCE
        while text.encode() not in self.seen:
            expect(time.monotonic() < end, f"the terminal never showed {text!r}: {self.seen!r}")
            self.read_some(0.2)
        at = self.seen.index(text.encode()) + len(text)
        before, self.seen = self.seen[:at], self.seen[at:]
        return before.decode(errors="replace")

    def expect_exit(self, status, seconds=20):
        end = time.monotonic() + seconds * PATIENCE
        while self.process.poll() is None:
            expect(time.monotonic() < end, f"danchi did not end; on the terminal: {self.seen!r}")
            self.read_some(0.1)
        self.read_some(0.1)
        expect(self.process.returncode == status,
               f"exit status {self.process.returncode}, not {status}: {self.seen!r}")

    def expect_settings_restored(self):
        expect(termios.tcgetattr(self.slave) == self.settings,
               "the terminal's settings are not as they were before")

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
