# SPDX-License-Identifier: Apache-2.0
"""Registries of the tests, on loopback, with TLS of an authority of the tests' own: a real one
(Debian's docker-registry, with basic auth), and one that does what real ones should not."""

import base64
import contextlib
import crypt
import gzip
import hashlib
import http.server
import io
import json
import os
import re
import socket
import ssl
import subprocess
import tarfile
import threading

from machine import PATIENCE, expect, wait_until

USER, PASSWORD = "alice", "open-sesame-4711"
GOOD = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Authority:
    """A certificate for localhost and 127.0.0.1 that vouches for itself."""

    def __init__(self, directory):
        self.certificate, self.key = f"{directory}/cert.pem", f"{directory}/key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-keyout", self.key, "-out", self.certificate, "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                       check=True, capture_output=True)

    def trust(self, machine, registry):
        directory = f"{machine.config}/containers/certs.d/{registry}"
        os.makedirs(directory, exist_ok=True)
        with open(self.certificate) as source, open(f"{directory}/ca.crt", "w") as file:
            file.write(source.read())


class Registry:
    """Debian's docker-registry; what it was asked is in its log."""

    def __init__(self, directory, authority):
        self.port = free_port()
        self.name = f"localhost:{self.port}"
        self.log_path = f"{directory}/registry.log"
        # The registry takes bcrypt alone.
        with open(f"{directory}/htpasswd", "w") as file:
            file.write(f"{USER}:{crypt.crypt(PASSWORD, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))}\n")
        with open(f"{directory}/registry.yml", "w") as file:
            json.dump({"version": "0.1", "log": {"accesslog": {"disabled": True}, "level": "info"},
                       "storage": {"filesystem": {"rootdirectory": f"{directory}/registry"}},
                       "auth": {"htpasswd": {"realm": "tests", "path": f"{directory}/htpasswd"}},
                       "http": {"addr": f"127.0.0.1:{self.port}",
                                "tls": {"certificate": authority.certificate, "key": authority.key}}},
                      file)
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(["docker-registry", "serve", f"{directory}/registry.yml"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

        def listens():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0
        wait_until(listens, "the registry listens", 20)
        self.certs = directory

    def push(self, source, name):
        """@source: as skopeo names it."""
        os.makedirs(f"{self.certs}/certs", exist_ok=True)
        with open(f"{self.certs}/cert.pem") as text, open(f"{self.certs}/certs/ca.crt", "w") as file:
            file.write(text.read())
        done = subprocess.run(["skopeo", "--insecure-policy", "copy", "--dest-cert-dir", f"{self.certs}/certs",
                               "--dest-creds", f"{USER}:{PASSWORD}", source, f"docker://{self.name}/{name}"],
                              text=True, capture_output=True, timeout=120 * PATIENCE)
        expect(done.returncode == 0, f"skopeo copy: {done.stderr}")
        return f"{self.name}/{name}"

    def requests(self, what):
        """GET requests whose path has @what."""
        with open(self.log_path, errors="replace") as log:
            return [line for line in log if "response completed" in line and "method=GET" in line
                    and what in line and "status=200" in line]

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def layer(size=300_000, seed=b"layer"):
    """A layer of one file that does not compress."""
    block, blocks = seed, []
    for _ in range(size // 32):
        block = hashlib.sha256(block).digest()
        blocks.append(block)
    data, raw = b"".join(blocks), io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        entry = tarfile.TarInfo("data")
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))
    return raw.getvalue(), gzip.compress(raw.getvalue(), mtime=0)


class Wares:
    """An image: its blobs, its manifest, and an index that names it."""

    def __init__(self, seed=b"layer"):
        raw, self.layer = layer(seed=seed)
        self.config = json.dumps({"architecture": "amd64", "os": "linux", "config": {},
                                  "rootfs": {"type": "layers", "diff_ids": [sha256(raw)]}}).encode()
        self.manifest = json.dumps({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": sha256(self.config),
                       "size": len(self.config)},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                        "digest": sha256(self.layer), "size": len(self.layer)}]}).encode()
        self.blobs = {sha256(self.config): self.config, sha256(self.layer): self.layer}


