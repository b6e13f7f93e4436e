# SPDX-License-Identifier: Apache-2.0
"""Signatures: over archives that are loaded, and of images that are pulled; who is trusted, what is
kept of it, and what contexts want."""

import contextlib
import hashlib
import io
import json
import os
import shutil
import tarfile

from keys import checksum_file, temporary_keys
from machine import ARCHIVES, EMULATION, expect, expect_equal
from suite import expect_error, new_name, test
from test_policy import context_file, settings


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
