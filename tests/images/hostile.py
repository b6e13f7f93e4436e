#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes archives that nobody should load, and DIRECTORY/index: a line "NAME EXPECTED WORDS" each.

    hostile.py DIRECTORY

The words are a part of the one error that loading the archive must end in.
"""

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile

INDEX = []
DIRECTORY = "."


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def entry(name, data=b"", kind=tarfile.REGTYPE, link="", mode=0o644, **more):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size, info.mode = kind, link, len(data), mode
    for key, value in more.items():
        setattr(info, key, value)
    return info, data


def tar(*entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def image_config(layers, **changes):
    config = {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/true"]},
              "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in layers]}}
    config.update(changes)
    return config


def docker(layers, config=None, tags=("docker.io/evil/image:1",), manifest=None, extra=()):
    config = json.dumps(config if config is not None else image_config(layers)).encode()
    names = [f"{i}/layer.tar" for i in range(len(layers))]
    if manifest is None:
        manifest = json.dumps([{"Config": "config.json", "RepoTags": list(tags),
                                "Layers": names}]).encode()
    return tar(entry("config.json", config), *(entry(n, d) for n, d in zip(names, layers)),
               entry("manifest.json", manifest), *extra)


def oci(layer, *, blob=None, media="tar", layer_size=None, layer_digest=None, diff_id=None,
        config_digest=None, manifest_size=None, index=None, version="1.0.0"):
    """An OCI archive with one layer, in which anything can be made to lie."""
    blob = layer if blob is None else blob
    media_type = "application/vnd.oci.image."
    config = json.dumps(image_config([layer]) if diff_id is None else image_config(
        [layer], rootfs={"type": "layers", "diff_ids": [diff_id]})).encode()
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": media_type + "manifest.v1+json",
        "config": {"mediaType": media_type + "config.v1+json", "size": len(config),
                   "digest": config_digest or digest(config)},
        "layers": [{"mediaType": media_type + "layer.v1." + media,
                    "size": len(blob) if layer_size is None else layer_size,
                    "digest": layer_digest or digest(blob)}]}).encode()
    if index is None:
        index = {"schemaVersion": 2, "manifests": [
            {"mediaType": media_type + "manifest.v1+json", "digest": digest(manifest),
             "size": len(manifest) if manifest_size is None else manifest_size}]}
    names = {digest(config)[7:]: config, digest(manifest)[7:]: manifest,
             (layer_digest or digest(blob))[7:]: blob}
    if config_digest:
        names[config_digest[7:]] = config
    return tar(*(entry("blobs/sha256/" + n, d) for n, d in names.items()),
               entry("index.json", json.dumps(index).encode()),
               entry("oci-layout", json.dumps({"imageLayoutVersion": version}).encode()))


def case(name, words, data):
    with open(os.path.join(DIRECTORY, name), "wb") as file:
        file.write(data)
    INDEX.append(f"{name} {words}\n")


def link(name, target):
    return entry(name, kind=tarfile.SYMTYPE, link=target)


def layer_cases():
    def one(name, words, *entries):
        case(name, words, docker([tar(*entries)]))

    one("traversal.tar", "the name has '..'", entry("a/../../../etc/passwd", b"evil"))
    one("absolute.tar", "the name is absolute", entry("/etc/passwd", b"evil"))
    one("symlink-escape.tar", "leads out of the image",
        link("out", "../../../../tmp"), entry("out/evil", b"evil"))
    one("symlink-chain-escape.tar", "leads out of the image",
        link("a", "b/.."), entry("b", kind=tarfile.DIRTYPE, mode=0o755), link("c", "a/../.."),
        entry("c/evil", b"evil"))
    one("symlink-loop.tar", "too many symbolic links",
        link("a", "b"), link("b", "a"), entry("a/evil", b"evil"))
    one("parent-is-file.tar", "cannot enter 'file'",
        entry("file", b"x"), entry("file/evil", b"evil"))
    one("hard-link-escape.tar", "the name has '..'",
        entry("evil", kind=tarfile.LNKTYPE, link="../../etc/shadow"))
    one("hard-link-absolute.tar", "the name is absolute",
        entry("evil", kind=tarfile.LNKTYPE, link="/etc/shadow"))
    one("hard-link-through-symlink.tar", "leads out of the image",
        link("out", "../../../../etc"), entry("evil", kind=tarfile.LNKTYPE, link="out/shadow"))
    one("hard-link-to-nothing.tar", "hard link to what is not there",
        entry("evil", kind=tarfile.LNKTYPE, link="nothing"))
    one("device-node.tar", "a device node",
        entry("disk", kind=tarfile.BLKTYPE, devmajor=254, devminor=0))
    one("character-device.tar", "a device node",
        entry("mem", kind=tarfile.CHRTYPE, devmajor=1, devminor=1))
    one("whiteout-escape.tar", "a whiteout of no name", entry("a/.wh..."))
    one("whiteout-traversal.tar", "the name has '..'", entry("../.wh.etc"))
    one("long-name.tar", "the name is over 4095 bytes", entry("x/" * 2500 + "evil", b"evil"))
    one("deep-name.tar", "deeper than 256", entry("x/" * 400 + "evil", b"evil"))
    one("negative-owner.tar", "no user id", entry("evil", b"evil", uid=4294967295))
    case("garbage-layer.tar", "tar archive", docker([b"this is no tar archive " * 100]))


def size_cases():
    honest = tar(entry("file", b"x" * 1000))
    whole = docker([honest])
    # Ends inside of the layer.
    case("truncated.tar", "longer than the archive", whole[:2600])
    zipped = gzip.compress(honest, mtime=0)
    case("truncated-gzip-layer.tar", "cannot decompress",
         oci(honest, blob=zipped[:-20], media="tar+gzip"))
    case("truncated-gzip.tar.gz", "cannot decompress",
         gzip.compress(docker([os.urandom(40000)]), mtime=0)[:-9000])
    case("lying-layer-size.tar", "has the wrong size", oci(honest, layer_size=12))
    case("lying-manifest-size.tar", "has the wrong size", oci(honest, manifest_size=1))
    # A header that promises more than there is.
    cut = docker([tar(entry("file", b"x" * 100000))[:20480]])
    case("lying-file-size.tar", "file", cut)
    # 16 GiB in 16 MB, as a file and as what follows the archive's end: over the store's limit.
    bomb(tar(entry("zeros", b""))[:-1024 * 10], "gzip-bomb.tar", "limit")
    sparse = tarfile.TarInfo("holes")
    sparse.size = 512
    sparse.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0",
                          "GNU.sparse.name": "holes", "GNU.sparse.realsize": str(1 << 46)}
    data = b"1\n0\n0\n".ljust(512, b"\0")
    case("sparse-bomb.tar", "the files are larger than the limit",
         docker([tar((sparse, data))]))


def bomb(start, name, words):
    """A gzip layer that grows a thousandfold; its digests are wrong, but that comes after."""
    block = bytes(1 << 20)
    info = tarfile.TarInfo("zeros")
    info.size = 16 << 30
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1, mtime=0) as zipped:
        zipped.write(info.tobuf(tarfile.GNU_FORMAT))
        for _ in range(64):
            zipped.write(block)
    case(name, words, oci(b"", blob=out.getvalue(), media="tar+gzip"))


def digest_cases():
    honest = tar(entry("file", b"x" * 1000))
    other = "sha256:" + "2" * 64
    case("wrong-layer-digest.tar", "has the wrong digest", oci(honest, layer_digest=other))
    case("wrong-diff-id.tar", "has the wrong digest", oci(honest, diff_id=other))
    case("wrong-config-digest.tar", "has the wrong digest", oci(honest, config_digest=other))
    case("docker-wrong-diff-id.tar", "has the wrong digest",
         docker([honest], config=image_config([b"another"])))
    case("digest-of-nothing.tar", "no digest", oci(honest, layer_digest="sha256:" + "0" * 64))
    case("not-sha256.tar", "no sha256 digest", oci(honest, diff_id="md5:" + "0" * 32))


def document_cases():
    honest = tar(entry("file", b"x"))
    case("duplicate-keys.tar", "duplicate object key",
         docker([honest], manifest=b'[{"Config": "config.json", "Config": "other.json",'
                                   b' "RepoTags": [], "Layers": ["0/layer.tar"]}]'))
    case("deep-json.tar", "nested deeper", docker([honest], manifest=b"[" * 100000))
    case("manifest-twice.tar", "twice",
         docker([honest], extra=[entry("manifest.json", b"[]")]))
    case("config-outside.tar", "leads outside",
         docker([honest], manifest=b'[{"Config": "../../etc/passwd", "RepoTags": [],'
                                   b' "Layers": ["0/layer.tar"]}]'))
    case("layer-outside.tar", "leads outside",
         docker([honest], manifest=b'[{"Config": "config.json", "RepoTags": [],'
                                   b' "Layers": ["/etc/passwd"]}]'))
    case("wrong-types.tar", "is not a list",
         docker([honest], manifest=b'[{"Config": "config.json", "RepoTags": 7, "Layers": []}]'))
    case("control-characters.tar", "control character",
         docker([honest], tags=["docker.io/evil/\u001b[2Jimage:1"]))
    case("control-characters-command.tar", "control character",
         docker([honest], config=image_config([honest], config={"Cmd": ["/bin/true\n"]})))
    case("nul-in-environment.tar", "config",
         docker([honest], config=image_config([honest], config={"Env": ["A=\u0000"]})))
    config_cases(honest)
    case("another-machine.tar", "not for linux/amd64",
         docker([honest], config=image_config([honest], architecture="arm64")))
    case("layers-missing.tar", "names 2 layers",
         docker([honest], config=image_config([honest, honest])))
    case("huge-config.tar", "config",
         docker([honest], config=image_config([honest], config={"Labels": {"a": "x" * 5000000}})))
    case("no-image.tar", "no image archive", tar(entry("hello", b"world")))
    case("oci-version.tar", "is not 1.x", oci(honest, version="2.0.0"))
    loop = {"schemaVersion": 2, "manifests": []}
    case("empty-index.tar", "no image", oci(honest, index=loop))


def config_cases(honest):
    """Values of an image's config, each refused by its name; the unit tests have many more."""
    for name, words, config in (
            ("directory-parent", "WorkingDir: '/srv/../../etc': its path has '..'",
             {"WorkingDir": "/srv/../../etc"}),
            ("volume-parent", "Volumes: '/data/..': its path has '..'", {"Volumes": {"/data/..": {}}}),
            ("user-option", "User: '--privileged': not USER[:GROUP]", {"User": "--privileged"}),
            ("user-overflow", "User: '4294967296': a number over", {"User": "4294967296"}),
            ("no-signal", "StopSignal: 'SIGKILL9': no such signal", {"StopSignal": "SIGKILL9"}),
            ("no-port", "ExposedPorts: '99999/tcp': no port", {"ExposedPorts": {"99999/tcp": {}}}),
            ("no-value", "Env: element 1 is not NAME=VALUE", {"Env": ["LD_PRELOAD"]}),
            ("labels-flood", "'Labels' has more than 1024",
             {"Labels": {f"l{i}": "" for i in range(20000)}}),
            ("many-variables", "more than 4194304 bytes",
             {"Env": [f"V{i}=" for i in range(1000000)]})):
        case(f"config-{name}.tar", words, docker([honest], config=image_config([honest], config=config)))
    case("config-history-flood.tar", "'history' has more than 1024",
         docker([honest], config=image_config([honest], history=[{"created_by": "x"}] * 5000)))
    case("config-deep.tar", "nested deeper",
         docker([honest], config=image_config([honest], config={"OnBuild": deep(40)})))
    text = json.dumps(image_config([honest]))
    twice = text.replace('"config": {', '"config": {"Cmd": ["/bin/false"], ', 1).encode()
    case("config-twice.tar", "duplicate object key",
         tar(entry("config.json", twice), entry("0/layer.tar", honest),
             entry("manifest.json", json.dumps([{"Config": "config.json", "RepoTags": [],
                                                 "Layers": ["0/layer.tar"]}]).encode())))


def deep(levels):
    return [deep(levels - 1)] if levels else []


def count_cases():
    # Over a million names in a few hundred kilobytes.
    out = io.BytesIO()
    block = b"".join(entry(f"d/{i}")[0].tobuf(tarfile.USTAR_FORMAT) for i in range(1000))
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=6, mtime=0) as zipped:
        for _ in range(1050):
            zipped.write(block)
    case("many-files.tar", "more files than the limit",
         oci(b"", blob=out.getvalue(), media="tar+gzip"))


def main():
    global DIRECTORY
    DIRECTORY = sys.argv[1]
    os.makedirs(DIRECTORY, exist_ok=True)
    layer_cases()
    size_cases()
    digest_cases()
    document_cases()
    count_cases()
    with open(os.path.join(DIRECTORY, "index"), "w") as file:
        file.writelines(INDEX)


if __name__ == "__main__":
    main()
