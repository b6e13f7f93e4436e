# SPDX-License-Identifier: Apache-2.0
"""The programs of the compatibility test: what each is given, and how it shows that it works.

A check gets the machine and the running container's name; what it returns is printed.  Programs
that run to their end have no check: they print "done" and exit with 0.
"""

import contextlib
import socket
import urllib.request

import rfb
from machine import PATIENCE, expect, expect_equal, wait_until


# Ports of this host's loopback.
WEB, STORE, SCREEN = 18080, 16379, 15900


class Program:
    """archive: the image's, where it is another program's; profiles: the only ones it works under;
    volume: where it has one, whose data `again` finds after a restart."""

    def __init__(self, name, check=None, flags=(), command=(), seconds=90, image=None, archive=None,
                 profiles=None, in_ci=True, volume=None, again=None):
        self.name, self.check, self.seconds, self.in_ci = name, check, seconds, in_ci
        self.flags, self.command, self.profiles = list(flags), list(command), profiles
        self.volume, self.again = volume, again
        self.archive = archive or name
        self.image = image or f"docker.io/danchi/{self.archive}:compat"


def ask(machine, name, *command, words="", input=b""):
    """Executes until the answer has the words, as a server may still be starting."""
    def answer():
        flags = ["-i"] if input else []
        result = machine.danchi("exec", *flags, name, *command, input=input, check=False)
        last[0] = result.stdout + result.stderr
        expect(machine.state_of(name) == "running",
               f"it has ended: {machine.danchi('logs', name).stderr[-1500:]}")
        return result.status == 0 and words in result.stdout and (result.stdout or "no output")
    last = [""]
    try:
        return wait_until(answer, f"{' '.join(command)} says {words!r}", 60)
    except AssertionError as failure:
        logs = machine.danchi("logs", name, check=False)
        raise type(failure)(f"{failure}\nlast answer: {last[0][-500:]}\n"
                            f"log: {(logs.stdout + logs.stderr)[-1500:]}") from None


def check_nginx(machine, name):
    ask(machine, name, "busybox", "wget", "-qO-", "http://127.0.0.1:8080/", words="Danchi")


def check_nginx_published(machine, name):
    """From this host, by the port that was published: many clients on connections of their own."""
    check_nginx(machine, name)
    for _ in range(20):
        with urllib.request.urlopen(f"http://127.0.0.1:{WEB}/", timeout=20) as page:
            expect("Hello from a guest of its own" in page.read().decode(), "another page than nginx's")


def users_of(machine, name):
    """The effective users of a container's processes, the first one's first."""
    script = "cd /proc && for p in [0-9]*; do busybox sed -n 's/^Uid:.//p' $p/status; done"
    return [line.split()[1] for line in machine.out("exec", name, "busybox", "sh", "-c", script).splitlines()]


def check_nginx_as_root(machine, name):
    check_nginx(machine, name)
    users = users_of(machine, name)
    expect(users[0] == "0" and "101" in users, f"a master of root's and workers of www's: {users}")


def check_redis(machine, name):
    ask(machine, name, "redis-cli", "set", "key", "value", words="OK")
    ask(machine, name, "redis-cli", "get", "key", words="value")
    # Saving forks the whole server.
    ask(machine, name, "redis-cli", "save", words="OK")
    ask(machine, name, "redis-cli", "bgsave", words="Background saving started")


def check_redis_published(machine, name):
    check_redis(machine, name)
    value = bytes(range(256)) * 2048
    with socket.create_connection(("127.0.0.1", STORE), 20) as client:
        stream = client.makefile("rwb")
        stream.write(b"SET large 0\r\n*3\r\n$3\r\nSET\r\n$5\r\nlarge\r\n$%d\r\n%s\r\n" % (len(value), value)
                     + b"GET large\r\n")
        stream.flush()
        answers = [stream.readline() for _ in range(3)]
        expect_equal(answers, [b"+OK\r\n", b"+OK\r\n", b"$%d\r\n" % len(value)], "what redis answers")
        expect(stream.read(len(value)) == value, "another value than was stored")


def check_redis_again(machine, name):
    ask(machine, name, "redis-cli", "get", "key", words="value")
    ask(machine, name, "redis-cli", "info", "persistence", words="aof_enabled:1")


def check_browser(machine, name):
    """By VNC from this host: a screen on which the browser has drawn its page (R5.10)."""
    def has_page():
        expect(machine.state_of(name) == "running", machine.danchi("logs", name).stderr[-1500:])
        with contextlib.suppress(ConnectionError, TimeoutError):
            width, height, pixels = rfb.read_screen("127.0.0.1", SCREEN)
            expect_equal((width, height), (640, 480), "the screen's size")
            return pixels.count(rfb.pixel(0x2a, 0x7f, 0x62)) > width * height // 2
        return False
    wait_until(has_page, "the page's green is on most of the screen", 60)


def check_memcached(machine, name):
    ask(machine, name, "busybox", "nc", "-w", "5", "127.0.0.1", "11211", words="VALUE k 0 5",
        input=b"set k 0 0 5\r\nhello\r\nget k\r\nquit\r\n")


