#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the make rules of all tests in C, from what each says in its first lines.

    test-rules.py BUILD_DIR

    /* Links: launcher/relay/log.c launcher/base/*.c protocol/*.c */   sources besides its own
    /* Packages: glib-2.0 libseccomp -lacl */                         pkg-config names, or -lNAME
    /* Needs: root */                                                 runs with check-agent
    /* Only: release */                                               not with sanitizers, and why

`!launcher/daemon/main.c` among the links takes a file out again.  tests/unit, tests/platform and
tests/agent get GLib always, fuzz targets only by asking.  In tests/agent and tests/platform, what is
not called test-* has no test framework: in tests/agent it is a static program for the tests to use.
"""

import glob
import os
import re
import sys

HEADER_LINES = 12
UNIT_PACKAGES = ["glib-2.0", "gio-unix-2.0", "json-glib-1.0"]


def read_header(path):
    """The words of each `/* Name: words */` comment, which may go on over several lines."""
    with open(path) as file:
        head = "".join(file.readline() for _ in range(HEADER_LINES))
    return {name: [word.rstrip(",;") for word in words.split() if word != "*"]
            for name, words in re.findall(r"/\* (Links|Packages|Needs|Only):(.*?)\*/", head,
                                          re.DOTALL)}


def expand_links(path, patterns):
    """Returns the sources, or the pattern that matches nothing."""
    sources = []
    for pattern in patterns:
        if pattern.startswith("build/gen/"):
            sources.append(pattern)  # made by a rule, maybe not yet
            continue
        if pattern.startswith("!"):
            sources = [source for source in sources if source != pattern[1:]]
            continue
        found = sorted(glob.glob(pattern))
        if not found:
            return None, pattern
        sources += [source for source in found if source not in sources]
    return sources, None


def libraries(packages):
    names = [word for word in packages if not word.startswith("-")]
    flags = " ".join(word for word in packages if word.startswith("-"))
    return f"$(call pkg_libs,{' '.join(names)}) {flags}" if names else flags


def print_rule(path, program, objects_dir, link, packages, default_packages):
    header = read_header(path)
    sources, unmatched = expand_links(path, header.get("Links", []))
    packages = list(dict.fromkeys(default_packages + header.get("Packages", []) + packages))
    # The two define the same names (json_object_iter_next ()): the guest's library goes alone.
    if {"jansson", "-ljansson"} & set(packages):
        packages = [name for name in packages if name != "json-glib-1.0"]
    if unmatched:
        print(f"{program}:\n\t@echo '{path}: nothing matches the link {unmatched}' >&2; exit 1\n")
        return header
    objects = [f"{objects_dir(source)}/{source[:-2]}.o" for source in [path] + sources]
    print(f"{program}: {' '.join(objects)}\n\t@mkdir -p $(@D)\n"
          f"\t$(call say,LINK,$@)\n\t$(Q){link} -o $@ $^ "
          f"{libraries(packages)} $(LDLIBS)\n")
    # The tests' own directories have GLib's flags already: tests.mk.
    cflags = " ".join(word for word in packages
                      if not word.startswith("-") and word not in default_packages)
    if cflags:
        print(f"{objects_dir(path)}/{path[:-2]}.o: CPPFLAGS += $(call pkg_cflags,{cflags})\n")
    return header


def object_dir(source):
    return "$(B)/guest" if source.startswith("guest-agent/") else "$(B)/host"


def main():
    programs = {"UNIT_TESTS": [], "AGENT_TESTS": [], "AGENT_HELPERS": [], "FUZZ_TARGETS": []}
    for path in sorted(glob.glob("tests/unit/test-*.c") + glob.glob("tests/platform/*.c")
                       + glob.glob("tests/agent/test-*.c")):
        is_asan = os.path.basename(sys.argv[1]) == "asan"
        if is_asan and "release" in read_header(path).get("Only", []):
            continue
        program = f"$(B)/{path[:-2]}"
        header = print_rule(path, program, object_dir, "$(CC) $(HOST_CFLAGS) $(HOST_LDFLAGS)", [],
                            UNIT_PACKAGES)
        needs_root = "root" in header.get("Needs", []) or path.startswith("tests/agent/")
        programs["AGENT_TESTS" if needs_root else "UNIT_TESTS"].append(program)
    for path in sorted(set(glob.glob("tests/agent/*.c")) - set(glob.glob("tests/agent/test-*.c"))):
        # Only what is a program of its own; the others are linked by the tests that name them.
        if re.search(r"^main \(", open(path).read(), re.MULTILINE):
            # Runs as a container's program: static, so without sanitizers in any mode.
            program = f"$(B)/{path[:-2]}"
            print(f"{program}: {path} $(FLAGS_FILE)\n\t@mkdir -p $(@D)\n\t$(call say,LINK,$@)\n"
                  f"\t$(Q)$(CC) $(PROBE_CFLAGS) -o $@ $<\n")
            programs["AGENT_HELPERS"].append(program)
    for path in sorted(glob.glob("tests/fuzz/fuzz-*.c")):
        program = f"$(B)/{path[:-2]}"
        print_rule(path, program, lambda source: "$(B)/fuzz", "$(FUZZ_CC) $(FUZZ_CFLAGS)", [], [])
        programs["FUZZ_TARGETS"].append(program)
    for name, members in programs.items():
        print(f"{name} := {' '.join(members)}")


def write_if_changed(path, text):
    try:
        with open(path) as file:
            if file.read() == text:
                return
    except OSError:
        pass
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # Parts of the tests run beside each other: none may find half of it.
    with open(f"{path}.{os.getpid()}", "w") as file:
        file.write(text)
    os.rename(file.name, path)


if __name__ == "__main__":
    import contextlib
    import io

    rules = io.StringIO()
    with contextlib.redirect_stdout(rules):
        main()
    write_if_changed(os.path.join(sys.argv[1], "tests", "rules.mk"), rules.getvalue())
