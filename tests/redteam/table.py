#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of docs/red-team.md anew, from results.

    table.py PROBE CHECK_DIR COMPARE_DIR DOC

CHECK_DIR has redteam-*.tsv of `make check-redteam`, COMPARE_DIR what compare.sh left.  What is
between the two marks in DOC is replaced.  A cell is what root observed, and behind a slash what
uid 1000 did where that differs; bold is what went through.
"""

import glob
import os
import subprocess
import sys

RUNTIMES = ("crun", "runc", "runsc")
PROFILES = ("strict", "standard")
BEGIN, END = "<!-- tables: table.py -->\n", "<!-- end of tables -->\n"


def read_ours(directory):
    """{(place, user): {probe: (verdict, observed)}}"""
    found = {}
    for path in glob.glob(f"{directory}/redteam-*.tsv"):
        for line in open(path).read().splitlines():
            place, user, probe, verdict, observed = line.split("\t")
            found.setdefault((place, user), {})[probe] = (verdict, observed)
    return found


def read_theirs(directory):
    found = {}
    for runtime in RUNTIMES:
        for number, user in ("0", "root"), ("1000", "user"):
            path = f"{directory}/{runtime}-{number}.tsv"
            if os.path.exists(path):
                lines = [line.split("\t") for line in open(path).read().splitlines()]
                found[(runtime, user)] = {line[0]: tuple(line[1:]) for line in lines
                                          if len(line) == 3}
    return found


def cell(results, place, probe):
    words = []
    for user in "root", "user":
        verdict, observed = results.get((place, user), {}).get(probe, ("", ""))
        word = "open" if observed == "ok" else observed
        if verdict == "BREACH":
            word = f"**{word}**"
        elif verdict == "reached":
            word = f"*{word}*"
        words.append(word)
    if not any(words):
        return "–"
    return words[0] if words[0] == words[1] else " / ".join(word or "–" for word in words)


def count(results, place):
    counts = []
    for user in "root", "user":
        verdicts = [verdict for probe, (verdict, _) in results.get((place, user), {}).items()
                    if not probe.startswith("bombs.")]
        if verdicts:
            counts.append(" ".join(str(verdicts.count(word)) for word in
                                   ("refused", "permitted", "reached", "BREACH", "untried")))
    return counts or ["–"]


def sums(ours, theirs):
    lines = ["| | as | refused | permitted | reached | went through | untried |",
             "|---|---|---|---|---|---|---|"]
    both = ours | theirs
    for place in (*PROFILES, *RUNTIMES):
        for user, counts in zip(("root", "uid 1000"), count(both, place)):
            if counts != "–":
                lines.append(f"| {place} | {user} | {' | '.join(counts.split())} |")
    return lines


def tables(probes, ours, theirs):
    both = ours | theirs
    lines = ["### Sums, without `bombs`", "", *sums(ours, theirs)]
    family = None
    for probe, demand, _, technique in probes:
        name = probe.split(".")[0]
        is_guest = name in ("guest", "share", "networks")
        if name != family:
            heads = ("guest root",) if is_guest else (*PROFILES, *RUNTIMES)
            lines += ["", f"### {name}", "", f"| probe | technique | demand | {' | '.join(heads)} |",
                      "|---" * (3 + len(heads)) + "|"]
            family = name
        cells = [cell(both, "guest", probe).split(" / ")[0]] if is_guest else [
            cell(both, place, probe) for place in (*PROFILES, *RUNTIMES)]
        lines.append(f"| {probe.split('.', 1)[1]} | {technique} | {demand} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main():
    probe, check_dir, compare_dir, doc = sys.argv[1:]
    listing = subprocess.run([probe, "--list"], capture_output=True, text=True, check=True).stdout
    probes = [line.split("\t") for line in listing.splitlines()]
    text = open(doc).read()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    with open(doc, "w") as file:
        file.write(before + BEGIN + "\n" + tables(probes, read_ours(check_dir),
                                                  read_theirs(compare_dir)) + "\n" + END + after)


if __name__ == "__main__":
    main()
