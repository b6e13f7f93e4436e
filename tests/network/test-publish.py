#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""danchi-publish between clients and containers, without a guest: a network namespace stands for it.

Prints TAP.
"""

import errno
import hashlib
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import publish as pub  # noqa: E402
from publish import GUEST4, GUEST6, Publisher, echo, echo_datagrams, in_guest, listen, serve  # noqa: E402

TESTS = []
UDP = socket.SOCK_DGRAM


def test(function):
    TESTS.append(function)
    return function


def connect(where, timeout=10):
    return socket.create_connection(where, timeout)


def ask(where, text=b"hello"):
    with connect(where) as client:
        client.sendall(text)
        return read(client, len(text))


def read(client, size):
    data = bytearray()
    while len(data) < size and (more := client.recv(min(size - len(data), 1 << 20))):
        data += more
    return bytes(data)


def is_reset(client):
    try:
        return client.recv(1) is None
    except ConnectionResetError:
        return True


def until(is_so, seconds=5):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it does not come to be"
        time.sleep(0.01)


def udp(where, text, client=None):
    made = client or socket.socket(socket.AF_INET6 if ":" in where[0] else socket.AF_INET, UDP)
    made.settimeout(3)
    made.sendto(text, where)
    return made.recvfrom(65536)


@test
def tcp_reaches_a_container_from_both_loopbacks():
    with Publisher() as publisher:
        port = serve(GUEST4, echo)
        four = publisher.add(GUEST4, port)
        six = publisher.add(GUEST4, port, "::1")
        assert ask(four) == b"hello"
        assert ask(six) == b"hello"
        assert publisher.ports()[four[1]]["total"] == 1


@test
def a_container_is_reached_by_ipv6_too():
    with Publisher() as publisher:
        where = publisher.add(GUEST6, serve(GUEST6, echo))
        assert ask(where) == b"hello"


@test
def the_container_sees_the_gateway_as_the_source():
    seen = []
    with Publisher() as publisher:
        where = publisher.add(GUEST4, serve(GUEST4, lambda c: (seen.append(c.getpeername()[0]), echo(c))))
        assert ask(where) == b"hello"
    assert seen == [pub.HOST4], seen


@test
def each_side_may_say_all_it_has_to_say_and_go_on_listening():
    def answer_at_the_end(connection):
        data = b""
        while more := connection.recv(65536):
            data += more
        connection.sendall(hashlib.sha256(data).digest())

    def speak_first(connection):
        connection.sendall(b"all")
        connection.shutdown(socket.SHUT_WR)
        assert read(connection, 5) == b"later"
        done.set()

    done = threading.Event()
    with Publisher() as publisher:
        where = publisher.add(GUEST4, serve(GUEST4, answer_at_the_end))
        sent = os.urandom(3_000_000)
        with connect(where) as client:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            assert read(client, 32) == hashlib.sha256(sent).digest()
            assert client.recv(1) == b""
        where = publisher.add(GUEST4, serve(GUEST4, speak_first))
        with connect(where) as client:
            assert read(client, 4) == b"all"
            client.sendall(b"later")
            assert done.wait(5)


@test
def bytes_arrive_whole_in_both_directions_at_once():
    sent = os.urandom(1 << 20) * 32
    with Publisher() as publisher:
        where = publisher.add(GUEST4, serve(GUEST4, echo))
        with connect(where) as client:
            def write():
                client.sendall(sent)
                client.shutdown(socket.SHUT_WR)
            threading.Thread(target=write, daemon=True).start()
            assert hashlib.sha256(read(client, len(sent))).digest() == hashlib.sha256(sent).digest()
            assert client.recv(1) == b""
        row = publisher.ports()[where[1]]
        assert (row["bytes_in"], row["bytes_out"]) == (len(sent), len(sent)), row


@test
def nobody_listens_is_a_reset_and_counted():
    with Publisher() as publisher:
        where = publisher.add(GUEST4, 9)
        for _ in range(3):
            try:
                with connect(where) as client:
                    assert is_reset(client)
            except ConnectionResetError:
                pass  # it was over before it had begun
        assert publisher.ports()[where[1]]["refused"] == 3


@test
def a_container_that_does_not_answer_costs_its_client_a_while():
    subprocess.run(["ip", "-n", "guest", "route", "add", "blackhole", "192.0.2.0/24"], check=True)
    subprocess.run(["ip", "route", "add", "192.0.2.0/24", "via", GUEST4], check=True)
    with Publisher("--connect-s", "1") as publisher:
        where = publisher.add("192.0.2.1", 80)
        with connect(where) as client:
            start = time.monotonic()
            assert is_reset(client)
            assert 0.9 < time.monotonic() - start < 4


@test
def a_reset_is_passed_on_both_ways():
    def reset(connection):
        connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def wait_for_reset(connection):
        connection.sendall(b"x")
        if is_reset(connection):
            seen.set()

    seen = threading.Event()
    with Publisher() as publisher:
        where = publisher.add(GUEST4, serve(GUEST4, reset))
        with connect(where) as client:
            client.sendall(b"x")
            assert is_reset(client)
        where = publisher.add(GUEST4, serve(GUEST4, wait_for_reset))
        client = connect(where)
        assert read(client, 1) == b"x"
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        assert seen.wait(5)


@test
def two_thousand_connections_are_open_at_once_and_leave_nothing():
    with Publisher() as publisher:
        where = publisher.add(GUEST4, serve(GUEST4, echo))
        assert ask(where) == b"hello"
        before = publisher.fds()
        clients = [connect(where) for _ in range(2000)]
        for number, client in enumerate(clients):
            client.sendall(b"%08d" % number)
        for number, client in enumerate(clients):
            assert read(client, 8) == b"%08d" % number
        assert publisher.ports()[where[1]]["now"] == 2000
        for client in clients:
            client.close()
        until(lambda: publisher.ports()[where[1]]["now"] == 0)
        until(lambda: publisher.fds() <= before + 2000 and publisher.dials < 2200)
        # And those sockets serve again: nothing new is asked for.
        given = publisher.dials
        for _ in range(500):
            assert ask(where) == b"hello"
        assert publisher.dials == given, (publisher.dials, given)


@test
def one_who_does_not_read_stalls_only_itself():
    def pour(connection):
        block = b"x" * 65536
        while True:
            connection.sendall(block)
            sent[0] += len(block)

    sent = [0]
    with Publisher() as publisher:
        poured = publisher.add(GUEST4, serve(GUEST4, pour))
        echoed = publisher.add(GUEST4, serve(GUEST4, echo))
        slow = [connect(poured) for _ in range(20)]
        stalled = -1
        while stalled != sent[0]:  # until all buffers on the way are full
            stalled = sent[0]
            time.sleep(0.3)
        start = time.monotonic()
        for _ in range(100):
            assert ask(echoed) == b"hello"
        assert time.monotonic() - start < 3
        assert sent[0] - stalled < 1 << 20, "it goes on reading for somebody who does not"
        # The pipes of those that stall are bounded, and nothing is kept in its own memory.
        assert int(publisher.status()["VmRSS"].split()[0]) < 16384
        assert read(slow[0], 1 << 20) == b"x" * (1 << 20)
        for client in slow:
            client.close()


@test
def a_flood_of_short_connections_leaves_no_descriptor():
    def flood():
        for _ in range(200):
            if ask(where, b"x") != b"x":
                wrong.append(1)

    wrong = []
    with Publisher() as publisher:
        where = publisher.add(GUEST4, serve(GUEST4, echo))
        threads = [threading.Thread(target=flood) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        until(lambda: publisher.ports()[where[1]]["now"] == 0)
        assert publisher.ports()[where[1]]["total"] == 1200
        assert publisher.dials <= 256, publisher.dials
        assert publisher.fds() < 300


@test
def beyond_its_limit_a_client_waits_for_a_place():
    with Publisher("--connections", "16") as publisher:
        first = publisher.add(GUEST4, serve(GUEST4, echo))
        second = publisher.add(GUEST4, serve(GUEST4, echo))
        kept = [connect(first) for _ in range(12)]
        for client in kept:
            client.sendall(b"x")
            assert read(client, 1) == b"x"
        late = connect(first)
        late.settimeout(0.5)
        late.sendall(b"y")
        try:
            assert late.recv(1) is None, "more than the port's limit"
        except TimeoutError:
            pass
        assert ask(second) == b"hello", "one port took what all have"
        kept.pop().close()
        late.settimeout(5)
        assert read(late, 1) == b"y"


@test
def idle_and_half_closed_connections_end():
    with Publisher("--idle-s", "2", "--half-closed-s", "1") as publisher:
        where = publisher.add(GUEST4, serve(GUEST4, lambda c: (read(c, 100), time.sleep(60))))
        idle, half = connect(where), connect(where)
        half.shutdown(socket.SHUT_WR)
        start = time.monotonic()
        assert is_reset(half)
        assert time.monotonic() - start < 3.5
        assert is_reset(idle)
        assert time.monotonic() - start < 5


@test
def udp_is_echoed_by_ipv4_and_ipv6():
    with Publisher() as publisher:
        four = publisher.add(GUEST4, serve(GUEST4, echo_datagrams, UDP), kind=UDP)
        six = publisher.add(GUEST6, serve(GUEST6, echo_datagrams, UDP), "::1", UDP)
        mixed = publisher.add(GUEST4, serve(GUEST4, echo_datagrams, UDP), "::1", UDP)
        for where in (four, six, mixed):
            # The first may meet an empty stock: UDP may lose.
            client = socket.socket(socket.AF_INET6 if ":" in where[0] else socket.AF_INET, UDP)
            for _ in range(20):
                try:
                    client.settimeout(0.2)
                    client.sendto(b"hello", where)
                    data, source = client.recvfrom(100)
                    break
                except TimeoutError:
                    pass
            assert (data, source[:2]) == (b"hello", where[:2])
            large = os.urandom(8000)
            assert udp(where, large, client)[0] == large


@test
def an_answer_comes_from_the_address_that_was_asked():
    with Publisher() as publisher:
        where = publisher.add(GUEST4, serve(GUEST4, echo_datagrams, UDP), "0.0.0.0", UDP)
        until(lambda: publisher.dials > 0)
        for address in ("127.0.0.1", "127.0.0.9", pub.HOST4):
            assert udp((address, where[1]), b"x") == (b"x", (address, where[1]))


@test
def udp_clients_are_told_apart_and_forgotten():
    seen = []

    def note(server):
        while True:
            data, client = server.recvfrom(100)
            seen.append(client[1])
            if data != b"no answer":
                server.sendto(data, client)

    with Publisher("--flow-new-s", "1", "--flow-s", "2") as publisher:
        where = publisher.add(GUEST4, serve(GUEST4, note, UDP), kind=UDP)
        until(lambda: publisher.dials > 0)
        one, other = (socket.socket(socket.AF_INET, UDP) for _ in range(2))
        for client, text in ((one, b"1"), (other, b"2"), (one, b"3")):
            assert udp(where, text, client)[0] == text
        assert seen[0] == seen[2] != seen[1], seen
        silent = socket.socket(socket.AF_INET, UDP)
        silent.sendto(b"no answer", where)
        until(lambda: publisher.ports()[where[1]]["now"] == 3, 1)
        until(lambda: publisher.ports()[where[1]]["now"] == 2, 3)
        until(lambda: publisher.ports()[where[1]]["now"] == 0, 4)


@test
def a_flood_of_udp_clients_takes_no_place_from_those_who_are_answered():
    with Publisher("--flows", "64") as publisher:
        where = publisher.add(GUEST4, serve(GUEST4, lambda s: [s.sendto(d, c) for d, c in iter(
            lambda: s.recvfrom(100), None) if d != b"flood"], UDP), kind=UDP)
        until(lambda: publisher.dials > 0)
        kept = socket.socket(socket.AF_INET, UDP)
        assert udp(where, b"kept", kept)[0] == b"kept"
        flood = [socket.socket(socket.AF_INET, UDP) for _ in range(300)]
        for client in flood:
            client.sendto(b"flood", where)
        until(lambda: publisher.ports()[where[1]]["refused"] > 100)
        assert publisher.ports()[where[1]]["now"] <= 33
        assert udp(where, b"still", kept)[0] == b"still"
        time.sleep(1.1)  # what was never answered may now be replaced
        assert udp(where, b"new")[0] == b"new"
        assert publisher.dials <= 64


@test
def udp_to_nobody_is_silence_and_no_loop():
    with Publisher() as publisher:
        where = publisher.add(GUEST4, 9, kind=UDP)
        until(lambda: publisher.dials > 0)
        client = socket.socket(socket.AF_INET, UDP)
        for _ in range(5):
            client.sendto(b"x", where)
            time.sleep(0.02)
        until(lambda: publisher.ports()[where[1]]["refused"] > 0)
        with open(f"/proc/{publisher.process.pid}/stat") as file:
            before = int(file.read().split()[13])
        time.sleep(0.3)
        with open(f"/proc/{publisher.process.pid}/stat") as file:
            assert int(file.read().split()[13]) - before < 10


@test
def a_removed_port_is_closed_with_all_that_is_open_on_it():
    with Publisher() as publisher:
        gone = publisher.add(GUEST4, serve(GUEST4, echo), container="a" * 32)
        stays = publisher.add(GUEST4, serve(GUEST4, echo), container="b" * 32)
        client = connect(gone)
        client.sendall(b"x")
        assert read(client, 1) == b"x"
        publisher.remove("a" * 32)
        assert is_reset(client)
        try:
            connect(gone)
            assert False, "it still listens"
        except ConnectionRefusedError:
            pass
        assert ask(stays) == b"hello"
        assert [row["container"] for row in publisher.ports().values()] == ["b" * 32]
        listen("127.0.0.1", gone[1]).close()


@test
def it_serves_without_danchid_and_finds_its_way_back():
    with Publisher() as publisher:
        where = publisher.add(GUEST4, serve(GUEST4, echo))
        client = connect(where)
        client.sendall(b"1")
        assert read(client, 1) == b"1"
        publisher.control.close()
        client.sendall(b"2")
        assert read(client, 1) == b"2"
        for _ in range(40):
            assert ask(where) == b"hello"
        # More at once than it has sockets for: they wait, and are served when danchid is back.
        many = [connect(where) for _ in range(200)]
        for one in many:
            one.sendall(b"m")
        publisher.connect()
        for one in many:
            assert read(one, 1) == b"m"
        assert publisher.ports()[where[1]]["now"] == 201
        client.sendall(b"3")
        assert read(client, 1) == b"3"


@test
def killed_it_leaves_nothing_bound():
    with Publisher() as publisher:
        where = publisher.add(GUEST4, serve(GUEST4, echo))
        datagrams = publisher.add(GUEST4, serve(GUEST4, echo_datagrams, UDP), kind=UDP)
        client = connect(where)
        client.sendall(b"x")
        assert read(client, 1) == b"x"
        publisher.process.send_signal(signal.SIGKILL)
        publisher.process.wait()
        client.settimeout(5)
        try:
            assert client.recv(1) == b""
        except ConnectionResetError:
            pass
        listen("127.0.0.1", where[1]).close()
        listen("127.0.0.1", datagrams[1], UDP).close()


@test
def it_has_no_right_and_no_way_but_to_its_guest():
    with Publisher() as publisher:
        where = publisher.add(GUEST4, serve(GUEST4, echo))
        assert ask(where) == b"hello"
        status = publisher.status()
        assert status["Uid"].split() == [str(pub.UID)] * 4
        assert status["Gid"].split() == [str(pub.UID)] * 4
        assert status["Groups"].strip() == ""
        for caps in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert status[caps] == "0" * 16
        assert (status["NoNewPrivs"], status["Seccomp"], status["Threads"]) == ("1", "2", "1")
        assert os.listdir(f"/proc/{publisher.process.pid}/root/") == []
        ours = os.readlink("/proc/self/ns/net")
        assert os.readlink(f"/proc/{publisher.process.pid}/ns/net") != ours
        # The host's own services: its sockets do not get there, whatever danchid says.  (The address
        # of the tap itself is closed to it by the gateway's rules, see there.)
        with listen("127.0.0.1") as service:
            where = publisher.add("127.0.0.1", service.getsockname()[1])
            service.settimeout(1)
            with connect(where):
                try:
                    service.accept()
                    assert False, "it reaches the host"
                except TimeoutError:
                    pass


@test
def orders_that_are_none_close_their_connection_alone():
    orders = [b"", b"x", struct.pack(">HHII", 1, 0, 0, 0), struct.pack(">HHII", pub.ADD, 0, 0, 0),
              struct.pack(">HHII", pub.LIST, 0, 0, 9),
              struct.pack(">HHII", pub.LIST, 0, 0, 0), struct.pack(">HHII", pub.DONE, 0, 0, 4) + bytes(4),
              struct.pack(">HHII", pub.DIALS, 0, 0, 2) + b"\0\4", struct.pack(">HHII", pub.QUIT, 1, 0, 0),
              struct.pack(">HHII", pub.REMOVE, 0, 0, 60000), b"\xff" * 4000]
    with Publisher() as publisher:
        where = publisher.add(GUEST4, serve(GUEST4, echo))
        for order in orders:
            publisher.control.send(order)
            if order == b"":
                publisher.control.shutdown(socket.SHUT_WR)
            kind, _ = publisher.answer()
            assert kind is None, (order, kind)
            publisher.connect()
        assert ask(where) == b"hello"
        for bad in (dict(kind=UDP, as_tcp=True), dict(kind=socket.SOCK_STREAM, as_tcp=False)):
            with listen("127.0.0.1", kind=bad["kind"]) as made:
                publisher.send(pub.ADD, b"\0\1x" + struct.pack(
                    ">BB16sH", not bad["as_tcp"], 4, bytes(16), 80), [made])
                assert publisher.answer() == (pub.DONE, struct.pack(">I", errno.EINVAL))
        left, right = socket.socketpair()
        publisher.send(pub.ADD, b"\0\1x" + struct.pack(">BB16sH", 0, 4, bytes(16), 80), [left])
        assert publisher.answer()[0] == pub.DONE
        left.close()
        assert right.recv(1) == b"", "it keeps what it refused"
        publisher.end()


@test
def ports_are_limited_in_number():
    with Publisher() as publisher:
        refused = None
        for _ in range(600):
            try:
                publisher.add(GUEST4, 80, backlog=1)
            except OSError as problem:
                refused = problem
                break
        assert refused.errno == errno.ENOSPC, refused
        assert len(publisher.ports()) == 512


def main():
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    import resource
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    threading.excepthook = lambda problem: None if isinstance(problem.exc_value, OSError) else (
        sys.__excepthook__(problem.exc_type, problem.exc_value, problem.exc_traceback))
    pub.make_guest()
    status = run_tests()
    pub.remove_guest()
    sys.stdout.flush()
    os._exit(status)  # servers' threads wait for ever


def run_tests():
    wanted = [word for word in sys.argv[1:] if not word.startswith("-")]
    tests = [one for one in TESTS if not wanted or any(word in one.__name__ for word in wanted)]
    failed = 0
    print(f"1..{len(tests)}")
    for number, one in enumerate(tests, 1):
        start = time.monotonic()
        try:
            one()
            result = "ok"
        except Exception:  # a failed test, whatever its failure is
            print("# " + traceback.format_exc().replace("\n", "\n# "))
            result, failed = "not ok", failed + 1
        print(f"{result} {number} {one.__name__.replace('_', ' ')}", flush=True)
        if "--times" in sys.argv:
            print(f"# {time.monotonic() - start:.2f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    main()
