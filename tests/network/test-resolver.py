#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""danchi-resolver between a guest that asks and servers of names, without a guest: the real program,
dnsmasq, and servers that lie.  The gateway's end is the test's.

Prints TAP.
"""

import contextlib
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import dns  # noqa: E402
from dns import A, AAAA, CNAME, HTTPS, MX, NXDOMAIN, PTR, SERVFAIL, SRV, TXT  # noqa: E402
from resolver import (NAME, RULE, UID, UNNAME, Resolver, Server, allow, allow_block, container, deny)  # noqa: E402

TESTS = []
PUBLIC4, PUBLIC6 = "93.184.216.34", "2606:2800:220:1::1"
OTHER4 = "93.184.216.35"


def test(*demands):
    def keep(function):
        TESTS.append((function, demands))
        return function
    return keep


def start_dnsmasq():
    """A real server, for example.org and what is in it."""
    port = 5399
    records = [
        f"--host-record=www.example.org,{PUBLIC4},{PUBLIC6},60", "--cname=alias.example.org,www.example.org,60",
        "--cname=second.example.org,alias.example.org,60", f"--host-record=other.example.org,{OTHER4}",
        "--host-record=private.example.org,192.168.1.1,fd00::1", "--host-record=metadata.example.org,169.254.169.254",
        "--host-record=local.example.org,127.0.0.1,::1", "--mx-host=example.org,mail.example.org,10",
        "--srv-host=_sip._tcp.example.org,sip.example.org,5060,1,2", "--txt-record=example.org,v=spf1 -all",
        "--cname=trap.example.org,private.example.org", "--local=/example.org/",
        "--txt-record=big.example.org," + ",".join(chr(97 + i) * 200 for i in range(15)),
        f"--ptr-record=34.216.184.93.in-addr.arpa,www.example.org"]
    process = subprocess.Popen(
        ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", f"--port={port}",
         "--listen-address=127.0.0.1", "--bind-interfaces", "--pid-file", "--user=root", "--local-ttl=60",
         "--auth-ttl=60", *records], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = ("127.0.0.1", port)
    for _ in range(100):
        with contextlib.suppress(OSError):
            if dns.ask_udp(address, dns.query("www.example.org"), 0.2):
                return process, address
        time.sleep(0.05)
    raise RuntimeError("dnsmasq does not answer")


DNSMASQ = None


@contextlib.contextmanager
def resolver(*args, **how):
    """Any that does not end by itself, and as it should, fails the test."""
    made = Resolver(*args, **how)
    try:
        yield made
    except BaseException:
        made.process.kill()
        made.process.wait()
        with open(made.log, encoding="utf-8") as log:
            print("# " + log.read().replace("\n", "\n# "))
        raise
    made.end()


@contextlib.contextmanager
def server(respond, respond_tcp=None):
    made = Server(respond, respond_tcp)
    try:
        yield made
    finally:
        made.end()


@test("R5.13")
def names_are_asked_of_the_server_by_udp_and_tcp_and_both_families():
    with resolver([DNSMASQ]) as r:
        for tcp in (False, True):
            assert r.ask("www.example.org", tcp=tcp).values(A) == [PUBLIC4]
            assert r.ask("www.example.org", AAAA, tcp=tcp).values(AAAA) == [PUBLIC6]
        for message in (dns.ask_udp(r.address6, dns.query("www.example.org")),
                        dns.ask_tcp(r.address6, dns.query("WWW.example.ORG"))):
            assert message.values(A) == [PUBLIC4]
            assert message.number == 0x1234 and message.flags & 0x8580 == 0x8180
        assert message.questions == [("WWW.example.ORG", A, 1)], "the question comes back as it was asked"
        assert r.ask("www.example.org", edns=0).values(A) == [PUBLIC4]


@test()
def types_that_programs_need_are_handed_on_and_others_are_not():
    with resolver([DNSMASQ]) as r:
        assert len(r.ask("example.org", MX).records) == 1
        assert r.ask("_sip._tcp.example.org", SRV).records[0][3][:6] == struct.pack(">HHH", 1, 2, 5060)
        assert r.ask("example.org", TXT).records[0][3] == b"\x0bv=spf1 -all"
        assert r.ask("34.216.184.93.in-addr.arpa", PTR).values(PTR) == ["www.example.org"]
        assert r.ask("alias.example.org", CNAME).values(CNAME) == ["www.example.org"]
        asked = len(r.gateway.dials)
        for kind, rcode in ((dns.ANY, dns.NOTIMP), (dns.AXFR, dns.REFUSED), (251, dns.REFUSED), (dns.DS, dns.NOTIMP),
                            (dns.RRSIG, dns.NOTIMP), (99, dns.NOTIMP), (HTTPS, dns.NOERROR), (64, dns.NOERROR)):
            message = r.ask("www.example.org", kind)
            assert (message.rcode, message.records) == (rcode, []), kind
        assert r.ask("version.bind", TXT, klass=3).rcode == dns.REFUSED
        assert len(r.gateway.dials) == asked, "no server was asked"


@test()
def chains_of_aliases_are_whole_and_nothing_else_is_in_the_answer():
    def respond(asked, _peer):
        return [dns.answer(asked, [
            dns.record("a.example", CNAME, 50, dns.name("b.example")),
            dns.record("b.example", CNAME, 40, dns.name("C.example")),
            dns.record("c.EXAMPLE", A, 30, dns.address(PUBLIC4)),
            dns.record("bank.example", A, 30, dns.address(OTHER4)),
            dns.record("c.example", TXT, 30, b"\1x")],
            authority=[dns.record("example", dns.NS, 9, dns.name("ns.evil"))])]

    with server(respond) as s, resolver([DNSMASQ]) as r:
        message = r.ask("second.example.org")
        assert message.values(CNAME) == ["alias.example.org", "www.example.org"]
        assert message.values(A) == [PUBLIC4]
        r.gateway.servers[0] = s.address
        message = r.ask("a.example")
        assert [(n.lower(), k, t) for n, k, t, _ in message.records] == [
            ("a.example", CNAME, 50), ("b.example", CNAME, 40), ("c.example", A, 30)]
        assert message.authority == []


@test()
def what_is_not_there_is_told_and_kept_for_its_time():
    soa = dns.name("ns.example") + dns.name("root.example") + struct.pack(">IIIII", 1, 2, 3, 4, 5)

    def respond(asked, _peer):
        return [dns.answer(asked, rcode=NXDOMAIN, authority=[dns.record("example", dns.SOA, 900, soa)])]

    with server(respond) as s, resolver([s.address]) as r:
        for _ in range(2):
            message = r.ask("nothing.example")
            assert message.rcode == NXDOMAIN and message.records == []
            assert [(k, t) for _n, k, t, _v in message.authority] == [(dns.SOA, 5)]
        assert len(s.queries) == 1
        r.gateway.servers[0] = DNSMASQ
        assert r.ask("nothing.example.org").rcode == NXDOMAIN
        message = r.ask("example.org")
        assert message.rcode == 0 and message.records == []


@test()
def answers_are_kept_for_their_time_to_live_and_no_longer():
    def respond(asked, _peer):
        return [dns.answer(asked, [dns.record("a.example", A, 2, dns.address(PUBLIC4))])]

    with server(respond) as s, resolver([s.address]) as r:
        assert r.ask("a.example").records[0][2] == 2
        time.sleep(1.1)
        assert r.ask("A.EXAMPLE").records[0][2] == 1, "less by what has passed"
        assert len(s.queries) == 1
        time.sleep(1.1)
        assert r.ask("a.example").records[0][2] == 2
        assert len(s.queries) == 2
        assert r.ask("a.example", TXT).rcode == 0
        assert len(s.queries) == 3, "another type is another question"


@test()
def what_does_not_fit_a_datagram_is_cut_and_whole_over_tcp():
    with resolver([DNSMASQ]) as r:
        message = r.ask("big.example.org", TXT)
        assert message.is_cut and message.records == [] and message.size <= 1232
        message = r.ask("big.example.org", TXT, edns=0)
        assert message.is_cut and message.size <= 512
        message = r.ask("big.example.org", TXT, edns=65000)
        assert message.is_cut, "more than goes through every network is not sent, whatever the guest says"
        message = r.ask("big.example.org", TXT, tcp=True)
        assert not message.is_cut and len(message.records[0][3]) == 15 * 201
        assert r.gateway.dials[:2] == [(0, False), (0, True)]


@test()
def two_queries_on_one_connection_are_answered_in_turn():
    with resolver([DNSMASQ]) as r, socket.create_connection(r.address, timeout=6) as sock:
        messages = [dns.query("www.example.org", number=1), dns.query("other.example.org", number=2)]
        sock.sendall(b"".join(struct.pack(">H", len(m)) + m for m in messages))
        sock.shutdown(socket.SHUT_WR)
        answers = [dns.Message(dns.read_tcp(sock)) for _ in messages]
        assert [m.number for m in answers] == [1, 2]
        assert [m.values(A) for m in answers] == [[PUBLIC4], [OTHER4]]
        assert sock.recv(1) == b""


@test("R5.17")
def private_addresses_in_public_answers_are_dropped():
    with resolver([DNSMASQ]) as r:
        for name in ("private", "metadata", "local", "trap"):
            for kind in (A, AAAA):
                message = r.ask(f"{name}.example.org", kind)
                assert message.rcode == 0 and not message.values(A) + message.values(AAAA), name
        assert r.ask("private.example.org").ede == dns.FILTERED
        assert r.probe()["rebound"] >= 5
    everything = ["10.0.0.1", "172.16.0.1", "100.64.0.1", "127.0.0.1", "0.0.0.0", "169.254.169.254", "224.0.0.1",
                  "255.255.255.255", "192.0.2.1", PUBLIC4]

    def respond(asked, _peer):
        return [dns.answer(asked, [dns.record("mix.example", A, 9, dns.address(a)) for a in everything])]

    with server(respond) as s, resolver([s.address]) as r:
        assert r.ask("mix.example").values(A) == [PUBLIC4]


@test("R5.17")
def a_private_block_that_is_allowed_is_answered_and_nothing_that_never_opens():
    rules = [allow_block("192.168.0.0/16"), allow_block("fd00::/8"), allow_block("169.254.0.0/16")]
    with resolver([DNSMASQ], rules) as r:
        assert r.ask("private.example.org").values(A) == ["192.168.1.1"]
        assert r.ask("private.example.org", AAAA).values(AAAA) == ["fd00::1"]
        assert r.ask("metadata.example.org").values(A) == []
        assert r.gateway.pins == []


@test("R2.1", "R5.17")
def with_allowed_names_no_other_is_asked_of_a_server():
    with resolver([DNSMASQ], [allow("www.example.org"), allow("sub.example.org", below=True)]) as r:
        assert r.ask("www.example.org").values(A) == [PUBLIC4]
        dials = len(r.gateway.dials)
        for name in ("other.example.org", "sub.example.org", "a.www.example.org", "wwww.example.org",
                     "secret-data-of-the-guest.evil.example", "34.216.184.93.in-addr.arpa"):
            for kind in (A, AAAA, TXT, MX, PTR):
                message = r.ask(name, kind)
                assert (message.rcode, message.ede) == (NXDOMAIN, dns.PROHIBITED), name
        assert len(r.gateway.dials) == dials
        assert r.probe()["refused"] == 30
        r.ask("a.b.sub.example.org")
        assert len(r.gateway.dials) == dials + 1


@test("R2.1")
def a_denied_name_is_not_resolved_and_neither_is_an_alias_of_it():
    rules = [deny("www.example.org"), deny("below.example", below=True)]
    with resolver([DNSMASQ], rules) as r:
        for name in ("www.example.org", "alias.example.org", "second.example.org", "x.below.example"):
            message = r.ask(name)
            assert (message.rcode, message.ede, message.records) == (NXDOMAIN, dns.PROHIBITED, []), name
        assert r.ask("other.example.org").values(A) == [OTHER4]
    with resolver([DNSMASQ], [allow("alias.example.org"), deny("www.example.org")]) as r:
        assert r.ask("alias.example.org").rcode == NXDOMAIN
        assert r.gateway.pins == []


@test("R5.17")
def addresses_are_open_before_they_are_answered():
    rules = [allow("www.example.org", 3), allow("example.org", 5, below=True), allow("other.example.org", 3)]
    with resolver([DNSMASQ], rules) as r:
        r.gateway.delay = 0.3
        begun = time.monotonic()
        assert r.ask("www.example.org").values(A) == [PUBLIC4]
        assert time.monotonic() - begun >= 0.3, "answered only when the gateway has said so"
        assert sorted(r.gateway.pins) == [(PUBLIC4, 3, 120), (PUBLIC4, 5, 120)], "a minute longer than its time"
        r.gateway.delay = 0
        assert r.ask("www.example.org").values(A) == [PUBLIC4]
        assert len(r.gateway.pins) == 2, "what is kept is pinned already"
        assert r.ask("www.example.org", AAAA).values(AAAA) == [PUBLIC6]
        assert (PUBLIC6, 3, 120) in r.gateway.pins
        assert r.probe()["pinned"] == 4
    with resolver([DNSMASQ], [allow("www.example.org")]) as r:
        r.gateway.result = -28
        assert r.ask("www.example.org").rcode == SERVFAIL, "what cannot be opened is not answered"
        r.gateway.result = 0
        assert r.ask("www.example.org").values(A) == [PUBLIC4], "and not kept"


@test()
def many_addresses_to_many_lists_are_all_pinned():
    def respond(asked, _peer):
        return [dns.answer(asked, [dns.record("a.example", A, 9000, dns.address(f"93.184.216.{i}"))
                                   for i in range(40)])]

    with server(respond) as s, resolver([s.address], [allow("a.example", i) for i in range(1, 17)]) as r:
        message = r.ask("a.example", tcp=True)
        addresses = message.values(A)
        assert len(addresses) == 16 and message.records[0][2] == 3540
        assert sorted(r.gateway.pins) == sorted((a, i, 3600) for a in addresses for i in range(1, 17))


@test()
def a_server_that_is_silent_or_fails_is_left_for_the_next():
    def fail(asked, _peer):
        return [dns.answer(asked, rcode=SERVFAIL)]

    with server(lambda *_: []) as silent, server(fail) as failing:
        with resolver([silent.address, failing.address, ("127.0.0.1", 9), DNSMASQ]) as r:
            begun = time.monotonic()
            assert r.ask("www.example.org").values(A) == [PUBLIC4]
            assert 1 <= time.monotonic() - begun < 4
            assert [number for number, _ in r.gateway.dials] == [0, 1, 2, 3]
        with resolver([silent.address]) as r:
            begun = time.monotonic()
            message = r.ask("www.example.org")
            assert message.rcode == SERVFAIL and time.monotonic() - begun < 5
            assert r.probe()["failed"] == 1
        with resolver([failing.address]) as r:
            assert r.ask("www.example.org", timeout=2).rcode == SERVFAIL
    with resolver([]) as r:
        assert r.ask("www.example.org", timeout=2).rcode == SERVFAIL


@test()
def a_server_without_edns_is_asked_again_without():
    def respond(asked, _peer):
        if asked[11] == 1:
            return [asked[:2] + b"\x81\x81" + bytes(8)]
        return [dns.answer(asked, [dns.record("a.example", A, 9, dns.address(PUBLIC4))])]

    with server(respond) as s, resolver([s.address]) as r:
        assert r.ask("a.example").values(A) == [PUBLIC4]
        assert len(s.queries) == 2


@test()
def forged_answers_are_not_taken_and_the_true_one_is():
    good = [dns.record("a.example", A, 9, dns.address(PUBLIC4))]
    evil = [dns.record("a.example", A, 9, dns.address(OTHER4))]

    def respond(asked, peer):
        (number,) = struct.unpack(">H", asked[:2])
        wrong = [dns.answer(asked, evil, number=number ^ 1),
                 dns.answer(asked, evil, question=dns.name("b.example") + struct.pack(">HH", A, 1)),
                 dns.answer(asked, evil, question=dns.name("a.example") + struct.pack(">HH", AAAA, 1)),
                 dns.answer(asked, evil, flags=0x0100), dns.answer(asked, evil)[:-1], b"", asked[:5], asked]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as forger:
            forger.bind(("127.0.0.2", 0))
            forger.sendto(dns.answer(asked, evil), peer)
        return wrong + [dns.answer(asked, good)]

    with server(respond) as s, resolver([s.address]) as r:
        assert r.ask("a.example").values(A) == [PUBLIC4]
        numbers, ports = set(), set()
        for i in range(40):
            r.ask(f"n{i}.example")
        for asked, peer in s.queries:
            numbers.add(struct.unpack(">H", asked[:2])[0])
            ports.add(peer[1])
        assert len(numbers) > 35 and len(ports) > 35, "ids and ports cannot be guessed from one another"
        assert all(int(n) != 0x1234 for n in list(numbers)[:20]), "the guest does not choose them"


@test()
def hostile_answers_of_a_server_do_no_harm():
    random.seed(7)

    def respond(asked, _peer):
        base = dns.answer(asked, [dns.record("a.example", A, 9, dns.address(PUBLIC4))] * 3)
        loop = dns.answer(asked, [dns.record("a.example", CNAME, 9, dns.name("b.example")),
                                  dns.record("b.example", CNAME, 9, dns.name("a.example"))])
        if asked[12:22] == dns.name("l.example")[:10]:
            return [dns.answer(asked, [dns.record("l.example", CNAME, 9, dns.name("l.example"))])]
        mangled = bytearray(base)
        for _ in range(random.randrange(1, 9)):
            mangled[random.randrange(12, len(mangled))] = random.randrange(256)
        return [bytes(mangled), loop[:6] + b"\xff\xff" + loop[8:], base[:random.randrange(12, len(base))]]

    def respond_tcp(asked, _peer):
        return [dns.answer(asked) + bytes(20000)]

    with server(respond, respond_tcp) as s, resolver([s.address]) as r:
        socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(60)]
        for i, sock in enumerate(socks):
            sock.sendto(dns.query(f"a{i}.example" if i % 2 else "a.example"), r.address)
        message = r.ask("l.example")
        assert message.rcode == SERVFAIL
        for sock in socks:
            sock.close()
        r.gateway.servers[0] = DNSMASQ
        assert r.ask("www.example.org").values(A) == [PUBLIC4]


@test("R2.1")
def hostile_queries_do_no_harm_and_get_an_answer_where_one_is_due():
    with resolver([DNSMASQ]) as r:
        for message, rcode in ((dns.query("a", flags=0x2900), dns.NOTIMP),
                               (dns.query("www.example.org")[:14], dns.FORMERR),
                               (struct.pack(">HHHHHH", 7, 0x0100, 2, 0, 0, 0), dns.FORMERR),
                               (struct.pack(">HHHHHH", 7, 0x0100, 0, 0, 0, 0), dns.FORMERR),
                               (struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + b"\xc0\x0c\0\1\0\1", dns.FORMERR),
                               (dns.query("a" * 63 + "." + "b" * 63 + "." + "c" * 63 + "." + "d" * 61), SERVFAIL)):
            answer = dns.ask_udp(r.address, message, 2)
            assert answer is not None and answer.rcode == rcode, (message, answer and answer.rcode)
        for silent in (b"", b"\0" * 11, dns.query("www.example.org", flags=0x8100)):
            assert dns.ask_udp(r.address, silent, 0.2) is None
        random.seed(11)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for _ in range(300):
                raw = bytearray(dns.query("www.example.org"))
                for _ in range(random.randrange(1, 6)):
                    raw[random.randrange(2, len(raw))] = random.randrange(256)
                sock.sendto(bytes(raw[:random.randrange(len(raw) + 1)]), r.address)
        for raw in (b"\0\0", b"\xff\xff" + bytes(100), b"\0\x0c" + bytes(12)):
            with socket.create_connection(r.address, timeout=2) as sock:
                sock.sendall(raw)
                with contextlib.suppress(OSError):
                    sock.recv(100)
        assert r.ask("www.example.org").values(A) == [PUBLIC4]


@test("R5.13")
def containers_of_the_network_are_found_by_name_and_by_address():
    names = [container(1, 0, "db", "backend", "10.217.0.138", "fd12::10"),
             container(2, 3, "Web_1", "front", "10.217.1.13", "fd12:1::13", own=True),
             container(3, 0, "db", "other", "10.217.1.138", "fd12:3::10"),
             container(3, 1, "github.com", "other", "10.217.1.139", "fd12:3::11")]
    with resolver([DNSMASQ], names=names) as r:
        assert r.ask("db").values(A) == ["10.217.0.138", "10.217.1.138"]
        assert r.ask("db.backend").values(A) == ["10.217.0.138"]
        assert r.ask("DB.Other", AAAA).values(AAAA) == ["fd12:3::10"]
        assert r.ask("web_1", AAAA, tcp=True).values(AAAA) == ["fd12:1::13"]
        message = r.ask("db.backend", MX)
        assert message.rcode == 0 and message.records == []
        assert r.ask("138.0.217.10.in-addr.arpa", PTR).values(PTR) == ["db.backend"]
        reverse = ".".join(reversed("fd120001000000000000000000000013")) + ".ip6.arpa"
        assert r.ask(reverse, PTR).values(PTR) == ["web_1.front"]
        assert r.ask("139.0.217.10.in-addr.arpa", PTR).rcode == NXDOMAIN, "who has it is nobody's business outside"
        assert r.ask("nobody").rcode == NXDOMAIN
        assert r.ask("localhost").values(A) == ["127.0.0.1"]
        assert r.ask("printer.local").rcode == NXDOMAIN
        assert r.gateway.dials == [], "none of these is asked of a server"
        assert r.ask("github.com").values(A) == [], "a container cannot put itself in front of a public name"
        assert len(r.gateway.dials) > 0
        # They come and go while it runs.
        r.tell(NAME, container(9, 0, "db", "front", "10.217.4.10", "fd12:9::10", own=True))
        r.probe()
        assert r.ask("db").values(A) == ["10.217.4.10"], "the own context's comes first"
        r.tell(UNNAME, struct.pack(">IB", 9, 0))
        r.tell(UNNAME, struct.pack(">IB", 3, 255))
        assert r.probe()["names"] == 2
        assert r.ask("db").values(A) == ["10.217.0.138"]
        r.tell(NAME, container(1, 0, "cache", "backend", "10.217.0.138", "fd12::10"))
        r.probe()
        assert r.ask("db").rcode == NXDOMAIN and r.ask("cache").values(A) == ["10.217.0.138"]


@test("R2.1", "R5.17")
def a_network_without_public_addresses_has_names_of_containers_alone():
    names = [container(1, 0, "db", "backend", "10.217.0.138", "fd12::10")]
    with resolver([DNSMASQ], names=names, public=False) as r:
        assert r.ask("db").values(A) == ["10.217.0.138"]
        message = r.ask("www.example.org")
        assert (message.rcode, message.ede) == (NXDOMAIN, dns.PROHIBITED)
        assert r.gateway.dials == []


@test()
def a_new_table_holds_as_a_whole_and_nothing_of_the_old_one_is_kept():
    with resolver([DNSMASQ]) as r:
        assert r.ask("www.example.org").values(A) == [PUBLIC4]
        r.tell(1100, struct.pack(">BB", 1, 1))
        r.tell(RULE, deny("www.example.org"))
        r.probe()
        assert r.ask("www.example.org").values(A) == [PUBLIC4], "not before it is whole"
        r.tell(1104)
        r.probe()
        assert r.ask("www.example.org").rcode == NXDOMAIN
        # Another danchid begins anew; one that lies is sent away.
        r.control.close()
        for payload in (struct.pack(">HHII", 1101, 0, 0, 1) + b"x", struct.pack(">HHII", 1104, 0, 0, 0),
                        struct.pack(">HHII", 1105, 0, 0, 0), struct.pack(">HHII", 1999, 0, 0, 0), bytes(12)):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
                sock.settimeout(5)
                sock.connect(os.path.join(r.directory, "resolver.sock"))
                sock.sendall(payload)
                assert sock.recv(1) == b""
        r.control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        r.control.settimeout(10)
        r.control.connect(os.path.join(r.directory, "resolver.sock"))
        assert r.probe()["rules"] == 1
        assert r.ask("www.example.org").rcode == NXDOMAIN


@test()
def it_goes_on_without_the_gateway_and_with_another_one():
    with resolver([DNSMASQ], names=[container(1, 0, "db", "x", "10.217.0.138", "fd12::10")]) as r:
        assert r.ask("www.example.org").values(A) == [PUBLIC4]
        r.gateway.end()
        r.gateway.theirs.close()
        time.sleep(0.1)
        assert r.probe()["has_gateway"] == 0 and r.wants == 1, "danchid is asked for another one"
        assert r.ask("db").values(A) == ["10.217.0.138"]
        assert r.ask("other.example.org").rcode == SERVFAIL
        from resolver import GATEWAY, Gateway
        r.gateway = Gateway([DNSMASQ])
        r.tell(GATEWAY, b"", r.gateway.theirs.fileno())
        assert r.probe()["has_gateway"] == 1
        assert r.ask("other.example.org").values(A) == [OTHER4]
        r.gateway.mine.send(b"nonsense")
        time.sleep(0.1)
        assert r.probe()["has_gateway"] == 0


@test("R2.1")
def a_guest_that_floods_costs_its_own_names_alone():
    def respond(asked, _peer):
        return []

    with server(respond) as s, resolver([s.address], names=[container(1, 0, "db", "x", "10.217.0.1", "fd12::1")]) as r:
        socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(8)]
        for i in range(5000):
            socks[i % 8].sendto(dns.query(f"flood{i}.example"), r.address)
        connections = []
        for _ in range(40):
            connections.append(socket.create_connection(r.address, timeout=5))
        time.sleep(0.5)
        counts = r.probe()
        assert counts["dropped"] > 1000 and counts["asked"] <= 250, counts
        assert len(s.queries) <= 250
        with open(f"/proc/{r.process.pid}/status", encoding="utf-8") as file:
            status = dict(line.split(":", 1) for line in file)
        assert int(status["VmRSS"].split()[0]) < 24 * 1024, status["VmRSS"]
        assert len(os.listdir(f"/proc/{r.process.pid}/fd")) < 200
        time.sleep(2)
        assert r.ask("db").values(A) == ["10.217.0.1"], "when it stops, names are there again"
        for sock in socks + connections:
            sock.close()


@test("R2.2", "R5.11")
def it_has_no_rights_and_the_kernel_says_so():
    with resolver([DNSMASQ]) as r:
        assert r.ask("www.example.org").values(A) == [PUBLIC4]
        with open(f"/proc/{r.process.pid}/status", encoding="utf-8") as file:
            status = {key: value.split() for key, value in (line.split(":", 1) for line in file)}
        assert status["Uid"] == status["Gid"] == [str(UID)] * 4 and status["Groups"] == []
        for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(status[kind][0], 16) == 0
        assert status["NoNewPrivs"] == ["1"] and status["Seccomp"] == ["2"] and status["Threads"] == ["1"]
        assert os.listdir(f"/proc/{r.process.pid}/root/") == []
        own = os.readlink("/proc/self/ns/net")
        assert os.readlink(f"/proc/{r.process.pid}/ns/net") != own


def main():
    global DNSMASQ
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    chosen = [(f, d) for f, d in TESTS if not words or any(word in f.__name__ or word in d for word in words)]
    print(f"1..{len(chosen)}", flush=True)
    process, DNSMASQ = start_dnsmasq()
    failed = 0
    for number, (function, demands) in enumerate(chosen, 1):
        name = function.__name__.replace("_", " ") + "".join(f" ({demand})" for demand in demands)
        begun = time.monotonic()
        try:
            function()
            print(f"ok {number} {name}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            for line in traceback.format_exc().splitlines():
                print(f"# {line}", flush=True)
            print(f"not ok {number} {name}", flush=True)
        print(f"# {time.monotonic() - begun:.2f} s", flush=True)
    process.send_signal(signal.SIGTERM)
    process.wait(10)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
