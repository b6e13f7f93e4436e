# SPDX-License-Identifier: Apache-2.0
"""Archives of images with several layers, over the test image or a base of their own."""

import hashlib
import io
import json
import tarfile

from machine import ARCHIVES

TIME = 1700000000


def layer(files, directories=()):
    """A plain tar of path → bytes; a path whose last part begins with .wh. takes away."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in directories:
            info = tarfile.TarInfo(path)
            info.type, info.mode, info.mtime = tarfile.DIRTYPE, 0o755, TIME
            tar.addfile(info)
        for path, data in files.items():
            info = tarfile.TarInfo(path)
            info.size, info.mode, info.mtime = len(data), 0o644, TIME
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def busybox_layer():
    """The one of the test image."""
    with tarfile.open(f"{ARCHIVES}/busybox.tar") as archive:
        name = json.load(archive.extractfile("manifest.json"))[0]["Layers"][0]
        return archive.extractfile(name).read()


def write_archive(path, name, layers):
    """A docker-archive of these layers, the lowest first. Returns the image's id."""
    digests = [hashlib.sha256(data).hexdigest() for data in layers]
    config = json.dumps({"architecture": "amd64", "os": "linux",
                         "config": {"Env": ["PATH=/usr/bin:/bin"], "Cmd": ["sh"]},
                         "rootfs": {"type": "layers",
                                    "diff_ids": [f"sha256:{digest}" for digest in digests]},
                         "history": [{"created_by": "layered.py"} for _ in layers]}).encode()
    identity = hashlib.sha256(config).hexdigest()
    files = [(f"{identity}.json", config)]
    files += [(f"{digest}/layer.tar", data) for digest, data in zip(digests, layers)]
    manifest = [{"Config": f"{identity}.json", "RepoTags": [name],
                 "Layers": [f"{digest}/layer.tar" for digest in digests]}]
    files.append(("manifest.json", json.dumps(manifest).encode()))
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for file, data in files:
            info = tarfile.TarInfo(file)
            info.size, info.mtime = len(data), TIME
            tar.addfile(info, io.BytesIO(data))
    return identity
