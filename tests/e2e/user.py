# SPDX-License-Identifier: Apache-2.0
"""An ordinary user of a host of its own, with a small internet behind it.

The host is a mount and a network namespace: its /etc/passwd and subordinate ids name the user, its
/dev/net/tun is open to everybody as on a usual host, and nobody else sees any of it.
"""

import glob
import os
import shutil
import signal
import subprocess

from machine import BUILD, PATIENCE, TOP, Failure, Result, wait_until

UID, OTHER_UID = 23456, 23457
FIRST_SUBID = 524288
PUBLIC, HOST, HOST_PRIVATE = "9.9.9.1", "9.9.9.2", "192.168.77.1"
ELSEWHERE = ("10.0.0.1", "100.64.0.1", "169.254.169.254", "fd12::1")
PUBLIC_6, HOST_6 = "2a00:1450::1", ("2a00:1450::2", "2a00:1450:2::2")
NAME, NAMED = "danchi.example.com", "9.9.9.9"

HOST_SCRIPT = r"""
set -e
top=$1 place=$2 home=$3 uid=$4 other=$5 first=$6
mount --make-rprivate /
mkdir -p "$place/etc" "$place/dev" "$place/run"
mount -t tmpfs -o mode=0755 dev "$place/dev"
for name in passwd group subuid subgid; do
  cp "/etc/$name" "$place/etc/$name" 2> /dev/null || : > "$place/etc/$name"
done
for id in $uid $other; do
  echo "danchi-user$id:x:$id:$id::$home:/bin/sh" >> "$place/etc/passwd"
  echo "danchi-user$id:x:$id:" >> "$place/etc/group"
done
for name in subuid subgid; do echo "danchi-user$uid:$first:65536" >> "$place/etc/$name"; done
for name in passwd group subuid subgid; do
  [ -e "/etc/$name" ] || : > "/etc/$name"
  mount --bind "$place/etc/$name" "/etc/$name"
done
echo "nameserver 9.9.9.1" > "$place/etc/resolv.conf"
mount --bind "$place/etc/resolv.conf" "$(readlink -f /etc/resolv.conf)"
mknod -m 666 "$place/dev/tun" c 10 200
mount --bind "$place/dev/tun" /dev/net/tun
# The tree may lie where only root passes through.
barrier=$top
while [ "$barrier" != / ]; do
  parent=$(dirname "$barrier")
  [ "$parent" != / ] && [ -z "$(find "$parent" -maxdepth 0 -perm -o=x)" ] && found=$parent
  barrier=$parent
done
if [ -n "${found:-}" ]; then
  mkdir -p "$place/tree"
  mount --bind "$top" "$place/tree"
  mount -t tmpfs -o mode=0755 over "$found"
  mkdir -p "$top"
  mount --move "$place/tree" "$top"
fi
mount -t tmpfs -o mode=0755 run /run
mkdir -p "/run/user/$uid"
chown "$uid:$uid" "/run/user/$uid" "$home"
chmod 0700 "/run/user/$uid" "$home"
ip link set lo up
echo ready
exec sleep 1000000
"""

SERVER = r"""
import socket, sys
listening = socket.create_server(("", 80), family=socket.AF_INET6, dualstack_ipv6=True, backlog=50)
while True:
    client, address = listening.accept()
    client.sendall(b"hello from " + client.getsockname()[0].removeprefix("::ffff:").encode() + b"\n")
    client.close()
"""


