# SPDX-License-Identifier: Apache-2.0
"""Signatures: over archives that are loaded, and of images that are pulled; who is trusted, what is
kept of it, and what contexts want."""

import base64
import contextlib
import functools
import hashlib
import http.server
import io
import json
import os
import shutil
import ssl
import subprocess
import tarfile
import threading
import urllib.request

from keys import checksum_file, temporary_keys
from machine import ARCHIVES, EMULATION, expect, expect_equal
from registry import MANIFEST, PASSWORD, USER, Authority, Registry, sha256
from suite import expect_error, new_name, test
from test_policy import context_file, settings
from test_pull import auth_file


def make_archive(path, label):
    """The small image with one label more: an image of its own with the same layers."""
    with tarfile.open(f"{ARCHIVES}/busybox.tar") as source, tarfile.open(path, "w") as made:
        manifest = json.load(source.extractfile("manifest.json"))
        config_name = manifest[0]["Config"]
        config = json.load(source.extractfile(config_name))
        config["config"]["Labels"] = {"e2e": label}
        config = json.dumps(config).encode()
        manifest[0] |= {"Config": f"{hashlib.sha256(config).hexdigest()}.json",
                        "RepoTags": [f"example.com/signed/{label}:1"]}
        for member in source.getmembers():
            data = source.extractfile(member).read() if member.isfile() else None
            if member.name == config_name:
                member.name, data = manifest[0]["Config"], config
            if member.name == "manifest.json":
                data = json.dumps(manifest).encode()
            if member.name == "repositories":
                continue
            if data is not None:
                member.size = len(data)
            made.addfile(member, io.BytesIO(data) if data is not None else None)
    return path


@contextlib.contextmanager
def trusted(machine, keys, *files, more=""):
    """The host trusts these files of the keys' directory."""
    with settings(machine) as add:
        paths = ";".join(keys.path(name) for name in files)
        add(f"[images]\nload_keys = {paths}\n{more}")
        yield


def load(machine, archive, signature, checksum=None, check=True):
    with_checksum = ("--checksum", checksum) if checksum else ()
    return machine.danchi("load", "-i", archive, "--signature", signature, *with_checksum,
                          check=check, timeout=300)


def create(machine, context, image):
    return machine.danchi("create", "--name", new_name(), "--context", context, image, "true",
                          check=False)


@test("R5.1", "R5.6", only=EMULATION, seconds=300)
def archives_load_with_signatures_of_every_form_and_contexts_ask_whose(machine):
    with temporary_keys() as keys:
        archive = make_archive(keys.path("image.tar"), "forms")
        sums = checksum_file(archive, keys.directory)
        fingerprint = keys.make_gpg("acme")
        keys.make_minisign("ci")
        forms = [
            (keys.sign_gpg("acme", archive, "--detach-sign"), None, "acme"),
            (keys.sign_gpg("acme", archive, "--armor", "--detach-sign"), None, "acme"),
            (keys.sign_gpg("acme", sums, "--detach-sign"), sums, "acme"),
            (keys.sign_gpg("acme", sums, "--clearsign"), None, "acme"),
            (keys.sign_minisign("ci", archive), None, "ci"),
            (keys.sign_minisign("ci", archive, "-l"), None, "ci"),
            (keys.sign_minisign("ci", sums), sums, "ci"),
        ]
        with context_file(machine, "[images]\nsignature = required\n") as (any_key, path), \
                context_file(machine, "[images]\nsignature = ci\n") as (only_ci, _):
            with trusted(machine, keys, "acme.asc", "ci.pub"):
                # First without one: it is loaded, as what it is.
                loaded = machine.json("load", "-i", archive, timeout=300)[0]
                expect_equal(loaded["signature"], "not signed: danchi load had no --signature", "it")
                name = loaded["names"][0]
                expect_error(create(machine, any_key, name), 1, "wants signed images, and it is not",
                             f"(rule image-signature, {path}:2)", "danchi load --signature")
                for signature, checksum, who in forms[:4]:
                    words = load(machine, archive, signature, checksum).stdout
                    expect(f"Signature: signed by {who} (GPG {fingerprint}), over the archive" in words,
                           f"{signature}: {words}")
                expect_equal(create(machine, any_key, name).status, 0, "signed by acme")
                expect_error(create(machine, only_ci, name), 1,
                             "wants images signed by ci, and it is signed by another")
                for signature, checksum, who in forms[4:]:
                    words = load(machine, archive, signature, checksum).stdout
                    expect(f"Signature: signed by {who} (minisign " in words, f"{signature}: {words}")
                expect_equal(create(machine, only_ci, name).status, 0, "signed by ci")
            # The decision is the image's, and a load without a signature takes none away.
            machine.danchi("load", "-i", archive, timeout=300)
            expect_equal(create(machine, only_ci, name).status, 0, "after a load without one")
            expect("signed by ci (minisign " in
                   machine.out("--format", "json", "audit", "log", "--verb", "image-load",
                               f"{machine.state}/audit"), "the record lacks the decision")
            found = machine.json("image", "inspect", name)[0]["provenance"]["signature"]
            expect_equal({os.path.basename(one["keys"][0]) for one in found}, {"acme.asc", "ci.pub"},
                         "whose")
            expect_equal({one["over"] for one in found}, {"archive", "checksum", "message"}, "over")


