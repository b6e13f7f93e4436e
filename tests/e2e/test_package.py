# SPDX-License-Identifier: Apache-2.0
"""The Debian package's scripts, on a copy of this machine's files (package.sh)."""

import os
import shutil
import subprocess
import tempfile

from machine import BUILD, EMULATION, TOP, expect, expect_equal
from suite import Skip, test

CONTROL = """Package: danchi
Version: 0.0.1
Architecture: amd64
Maintainer: Danchi's tests <root@localhost>
Description: programs and scripts alone
"""


def make_package(stage):
    """The programs and the scripts as they are shipped; images and dependencies take minutes."""
    helpers = ["danchid", "danchi-relay", "danchi-intake", "danchi-gateway", "danchi-share",
               "danchi-publish"]
    for path, names in ("usr/bin", ["danchi", "containerd-shim-danchi-v2"]), ("usr/libexec/danchi", helpers):
        os.makedirs(f"{stage}/{path}")
        for name in names:
            shutil.copy(f"{BUILD}/bin/{name}", f"{stage}/{path}/{name}")
    os.mkdir(f"{stage}/DEBIAN")
    with open(f"{stage}/DEBIAN/control", "w") as file:
        file.write(CONTROL)
    for name in "postinst", "prerm", "postrm":
        with open(f"{TOP}/config/debian/{name}") as source, open(f"{stage}/DEBIAN/{name}", "w") as file:
            file.write(source.read().replace("@PREFIX@", "/usr"))
        os.chmod(f"{stage}/DEBIAN/{name}", 0o755)
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", stage, f"{stage}.deb"], check=True,
                   stdout=subprocess.DEVNULL)


@test(seconds=180, only=EMULATION)
def an_upgrade_of_the_package_replaces_the_danchid_that_a_command_started(machine):
    if shutil.which("dpkg-deb") is None:
        raise Skip("there is no dpkg")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        stage = f"{directory}/danchi"
        os.mkdir(stage, 0o755)
        make_package(stage)
        done = subprocess.run(["tests/e2e/package.sh", f"{stage}.deb"], cwd=TOP, text=True, capture_output=True)
    expect(done.returncode == 0, f"package.sh: status {done.returncode}\n{done.stdout}{done.stderr[-3000:]}")
    seen = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    expect_equal(seen, {"started-by-installing": "0", "old-runs-after-upgrade": "no", "another-answers": "yes",
                        "its-program": "/usr/libexec/danchi/danchid", "runs-after-removal": "0"},
                 f"what dpkg left\n{done.stderr[-2000:]}")
