#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the lines of code of each part, by the rights with which it runs.

    loc.py            prints the table
    loc.py --check    and fails where a part has outgrown its budget

A line counts that has something besides blanks and comments.  Headers count with their part; what is
generated, tests and libraries do not.  The budget is what a reader can be asked to review: a change
that goes over it raises it here, with its reason in the commit.
"""

import glob
import re
import sys

# name, runs as, budget, directories (with what is linked into it besides)
PARTS = [
    ("danchi", "the caller", 11900, ["launcher/cli"]),
    ("danchi: the audit's survey", "root", 3200, ["launcher/survey"]),
    ("danchi: the audit's report", "the caller", 3000, ["launcher/report"]),
    ("danchid: broker, API", "root", 15500, ["launcher/daemon"]),
    ("danchid: images", "root", 8500, ["launcher/images"]),
    ("danchid: secrets", "root", 1000, ["launcher/secrets"]),
    ("danchid: binds", "root", 900, ["launcher/binds"]),
    ("danchid: health", "root", 800, ["launcher/health"]),
    ("danchid: guests through libvirt", "root", 8500, ["launcher/guest"]),
    ("danchid: limits", "root", 2000, ["launcher/limits"]),
    ("danchid, danchi: the audit record", "with its program", 2200, ["launcher/record"]),
    ("danchid: specs and filters", "root", 8700, ["launcher/spec", "launcher/verify"]),
    ("danchid: network", "root", 5000, ["launcher/network"]),
    ("danchi-gateway", "an own uid, CAP_NET_ADMIN", 4350, ["launcher/gateway"]),
    ("danchi-relay", "the context's uid, confined", 4200, ["launcher/relay"]),
    ("danchi-resolver", "the context's uid, confined", 2600, ["launcher/resolver"]),
    ("danchid: volumes", "root", 2000, ["launcher/volumes"]),
    ("danchid: pods", "root", 3600, ["launcher/pods"]),
    ("danchi-publish", "the context's uid, confined", 1700, ["launcher/publish"]),
    ("shared: confined", "with its program", 700, ["launcher/confined"]),
    ("danchi-intake", "a uid of each run, jailed", 3200, ["launcher/intake"]),
    ("danchi-share", "root, thirteen capabilities", 2700, ["launcher/share"]),
    ("containerd-shim-danchi-v2", "root", 5300, ["launcher/shim"]),
    ("danchi-session", "the caller, root of own namespaces", 1500, ["launcher/session"]),
    ("shared: base, common", "with its program", 3700, ["launcher/base", "launcher/common"]),
    ("shared: protocol", "with its program", 1800, ["protocol"]),
    ("init", "guest's root", 700, ["guest-agent/init"]),
    ("danchi-keeper", "nobody of a pod", 80, ["guest-agent/keeper"]),
    ("shared: mapper", "guest's root", 650, ["guest-agent/mapper"]),
    ("danchi-agent", "guest's root", 17800, ["guest-agent/agent"]),
    ("danchi-unpack", "root of a throw-away guest", 5200, ["guest-agent/unpack"]),
]

# A string or character, which may hold what looks like a comment, or a comment.
TOKENS = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/', re.DOTALL)


def strip_comments(text):
    def keep(match):
        token = match.group()
        return re.sub(r"[^\n]", "", token) if token.startswith("/") else token
    return TOKENS.sub(keep, text)


def count(path):
    with open(path) as file:
        return sum(1 for line in strip_comments(file.read()).split("\n") if line.strip())


def count_all(directories):
    paths = [path for directory in directories for path in glob.glob(f"{directory}/*.[ch]")
             + glob.glob(f"{directory}/*.def")]
    return len(paths), sum(count(path) for path in paths)


def main():
    too_large = []
    print(f"{'part':<34} {'runs as':<28} {'files':>5} {'lines':>6} {'budget':>6}")
    total = 0
    for name, rights, budget, directories in PARTS:
        files, lines = count_all(directories)
        total += lines
        print(f"{name:<34} {rights:<28} {files:>5} {lines:>6} {budget:>6}")
        if lines > budget:
            too_large.append(name)
    print(f"{'all':<34} {'':<28} {'':>5} {total:>6}")
    if "--check" in sys.argv[1:] and too_large:
        print("over its budget: " + ", ".join(too_large))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
