#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes images whose configs say all that a config can say: DIRECTORY/NAME.tar, docker-archives.

    configured.py BUSYBOX.tar DIRECTORY

Each has the layer of the test image and a small one over it with /bin/show, which prints what it was
started with, and with files where a volume will be.
"""

import hashlib
import io
import json
import os
import sys
import tarfile

TIME = 1700000000
SHOW = b"""#!/bin/sh
printf args; for word; do printf ' [%s]' "$word"; done; echo
echo "id $(id -u):$(id -g) $(id -G)"
echo "cwd $(pwd)"
env | sort
"""

# What is compared with Docker and Podman: tests/e2e/test_config.py.
CONFIGS = {
    "both": {
        "Entrypoint": ["/bin/show", "e1"], "Cmd": ["c1", "c 2"], "User": "app",
        "WorkingDir": "/srv/made", "Env": ["A=image", "PATH=/opt/bin:/bin", "B=", "A=twice", "C=x=y"],
        "Volumes": {"/srv/volume": {}, "/var/new": {}}, "StopSignal": "SIGUSR1",
        "ExposedPorts": {"8080/tcp": {}, "53/udp": {}},
        "Labels": {"org.example.from": "image", "org.example.kept": "yes"},
        "Healthcheck": {"Test": ["CMD", "/bin/true"], "Interval": 30000000000, "Retries": 3},
        # Of no meaning when an image is run.
        "OnBuild": ["RUN false"], "Shell": ["/bin/false"], "ArgsEscaped": True, "Unknown": {"a": [1]},
    },
    "cmd": {"Cmd": ["/bin/show", "c1"], "User": "4321", "WorkingDir": ""},
    "none": {},
}


def digest(data):
    return hashlib.sha256(data).hexdigest()


def archive(files):
    """A tar of (name, data, mode); data of None: a directory."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data, mode in files:
            info = tarfile.TarInfo(name)
            info.mode, info.mtime = mode, TIME
            if data is None:
                info.type = tarfile.DIRTYPE
            else:
                info.size = len(data)
            tar.addfile(info, io.BytesIO(data or b""))
    return out.getvalue()


def base_layer(path):
    with tarfile.open(path) as tar:
        name = json.load(tar.extractfile("manifest.json"))[0]["Layers"][0]
        return tar.extractfile(name).read()


def main():
    busybox, directory = sys.argv[1:]
    os.makedirs(directory, exist_ok=True)
    layers = [base_layer(busybox),
              archive([("bin/show", SHOW, 0o755), ("srv/volume", None, 0o777),
                       ("srv/volume/file", b"of the image\n", 0o644)])]
    names = [digest(layer) + "/layer.tar" for layer in layers]
    for name, config in CONFIGS.items():
        text = json.dumps({"architecture": "amd64", "os": "linux", "config": config,
                           "rootfs": {"type": "layers", "diff_ids":
                                      ["sha256:" + digest(layer) for layer in layers]}}).encode()
        manifest = json.dumps([{"Config": digest(text) + ".json", "Layers": names,
                                "RepoTags": [f"localhost/configured:{name}"]}]).encode()
        with open(os.path.join(directory, f"{name}.tar"), "wb") as file:
            file.write(archive([(digest(text) + ".json", text, 0o644), ("manifest.json", manifest, 0o644),
                                *((n, layer, 0o644) for n, layer in zip(names, layers))]))


if __name__ == "__main__":
    main()
