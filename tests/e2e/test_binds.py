# SPDX-License-Identifier: Apache-2.0
"""Directories and files of the host's in containers: who may have which, whose the files are, and
what a hostile guest can do with them."""

import contextlib
import os
import stat
import subprocess

from machine import expect, expect_equal, wait_until
from suite import exec_sh, expect_error, image, new_name, test

OWNER = 1777


@contextlib.contextmanager
def bindable(machine):
    """A directory of OWNER's on a file system where owners can be translated, and a context that
    may bind it."""
    top = f"{machine.state}-binds"
    os.makedirs(top)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "binds", top], check=True)
    os.makedirs(f"{top}/data/sub", exist_ok=True)
    os.makedirs(f"{top}/other", exist_ok=True)
    for name, text, uid, mode in (("data/mine", "mine", OWNER, 0o600),
                                  ("data/theirs", "theirs", OWNER + 1, 0o644),
                                  ("data/closed", "closed", OWNER + 1, 0o600),
                                  ("other/secret", "secret", 0, 0o644)):
        with open(f"{top}/{name}", "w") as file:
            file.write(text)
        os.chown(f"{top}/{name}", uid, uid)
        os.chmod(f"{top}/{name}", mode)
    os.symlink(f"{top}/other", f"{top}/data/way-out")
    for name in "data", "data/sub":
        os.chown(f"{top}/{name}", OWNER, OWNER)
    try:
        yield top
    finally:
        subprocess.run(["umount", "-l", top], check=True)
        os.rmdir(top)


@test("R6.2")
def core(machine):
    with bindable(machine) as top:
        name = "e2e-binds"
        path = f"{machine.config}/contexts.d/{name}.conf"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(f"[context]\ntenant = acme\n[volumes]\nbinds = {top}/data:rw\n")
        out = machine.danchi("run", "--rm", "--context", name, "-u", "1000", "-v", f"{top}/data:/data:rw", "-w", "/data",
                             image(machine), "sh", "-c", "id; mount | grep /data; ls -lan; cat mine theirs; cat closed; pwd; echo new > new; mkdir d; ls -lan new; chmod u+s new; ls way-out/", check=False)
        print(out.stdout, out.stderr)
        os.system(f"ls -lan {top}/data")
        print(machine.log_tail())
