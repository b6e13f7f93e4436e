# SPDX-License-Identifier: Apache-2.0
"""A tenant that takes all it can at once: processors, memory, disk, log, channel, copies, network.

    with Hog(machine) as hog: ...      it burns until the end of the block
    hog.limit()                        its context and its containers get limits while it burns

For the test of neighbours, and the bench's table of them.
"""

import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

if __name__ != "__main__":
    from suite import exec_sh, image, new_name

BURN = "while :; do :; done & while :; do :; done & wait"
FILL = "while :; do head -c 60000000 /dev/zero > /fill/x; rm /fill/x; done"
WRITE = "while :; do dd if=/dev/zero of=/var/x bs=1M count=40 conv=fsync 2>/dev/null; done"
PRINT = "yes 'a line of output that is as long as one usually is, and says nothing at all'"
SERVE = "exec net-server 9000"
COPY_BYTES = 8 << 20
# Of the context: percent of one processor, and bytes its disks may write in a second.
QUOTA_PERCENT, WRITE_BPS = 50, "4m"
TICK = os.sysconf("SC_CLK_TCK")


def samples(machine, name, count):
    """Seconds of single execs, each of a process that says a word: client, danchid, relay, guest and
    back."""
    took = []
    for _ in range(count):
        started = time.monotonic()
        exec_sh(machine, "echo here", container=name)
        took.append(time.monotonic() - started)
    return took


def tell(name, took):
    return f"{name} {statistics.median(took) * 1000:.0f} ms (worst {max(took) * 1000:.0f})"


def busy_seconds(pid):
    """Processor time of all threads of a process so far."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Hog:
    def __init__(self, machine, threads=4):
        self.machine, self.count = machine, threads
        self.over, self.threads = threading.Event(), []
        self.execs = self.copies = 0
        self.stack = contextlib.ExitStack()

    def start(self, script, *flags):
        name = new_name("hog")
        self.machine.danchi("run", "-d", "--name", name, "--context", self.context, *flags,
                            image(self.machine), "sh", "-c", script)
        return name

    def storm(self):
        while not self.over.is_set():
            self.machine.danchi("exec", self.printer, "true", check=False)
            self.execs += 1

    def copy(self):
        with tempfile.TemporaryDirectory() as directory:
            with open(f"{directory}/in", "wb") as file:
                file.truncate(COPY_BYTES)
            while not self.over.is_set():
                self.machine.danchi("cp", f"{directory}/in", f"{self.filler}:/copy/x", check=False)
                back = self.machine.danchi("cp", f"{self.filler}:/copy/x", f"{directory}/out",
                                           check=False)
                self.copies += back.status == 0

    def __enter__(self):
        try:
            self.begin()
        except BaseException:
            self.stack.close()
            raise
        return self

    def begin(self):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
        self.context = new_name("e2e-hog")
        self.machine.danchi("context", "create", "--tenant", "hog", "--stage", "test", "--tier", "backend",
                            "--guest-cpus", str(os.cpu_count()), self.context)
        self.stack.callback(self.machine.danchi, "context", "rm", "-f", self.context, check=False)
        with open(f"{self.machine.config}/contexts.d/{self.context}.conf", "a") as file:
            file.write("[network]\nmode = internal\n")
        self.filler = self.start(FILL, "--tmpfs", "/fill:size=80m", "--tmpfs", "/copy:size=16m")
        self.writer = self.start(WRITE, "--writable=disk:64m", "-u", "0")
        self.printer = self.start(PRINT)
        self.server = self.start(SERVE, "-p", f"{port}:9000")
        self.burner = self.start(BURN)
        self.names = [self.filler, self.writer, self.printer, self.server, self.burner]
        self.qemu = self.machine.inspect(self.burner)["guest"]["qemu_pid"]
        client = subprocess.Popen([sys.executable, __file__, str(port)], stdout=subprocess.PIPE)
        self.client = client
        self.stack.callback(client.wait)
        self.stack.callback(client.kill)
        self.threads = [threading.Thread(target=self.storm) for _ in range(self.count)]
        self.threads.append(threading.Thread(target=self.copy))
        for thread in self.threads:
            thread.start()
        self.stack.callback(self.calm)

    def calm(self):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def limit(self):
        self.machine.danchi("context", "update", "--cpu-quota", str(QUOTA_PERCENT), "--write-bps",
                            WRITE_BPS, self.context)
        self.machine.danchi("update", "--cpus", "0.5", "--pids-limit", "50", "--write-bps", "4m", "-m",
                            "100m", self.filler, self.writer, self.burner)

    def share(self, during):
        """What its QEMU had of one processor while @during was called; and what that gave."""
        before, started = busy_seconds(self.qemu), time.monotonic()
        found = during()
        return (busy_seconds(self.qemu) - before) / (time.monotonic() - started), found

    def received(self):
        """Bytes that came by its network; once, at the end."""
        self.client.terminate()
        return int(self.client.stdout.read() or 0)

    def __exit__(self, *_):
        self.stack.close()


def drink(port):
    """Takes what the server sends until SIGTERM, and says how much that was."""
    import signal
    taken = 0

    def end(*_):
        print(taken, flush=True)
        os._exit(0)
    signal.signal(signal.SIGTERM, end)
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 10) as client:
            client.sendall(b"s")
            while data := client.recv(1 << 20):
                taken += len(data)
        time.sleep(0.05)


if __name__ == "__main__":
    drink(int(sys.argv[1]))
