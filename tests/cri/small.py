# SPDX-License-Identifier: Apache-2.0
"""Small file systems in the place of danchid's directories, so that a test can fill them."""

import ctypes
import os
import subprocess

from machine import all_commands, expect

OPEN_TREE, MOVE_MOUNT = 428, 429
OPEN_TREE_CLONE, OPEN_TREE_CLOEXEC, MOVE_MOUNT_F_EMPTY_PATH = 1, os.O_CLOEXEC, 4
AT_FDCWD = -100
CLONE_NEWNS = 0x00020000

libc = ctypes.CDLL(None, use_errno=True)


def call(*arguments):
    result = libc.syscall(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(arguments))
    return result


def mount_small(directory, size):
    """Here and in the mount namespace of libvirtd, which has one of its own on a host without KVM, and QEMU
    after it."""
    os.makedirs(directory, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0711", "danchi", directory], check=True)
    for pid, words in all_commands():
        if os.path.basename(words[0]) == "libvirtd" and not is_here(pid):
            mount_there(pid, directory)


def is_here(pid):
    return os.stat(f"/proc/{pid}/ns/mnt").st_ino == os.stat("/proc/self/ns/mnt").st_ino


def mount_there(pid, directory):
    path = directory.encode()
    tree = call(OPEN_TREE, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with open(f"/proc/{pid}/ns/mnt") as spaces:
                expect(libc.setns(spaces.fileno(), CLONE_NEWNS) == 0, "setns")
            call(MOVE_MOUNT, tree, b"", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH)
            status = 0
        finally:
            os._exit(status)
    expect(os.waitpid(child, 0)[1] == 0, f"{directory} could not be mounted for libvirtd")
    os.close(tree)
