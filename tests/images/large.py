#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes archives of a chosen size, the same bytes each time: docker-archives that share their base.

    large.py OUT.tar --name localhost/large:1 --layer SEED:FILES:BYTES [--layer ...] [--busybox BUSYBOX.tar]

A layer holds FILES files of all sizes in directories of a hundred, BYTES altogether, whose content no
compressor makes smaller.  Those of one seed, number and size are the same layer in every archive.
With --busybox the lowest layer is that of the test image, so that a container of it can be run.
Nothing is held in memory but one file: layers go to the disk as they are made.
"""

import argparse
import hashlib
import io
import json
import os
import random
import tarfile
import tempfile

TIME = 1700000000
BLOCK = 1 << 20


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--name", required=True)
    parser.add_argument("--layer", action="append", default=[])
    parser.add_argument("--busybox")
    return parser.parse_args()


def sizes(source, files, total):
    """As in real trees: most files are small, a few hold half of the bytes."""
    weights = [source.paretovariate(1.2) for _ in range(files)]
    scale = total / sum(weights)
    return [int(weight * scale) for weight in weights]


def write_layer(out, seed, files, total):
    source = random.Random(seed)
    noise = source.randbytes(BLOCK)
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for number, size in enumerate(sizes(source, files, total)):
            if number % 100 == 0:
                directory = tarfile.TarInfo(f"data-{seed}/{number // 100:05}")
                directory.type, directory.mode, directory.mtime = tarfile.DIRTYPE, 0o755, TIME
                tar.addfile(directory)
            info = tarfile.TarInfo(f"data-{seed}/{number // 100:05}/{number:07}")
            info.size, info.mode, info.mtime = size, 0o644, TIME
            # No two files are alike, and no file is a piece of another.
            start = str(number).encode().ljust(16, b".") + noise[number % 4096:]
            content = (start * (size // len(start) + 1))[:size]
            tar.addfile(info, io.BytesIO(content))


def busybox_layer(path):
    with tarfile.open(path) as tar:
        name = json.load(tar.extractfile("manifest.json"))[0]["Layers"][0]
        return tar.extractfile(name).read()


class Hashing:
    """A file that is hashed as it is written."""

    def __init__(self, file):
        self.file, self.hash = file, hashlib.sha256()

    def write(self, data):
        self.hash.update(data)
        return self.file.write(data)

    def tell(self):
        return self.file.tell()


def layers_of(chosen, directory):
    """(digest, path) of each, the lowest first."""
    if chosen.busybox:
        data = busybox_layer(chosen.busybox)
        path = os.path.join(directory, "busybox")
        with open(path, "wb") as file:
            file.write(data)
        yield hashlib.sha256(data).hexdigest(), path
    for number, text in enumerate(chosen.layer):
        seed, files, total = (int(part) for part in text.split(":"))
        path = os.path.join(directory, str(number))
        with open(path, "wb") as file:
            hashing = Hashing(file)
            write_layer(hashing, seed, files, total)
        yield hashing.hash.hexdigest(), path


def add(tar, name, size, file):
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, TIME, 0o644
    tar.addfile(info, file)


def main():
    chosen = options()
    place = os.path.dirname(os.path.abspath(chosen.out))
    os.makedirs(place, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, prefix="large-") as directory:
        layers = list(layers_of(chosen, directory))
        config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/sh"]},
                             "rootfs": {"type": "layers", "diff_ids":
                                        ["sha256:" + digest for digest, _ in layers]}}).encode()
        name = hashlib.sha256(config).hexdigest() + ".json"
        manifest = json.dumps([{"Config": name, "RepoTags": [chosen.name],
                                "Layers": [f"{digest}/layer.tar" for digest, _ in layers]}]).encode()
        with tarfile.open(chosen.out + ".new", "w", format=tarfile.GNU_FORMAT) as tar:
            add(tar, name, len(config), io.BytesIO(config))
            add(tar, "manifest.json", len(manifest), io.BytesIO(manifest))
            for digest, path in layers:
                with open(path, "rb") as file:
                    add(tar, f"{digest}/layer.tar", os.path.getsize(path), file)
        os.rename(chosen.out + ".new", chosen.out)


if __name__ == "__main__":
    main()
