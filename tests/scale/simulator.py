# SPDX-License-Identifier: Apache-2.0
"""What stands in libvirt's place for many guests on little memory: hypervisor-sim.c asks here, and a
domain is a process of this machine (guest-sim.c) whose child is the real agent.

Domains belong to this process and not to danchid, as with libvirt: they outlive it.
"""

import contextlib
import os
import selectors
import shutil
import signal
import socket
import subprocess
import threading
import time
import uuid
import xml.etree.ElementTree as ElementTree

PACKET_MAX_BYTES = 65536


def cgroup_mount():
    unified = "/sys/fs/cgroup/unified"
    return unified if os.path.exists(f"{unified}/cgroup.procs") else "/sys/fs/cgroup"


class Domain:
    def __init__(self, simulator, text):
        tree = ElementTree.fromstring(text)
        self.name, self.uuid = tree.findtext("name"), str(uuid.uuid4())
        self.directory = f"{simulator.directory}/{self.name}"
        self.cgroup = f"{simulator.cgroup}/{self.name}"
        uid = tree.findtext("seclabel/label").split(":")[0].lstrip("+")
        # Every image is the same tree here: what differs between guests is not their files.
        disks = [f"{disk.findtext('serial')}={simulator.root}" for disk in tree.iter("disk")
                 if disk.findtext("serial") != "root"]
        command = [f"{simulator.build}/bin/qemu-system-sim",
                   tree.find("devices/serial/source").get("path"),
                   tree.find("devices/channel/source").get("path"),
                   tree.find("sysinfo/entry").get("file"), uid, self.directory, self.cgroup,
                   f"{simulator.build}/bin/danchi-agent", *disks]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        start_new_session=True)
        stands = self.process.stdout.read(1)
        self.process.stdout.close()
        if not stands:
            self.process.wait()
            raise OSError("the guest's process ended at once")
        self.handle = os.pidfd_open(self.process.pid)

    def end(self):
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.handle, signal.SIGKILL)
        self.process.wait()

    def freeze(self):
        """The agent answers nothing any more, nor do the containers."""
        with open(f"{self.cgroup}/cgroup.freeze", "w") as file:
            file.write("1")

    def tidy_up(self):
        """As the end of a machine, this is the end of everything in it, which takes a moment."""
        os.close(self.handle)
        with contextlib.suppress(OSError), open(f"{self.cgroup}/cgroup.kill", "w") as file:
            file.write("1")
        for _ in range(100):
            if remove_cgroups(self.cgroup):
                break
            time.sleep(0.01)
        shutil.rmtree(self.directory, ignore_errors=True)


def remove_cgroups(path):
    for directory, _, _ in os.walk(path, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(directory)
    return not os.path.exists(path)


class Simulator:
    def __init__(self, build, run, root):
        self.build, self.run, self.root = build, run, root
        self.directory = f"{run}-guests"
        # Cells share the machine's cgroups, and process ids are the same in each.
        self.cgroup = f"{cgroup_mount()}/danchi-scale-{uuid.uuid4().hex}"
        self.domains, self.watchers = {}, []
        for directory in self.directory, self.cgroup:
            os.makedirs(directory, mode=0o711, exist_ok=True)
        self.selector = selectors.DefaultSelector()
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(f"{run}/simulator.sock")
        self.listener.listen(128)
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)
        self.is_over = False
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while not self.is_over:
            for key, _ in self.selector.select(0.2):
                key.data(key.fileobj)

    def accept(self, listener):
        client, _ = listener.accept()
        self.selector.register(client, selectors.EVENT_READ, self.answer)

    def answer(self, client):
        packet = client.recv(PACKET_MAX_BYTES).decode()
        verb, _, argument = packet.partition("\n")
        if verb == "watch":
            self.watchers.append(client)
            return
        if packet:
            try:
                reply = ["ok", *self.run_verb(verb, argument)]
            except (OSError, ElementTree.ParseError) as error:
                reply = ["error", str(error)]
            with contextlib.suppress(OSError):
                client.send("\n".join(reply).encode())
        self.forget(client)

    def forget(self, client):
        self.selector.unregister(client)
        if client in self.watchers:
            self.watchers.remove(client)
        client.close()

    def run_verb(self, verb, argument):
        if verb == "start":
            domain = Domain(self, argument)
            self.domains[domain.name] = domain
            self.selector.register(domain.handle, selectors.EVENT_READ,
                                   lambda _: self.notice_end(domain))
            return [domain.uuid]
        if verb == "destroy":
            if argument in self.domains:
                self.domains[argument].end()
                self.notice_end(self.domains[argument])
            return [""]
        if verb == "is-active":
            return [self.domains[argument].uuid if argument in self.domains else ""]
        if verb == "list":
            return [f"{one.name} {one.uuid} {one.process.pid}" for one in self.domains.values()]
        raise OSError(f"no such verb: {verb}")

    def notice_end(self, domain):
        if self.domains.pop(domain.name, None) is None:
            return
        self.selector.unregister(domain.handle)
        domain.process.wait()
        domain.tidy_up()
        for watcher in list(self.watchers):
            try:
                watcher.send(domain.name.encode())
            except OSError:
                self.forget(watcher)

    def close(self):
        """Ends all guests and takes away what they left."""
        self.is_over = True
        self.thread.join()
        for domain in list(self.domains.values()):
            domain.end()
        for domain in list(self.domains.values()):
            domain.tidy_up()
        self.listener.close()
        self.selector.close()
        remove_cgroups(self.cgroup)
        shutil.rmtree(self.directory, ignore_errors=True)
