#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes honest archives with everything that layers may hold, for the unpacker's tests.

    friendly.py DIRECTORY

    docker.tar      three layers as docker saves them
    oci.tar         the same layers, none, gzip and zstd, under a nested index with an attestation
                    and an image for another machine
    thin.tar        oci.tar without the layers
    whole.tar.gz    docker.tar, compressed as a whole; likewise whole.tar.zst
    links.tar       a layer that is a symbolic link in the archive
    two.tar         two images: one/image:1 and two/image:1
"""

import gzip
import json
import os
import subprocess
import sys
import tarfile

from hostile import digest, entry, image_config, link, tar

MEDIA = "application/vnd.oci.image."


def directory(name, mode=0o755, **more):
    return entry(name, kind=tarfile.DIRTYPE, mode=mode, **more)


def layers():
    """What is left in the end: see test-unpack-run.c."""
    lower = tar(
        directory("./", mtime=1000),
        directory("./etc", mtime=2000), entry("./etc/kept", b"kept", mtime=3000),
        entry("./etc/removed", b"x"), directory("opaque"), entry("opaque/lower", b"x"),
        directory("opaque/sub"), entry("opaque/sub/lower", b"x"),
        directory("gone"), entry("gone/deep/file", b"x"),
        link("var", "/run"), entry("becomes-directory", b"x"), directory("becomes-file"),
        entry("becomes-file/inside", b"x"))
    middle = tar(
        entry("etc/.wh.removed"), entry(".wh.gone"), entry(".wh.never-was"), entry("no/.wh.where"),
        entry("opaque/new", b"new"), entry("opaque/.wh..wh..opq"), entry("opaque/newer", b"newer"),
        entry("var/lock/file", b"through the link"),
        directory("becomes-directory"), entry("becomes-directory/inside", b"x"),
        entry("becomes-file", b"file"))
    upper = tar(
        entry("bin/tool", b"#!", mode=0o6755, uid=12, gid=34),
        entry("bin/same", kind=tarfile.LNKTYPE, link="bin/tool"),
        entry("bin/pipe", kind=tarfile.FIFOTYPE, mode=0o600),
        entry("bin/\u00fcml\u00e4ut " + "x" * 120, b"name"),
        entry("bin/attributes", b"x", pax_headers={
            "SCHILY.xattr.user.kept": "value",
            "SCHILY.xattr.security.capability": "\u0001\u0000\u0000\u0002"}),
        directory("tmp", mode=0o1777), entry(".wh..wh.plnk", b"aufs"))
    return [lower, middle, upper]


def docker_files(parts, prefix="", tags=("docker.io/friendly/image:1", "friendly:2", "latest")):
    config = json.dumps(image_config(parts, config={
        "User": "app:app", "WorkingDir": "/srv", "Env": ["PATH=/bin", "EMPTY="],
        "Entrypoint": ["/bin/tool"], "Cmd": None, "ExposedPorts": {"80/tcp": {}},
        "Volumes": {"/data": {}}, "Labels": {"a": "b", "lines": "one\ntwo"},
        "StopSignal": "SIGINT", "Healthcheck": {"Test": ["CMD", "true"]}})).encode()
    name = digest(config)[7:] + ".json"
    names = [f"{prefix}{i}/layer.tar" for i in range(len(parts))]
    files = [entry(name, config)] + [entry(n, d) for n, d in zip(names, parts)]
    return files, {"Config": name, "RepoTags": list(tags), "Layers": names}


def docker(parts):
    files, image = docker_files(parts)
    return tar(*files, entry("manifest.json", json.dumps([image]).encode()))


def linked(parts):
    files, image = docker_files(parts)
    files = [one for one in files if one[0].name != "2/layer.tar"]
    return tar(*files, entry("shared/layer.tar", parts[2]), link("2/layer.tar", "../shared/layer.tar"),
               entry("manifest.json", json.dumps([image]).encode()))


def two(parts):
    one_files, one = docker_files(parts[:1], "a", ["one/image:1"])
    two_files, other = docker_files(parts, "b", ["two/image:1"])
    return tar(*one_files, *two_files, entry("manifest.json", json.dumps([one, other]).encode()))


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE,
                          check=True).stdout


def oci(parts, is_thin=False):
    blobs = {}

    def descriptor(data, media, **more):
        blobs[digest(data)[7:]] = data
        return {"mediaType": MEDIA + media, "digest": digest(data), "size": len(data), **more}

    config = json.dumps(image_config(parts)).encode()
    manifest = json.dumps({
        "schemaVersion": 2, "config": descriptor(config, "config.v1+json"),
        "layers": [descriptor(parts[0], "layer.v1.tar"),
                   # Two members, as some writers make them.
                   descriptor(gzip.compress(parts[1][:700]) + gzip.compress(parts[1][700:]),
                              "layer.v1.tar+gzip"),
                   descriptor(zstd(parts[2]), "layer.v1.tar+zstd")]}).encode()
    if is_thin:
        blobs = {name: data for name, data in blobs.items() if data == config}
    ours = {"os": "linux", "architecture": "amd64"}
    inner = json.dumps({"schemaVersion": 2, "manifests": [
        descriptor(manifest, "manifest.v1+json", platform=ours),
        {"mediaType": MEDIA + "manifest.v1+json", "digest": "sha256:" + "1" * 64, "size": 5,
         "platform": {"os": "linux", "architecture": "arm64"}},
        descriptor(b"{}", "manifest.v1+json", platform={"os": "unknown", "architecture": "unknown"},
                   annotations={"vnd.docker.reference.type": "attestation-manifest"})]}).encode()
    index = {"schemaVersion": 2, "manifests": [
        descriptor(inner, "index.v1+json", annotations={
            "io.containerd.image.name": "docker.io/friendly/oci:1",
            "org.opencontainers.image.ref.name": "1"})]}
    return tar(*(entry("blobs/sha256/" + n, d) for n, d in blobs.items()),
               entry("index.json", json.dumps(index).encode()),
               entry("oci-layout", b'{"imageLayoutVersion": "1.0.0"}'))


def main():
    parts = layers()
    os.makedirs(sys.argv[1], exist_ok=True)
    for name, data in {"docker.tar": docker(parts), "oci.tar": oci(parts), "two.tar": two(parts),
                       "links.tar": linked(parts),
                       "thin.tar": oci(parts, is_thin=True),
                       "whole.tar.zst": zstd(docker(parts)),
                       "whole.tar.gz": gzip.compress(docker(parts), mtime=0)}.items():
        with open(os.path.join(sys.argv[1], name), "wb") as file:
            file.write(data)


if __name__ == "__main__":
    main()
