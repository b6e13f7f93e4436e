# SPDX-License-Identifier: Apache-2.0
"""Real servers of Debian's packages in a network namespace: nginx, redis, unbound.

They are unpacked and not installed (tests/images/rootfs.sh), since a package of a server starts it with
the machine; each runs by the loader and the libraries of that tree, which nobody writes to.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
TREE = os.path.join(TOP, "build", "network", "servers")
LOADER = os.path.join(TREE, "usr/lib64/ld-linux-x86-64.so.2")
LIBRARIES = ":".join(os.path.join(TREE, "usr/lib/x86_64-linux-gnu", more) for more in ("", "nginx/modules"))
WEB, REDIS, NAMES = 8081, 6379, 5353
PAGE = b"<!doctype html><title>a page of nginx</title>\n"
LARGE = bytes(range(256)) * 16384  # 4 MiB
ZONE = """$ORIGIN real.example.
$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A {public4}
www A {public4}
www AAAA {public6}
other A {other4}
alias CNAME second
second CNAME www
trap CNAME private
private A 10.1.1.1
private A 169.254.169.254
private AAAA fd00::1
mixed A 192.168.1.1
mixed A {public4}
@ MX 10 mail
_web._tcp SRV 1 2 8081 www
big TXT {big}
"""

NGINX = """daemon off; user root; worker_processes 1; pid {directory}/nginx.pid; error_log {directory}/nginx.log;
events {{ worker_connections 256; }}
http {{
  access_log off; keepalive_requests 100000;
  client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
  server {{ {listens} root {directory}/www; }}
}}
"""

UNBOUND = """server:
  directory: "{directory}"
  chroot: ""
  username: ""
  pidfile: ""
  do-daemonize: no
  use-syslog: no
  {listens}
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  module-config: "iterator"
remote-control:
  control-enable: no
auth-zone:
  name: "real.example"
  zonefile: "{directory}/zone"
  for-upstream: no
  for-downstream: yes
"""


def program(path, *words):
    """The words that run it."""
    return [LOADER, "--library-path", LIBRARIES, os.path.join(TREE, path), *words]


def command(reader, *words):
    """One of redis, as its clients write it; the answer as bytes, int, None, or an error's text."""
    reader.raw.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
    return answer(reader)


def answer(reader):
    line = reader.readline()
    assert line.endswith(b"\r\n"), line
    kind, rest = line[:1], line[1:-2]
    if kind == b":":
        return int(rest)
    if kind == b"$":
        return None if rest == b"-1" else reader.read(int(rest) + 2)[:-2]
    if kind == b"*":
        return [answer(reader) for _ in range(int(rest))]
    return rest if kind == b"+" else line.decode()


class Servers:
    """Those of one network namespace, on the given addresses.  with Servers(...): they answer."""

    def __init__(self, namespace, addresses, names=None):
        """names: (public IPv4, another, public IPv6): unbound answers, too."""
        self.namespace, self.addresses, self.names = namespace, addresses, names
        self.directory = tempfile.mkdtemp(prefix="servers-")
        os.chmod(self.directory, 0o755)
        self.processes = []

    def start(self, words):
        with open(os.path.join(self.directory, "log"), "ab") as log:
            self.processes.append(subprocess.Popen(["ip", "netns", "exec", self.namespace, *words],
                                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def write(self, name, content):
        path = os.path.join(self.directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return path

    def start_nginx(self):
        self.write("www/index.html", PAGE)
        self.write("www/large", LARGE)
        listens = " ".join(f"listen {f'[{one}]' if ':' in one else one}:{WEB};" for one in self.addresses)
        path = self.write("nginx.conf", NGINX.format(directory=self.directory, listens=listens))
        self.start(program("usr/sbin/nginx", "-p", self.directory, "-c", path, "-e", "stderr"))

    def start_redis(self):
        self.start(program("usr/bin/redis-server", "--port", str(REDIS), "--bind", *self.addresses, "--save", "",
                           "--appendonly", "no", "--protected-mode", "no", "--dir", self.directory))

    def start_unbound(self):
        public4, other4, public6 = self.names
        big = " ".join('"' + chr(97 + i) * 200 + '"' for i in range(15))
        self.write("zone", ZONE.format(public4=public4, other4=other4, public6=public6, big=big))
        listens = "\n  ".join(f"interface: {one}@{NAMES}" for one in self.addresses)
        path = self.write("unbound.conf", UNBOUND.format(directory=self.directory, listens=listens))
        self.start(program("usr/sbin/unbound", "-c", path))

    def said(self):
        text = ""
        for name in "log", "nginx.log":
            with contextlib.suppress(OSError), open(os.path.join(self.directory, name), errors="replace") as log:
                text += log.read()
        return text

    def wait(self, port):
        """Until it listens."""
        from wire import inside
        deadline = time.monotonic() + 20
        while True:
            with inside(self.namespace), contextlib.suppress(OSError), \
                    socket.create_connection((self.addresses[0], port), 1):
                return
            assert time.monotonic() < deadline, f"port {port}: {self.said()}"
            assert all(one.poll() is None for one in self.processes), self.said()
            time.sleep(0.02)

    def __enter__(self):
        try:
            self.start_nginx()
            self.start_redis()
            if self.names:
                self.start_unbound()
            for port in [WEB, REDIS] + ([NAMES] if self.names else []):
                self.wait(port)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(20)
        shutil.rmtree(self.directory)