def check_haproxy(machine, name):
    machine.danchi("exec", "-d", name, "busybox", "httpd", "-f", "-p", "127.0.0.1:8081", "-h",
                   "/srv/www")
    ask(machine, name, "busybox", "wget", "-qO-", "http://127.0.0.1/", words="from behind haproxy")


def check_postgresql(machine, name):
    psql = ["psql", "-U", "postgres", "-h", "/tmp", "-d", "postgres", "-tA", "-c"]
    ask(machine, name, *psql, "create table if not exists t (n int primary key, x text)",
        words="CREATE TABLE")
    ask(machine, name, *psql, "insert into t select g, md5(g::text) from generate_series(1, 1000) g",
        words="INSERT 0 1000")
    ask(machine, name, *psql, "select count(*), max(n) from t where x ~ '^[0-9a-f]+$'",
        words="1000|1000")
    ask(machine, name, "psql", "-U", "postgres", "-h", "127.0.0.1", "-d", "postgres", "-tA", "-c", "checkpoint",
        words="CHECKPOINT")


def check_postgresql_again(machine, name):
    psql = ["psql", "-U", "postgres", "-h", "/tmp", "-d", "postgres", "-tA", "-c"]
    ask(machine, name, *psql, "select count(*), max(n) from t where x ~ '^[0-9a-f]+$'",
        words="1000|1000")
    ask(machine, name, *psql, "insert into t select g, md5(g::text) from generate_series(1001, 1010) g",
        words="INSERT 0 10")


def check_postgresql_as_root(machine, name):
    check_postgresql(machine, name)
    expect_equal(users_of(machine, name)[0], "105", "the user that root became")


def check_mariadb(machine, name):
    client = ["mariadb", "--no-defaults", "-S", "/tmp/mysql.sock", "-N", "-e"]
    ask(machine, name, *client, "create database if not exists d; create table if not exists d.t "
        "(n int primary key, x varchar(40)) engine=innodb")
    ask(machine, name, *client, "use d; insert into t select seq, md5(seq) from seq_1_to_1000")
    found = ask(machine, name, *client, "select count(*), max(n) from d.t", words="1000")
    expect_equal(found.split(), ["1000", "1000"], "rows and the highest")


ALL = [
    Program("nginx", check_nginx_published, image="docker.io/danchi/nginx:demo", flags=["-p", f"{WEB}:8080"]),
    # The image's own command listens on the loopback alone.
    Program("redis", check_redis_published, image="docker.io/danchi/redis:demo", flags=["-p", f"{STORE}:6379"],
            command=["/usr/bin/redis-server", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "",
                     "--appendonly", "no", "--dir", "/tmp"]),
    # Its data on a disk that outlives it: what the image has in /data, its owner, comes there first.
    Program("redis-on-a-volume", check_redis, image="docker.io/danchi/redis:demo", archive="redis",
            volume="/data:size=64m", again=check_redis_again, profiles=["strict"],
            command=["/usr/bin/redis-server", "--bind", "127.0.0.1", "--appendonly", "yes", "--dir", "/data"]),
    Program("browser", check_browser, flags=["-p", f"{SCREEN}:5900", "-m", "256m"], profiles=["strict"]),
    Program("memcached", check_memcached),
    Program("haproxy", check_haproxy),
    Program("python3"),
    Program("git"),
    Program("nodejs", flags=["-m", "384m"], seconds=240, in_ci=False),
    Program("openjdk", flags=["-m", "512m"], seconds=400, in_ci=False),
    Program("postgresql", check_postgresql, seconds=300, in_ci=False,
            flags=["-m", "320m", "--tmpfs", "/var/lib/postgresql/data:size=200m,mode=1777"]),
    Program("postgresql-on-a-volume", check_postgresql, archive="postgresql", seconds=300, in_ci=False,
            flags=["-m", "320m"], volume="/var/lib/postgresql/data:size=256m", again=check_postgresql_again,
            profiles=["strict"]),
    # Started as root, as images written for Docker are, to become another user: `standard` is for them.
    Program("nginx-as-root", check_nginx_as_root, image="docker.io/danchi/nginx:demo", archive="nginx",
            flags=["--user", "0"], command=["/usr/sbin/nginx", "-g", "user www;"], profiles=["standard"]),
    Program("postgresql-as-root", check_postgresql_as_root, archive="postgresql", seconds=300,
            flags=["--user", "0", "-m", "384m"], profiles=["standard"], in_ci=False,
            command=["sh", "-c", "mkdir -p /var/lib/postgresql/data && chown postgres /var/lib/postgresql/data"
                     " && exec busybox su -s /usr/bin/sh postgres /srv/work-postgresql.sh"]),
    Program("mariadb", check_mariadb, seconds=300, in_ci=False,
            flags=["-m", "320m", "--tmpfs", "/var/lib/mysql:size=200m,mode=1777"]),
]


def timeout_of(program):
    return program.seconds * PATIENCE
