#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Root filesystems of containers."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../network")]
from harness import main, test  # noqa: E402
from ttrpc import pb  # noqa: E402
from world import Task, World, fails  # noqa: E402


@test()
def roots_are_mounted_at_create_and_unmounted_at_delete(lab):
    for name in ("lower1", "lower2", "upper", "work", "plain"):
        os.makedirs(f"{lab.directory}/{name}")
        with open(f"{lab.directory}/{name}/{name}", "w") as file:
            file.write(name)
    subprocess.run(["mount", "-t", "tmpfs", "none", f"{lab.directory}/work"], check=True)
    os.mkdir(f"{lab.directory}/work/up")
    os.mkdir(f"{lab.directory}/work/work")
    place = lab.directory
    overlay = pb.Mount(type="overlay", source="overlay",
                       options=["index=off", f"workdir={place}/work/work", f"upperdir={place}/work/up",
                                f"lowerdir={place}/lower1:{place}/lower2"])
    bind = pb.Mount(type="bind", source=f"{place}/plain", options=["rbind", "ro"])
    # More layers than a page has room for by their whole names.
    deep = os.path.join(place, "d" * 60)
    layers = []
    for i in range(100):
        os.makedirs(f"{deep}/{i}")
        layers.append(f"{deep}/{i}")
        with open(f"{deep}/{i}/file{i}", "w"):
            pass
    many = pb.Mount(type="overlay", source="overlay", options=["lowerdir=" + ":".join(layers)])
    for name, mount, files in (("o1", overlay, ["lower1", "lower2"]), ("b1", bind, ["plain"]),
                               ("m1", many, [f"file{i}" for i in range(100)])):
        root = f"{place}/bundles/{name}/rootfs"
        lab.bundle(name, ("sleep", "1000"))
        task = Task(lab, name, lab.connect(lab.start(name)), rootfs=[mount])
        assert sorted(os.listdir(root)) == sorted(files), (name, os.listdir(root))
        if name != "o1":
            try:
                open(f"{root}/new", "w")
                raise AssertionError(f"{name}: can be written to")
            except OSError:
                pass
        task.kill(9)
        task.delete()
        task.shutdown()
        assert os.listdir(root) == []
    lab.bundle("w1")
    wrong = Task(lab, "w1", lab.connect(lab.start("w1")), streams="", creates=False,
                 rootfs=[bind, pb.Mount(type="nosuchfs", source="x")])
    assert "nosuchfs" in fails(2, wrong.create)
    assert os.listdir(f"{place}/bundles/w1/rootfs") == []
    subprocess.run(["umount", f"{place}/work"], check=True)


if __name__ == "__main__":
    sys.exit(main(World))
