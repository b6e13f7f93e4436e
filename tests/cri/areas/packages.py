# SPDX-License-Identifier: Apache-2.0
"""What programs do that install others: Debian's own dpkg, tar and chmod in a pod's root."""

import os
import re
import shutil
import subprocess

from areas import test
from areas.volumes import pods_directory
from machine import expect_equal

ROOT = {"run_as_user": {"value": 0}}
PROGRAMS = ("dpkg", "dpkg-deb", "dpkg-split", "tar", "chmod", "cp", "rm")


def make_tools(path):
    """The node's programs, and the libraries that they need."""
    for name in "bin", "lib", "lib64":
        os.makedirs(f"{path}/{name}")
    for name in PROGRAMS:
        program = shutil.which(name)
        shutil.copy(program, f"{path}/bin/{name}")
        needed = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
        for library in re.findall(r"(/\S+\.so\S*)", needed):
            shutil.copy(library, f"{path}/{'lib64' if '/ld-' in library else 'lib'}/")


def make_package(path, root):
    """One with bits of all kinds, as login, cron and mailutils have them."""
    for name in "DEBIAN", "usr/bin", "var/mail":
        os.makedirs(f"{root}/{name}")
    with open(f"{root}/DEBIAN/control", "w") as file:
        file.write("Package: bits\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@invalid>\n"
                   "Description: bits\n")
    for name, mode in ("usr/bin/su", 0o4755), ("usr/bin/crontab", 0o2755):
        with open(f"{root}/{name}", "w") as file:
            file.write("program\n")
        os.chmod(f"{root}/{name}", mode)
    os.chown(f"{root}/var/mail", 0, 8)
    os.chmod(f"{root}/var/mail", 0o2775)
    for name in "", "DEBIAN", "usr", "usr/bin", "var":
        os.chmod(f"{root}/{name}", 0o755)
    subprocess.run(["dpkg-deb", "--build", root, f"{path}/bits.deb"], check=True, capture_output=True)
    subprocess.run(["tar", "-C", root, "-cf", f"{path}/bits.tar", "usr", "var"], check=True)


@test("R3.4", "R5.16", seconds=240)
def programs_that_set_bits_go_on(node):
    """no_new_privs makes set-user-ID bits mean nothing; a program that sets them needs to know nothing of it."""
    with node.shared_pod() as pod:
        path = pods_directory(pod, "empty-dir", "tools")
        make_tools(path)
        make_package(path, os.path.join(node.directory, f"package-{pod.uid}"))
        container = pod.sh("exec sleep 1000", security=ROOT, mounts=[
            {"container_path": "/tools", "host_path": path, "readonly": True}])
        said = container.exec_sh(
            "set -e; test -e /lib64 || cp -a /tools/lib64 /lib64\n"
            "export LD_LIBRARY_PATH=/tools/lib PATH=/tools/bin:$PATH\n"
            "mkdir -p /var/lib/dpkg/info /var/lib/dpkg/updates; touch /var/lib/dpkg/status /var/lib/dpkg/available\n"
            "/tools/bin/dpkg --force-not-root --force-bad-path -i /tools/bits.deb >&2\n"
            "stat -c '%u %g %a' /usr/bin/su /usr/bin/crontab /var/mail\n"
            "mkdir /by-tar; /tools/bin/tar -C /by-tar -xpf /tools/bits.tar; stat -c '%a' /by-tar/usr/bin/su\n"
            "/tools/bin/cp -a /by-tar /by-cp; /tools/bin/chmod u+s,g+s /by-cp/usr/bin/su\n"
            "stat -c '%a' /by-cp/usr/bin/su\n"
            "mkdir /shared; chown 0:50 /shared\n"
            "/tools/bin/chmod 2770 /shared; touch /shared/file; mkdir /shared/below\n"
            "/tools/bin/chmod 700 /shared/below; stat -c '%g %a' /shared/file /shared/below\n"
            "stat -c '%g %a' /var/mail\n"
            # As maintainers' scripts do, which are root's: in somebody else's directory.
            "mkdir /of-another; chown 33:33 /of-another; chmod 700 /of-another; echo x > /of-another/file\n"
            "stat -c '%u %g' /of-another/file", timeout=200).splitlines()
        kept = node.runtime != "danchi"
        expect_equal(said[:3], [f"0 0 {4755 if kept else 755}", f"0 0 {2755 if kept else 755}", "0 8 2775"],
                     "what dpkg has installed")
        expect_equal(said[3:5], ["4755", "6755"] if kept else ["755", "755"], "what tar, cp and chmod have made")
        expect_equal(said[5:8], ["50 644", "50 2700", "8 2775"], "a directory's group")
        expect_equal(said[8:], ["0 0"], "what root has made in another's directory")
