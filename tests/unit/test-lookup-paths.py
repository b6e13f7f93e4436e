#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether verbs reach containers, contexts and images by lookup.c alone, and whether each verb says
who may use it: what the compiler cannot hold.

Prints TAP.
"""

import glob
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
DAEMON = os.path.join(TOP, "launcher", "daemon")

# What finds or lists everything of the host, whoever asks.
UNFILTERED = re.compile(r"\b(dn_container_list|dn_context_list|dn_store_list|dn_store_find) \(|"
                        r"\bdaemon->(containers|contexts)\b")
# Where it may stand in a file of verbs: the function around it, and why.
ALLOWED = {
    ("verb-context.c", "write_context"): "root's: whether the name is taken",
    ("verb-verify.c", "list_relay_paths"): "of a context that was looked up",
}
# Their rows have DN_SCOPE_ROOT.
ROOTS_FILES = ("verb-audit.c", "verb-audit-record.c", "verb-forensics.c", "verb-record.c")
FUNCTION = re.compile(r"^(?:DN_VERB \((\w+)\)|(\w+) \()")


def uses(path):
    """(function, line) of each use in a file."""
    function = None
    with open(path) as file:
        for line in file:
            start = FUNCTION.match(line)
            if start:
                function = start.group(1) or start.group(2)
            if UNFILTERED.search(line):
                yield function, line.strip()


def verbs_reach_objects_by_lookup_alone():
    wrong = []
    for path in sorted(glob.glob(f"{DAEMON}/verb*.c")):
        name = os.path.basename(path)
        if name not in ROOTS_FILES:
            wrong += [f"{name}: {function}: {line}" for function, line in uses(path)
                      if (name, function) not in ALLOWED]
    return wrong


def each_exception_is_one():
    there = {(os.path.basename(path), function) for path in glob.glob(f"{DAEMON}/verb*.c")
             for function, _ in uses(path)}
    return [f"{name}: {function}" for name, function in ALLOWED if (name, function) not in there]


def rows():
    with open(f"{DAEMON}/verbs.c") as file:
        return re.findall(r'\{ "([a-z-]+)", (dn_verb_\w+),\s*([^}]*?),\s*DN_SCOPE_(\w+) \}',
                          file.read())


def each_verb_says_who_may_use_it():
    with open(f"{DAEMON}/verbs.h") as file:
        declared = re.findall(r"^DN_VERB \((\w+)\);", file.read(), re.M)
    table = rows()
    wrong = [f"{name}: no row in the table" for name in declared
             if f"dn_verb_{name}" not in [function for _, function, _, _ in table]]
    for verb, _, rights, scope in table:
        if scope in ("CONTAINER", "CONTEXT", "MAKING") and "DN_RIGHT_" not in rights:
            wrong.append(f"{verb}: is about a container or context and needs no right to it")
    return wrong


def what_is_roots_is_in_the_table_so():
    roots = {verb for verb, _, _, scope in rows() if scope == "ROOT"}
    return [f"{verb}: is not root's alone" for verb, _, _, _ in rows()
            if re.match("gc|audit|record|forensics|policy|context-(create|remove)|"
                        "image-(remove|untag|prune|verify)", verb)
            and verb not in roots]


def main():
    tests = [verbs_reach_objects_by_lookup_alone, each_exception_is_one,
             each_verb_says_who_may_use_it, what_is_roots_is_in_the_table_so]
    failed = 0
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        wrong = test()
        for line in wrong:
            print(f"# {line}")
        print(f"{'not ok' if wrong else 'ok'} {number} {test.__name__.replace('_', ' ')}")
        failed += bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
