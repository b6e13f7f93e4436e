# SPDX-License-Identifier: Apache-2.0
"""Keys that tests make and sign with: GPG's, minisign's and sigstore's, in a directory of their own."""

import base64
import contextlib
import hashlib
import json
import os
import subprocess
import tempfile

EXPIRED_AT = "20200101T120000"


class Keys:
    """GPG's home and minisign's keys are in one temporary directory; public keys lie beside, as
    NAME.gpg, NAME.asc and NAME.pub."""

    def __init__(self, directory):
        self.directory = directory
        self.home = f"{directory}/gnupg"
        os.mkdir(self.home, 0o700)

    def path(self, name):
        return f"{self.directory}/{name}"

    def gpg(self, *arguments, time=None, input=None):
        faked = ["--faked-system-time", time] if time else []
        return subprocess.run(["gpg", "--homedir", self.home, "-q", "--batch", "--yes", *faked,
                               *arguments], check=True, capture_output=True, input=input).stdout

    def make_gpg(self, name, expired=False):
        """Returns the fingerprint."""
        self.gpg("--passphrase", "", "--quick-gen-key", f"{name} <{name}@example.com>", "ed25519",
                 "sign", "2020-01-02" if expired else "never",
                 time="20200101T000000" if expired else None)
        with open(self.path(f"{name}.gpg"), "wb") as file:
            file.write(self.gpg("--export", f"{name}@example.com"))
        with open(self.path(f"{name}.asc"), "wb") as file:
            file.write(self.gpg("--armor", "--export", f"{name}@example.com"))
        listed = self.gpg("--with-colons", "-k", f"{name}@example.com").decode()
        return [line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr")][0]

    def sign_gpg(self, name, path, *how, expired=False):
        """how: --detach-sign, --armor, --clearsign.  Returns the signature's path."""
        signature = f"{path}.{name}{''.join(how)}"
        self.gpg("--local-user", f"{name}@example.com", *how, "--output", signature, path,
                 time=EXPIRED_AT if expired else None)
        return signature

    def make_minisign(self, name):
        subprocess.run(["minisign", "-G", "-W", "-p", self.path(f"{name}.pub"), "-s",
                        self.path(f"{name}.sec")], check=True, capture_output=True)

    def sign_minisign(self, name, path, *how):
        signature = f"{path}.{name}{''.join(how)}.minisig"
        subprocess.run(["minisign", "-S", *how, "-s", self.path(f"{name}.sec"), "-m", path, "-x",
                        signature], check=True, capture_output=True)
        return signature

    def make_ecdsa(self, name):
        """A key pair as cosign has them, without its encryption."""
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
                        self.path(f"{name}.pem")], check=True, capture_output=True)
        subprocess.run(["openssl", "ec", "-in", self.path(f"{name}.pem"), "-pubout", "-out",
                        self.path(f"{name}.pub")], check=True, capture_output=True)

    def sign_sigstore(self, name, digest, reference):
        """The payload and its signature, as text."""
        payload = json.dumps({"critical": {"identity": {"docker-reference": reference},
                                           "image": {"docker-manifest-digest": digest},
                                           "type": "cosign container image signature"},
                              "optional": None}, separators=(",", ":")).encode()
        signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.path(f"{name}.pem")],
                                input=payload, check=True, capture_output=True).stdout
        return payload, base64.b64encode(signed).decode()


@contextlib.contextmanager
def temporary_keys():
    with tempfile.TemporaryDirectory(prefix="danchi-keys-") as directory:
        keys = Keys(directory)
        try:
            yield keys
        finally:
            # The agent of this home and no other.
            subprocess.run(["gpgconf", "--homedir", keys.home, "--kill", "gpg-agent"], check=False,
                           capture_output=True)


def checksum_file(path, directory):
    """As sha256sum writes it.  Returns its path."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    made = os.path.join(directory, os.path.basename(path) + ".sha256")
    with open(made, "w") as file:
        file.write(f"{digest}  {os.path.basename(path)}\n")
    return made
