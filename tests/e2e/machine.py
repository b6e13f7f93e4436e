# SPDX-License-Identifier: Apache-2.0
"""The Danchi under test: a danchid of the tests' own, with directories of its own.

libvirt is shared with the machine, so everything that the tests look for there is found by the ids
of this danchid's guests, and nothing else is touched.
"""

import contextlib
import glob
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import time

TALLY_DIR = os.environ.get("DN_TALLY_DIR", "build/check")
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("E2E_BUILD", "build"))
ARCHIVES = os.path.join(BUILD, "test-images")
EMULATION, KVM = "emulation", "kvm"
LIBVIRT_SOCKET = "/run/libvirt/libvirt-sock"

# Software emulation of a machine inside a software emulation of a machine (the lab) is slow: waits
# and limits of the tests are multiplied by this.
PATIENCE = float(os.environ.get("E2E_PATIENCE", "1"))


DEFAULT_BOOT_TIMEOUT_S = int(60 * max(1, PATIENCE / 2))

# An archive with too much in it is refused at these limits instead of after minutes.
SETTINGS = """[images]
files_limit = 20000
unpacked_limit_mib = 512
"""


class Failure(AssertionError):
    """A test's expectation that did not hold; the message is all that the reader needs."""


def expect(holds, what):
    if not holds:
        raise Failure(what)


def expect_equal(found, wanted, what):
    expect(found == wanted, f"{what}: {found!r}, not {wanted!r}")


class Result:
    def __init__(self, command, status, stdout, stderr, seconds):
        self.command, self.status, self.seconds = command, status, seconds
        self.raw_stdout, self.raw_stderr = stdout, stderr
        self.stdout = stdout.decode(errors="replace")
        self.stderr = stderr.decode(errors="replace")

    def expect_status(self, status):
        expect(self.status == status, f"{' '.join(self.command)}: exit status {self.status}, not "
               f"{status}\nstdout: {self.stdout[-800:]}\nstderr: {self.stderr[-1500:]}")
        return self