@test("R5.1", "R5.6", only=EMULATION, seconds=300)
def a_signature_that_does_not_hold_refuses_the_archive_with_the_reason(machine):
    with temporary_keys() as keys:
        archive = make_archive(keys.path("image.tar"), "refused")
        other = shutil.copy(f"{ARCHIVES}/busybox.tar", keys.path("other.tar"))
        sums, other_sums = (checksum_file(one, keys.directory) for one in (archive, other))
        for name in "acme", "stranger":
            keys.make_gpg(name)
            keys.make_minisign(f"{name}-m")
        keys.make_gpg("old", expired=True)
        with open(keys.path("junk"), "w") as file:
            file.write("no signature\n")
        before = len(machine.json("images"))
        with trusted(machine, keys, "acme.gpg", "old.gpg", "acme-m.pub"):
            cases = [
                (keys.sign_gpg("stranger", archive, "--detach-sign"), None, "does not trust"),
                (keys.sign_minisign("stranger-m", archive), None, "does not trust"),
                (keys.sign_gpg("acme", other, "--detach-sign"), None, "does not hold"),
                (keys.sign_minisign("acme-m", other), None, "does not hold"),
                (keys.sign_gpg("acme", sums, "--detach-sign"), None, "say --checksum FILE"),
                (keys.sign_gpg("acme", other_sums, "--detach-sign"), other_sums,
                 "does not have the archive's checksum"),
                (keys.sign_gpg("acme", other_sums, "--clearsign"), None,
                 "does not have the archive's checksum"),
                (keys.sign_gpg("old", archive, "--detach-sign", expired=True), None, "has expired"),
                (keys.path("junk"), None, "none that can be read"),
            ]
            for signature, checksum, reason in cases:
                refused = load(machine, archive, signature, checksum, check=False)
                expect_error(refused, 1, "signature: ", reason, "(rule load-signature, ")
            expect_error(machine.danchi("load", "-i", archive, "--checksum", sums, check=False), 2,
                         "--signature")
        with trusted(machine, keys, "junk.gpg"):
            expect_error(load(machine, archive, cases[0][0], check=False), 1, "junk.gpg")
        with settings(machine):
            expect_error(load(machine, archive, cases[0][0], check=False), 1, "trusts no key",
                         "[images] load_keys")
        with trusted(machine, keys, "acme.gpg", more="load_signature = required\n"):
            expect_error(machine.danchi("load", "-i", archive, check=False), 1,
                         "comes without a signature", "(rule load-signature, ")
        expect_equal(len(machine.json("images")), before, "images: nothing was loaded")
        record = machine.out("audit", "log", "--since", "10m", "--verb", "image-load",
                             f"{machine.state}/audit")
        for words in "does not hold for the archive", "by a key that has expired":
            expect(words in record, f"the record lacks '{words}': {record}")


