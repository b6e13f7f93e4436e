#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packs a directory as an image archive: docker-archive or OCI image layout, with true digests.

    make-image.py ROOTFS OUT.tar docker|oci --name docker.io/example/web:1 --cmd nginx -- -g 'daemon off;'

Owners are root's but for --own; times are fixed, so the same files give the same image, and both
formats give the same config and so the same image id.
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile

TIME = 1700000000
CREATED = "2023-11-14T22:13:20Z"
MEDIA = "application/vnd.oci.image."


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("rootfs")
    parser.add_argument("out")
    parser.add_argument("format", choices=["docker", "oci"])
    parser.add_argument("--name", required=True)
    parser.add_argument("--user", default="")
    parser.add_argument("--workdir", default="/")
    parser.add_argument("--env", action="append", default=[])
    parser.add_argument("--entrypoint", action="append", default=[])
    parser.add_argument("--cmd", action="append", default=[])
    parser.add_argument("--expose", action="append", default=[])
    parser.add_argument("--label", action="append", default=[])
    parser.add_argument("--stop-signal", default="")
    parser.add_argument("--own", action="append", default=[], metavar="PATH=UID:GID",
                        help="the owner of a path and of what is below it")
    parser.add_argument("--compress", choices=["none", "gzip", "zstd"], default=None,
                        help="of layers; default: none in docker's format, gzip in OCI's")
    return parser.parse_args()


def owners(texts):
    """Longest path first, so that the nearest one wins."""
    pairs = []
    for text in texts:
        path, _, ids = text.rpartition("=")
        uid, _, gid = ids.partition(":")
        pairs.append((path.strip("/"), int(uid), int(gid)))
    return sorted(pairs, reverse=True)


def layer_of(rootfs, own):
    """The directory as a tar stream, names in order."""
    out = io.BytesIO()
    pairs = owners(own)
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        def add(path, name):
            info = tar.gettarinfo(path, name)
            info.uid = info.gid = 0
            for prefix, uid, gid in pairs:
                if name == prefix or name.startswith(prefix + "/"):
                    info.uid, info.gid = uid, gid
                    break
            info.uname = info.gname = ""
            info.mtime = TIME
            if info.isreg():
                with open(path, "rb") as file:
                    tar.addfile(info, file)
            else:
                tar.addfile(info)

        for directory, directories, files in os.walk(rootfs):
            directories.sort()
            relative = os.path.relpath(directory, rootfs)
            for name in sorted(files + directories):
                add(os.path.join(directory, name), os.path.normpath(os.path.join(relative, name)))
    return out.getvalue()


def compressed(data, how):
    if how == "gzip":
        return gzip.compress(data, compresslevel=6, mtime=0)
    if how == "zstd":
        return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE,
                              check=True).stdout
    return data


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def config_of(options, diff_ids):
    config = {"Env": options.env or ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
              "WorkingDir": options.workdir}
    for key, value in (("User", options.user), ("Entrypoint", options.entrypoint),
                       ("Cmd", options.cmd), ("StopSignal", options.stop_signal)):
        if value:
            config[key] = value
    if options.expose:
        config["ExposedPorts"] = {port: {} for port in options.expose}
    if options.label:
        config["Labels"] = dict(text.split("=", 1) for text in options.label)
    return json.dumps({"created": CREATED, "architecture": "amd64", "os": "linux",
                       "config": config,
                       "rootfs": {"type": "layers", "diff_ids": diff_ids},
                       "history": [{"created": CREATED, "created_by": "make-image.py"}]}).encode()


def write_tar(path, files):
    """Writes (name, bytes) pairs."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(data), TIME, 0o644
            tar.addfile(info, io.BytesIO(data))


def docker_archive(options, layer, how):
    blob = compressed(layer, how)
    config = config_of(options, [digest(layer)])
    config_name = digest(config)[7:] + ".json"
    layer_name = digest(layer)[7:] + "/layer.tar"
    manifest = [{"Config": config_name, "RepoTags": [options.name], "Layers": [layer_name]}]
    return [(config_name, config), (layer_name, blob),
            ("manifest.json", json.dumps(manifest).encode())]


def oci_archive(options, layer, how):
    blob = compressed(layer, how)
    config = config_of(options, [digest(layer)])

    def descriptor(data, media):
        return {"mediaType": media, "digest": digest(data), "size": len(data)}

    suffix = {"none": "", "gzip": "+gzip", "zstd": "+zstd"}[how]
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MEDIA + "manifest.v1+json",
                           "config": descriptor(config, MEDIA + "config.v1+json"),
                           "layers": [descriptor(blob, MEDIA + "layer.v1.tar" + suffix)]}).encode()
    entry = descriptor(manifest, MEDIA + "manifest.v1+json")
    entry["annotations"] = {"org.opencontainers.image.ref.name": options.name}
    entry["platform"] = {"os": "linux", "architecture": "amd64"}
    index = {"schemaVersion": 2, "manifests": [entry]}
    blobs = [("blobs/sha256/" + digest(data)[7:], data) for data in (config, blob, manifest)]
    return blobs + [("index.json", json.dumps(index).encode()),
                    ("oci-layout", b'{"imageLayoutVersion": "1.0.0"}')]


def main():
    chosen = options()
    layer = layer_of(chosen.rootfs, chosen.own)
    if chosen.format == "docker":
        files = docker_archive(chosen, layer, chosen.compress or "none")
    else:
        files = oci_archive(chosen, layer, chosen.compress or "gzip")
    write_tar(chosen.out + ".new", files)
    os.rename(chosen.out + ".new", chosen.out)


if __name__ == "__main__":
    main()
