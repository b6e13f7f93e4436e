#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is allowed works, with real programs at both ends: a guest's kernel and clients behind a tap of
danchi-gateway's; nginx, redis and unbound of the small internet, or in another guest; danchi-resolver
and danchi-publish in between, on sockets that the gateway made.

    tests/tools/cell.sh tests/network/test-servers.py [WORD...]
"""

import contextlib
import http.client
import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import dns  # noqa: E402
import publish  # noqa: E402
from gateway import Gateway, rule  # noqa: E402
from harness import main, test  # noqa: E402
from resolver import GATEWAY, Resolver, allow  # noqa: E402
from servers import LARGE, NAMES, PAGE, REDIS, WEB, Servers, command  # noqa: E402
from stack import Guest  # noqa: E402
from wire import Internet, inside, output  # noqa: E402

# danchi-resolver's and danchi-publish's uid in the tests.
SLOT = publish.UID - 200001
PUBLIC4, OTHER4, PUBLIC6 = Internet.PUBLIC[0], Internet.PUBLIC[1], Internet.PUBLIC[2]
UPSTREAM = (PUBLIC4, NAMES)


class World:
    def __init__(self):
        self.internet = Internet()
        self.gateway = Gateway()
        self.servers = Servers("internet", Internet.PUBLIC, (PUBLIC4, OTHER4, PUBLIC6))
        self.servers.__enter__()
        self.guests = []

    @contextlib.contextmanager
    def fresh(self):
        try:
            yield self
        finally:
            for guest in self.guests:
                guest.close()
            self.guests.clear()
            for slot in self.gateway.slots():
                self.gateway.close(slot)
        assert "danchi" not in output("nft", "list", "tables")

    def guest(self, slot=SLOT, **options):
        made = Guest(self.gateway.open(slot, **options), f"guest{slot}")
        self.guests.append(made)
        return made

    def end(self):
        self.servers.__exit__()
        self.gateway.stop()
        self.internet.end()


def fetch(place, port=WEB, path="/", timeout=10):
    connection = http.client.HTTPConnection(place, port, timeout=timeout)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.status == 200, response.status
        return response.read()
    finally:
        connection.close()


def how_it_fails(place, port, seconds=3):
    """"refused", "prohibited" (ICMP's word for it) or "silent"; "open" where it does not fail."""
    try:
        with socket.create_connection((place, port), seconds):
            return "open"
    except ConnectionRefusedError:
        return "refused"
    except TimeoutError:
        return "silent"
    except OSError:
        return "prohibited"


@contextlib.contextmanager
def redis(place, port=REDIS):
    with socket.create_connection((place, port), 10) as connected:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = connected.makefile("rwb", buffering=1 << 20)
        yield Redis(reader)
        reader.close()


class Redis:
    def __init__(self, stream):
        self.raw, self.stream = stream, stream

    def __call__(self, *words):
        return command(self, *words)

    def readline(self):
        self.stream.flush()
        return self.stream.readline()

    def read(self, size):
        return self.stream.read(size)


class TapResolver(Resolver):
    """On the guest's tap; what it asks of the gateway is asked of the real one."""

    def __init__(self, world, plan, rules=(), public=True):
        self.world, self.plan = world, plan
        super().__init__([UPSTREAM], rules, public=public, gateway=False)
        pins = world.gateway.pin(plan.slot, [UPSTREAM])
        self.tell(GATEWAY, b"", pins.fileno())
        pins.close()
        self.tell_table(rules, servers=1, public=public)

    def bind_all(self):
        wishes = [(True, address, protocol, 53) for protocol in (17, 6) for address in ("0.0.0.0", "::")]
        self.udp4, self.udp6, self.tcp4, self.tcp6 = self.world.gateway.listen(wishes, self.plan.slot)
        for one in self.udp4, self.udp6, self.tcp4, self.tcp6:
            one.setblocking(False)
        self.address = (str(self.plan.gateway4), 53)


@contextlib.contextmanager
def resolver(world, guest, **how):
    made = TapResolver(world, guest.plan, **how)
    try:
        yield made
    except BaseException:
        made.process.kill()
        made.process.wait()
        raise
    made.end()


class TapPublisher(publish.Publisher):
    """With the gateway's sockets, as danchid gives them."""

    def __init__(self, gateway):
        self.gateway = gateway
        super().__init__()

    def dial(self, is_udp, family, count):
        made = []
        for at in range(0, count, publish.FDS_MAX):
            made += self.gateway.reach(SLOT, family, 17 if is_udp else 6, min(publish.FDS_MAX, count - at))
        return made

    def listen(self, bound, host_port, kind, backlog):
        return self.gateway.listen([(False, bound, 17 if kind == socket.SOCK_DGRAM else 6, host_port)])[0]


@test("network: egress")
def a_guest_has_pages_and_files_of_nginx_over_both_families(world):
    guest = world.guest(internet=True)
    with inside(guest.name):
        for place in (PUBLIC4, OTHER4, PUBLIC6):
            assert fetch(place) == PAGE, place
            assert fetch(place, path="/large") == LARGE, place
        kept = http.client.HTTPConnection(PUBLIC4, WEB, timeout=10)
        for _ in range(50):  # on one connection
            kept.request("GET", "/")
            assert kept.getresponse().read() == PAGE
        kept.close()
    got = []

    def one():
        with inside(guest.name):
            got.append(fetch(PUBLIC6, path="/large") == LARGE)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [True] * 8, got


@test("network: egress")
def a_guest_works_with_redis_in_large_values_pipelines_and_subscriptions(world):
    guest = world.guest(internet=True)
    with inside(guest.name), redis(PUBLIC4) as first, redis(PUBLIC6) as second:
        assert first(b"SET", b"large", LARGE[:1 << 20]) == b"OK"
        assert second(b"GET", b"large") == LARGE[:1 << 20]
        for _ in range(2000):
            first.raw.write(b"*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n")
        assert [int(first.readline()[1:]) for _ in range(2000)] == list(range(1, 2001))
        assert second(b"SUBSCRIBE", b"news") == [b"subscribe", b"news", 1]
        assert first(b"PUBLISH", b"news", b"hello") == 1
        second.raw.write(b"*1\r\n$4\r\nPING\r\n")  # of a subscriber: a message as well
        assert second.readline() == b"*3\r\n"


@test("network: allow", "network: deny")
def rules_of_ports_and_blocks_hold_for_real_clients(world):
    first = world.guest(rules=[rule(True, f"{PUBLIC4}/32", 6, (REDIS, REDIS)),
                               rule(True, f"{PUBLIC6}/128", 6, (WEB, WEB))])
    second = world.guest(7, internet=True, rules=[rule(False, f"{PUBLIC4}/32", 6, (REDIS, REDIS))])
    with inside(first.name):
        with redis(PUBLIC4) as client:
            assert client(b"PING") == b"PONG"
        assert fetch(PUBLIC6) == PAGE
        for place, port in ((PUBLIC4, WEB), (PUBLIC6, REDIS), (OTHER4, REDIS), (OTHER4, WEB)):
            assert how_it_fails(place, port) in ("refused", "prohibited"), (place, port)
    with inside(second.name):
        assert how_it_fails(PUBLIC4, REDIS) in ("refused", "prohibited")
        assert fetch(PUBLIC4) == PAGE
        with redis(OTHER4) as client:
            assert client(b"PING") == b"PONG"


@test("network: bandwidth")
def bandwidth_holds_for_a_real_transfer(world):
    guest = world.guest(internet=True, ingress_kbit=16000)
    with inside(guest.name):
        begun = time.monotonic()
        assert fetch(PUBLIC4, path="/large", timeout=60) == LARGE
        taken = time.monotonic() - begun
    # 32 Mbit; a second's worth may come at once.
    assert 0.8 < taken < 30, taken


@test("network: names")
def unbound_s_names_reach_a_guest_by_its_resolver(world):
    guest = world.guest(internet=True, resolver=True)
    with resolver(world, guest) as r, inside(guest.name):
        for server in ((str(guest.plan.gateway4), 53), (str(guest.plan.gateway6), 53)):
            for ask in dns.ask_udp, dns.ask_tcp:
                assert ask(server, dns.query("www.real.example")).values(dns.A) == [PUBLIC4]
                assert ask(server, dns.query("www.real.example", dns.AAAA)).values(dns.AAAA) == [PUBLIC6]
        found = r.ask("alias.real.example")
        assert found.values(dns.CNAME) == ["second.real.example", "www.real.example"], found.records
        assert found.values(dns.A) == [PUBLIC4]
        assert len(r.ask("real.example", dns.MX).records) == 1
        assert len(r.ask("_web._tcp.real.example", dns.SRV).records) == 1
        # More than a datagram holds: cut for the guest, and whole over TCP at both ends.
        assert r.ask("big.real.example", dns.TXT).is_cut
        assert len(r.ask("big.real.example", dns.TXT, tcp=True).records[0][3]) == 15 * 201
        assert r.ask("none.real.example").rcode == dns.NXDOMAIN
        # Rebinding: private addresses of a public name are no answer.
        for name in "private", "trap":
            assert r.ask(f"{name}.real.example").values(dns.A) == [], name
            assert r.ask(f"{name}.real.example", dns.AAAA).values(dns.AAAA) == [], name
        assert r.ask("mixed.real.example").values(dns.A) == [PUBLIC4]
        assert r.probe()["rebound"] > 0
        # With all that is public the server is there to be asked, too.
        assert dns.ask_udp(UPSTREAM, dns.query("www.real.example")).values(dns.A) == [PUBLIC4]


@test("network: names")
def a_name_that_is_allowed_is_open_once_it_is_resolved_and_no_other(world):
    guest = world.guest(resolver=True, rules=[rule(True, protocol=6, ports=(WEB, WEB), listed=1)])
    with resolver(world, guest, rules=[allow("www.real.example")]) as r, inside(guest.name):
        assert how_it_fails(PUBLIC4, WEB) in ("refused", "prohibited")
        found = r.ask("www.real.example").values(dns.A)
        assert found == [PUBLIC4]
        assert fetch(found[0]) == PAGE
        assert fetch(found[0], path="/large") == LARGE
        assert how_it_fails(found[0], REDIS) in ("refused", "prohibited")
        assert r.ask("other.real.example").rcode == dns.NXDOMAIN
        assert how_it_fails(OTHER4, WEB) in ("refused", "prohibited")
        assert how_it_fails(PUBLIC6, WEB) in ("refused", "prohibited")
        assert r.ask("www.real.example", dns.AAAA).values(dns.AAAA) == [PUBLIC6]
        assert fetch(PUBLIC6) == PAGE
        # Names are all that is allowed: the server of names is an address like others.
        assert how_it_fails(*UPSTREAM) in ("refused", "prohibited")


@test("network: NAME")
def members_of_a_tenant_network_work_with_each_other_s_servers(world):
    first, second, stranger = world.guest(0, group=7), world.guest(1, group=7), world.guest(2, group=8)
    world.gateway.members(7, [(1, 0, 6, REDIS, REDIS)])
    with Servers(second.name, [second.address4, second.address6]):
        for place in second.address4, second.address6:
            with inside(first.name), redis(place) as client:
                assert client(b"SET", place.encode(), LARGE[:1 << 20]) == b"OK"
                assert client(b"GET", place.encode()) == LARGE[:1 << 20]
            with inside(first.name):
                assert how_it_fails(place, WEB) in ("refused", "prohibited"), place
            with inside(stranger.name):
                assert how_it_fails(place, REDIS) in ("refused", "prohibited"), place
            assert how_it_fails(place, REDIS, 1) != "open", f"the host reaches {place}"
        with inside("internet"):
            assert how_it_fails(second.address4, REDIS, 1) != "open", "the internet reaches a guest"


@test("publish")
def published_servers_of_a_guest_are_reached_by_their_ports_alone(world):
    guest = world.guest()
    with Servers(guest.name, [guest.address4]), TapPublisher(world.gateway) as publisher:
        place, port = publisher.add(guest.address4, WEB)
        assert fetch(place, port) == PAGE
        assert fetch(place, port, "/large") == LARGE
        six, port6 = publisher.add(guest.address4, WEB, bound="::1", container="d" * 32)
        assert fetch(six, port6, "/large") == LARGE
        place, port = publisher.add(guest.address4, REDIS, bound=Internet.HOST[0], container="e" * 32)
        # From the internet, by the host's own address.
        with inside("internet"):
            with redis(place, port) as client:
                assert client(b"SET", b"k", LARGE[:1 << 20]) == b"OK"
                assert client(b"GET", b"k") == LARGE[:1 << 20]
            assert how_it_fails(Internet.HOST[0], WEB, 1) != "open"
        assert how_it_fails(guest.address4, WEB, 1) != "open", "the host reaches the guest besides"
        publisher.end()


if __name__ == "__main__":
    sys.exit(main(World))
