# SPDX-License-Identifier: Apache-2.0
"""Containers' cards: who reaches whom within a guest, by which name, and who does not."""

from machine import EMULATION, expect, expect_equal, wait_until
from suite import context, exec_sh, expect_error, image, new_name, run_sh, test

SERVE = ("mkdir -p /tmp/www && echo page of $HOSTNAME > /tmp/www/index.html && "
         "exec httpd -f -p 80 -h /tmp/www")
FETCH = "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 {} 80 2>&1"

# Its containers reach each other, and may have the rights that change a network.
POLICY = """
[network]
containers = yes
[confinement]
profiles = strict;standard
capabilities = NET_ADMIN;NET_RAW
"""


def web(machine, where, *flags, expose=True):
    """A container that serves on port 80."""
    name = new_name("web")
    machine.danchi("run", "-d", "--name", name, "--context", where, *flags,
                   *(("--expose", "80") if expose else ()), image(machine), "sh", "-c", SERVE)
    wait_until(lambda: "page of" in fetch(machine, name, "127.0.0.1").stdout, "the server serves")
    return name


def fetch(machine, container, host):
    return exec_sh(machine, FETCH.format(host), container=container, check=False)


def fetch_by_name(machine, container, name):
    """As a resolver reads /etc/hosts: the image's static busybox has none that works."""
    script = ("a=$(awk -v n=%s '{ for (i = 2; i <= NF; i++) if ($i == n) { print $1; exit } }' "
              "/etc/hosts); ")
    return exec_sh(machine, script % name + FETCH.format("$a"), container=container, check=False)


def hosts(machine, container):
    return exec_sh(machine, "cat /etc/hosts", container=container).stdout


def address(machine, container, family="ipv4"):
    return machine.inspect(container)["network"][f"{family}_address"]


def network_rows(machine, container):
    lines = machine.danchi("verify", container, check=False).stdout.splitlines()
    return sorted(line.split()[:2] for line in lines if " network." in line)


@test("R2.2", "R5.13", seconds=300, only=EMULATION)
def containers_of_a_context_reach_each_other_by_name_where_it_says_so(machine):
    with context(machine) as name:
        with open(f"{machine.config}/contexts.d/{name}.conf", "a") as file:
            file.write(POLICY)
        server, other = web(machine, name), web(machine, name, expose=False)
        found = fetch_by_name(machine, other, server).stdout
        expect("page of" in found, f"what the server's name leads to: {found}")
        for family in "ipv4", "ipv6":
            place = address(machine, server, family)
            expect("page of" in fetch(machine, other, place).stdout, f"{place} does not answer")
        # A port that is not exposed is closed, whoever listens there, and at once.
        refused = fetch(machine, server, other_address := address(machine, other))
        expect("refused" in refused.stdout, f"an unexposed port answers: {refused.stdout}")
        expect(refused.seconds < 4, f"the refusal took {refused.seconds} s")
        # Names come and go with their containers, in a file that nobody else can write.
        text = hosts(machine, other)
        expect(f"\t{server}\n" in text and f" {other}\n" in text, f"/etc/hosts: {text}")
        machine.danchi("rename", server, f"{server}-new")
        text = hosts(machine, other)
        expect(f"\t{server}-new\n" in text and f"\t{server}\n" not in text, f"/etc/hosts: {text}")
        # danchid knows them again when it comes back.
        machine.restart()
        network = [one for one in machine.json("network", "ls") if one["name"] == "none"][0]
        expect({f"{server}-new", other} <= {one["name"] for one in network["containers"]},
               "the list of networks lacks them")
        machine.danchi("rm", "-f", f"{server}-new")
        text = hosts(machine, other)
        expect(server not in text, f"/etc/hosts: {text}")
        stats = machine.json("stats", "--no-stream", other)[0]
        expect(stats["network_received_bytes"] > 0 and stats["network_sent_bytes"] > 0, f"{stats}")
        expect_equal(network_rows(machine, other),
                     [["ok", f"network.{what}"] for what in ("addresses", "cards", "rules", "ways")],
                     "rows of verify")
        a_powerful_neighbour_opens_nothing(machine, name, other_address)


def a_powerful_neighbour_opens_nothing(machine, name, place):
    """With all that a container may be given for its own network."""
    said = run_sh(machine, "ip addr add 10.217.0.77/25 dev eth0 && echo changed; "
                  "ip addr flush dev eth0; ip addr add 10.217.0.78/32 dev eth0 && "
                  "ip route add 10.217.0.1 dev eth0 && "
                  "ip route add 10.217.0.0/25 via 10.217.0.1 dev eth0 src 10.217.0.78 && echo moved; "
                  + FETCH.format(place) + "; ping -c 1 -W 2 " + place,
                  "--context", name, "--profile", "standard", "--user", "0", "--cap-add",
                  "NET_ADMIN", "--cap-add", "NET_RAW", check=False)
    expect("changed" in said.stdout and "moved" in said.stdout, f"it could not try: {said.stdout}")
    expect("page of" not in said.stdout, f"a closed port was reached: {said.stdout}")
    # Another's address, or nobody's: what it sends so is dropped.
    expect("bytes from" not in said.stdout, f"it was answered as another: {said.stdout}")


@test("R5.13", only=EMULATION)
def a_container_without_a_network_has_its_loopback_alone(machine):
    shown = run_sh(machine, "cat /proc/net/dev; cat /proc/net/route; cat /etc/hosts", "--add-host",
                   "db:192.0.2.7").stdout
    expect("lo:" in shown and "eth0" not in shown, f"cards: {shown}")
    expect("192.0.2.7\tdb" in shown, f"/etc/hosts: {shown}")


@test(only=EMULATION)
def names_and_servers_of_names_are_checked_before_anything_starts(machine):
    for flags, words in ((("--add-host", "db"), ("--add-host 'db'", "NAME:ADDRESS")),
                         (("--add-host", "h:host-gateway"), ("do not reach the host",)),
                         (("--dns", "example.com"), ("must be an address",)),
                         (("--dns", "192.0.2.53"), ("does not reach it", "[network] mode")),
                         (("--dns-search", "a b"), ("must be a domain",)),
                         (("--expose", "0"), ("--expose", "1 to 65535"))):
        result = machine.danchi("run", "--rm", *flags, image(machine), "true", check=False)
        expect_error(result, 125, *words)