class SignedRegistry:
    """A registry with images that are signed in one way or another, and where their signatures are."""

    def __init__(self, machine, keys, stack):
        self.machine, self.keys, self.directory = machine, keys, keys.path("registry")
        os.mkdir(self.directory)
        self.authority = Authority(self.directory)
        self.registry = Registry(self.directory, self.authority)
        stack.callback(self.registry.stop)
        self.authority.trust(machine, self.registry.name)
        stack.callback(shutil.rmtree, f"{machine.config}/containers", ignore_errors=True)
        self.auth = auth_file(self.directory, {self.registry.name: (USER, PASSWORD)})
        self.lookaside = self.serve(stack)

    def serve(self, stack):
        """GPG's signatures, where registries.d says that they are; served over http."""
        os.mkdir(f"{self.directory}/signatures")

        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_words):
                pass
        server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Quiet, directory=f"{self.directory}/signatures"))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stack.callback(server.server_close)
        stack.callback(server.shutdown)
        place = f"docker:\n  {self.registry.name}:\n    lookaside: http://127.0.0.1:{server.server_port}\n"
        for path, more in ((f"{self.machine.config}/containers/registries.d", ""),
                           (f"{self.directory}/registries.d",
                            f"    lookaside-staging: file://{self.directory}/signatures\n")):
            os.makedirs(path)
            with open(f"{path}/tests.yaml", "w") as file:
                file.write(place + more)
        return f"{self.directory}/signatures"

    def skopeo(self, *arguments):
        done = subprocess.run(["skopeo", "--insecure-policy", "--registries.d",
                               f"{self.directory}/registries.d", *arguments], text=True,
                              capture_output=True, timeout=120,
                              env=os.environ | {"GNUPGHOME": self.keys.home})
        expect(done.returncode == 0, f"skopeo {arguments}: {done.stderr}")
        return done.stdout

    def push(self, source, name, *how):
        """Returns the manifest's digest."""
        target = f"docker://{self.registry.name}/{name}"
        os.makedirs(f"{self.directory}/certs", exist_ok=True)
        shutil.copy(self.authority.certificate, f"{self.directory}/certs/ca.crt")
        self.skopeo("copy", "--dest-cert-dir", f"{self.directory}/certs", "--dest-creds",
                    f"{USER}:{PASSWORD}", *how, source, target)
        return self.skopeo("inspect", "--cert-dir", f"{self.directory}/certs", "--creds",
                           f"{USER}:{PASSWORD}", "--format", "{{.Digest}}", target).strip()

    def send(self, method, path, data=b"", kind="application/octet-stream"):
        url = path if path.startswith("https") else f"https://{self.registry.name}/v2/{path}"
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        request = urllib.request.Request(url, data=data, method=method, headers={
            "Authorization": f"Basic {login}", "Content-Type": kind})
        context = ssl.create_default_context(cafile=self.authority.certificate)
        return urllib.request.urlopen(request, context=context).headers.get("Location")

    def attach(self, repository, digest, payload, signature):
        """As cosign does it: an image beside the image, whose layer is what was signed."""
        def put(data):
            place = self.send("POST", f"{repository}/blobs/uploads/")
            self.send("PUT", f"{place}{'&' if '?' in place else '?'}digest={sha256(data)}", data)
            return {"digest": sha256(data), "size": len(data)}
        config = json.dumps({"architecture": "", "os": "", "config": {},
                             "rootfs": {"type": "layers", "diff_ids": [sha256(payload)]}}).encode()
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST,
                    "config": {"mediaType": "application/vnd.oci.image.config.v1+json"} | put(config),
                    "layers": [{"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
                                "annotations": {"dev.cosignproject.cosign/signature": signature}}
                               | put(payload)]}
        self.send("PUT", f"{repository}/manifests/{digest.replace(':', '-')}.sig",
                  json.dumps(manifest).encode(), MANIFEST)

    def policy(self, **scopes):
        """scopes: the requirement for each first part of a repository."""
        name = self.registry.name
        with open(f"{self.machine.config}/containers/policy.json", "w") as file:
            json.dump({"default": [{"type": "reject"}],
                       "transports": {"docker": {f"{name}/{scope}": [requirement]
                                                 for scope, requirement in scopes.items()}}}, file)

    def pull(self, name, check=True):
        return self.machine.danchi("pull", "--authfile", self.auth, f"{self.registry.name}/{name}",
                                   check=check, timeout=300)

    def refuse(self, name, *words):
        expect_error(self.pull(name, check=False), 1, f"image '{self.registry.name}/{name}': ",
                     f"{self.registry.name}/{name.split('/')[0]}, "
                     f"{self.machine.config}/containers/policy.json)", *words)


def signed_by(keys, name):
    return {"type": "signedBy", "keyType": "GPGKeys", "keyPath": keys.path(name)}


def sigstore(keys, name):
    return {"type": "sigstoreSigned", "keyPath": keys.path(name)}


