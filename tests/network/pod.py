# SPDX-License-Identifier: Apache-2.0
"""Pods of the tests: a network namespace as CNI's own plug-ins make it, and a guest in place of QEMU's:
another namespace, whose card is joined with the pod's tap by a thread that carries frames."""

import contextlib
import fcntl
import json
import os
import select
import socket
import struct
import subprocess
import threading

from gateway import POD_JOIN, POD_LEAVE
from wire import IFF_NO_PI, IFF_TAP, IFF_VNET_HDR, TUNSETIFF, VNET_HEADER, inside, output, run

TUNSETOFFLOAD = 0x400454D0
OFFLOADS = 1 | 2 | 4  # checksums, TCP segments of both families: as QEMU's virtio card
CNI = "/usr/lib/cni"
PEER4, PEER6 = "169.254.100.110", "fd64:6e00:6e00::1"

BRIDGE = {"cniVersion": "1.0.0", "name": "podnet", "type": "bridge", "bridge": "cni0", "isGateway": True,
          "ipMasq": False, "hairpinMode": True, "mtu": 1450,
          "ipam": {"type": "host-local", "dataDir": "/run/podnet-ipam",
                   "ranges": [[{"subnet": "10.88.0.0/24"}], [{"subnet": "fd88::/64"}]],
                   "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}}
PTP = {"cniVersion": "1.0.0", "name": "podptp", "type": "ptp", "ipMasq": False, "mtu": 1400,
       "ipam": {"type": "host-local", "dataDir": "/run/podnet-ipam",
                "ranges": [[{"subnet": "10.89.0.0/24"}], [{"subnet": "fd89::/64"}]],
                "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}}


def cni(command, config, name, interface="eth0"):
    """Plug-ins of Debian's, called as a container runtime calls them: one, or a list of them in turn."""
    environment = dict(os.environ, CNI_COMMAND=command, CNI_CONTAINERID=name, CNI_IFNAME=interface,
                       CNI_NETNS=f"/run/netns/{name}", CNI_PATH=CNI)
    plugins = [{"cniVersion": config["cniVersion"], "name": config["name"], **plugin}
               for plugin in config.get("plugins", [config])]
    result = None
    for plugin in plugins if command == "ADD" else reversed(plugins):
        if result is not None:
            plugin["prevResult"] = result
        done = subprocess.run([f"{CNI}/{plugin['type']}"], input=json.dumps(plugin), env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        assert done.returncode == 0, (command, plugin["type"], done.stdout, done.stderr)
        if command == "ADD":
            result = json.loads(done.stdout)
    return result


def open_tap(name, offloads=True):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
    if offloads:
        fcntl.ioctl(fd, TUNSETOFFLOAD, OFFLOADS)
    return fd


def look_for_no_duplicates():
    """In this network namespace; it takes a plug-in seconds."""
    for place in "all", "default":
        with open(f"/proc/sys/net/ipv6/conf/{place}/accept_dad", "w") as file:
            file.write("0")


class Pod:
    """A namespace of CNI's, and a tap in it with @slot's number."""

    def __init__(self, world, name, slot, config=None):
        self.world, self.name, self.slot = world, name, slot
        self.config = config or BRIDGE
        self.path = f"/run/netns/{name}"
        self.tap_fd = self.guest = None
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "link", "set", "lo", "up")
        with inside(name):
            look_for_no_duplicates()
        result = cni("ADD", self.config, name)
        self.addresses = [ip["address"].split("/")[0] for ip in result["ips"]]
        self.host_card = next((i["name"] for i in result["interfaces"] if i["name"].startswith("veth")), None)
        self.mac = json.loads(self.ip("-j", "link", "show", "dev", "eth0"))[0]["address"]

    def address(self, family):
        return next(address for address in self.addresses if (":" in address) == (family == socket.AF_INET6))

    @property
    def tap(self):
        return f"dn{200001 + self.slot}"

    def open(self, offloads=True):
        """As QEMU does it, in the host's network."""
        self.world.gateway.pod_tap(self.slot)
        self.tap_fd = open_tap(self.tap, offloads)

    def join(self):
        return self.world.gateway.pod(POD_JOIN, self.path, self.slot)

    def leave(self):
        self.world.gateway.pod(POD_LEAVE, self.path, self.slot)

    def boot(self):
        """The whole way; then the guest has what the gateway said."""
        self.open()
        lines = self.join()
        self.guest = Guest(f"{self.name}-guest", self.tap_fd, lines)
        return self.guest

    def end_guest(self):
        if self.guest is not None:
            self.guest.end()
        self.guest = None
        if self.tap_fd is not None:
            os.close(self.tap_fd)
        self.tap_fd = None

    def delete(self):
        """CNI's DEL, and the end of the namespace."""
        cni("DEL", self.config, self.name)
        run("ip", "netns", "del", self.name)

    def is_there(self):
        return os.path.exists(self.path)

    def ip(self, *words):
        return output("ip", "-n", self.name, *words)


class Guest:
    """What the agent does of POD_NETWORK, by ip and nft, in a namespace that stands for the guest's."""

    def __init__(self, name, tap_fd, lines):
        self.name = name
        run("ip", "netns", "add", name)
        with inside(name):
            self.fd = open_tap("eth0")
            for setting, value in (("ipv6/conf/eth0/addr_gen_mode", 1), ("ipv6/conf/eth0/accept_ra", 0),
                                   ("ipv4/conf/eth0/route_localnet", 1)):
                with open(f"/proc/sys/net/{setting}", "w") as file:
                    file.write(str(value))
        self.set_up([line for line in lines if line[0] != "card"])
        self.is_over = False
        self.largest = {"in": 0, "out": 0}  # frames, and what QEMU would be told of them
        self.segments = {"in": set(), "out": set()}
        self.ends = os.pipe()
        self.thread = threading.Thread(target=self.carry, args=(tap_fd, ), daemon=True)
        self.thread.start()

    def set_up(self, lines):
        one = {line[0]: line[1] for line in lines}
        ip = ["ip", "-n", self.name]
        run(*ip, "link", "set", "lo", "up")
        run(*ip, "link", "set", "eth0", "address", one["mac"], "mtu", one["mtu"], "up")
        for line in lines:
            if line[0] == "address":
                run(*ip, "address", "add", line[1], "dev", "eth0", "noprefixroute", *["nodad"][:":" in line[1]])
        routes = [line for line in lines if line[0] == "route"]
        for _, to, via, source, metric, flags in sorted(routes, key=lambda route: route[2] != "-"):
            words = ["-6" if ":" in to else "-4", "route", "add", to, "dev", "eth0"]
            words += ["via", via] if via != "-" else []
            words += ["src", source] if source != "-" else []
            words += ["metric", metric] if metric != "0" else []
            words += ["onlink"] if int(flags) & 1 else []
            run(*ip, *words)
        for line in lines:
            if line[0] == "neighbour":
                run(*ip, "neighbour", "replace", line[1], "lladdr", line[2], "dev", "eth0", "nud", "permanent")
        for peer in (PEER4, PEER6):
            run(*ip, "route", "add", peer, "dev", "eth0")
            run(*ip, "neighbour", "replace", peer, "lladdr", one["peer"], "dev", "eth0", "nud", "permanent")
        run(*ip, "-6", "route", "add", "local", "::1", "dev", "eth0", "table", "local", "metric", "4096")
        own4, own6 = [next((line[1].split("/")[0] for line in lines if line[0] == "address" and sign in line[1]
                            and not line[1].startswith("fe80")), None) for sign in ".:"]
        rules = f"""table inet danchi-pod {{
            chain prerouting {{ type filter hook prerouting priority raw
                iifname "eth0" ip daddr 127.0.0.0/8 drop
                iifname "eth0" ip saddr {PEER4} ip daddr {own4} meta l4proto tcp ip daddr set 127.0.0.1
                iifname "eth0" ip6 daddr ::1 drop
                iifname "eth0" ip6 saddr {PEER6} ip6 daddr {own6} meta l4proto tcp ip6 daddr set ::1
            }}
            chain postrouting {{ type filter hook postrouting priority srcnat
                oifname "eth0" ip daddr {PEER4} ip saddr 127.0.0.1 ip saddr set {own4}
                oifname "eth0" ip6 daddr {PEER6} ip6 saddr ::1 ip6 saddr set {own6}
            }}
        }}"""
        subprocess.run(["ip", "netns", "exec", self.name, "nft", "-f", "-"], input=rules, text=True, check=True)

    def carry(self, tap_fd):
        wire = {tap_fd: self.fd, self.fd: tap_fd}
        while True:
            for ready in select.select([*wire, self.ends[0]], [], [])[0]:
                if ready == self.ends[0]:
                    return
                for _ in range(64):
                    try:
                        frame = os.read(ready, 70000)
                        self.note("in" if ready == tap_fd else "out", frame)
                        os.write(wire[ready], frame)
                    except BlockingIOError:
                        break
                    except OSError:
                        if self.is_over:
                            return
                        break

    def link(self):
        return json.loads(output("ip", "-n", self.name, "-j", "link", "show", "dev", "eth0"))[0]

    def note(self, way, frame):
        """struct virtio_net_hdr: whether a checksum is still to be made, and how it is to be segmented."""
        flags, kind = frame[0], frame[1]
        self.largest[way] = max(self.largest[way], len(frame) - len(VNET_HEADER))
        self.segments[way].add((flags & 1, kind & 0x7f))

    @contextlib.contextmanager
    def inside(self):
        with inside(self.name):
            yield

    def serve(self, family, address, port):
        """Sends its peer's address and all that it gets back, in a thread. Returns: the listening socket"""
        with inside(self.name):
            listening = socket.socket(family)
        return serve(listening, address, port)

    def end(self):
        self.is_over = True
        os.write(self.ends[1], b"x")
        self.thread.join(5)
        os.close(self.fd)
        for fd in self.ends:
            os.close(fd)
        run("ip", "netns", "del", self.name)


def serve(listening, address, port):
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if listening.family == socket.AF_INET6:
        listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listening.bind((address, port))
    listening.listen(64)

    def answer(peer, address):
        with contextlib.suppress(OSError), peer:
            peer.sendall(f"{address[0]}\n".encode())
            while data := peer.recv(1 << 20):
                peer.sendall(data)

    def accept():
        while True:
            try:
                peer, address = listening.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(peer, address), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    return listening


def ask(to, port, namespace=None, payload=b"hello", seconds=5):
    """Returns: whom the server saw, after it has sent @payload back; "refused", or None for no answer"""
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    with inside(namespace) if namespace else contextlib.nullcontext():
        asking = socket.socket(family)
    with asking:
        asking.settimeout(seconds)
        try:
            asking.connect((to, port))
            seen = b""
            while not seen.endswith(b"\n"):
                seen += asking.recv(1)
            sender = threading.Thread(target=asking.sendall, args=(payload, ), daemon=True)
            sender.start()
            back = bytearray()
            while len(back) < len(payload):
                piece = asking.recv(1 << 20)
                assert piece, "cut"
                back += piece
            sender.join(seconds)
        except ConnectionRefusedError:
            return "refused"
        except TimeoutError:
            return None
        assert bytes(back) == payload
        return seen.decode().strip()