def probe_mode(build=BUILD):
    """KVM with vsock where this machine can, else emulation with the serial transport."""
    wanted = os.environ.get("E2E_MODE", "auto")
    if wanted in (EMULATION, KVM):
        return wanted
    probe = subprocess.run(["timeout", "20", f"{build}/bin/danchid", "--probe-kvm"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    works = probe.returncode == 0 and os.path.exists("/dev/vhost-vsock")
    return KVM if works else EMULATION


def wait_until(condition, what, seconds=10):
    """Returns the condition's first true value."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        expect(time.monotonic() < end, f"after {seconds * PATIENCE:.0f} s still not so: {what}")
        time.sleep(0.05)


class Machine:
    def __init__(self, name="e2e", build=BUILD):
        self.mode = probe_mode(build)
        self.build = build
        self.kernel = os.environ.get("E2E_KERNEL", "debian")
        self.name = f"danchi-{name}-{os.getpid()}"
        self.state = f"/var/lib/{self.name}"
        self.run = f"/run/{self.name}"
        self.config = f"{self.run}-config"
        self.socket = f"{self.run}/danchid.sock"
        # With the tallies, because what lies in /var goes with the cell or the lab.
        self.log_path = os.path.join(os.path.abspath(TALLY_DIR), f"{self.name}.log")
        os.makedirs(TALLY_DIR, exist_ok=True)
        self.boot_timeout_s = DEFAULT_BOOT_TIMEOUT_S
        self.settings = SETTINGS
        self.more_settings = ""  # of one test
        self.daemon_prefix = []
        self.daemon = None
        self.clients = []

    @property
    def transport(self):
        return "vsock" if self.mode == KVM else "serial"

    @property
    def accelerator(self):
        return "kvm" if self.mode == KVM else "tcg"

    # The daemon.

    def start(self):
        for directory in self.state, self.run, self.config:
            os.makedirs(directory, mode=0o755, exist_ok=True)
        with open(f"{self.config}/danchi.conf", "w") as file:
            file.write(f"[guest]\nkernel = {self.kernel}\n"
                       f"boot_timeout_s = {self.boot_timeout_s}\n"
                       f"{self.settings}{self.more_settings}")
        with open(self.log_path, "ab") as log:
            self.daemon = subprocess.Popen(
                [*self.daemon_prefix, f"{self.build}/bin/danchid", "--foreground", "--socket",
                 self.socket, "--state", self.state, "--run", self.run, "--config", self.config],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.wait_for_daemon()

    def wait_for_daemon(self):
        def listens():
            # Not by danchi, which would start a danchid of its own where none listens.
            expect(self.daemon.poll() is None, f"danchid ended:\n{self.log_tail()}")
            with socket.socket(socket.AF_UNIX) as probe:
                return probe.connect_ex(self.socket) == 0
        wait_until(listens, "danchid listens", 30)
        self.danchi("version")

    def stop(self):
        """As a service manager does it: SIGTERM; guests go on."""
        if self.daemon and self.daemon.poll() is None:
            self.daemon.terminate()
            try:
                self.daemon.wait(20 * PATIENCE)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait()
                raise Failure("danchid did not end on SIGTERM")
        self.daemon = None

    def kill_daemon(self):
        self.daemon.kill()
        self.daemon.wait()

    def restart(self):
        self.stop()
        self.start()

    def log_tail(self, lines=25):
        try:
            with open(self.log_path, errors="replace") as log:
                return "".join(log.readlines()[-lines:])
        except OSError:
            return ""

    def remove_directories(self):
        for directory in self.state, self.run, self.config:
            shutil.rmtree(directory, ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.log_path)

    # The client.

    def command(self, *arguments):
        command = [f"{self.build}/bin/danchi", "--socket", self.socket]
        if self.mode == EMULATION:
            command.append("--allow-emulation")
        return command + [str(argument) for argument in arguments]

    def public_client(self):
        """danchi where every user of the host reaches it; the build tree may be root's alone."""
        path = f"{self.state}/danchi"
        if not os.path.exists(path):
            shutil.copy(f"{self.build}/bin/danchi", path)
            os.chmod(path, 0o755)
        return path

    def danchi(self, *arguments, input=b"", timeout=90, check=True, user=None, groups=()):
        """Runs danchi to its end.  check: a status other than 0 is a failure of the test; user: the
        uid and gid that it runs as, with these supplementary groups."""
        if isinstance(input, str):
            input = input.encode()
        command = self.command(*arguments)
        if user:
            command[0] = self.public_client()
        started = time.monotonic()
        try:
            done = subprocess.run(command, input=input, capture_output=True, user=user, group=user,
                                  extra_groups=list(groups) if user else None,
                                  cwd="/" if user else None, timeout=timeout * PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise Failure(f"{' '.join(command)}: no end after {timeout * PATIENCE:.0f} s\n"
                          f"stdout: {(error.stdout or b'')[-500:]!r}\n"
                          f"stderr: {(error.stderr or b'')[-500:]!r}") from None
        result = Result(command, done.returncode, done.stdout, done.stderr,
                        time.monotonic() - started)
        return result.expect_status(0) if check else result

    def out(self, *arguments, **options):
        return self.danchi(*arguments, **options).stdout.strip()

    def json(self, *arguments, **options):
        return json.loads(self.out("--format", "json", *arguments, **options))

    def spawn(self, *arguments, **options):
        """Starts danchi and returns at once; it is killed when the test ends."""
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                   "stderr": subprocess.PIPE} | options
        client = subprocess.Popen(self.command(*arguments), **options)
        self.clients.append(client)
        return client

    def end_clients(self):
        for client in self.clients:
            if client.poll() is None:
                client.kill()
            client.wait()
            for stream in client.stdin, client.stdout, client.stderr:
                if stream:
                    with contextlib.suppress(OSError):
                        stream.close()
        self.clients.clear()

    # What is there.

    def containers(self):
        return self.json("ps", "-a")

    def container(self, name):
        found = [entry for entry in self.containers() if entry["name"] == name]
        return found[0] if found else None

    def state_of(self, name):
        entry = self.container(name)
        return entry["state"] if entry else None

    def inspect(self, name):
        return self.json("inspect", name)[0]

    def guest_ids(self):
        return sorted(os.path.basename(path) for path in glob.glob(f"{self.run}/guests/*"))

    def remove_all(self, keep=()):
        def others():
            return [entry["name"] for entry in self.containers() if entry["name"] not in keep]
        for name in others():
            # One that ends at this moment may remove itself first: what counts is that it is gone.
            removal = self.danchi("rm", "-f", name, check=False)
            expect(removal.status == 0 or name not in others(), f"rm -f {name}: {removal.stderr}")

    # Processes of this danchid's guests.

    def guest_processes(self, program):
        """pids of QEMU (`qemu-system`) or relay (`danchi-relay`) processes of our guests."""
        ids, found = self.guest_ids(), []
        for pid, words in all_commands():
            if program in os.path.basename(words[0]) and any(
                    one in word for word in words for one in ids):
                found.append(pid)
        return sorted(found)


def all_commands():
    """(pid, command line as a list) of every process that has one."""
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            with open(path, "rb") as file:
                words = file.read().decode(errors="replace").rstrip("\0").split("\0")
            if words[0]:
                yield int(path.split("/")[2]), words


def proc_status(pid):
    """/proc/PID/status as a dict."""
    with open(f"/proc/{pid}/status") as file:
        return {key: value.strip() for key, value in
                (line.rstrip("\n").split(":", 1) for line in file if ":" in line)}


def kill9(pid):
    """Returns once the process has ended: one with many threads takes its time after the signal."""
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            ended, _, _ = select.select([handle], [], [], 30 * PATIENCE)
            expect(ended, f"pid {pid} does not end after SIGKILL")
        finally:
            os.close(handle)


def libvirt_answers():
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(LIBVIRT_SOCKET) == 0


def start_libvirt():
    """Where libvirtd was killed: as `make host` does it."""
    subprocess.run([f"{TOP}/tests/tools/host.sh", "start"], check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=240)