@test("R5.1", "R5.4", "R2.6", only=EMULATION, seconds=400)
def pulls_go_by_the_policy_and_its_decision_is_kept(machine):
    with temporary_keys() as keys, contextlib.ExitStack() as stack:
        remote = SignedRegistry(machine, keys, stack)
        source = f"docker-archive:{make_archive(keys.path('image.tar'), 'pulled')}"
        prints = {name: keys.make_gpg(name) for name in ("acme", "stranger")}
        prints["old"] = keys.make_gpg("old", expired=True)
        for name in "vendor", "other":
            keys.make_ecdsa(name)

        # Images, signed as their names say.
        remote.push(source, "open/app:1")
        good = remote.push(source, "good/app:1", "--sign-by", prints["acme"])
        remote.push(source, "good/stranger:1", "--sign-by", prints["stranger"])
        remote.push(source, "good/plain:1")
        with open(f"{keys.home}/gpg.conf", "w") as file:
            file.write("faked-system-time 20200101T120000\n")
        remote.push(source, "old/app:1", "--sign-by", prints["old"])
        os.unlink(f"{keys.home}/gpg.conf")
        # Another image with the first one's signature; and the first one by another name.
        swapped = remote.push(f"oci-archive:{ARCHIVES}/busybox-oci.tar", "good/app:2")
        place = f"{remote.lookaside}/good/app@"
        shutil.copytree(f"{place}{good.replace(':', '=')}", f"{place}{swapped.replace(':', '=')}")
        remote.push(source, "good/app:3")
        reference = f"{remote.registry.name}/cosign/app:1"
        for repository, key, digest, signed_digest in (
                ("cosign/app", "vendor", remote.push(source, "cosign/app:1"), good),
                ("cosign/other", "other", remote.push(source, "cosign/other:1"), good),
                ("cosign/swapped", "vendor",
                 remote.push(f"oci-archive:{ARCHIVES}/busybox-oci.tar", "cosign/swapped:1"), good)):
            remote.attach(repository, digest, *keys.sign_sigstore(
                key, signed_digest, reference.replace("cosign/app", repository)))
        remote.push(source, "cosign/plain:1")
        remote.policy(open={"type": "insecureAcceptAnything"}, closed={"type": "reject"},
                      good=signed_by(keys, "acme.gpg"), old=signed_by(keys, "old.gpg"),
                      cosign=sigstore(keys, "vendor.pub"))

        # Who is refused, and why.
        remote.refuse("good/stranger:1", "(rule image-policy, signedBy", "key that the policy does not name")
        remote.refuse("good/plain:1", "it is not signed")
        remote.refuse("good/app:2", "one of another image")
        remote.refuse("good/app:3", "for another name")
        remote.refuse("old/app:1", "key that has expired")
        remote.refuse("cosign/other:1", "(rule image-policy, sigstoreSigned", "does not name")
        remote.refuse("cosign/plain:1", "it is not signed")
        remote.refuse("cosign/swapped:1", "one of another image")
        remote.refuse("closed/app:1", "takes none of that name")
        expect_error(remote.pull("elsewhere/app:1", check=False), 1, "reject for its default")

        # Who is taken: first by a policy that takes anything, which makes nobody's signature.
        with context_file(machine, "[images]\nsignature = required\n") as (any_key, _), \
                context_file(machine, "[images]\nsignature = acme\n") as (acme, _), \
                context_file(machine, "[images]\nsignature = vendor\n") as (vendor, _):
            remote.pull("open/app:1")
            name = f"{remote.registry.name}/open/app:1"
            found = machine.json("image", "inspect", name)[0]["provenance"]["signature"]
            expect_equal([one["is_signed"] for one in found], [False], f"signed: {found}")
            expect_error(create(machine, any_key, name), 1, "(rule image-signature, ")
            remote.pull("good/app:1")
            expect_equal(create(machine, acme, name).status, 0, "the same image, signed by acme")
            expect_error(create(machine, vendor, name), 1, "signed by another")
            remote.pull("cosign/app:1")
            expect_equal(create(machine, vendor, name).status, 0, "signed by vendor")
            found = machine.json("image", "inspect", name)[0]["provenance"]["signature"]
            expect_equal([(one["kind"], one["scope"]) for one in found],
                         [("sigstoreSigned", f"{remote.registry.name}/cosign"),
                          ("signedBy", f"{remote.registry.name}/good")], "decisions")
            record = machine.out("--format", "json", "audit", "log", "--verb", "image-pull",
                                 f"{machine.state}/audit")
            for words in "signed by vendor (sigstoreSigned", "the policy takes anything", "image-policy":
                expect(words in record, f"the record lacks '{words}'")


@test("R5.1", only=EMULATION)
def without_a_policy_nothing_is_pulled(machine):
    with settings(machine) as add:
        add("[images]\npolicy = /nonexistent/policy.json\n")
        expect_error(machine.danchi("pull", "registry.invalid/a:1", check=False), 1,
                     "no policy says which images may be pulled", "/nonexistent/policy.json",
                     "(rule image-policy")