class Hostile:
    """A registry whose repositories' names say what it does.  Everything that it was asked is kept
    in `asked`: (path, headers)."""

    def __init__(self, authority, other=None, plain=False):
        self.wares, self.asked, self.other = Wares(), [], other
        self.lock, self.counts, self.release = threading.Lock(), {}, threading.Event()
        hostile = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_words):
                pass

            def do_GET(self):
                with hostile.lock:
                    hostile.asked.append((self.path, dict(self.headers)))
                with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
                    hostile.answer(self)

            do_HEAD = do_GET

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_words):
                """Clients that do not trust us, or have enough of us, are what is tested."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.name = f"localhost:{self.port}"
        if not plain:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(authority.certificate, authority.key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    def paths(self, what):
        with self.lock:
            return [path for path, _ in self.asked if what in path]

    def nth(self, key):
        with self.lock:
            self.counts[key] = self.counts.get(key, 0) + 1
            return self.counts[key]

    @staticmethod
    def send(handler, status, body=b"", kind="application/json", **headers):
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)

    def answer(self, handler):
        match = re.fullmatch(r"/v2/(.+)/(manifests|blobs)/(.+)", handler.path)
        if handler.path == "/v2/":
            # As real ones do: what follows may be asked without credentials, too.
            if "Authorization" in handler.headers:
                return self.send(handler, 200, b"{}")
            return self.send(handler, 401, WWW_Authenticate='Basic realm="tests"')
        if match is None:
            return self.send(handler, 404)
        repository, kind, what = match.groups()
        # Without credentials skopeo sends an empty user and password.
        if repository == "locked" and handler.headers.get("Authorization") != GOOD:
            return self.send(handler, 401, WWW_Authenticate='Basic realm="tests"')
        trick = getattr(self, "on_" + repository.replace("-", "_"), None)
        if trick and trick(handler, kind, what):
            return None
        return self.serve(handler, kind, what)

    def serve(self, handler, kind, what):
        if kind == "manifests":
            return self.send(handler, 200, self.wares.manifest, MANIFEST,
                             Docker_Content_Digest=sha256(self.wares.manifest))
        if what in self.wares.blobs:
            return self.send(handler, 200, self.wares.blobs[what], "application/octet-stream")
        return self.send(handler, 404)

    # What each does; True: that was it.

    def is_layer(self, kind, what):
        return kind == "blobs" and what == sha256(self.wares.layer)

    def on_wrong_digest(self, handler, kind, what):
        if self.is_layer(kind, what):
            body = bytearray(self.wares.layer)
            body[len(body) // 2] ^= 1
            self.send(handler, 200, bytes(body), "application/octet-stream")
            return True
        return False

    def on_wrong_manifest(self, handler, kind, _what):
        if kind == "manifests":
            self.send(handler, 200, self.wares.manifest + b" ", MANIFEST)
        return kind == "manifests"

    def on_truncated(self, handler, kind, what):
        if not self.is_layer(kind, what):
            return False
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(self.wares.layer)))
        handler.end_headers()
        handler.wfile.write(self.wares.layer[:1000])
        handler.close_connection = True
        return True

    def on_redirect(self, handler, kind, what):
        if handler.headers.get("Authorization") != GOOD:
            self.send(handler, 401, WWW_Authenticate='Basic realm="tests"')
            return True
        if self.is_layer(kind, what):
            self.send(handler, 307, Location=f"https://127.0.0.1:{self.other.port}/v2/elsewhere/blobs/{what}")
            return True
        return False

    def on_busy(self, handler, kind, _what):
        if self.nth(f"busy {kind}") <= 2:
            self.send(handler, 429, b'{"errors":[{"code":"TOOMANYREQUESTS","message":"slowly"}]}',
                      Retry_After="1")
            return True
        return False

    def on_always_busy(self, handler, _kind, _what):
        self.send(handler, 503, b"no")
        return True

    def on_failing(self, handler, kind, what):
        """Twice 503 for each kind; then a layer that is wrong, so that no guest is needed."""
        if self.nth(f"failing {kind}") <= 2:
            self.send(handler, 503, b"no")
            return True
        return self.on_wrong_digest(handler, kind, what)

    def on_stalling(self, handler, kind, what):
        if not self.is_layer(kind, what):
            return False
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(self.wares.layer)))
        handler.end_headers()
        handler.wfile.write(self.wares.layer[:1000])
        handler.wfile.flush()
        self.release.wait(300)
        return True

    def on_endless(self, handler, kind, what):
        if not self.is_layer(kind, what):
            return False
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        while not self.release.is_set():
            handler.wfile.write(self.wares.layer)
        return True

    def on_huge_manifest(self, handler, kind, _what):
        if kind != "manifests":
            return False
        handler.send_response(200)
        handler.send_header("Content-Type", MANIFEST)
        handler.send_header("Content-Length", str(100 << 20))
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b" " * (1 << 20))
        return True

    def on_loop(self, handler, kind, what):
        """Indexes that name indexes, without end."""
        if kind != "manifests":
            return False
        one = {"mediaType": INDEX, "digest": "sha256:" + "1" * 64, "size": 100,
               "platform": {"os": "linux", "architecture": "amd64"}}
        self.send(handler, 200, json.dumps({"schemaVersion": 2, "mediaType": INDEX,
                                            "manifests": [one]}).encode(), INDEX)
        return True

    def on_huge_image(self, handler, kind, _what):
        """Sizes whose sum does not fit into 64 bits."""
        if kind != "manifests":
            return False
        manifest = json.loads(self.wares.manifest)
        manifest["layers"] = [dict(manifest["layers"][0], digest=f"sha256:{n:064x}", size=(1 << 62))
                              for n in range(8)]
        self.send(handler, 200, json.dumps(manifest).encode(), MANIFEST)
        return True

    def on_not_json(self, handler, kind, _what):
        if kind == "manifests":
            self.send(handler, 200, b"[" * 100_000, MANIFEST)
        return kind == "manifests"

    def index(self):
        """Of several platforms, of which only ours is here."""
        def one(digest, **platform):
            return {"mediaType": MANIFEST, "digest": digest, "size": len(self.wares.manifest),
                    "platform": {"os": "linux", **platform}}
        return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
            one("sha256:" + "a" * 64, architecture="arm64", variant="v8"),
            one("sha256:" + "b" * 64, architecture="amd64", variant="v3"),
            one(sha256(self.wares.manifest), architecture="amd64"),
            one("sha256:" + "c" * 64, architecture="unknown")]}).encode()

    def on_several(self, handler, kind, what):
        if kind != "manifests" or what == sha256(self.wares.manifest):
            return False
        self.send(handler, 200, self.index(), INDEX)
        return True

    def on_other_platform(self, handler, kind, _what):
        one = {"mediaType": MANIFEST, "digest": sha256(self.wares.manifest), "size": len(self.wares.manifest),
               "platform": {"os": "linux", "architecture": "s390x"}}
        if kind == "manifests":
            self.send(handler, 200, json.dumps({"schemaVersion": 2, "mediaType": INDEX,
                                                "manifests": [one]}).encode(), INDEX)
        return kind == "manifests"
