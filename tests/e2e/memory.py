# SPDX-License-Identifier: Apache-2.0
"""Looking for a text in processes' memory and in files.  Needs root."""

import contextlib
import glob
import os
import re
import secrets

BLOCK = 1 << 20


def new_marker():
    """64 bytes that are nowhere yet."""
    return secrets.token_urlsafe(48)


def readable_ranges(pid):
    with open(f"/proc/{pid}/maps") as file:
        for line in file:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) r\S+ \S+ \S+ \S+\s*(.*)", line)
            # The kernel's own pages are the same in each process.
            if found and found[3] not in ("[vvar]", "[vsyscall]", "[vdso]", "[vvar_vclock]"):
                yield int(found[1], 16), int(found[2], 16), found[3]


def search_memory(pid, text):
    """Where @text is in what of the process can be read: addresses, with the mappings' names."""
    text, found = text.encode(), []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError), \
            open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end, name in readable_ranges(pid):
            rest = b""
            for at in range(start, end, BLOCK):
                try:
                    block = rest + os.pread(memory.fileno(), min(BLOCK, end - at), at)
                except OSError:
                    rest = b""
                    continue
                found += [f"{at - len(rest) + one.start():x} {name}"
                          for one in re.finditer(re.escape(text), block)]
                rest = block[-len(text) + 1:]
    return found


def search_file(path, text):
    """@text: bytes, or what is to be encoded as UTF-8."""
    text, rest = text if isinstance(text, bytes) else text.encode(), b""
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            if text in rest + block:
                return True
            rest = block[-len(text) + 1:]
    return False


def search_files(directories, text):
    """The regular files with @text in them, and those whose name has it.  No link is followed: other
    tests leave some that lead to the host's root, /proc and all."""
    found = []
    for directory in directories:
        for top, _, names in os.walk(directory):
            for name in names:
                path = os.path.join(top, name)
                with contextlib.suppress(OSError):
                    is_named = isinstance(text, str) and text in path
                    if is_named or (os.path.isfile(path) and not os.path.islink(path)
                                    and search_file(path, text)):
                        found.append(path)
    return found


def locked_kib(pid):
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"VmLck:\s+(\d+) kB", file.read())[1])


def core_files():
    return [path for pattern in ("/var/lib/systemd/coredump/*", "core", "core.*", "/core*")
            for path in glob.glob(pattern) if os.path.isfile(path)]
