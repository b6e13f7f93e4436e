#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes archives of layers that change what is below them, for the unpacker's tests.

    stacked.py DIRECTORY

    stacked.tar     what test-unpack-layers.c expects of it stands there
    split.tar       the lowest layer of stacked.tar alone
"""

import json
import os
import sys
import tarfile

from friendly import directory, docker_files
from hostile import entry, link, tar


def layers():
    lower = tar(
        directory("./", mode=0o751, mtime=1000, uid=3, gid=4),
        directory("a", mtime=2000), directory("a/b", mode=0o700, mtime=2100, uid=5),
        entry("a/b/kept", b"kept", mtime=2200), entry("a/b/removed", b"x"),
        entry("a/target", b"target", mtime=2300, mode=0o640, uid=6, gid=7),
        entry("a/second", kind=tarfile.LNKTYPE, link="a/target"),
        directory("opaque", mtime=2400), entry("opaque/lower", b"x"), directory("opaque/sub"),
        entry("opaque/sub/lower", b"x"),
        directory("again", mtime=2500), entry("again/lower", b"x"),
        directory("gone"), directory("gone/deep"), entry("gone/deep/file", b"x"),
        entry("file", b"x"), directory("dir"), entry("dir/inside", b"x"), link("link", "a"),
        directory("times", mtime=2600), directory("times/inner", mtime=2700),
        directory("empty", mtime=2800))
    middle = tar(
        # Only a name in it: a and a/b stay what they were, but are copied up.
        entry("a/b/new", b"new", mtime=3000), entry("a/b/.wh.removed"),
        # A link to what only the layer below has.
        entry("hard", kind=tarfile.LNKTYPE, link="a/target"),
        # All that is below goes, what the layer has stays, before and after the whiteout.
        entry("opaque/before", b"1"), entry("opaque/.wh..wh..opq"), entry("opaque/after", b"2"),
        entry("opaque/sub/own", b"3"),
        # Away, and there again as another one.
        entry(".wh.again"), directory("again", mode=0o711, mtime=3100), entry("again/new", b"x"),
        entry(".wh.gone"), entry(".wh.never-was"),
        # Each becomes another kind.
        directory("file", mtime=3200), entry("file/inside", b"x"), entry("dir", b"file"),
        entry("link", b"no link"),
        # The directory alone; its content is not touched.
        directory("times", mode=0o500, mtime=3300),
        # A parent that no layer names, and one that a link leads to.
        entry("implied/deep/file", b"x", mtime=3400), link("way", "/a"),
        entry("way/through", b"through", mtime=3500),
        # A whiteout of the layer's own file hides nothing of it.
        entry("own", b"own"), entry(".wh.own"))
    upper = tar(
        entry("hard", b"changed"), entry("a/.wh.second"), entry("opaque/.wh.before"),
        entry(".wh.again"), entry(".wh.implied"), entry("again", b"now a file"),
        entry("gone", b"back as a file"), entry("empty/.wh..wh..opq"))
    return [lower, middle, upper]


def docker(parts):
    files, image = docker_files(parts)
    return tar(*files, entry("manifest.json", json.dumps([image]).encode()))


def main():
    parts = layers()
    os.makedirs(sys.argv[1], exist_ok=True)
    for name, data in {"stacked.tar": docker(parts), "split.tar": docker(parts[:1])}.items():
        with open(os.path.join(sys.argv[1], name), "wb") as file:
            file.write(data)


if __name__ == "__main__":
    main()