class User:
    def __init__(self, name):
        self.home = f"/var/tmp/{name}"
        self.runtime = f"/run/user/{UID}"
        self.place = f"/var/tmp/{name}-host"
        self.processes = []
        for path in self.home, self.place:
            os.makedirs(path, exist_ok=True)
        self.host = self.start(["unshare", "--mount", "--net", "bash", "-c", HOST_SCRIPT, "host", TOP,
                                self.place, self.home, str(UID), str(OTHER_UID), str(FIRST_SUBID)],
                               ready=b"ready\n")
        self.make_internet()

    def start(self, words, ready=None, **options):
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   start_new_session=True, **options)
        self.processes.append(process)
        if ready and process.stdout.readline() != ready:
            raise Failure(f"{words[0]}: it does not get ready")
        return process

    def enter(self, *words):
        """Words that run @words on the host, as its root."""
        return ["nsenter", "-t", str(self.host.pid), "-m", "-n", *words]

    def on_host(self, *words):
        return subprocess.run(self.enter(*words), check=True, capture_output=True, text=True).stdout

    def make_internet(self):
        far = self.start(["unshare", "--net", "sh", "-c", "echo ready; exec sleep 1000000"], b"ready\n")
        inside = ["nsenter", "-t", str(far.pid), "-n"]

        def do(prefix, *lines):
            for line in lines:
                subprocess.run([*prefix, *line.split()], check=True)
        do(self.enter(), f"ip link add up0 type veth peer name up1 netns {far.pid}",
           f"ip address add {HOST}/24 dev up0", f"ip address add {HOST_PRIVATE}/24 dev lo",
           f"ip address add {HOST_6[0]}/64 dev up0 nodad", f"ip address add {HOST_6[1]}/128 dev lo",
           "ip link set up0 up", f"ip route add default via {PUBLIC}",
           f"ip -6 route add default via {PUBLIC_6} dev up0")
        do(inside, "ip link set lo up", f"ip address add {PUBLIC}/24 dev up1", "ip link set up1 up",
           f"ip address add {PUBLIC_6}/64 dev up1 nodad",
           *(f"ip address add {address} dev lo" for address in (*ELSEWHERE, NAMED)))
        self.inside = inside
        self.start([*inside, "python3", "-c", SERVER])
        self.start(self.enter("python3", "-c", SERVER))
        self.start([*inside, "dnsmasq", "-k", "-C", "/dev/null", "--no-resolv", "--no-hosts",
                    f"--address=/{NAME}/{NAMED}", "--pid-file="])

    def words(self, *words, uid=UID):
        environment = [f"HOME={self.home}", f"XDG_RUNTIME_DIR={self.runtime}",
                       "PATH=/usr/local/bin:/usr/bin:/bin"]
        return self.enter("setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", "env",
                          "-i", "-C", "/", *environment, *map(str, words))

    def run(self, *words, uid=UID, check=True, timeout=120, input=b""):
        command = self.words(*words, uid=uid)
        done = subprocess.run(command, capture_output=True, input=input, timeout=timeout * PATIENCE)
        result = Result(list(map(str, words)), done.returncode, done.stdout, done.stderr, 0)
        return result.expect_status(0) if check else result

    def danchi(self, *words, **options):
        return self.run(f"{BUILD}/bin/danchi", "--session", "--allow-emulation", *words, **options)

    def out(self, *words, **options):
        return self.danchi(*words, **options).stdout.strip()

    def session_processes(self):
        """{pid: (uid as the host has it, command)} of what has the session's namespaces or its ids."""
        found = {}
        for path in glob.glob("/proc/[0-9]*"):
            try:
                uid = os.stat(path).st_uid
                with open(f"{path}/cmdline", "rb") as file:
                    words = file.read().decode(errors="replace").split("\0")
            except OSError:
                continue
            if not words[0]:
                continue  # a zombie
            if uid == UID or FIRST_SUBID <= uid < FIRST_SUBID + 65536:
                found[int(os.path.basename(path))] = (uid, " ".join(words))
        return found

    def pids(self, program):
        """Their uids, and pids, of the programs whose command line begins with it."""
        return {pid: uid for pid, (uid, command) in self.session_processes().items()
                if os.path.basename(command.split(" ")[0]).startswith(program)}

    def end(self):
        for pid in self.session_processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        wait_until(lambda: not self.session_processes(), "the user's processes have ended")
        for process in reversed(self.processes):
            process.kill()
            process.wait()
            process.stdout.close()
        for path in self.home, self.place:
            shutil.rmtree(path, ignore_errors=True)
