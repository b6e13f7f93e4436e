# SPDX-License-Identifier: Apache-2.0
"""The guides for operators and auditors, as they stand: each command does what its page says."""

import os
import re
import shlex
import shutil
import subprocess

from machine import ARCHIVES, EMULATION, TOP, expect, expect_equal
from suite import as_the_hosts_own, test

# In place of the guides' users and group: some that every Debian has.
USERS = {"alice": ("games", 5, 60), "bob": ("man", 6, 12)}
GROUP, GROUP_ID = "users", 100
CONTEXTS = ("acme-web", "acme-db", "globex-web", "acme-signed")
# What says with its exit status what it found; what it finds here is not the guide's matter.
FINDERS = (("doctor",), ("audit",), ("audit", "--fail-on"), ("audit", "--format"))


def page(name):
    with open(f"{TOP}/docs/{name}") as file:
        return file.read()


def block(text, mark):
    return re.search(rf"<!-- {re.escape(mark)} -->\n(.*?)<!-- end -->", text, re.S).group(1)


def settings(text):
    """The guide's danchi.conf, without its remarks."""
    lines = [line.partition(" #")[0].strip() for line in block(text, "danchi.conf").splitlines()]
    expect(sum(line.startswith("[") for line in lines) >= 4, f"the guide's file: {lines}")
    return "\n".join(lines).replace("socket_group = danchi", f"socket_group = {GROUP}") + "\n"


def sections(text):
    """(heading, command lines) of the commands' block, in order."""
    found, heading = [], ""
    for line in block(text, "commands").splitlines():
        if line.startswith("## "):
            heading = line[3:]
        elif line.startswith("    "):
            found.append((heading, line.strip()))
    return found


class Reader:
    """Somebody who types what the page says."""

    def __init__(self, machine):
        self.machine, self.answers = machine, {}
        self.home = f"{machine.run}/guides"
        os.makedirs(self.home, exist_ok=True)

    def words(self, line):
        words = [f"{ARCHIVES}/busybox.tar" if word == "web.tar" else word
                 for word in shlex.split(line)]
        for number, word in enumerate(words[:-1]):
            if word == "-o":
                words[number + 1] = f"{self.home}/{words[number + 1]}"
            elif word == "--user" and words[number + 1] in USERS:
                words[number + 1] = USERS[words[number + 1]][0]
        return words

    def type(self, line):
        is_refused, typed = line.startswith("refused: "), line.removeprefix("refused: ")
        name, _, rest = typed.partition("$ ") if re.match(r"\w+\$ ", typed) else ("root", "", typed)
        words = self.words(rest)
        if words[0] == "virsh":
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL, timeout=60)
            return
        if words[0] != "danchi":
            return
        who = {} if name == "root" else {"user": USERS[name][1], "groups": (USERS[name][2], GROUP_ID)}
        result = self.machine.danchi(*words[1:], check=False, timeout=240, **who)
        finds = any(tuple(words[1:1 + len(finder)]) == finder for finder in FINDERS) \
            and words[2:3] not in (["log"], ["verify-log"], ["anchor"])
        if is_refused:
            expect(result.status != 0 and result.stderr.startswith("danchi: "),
                   f"{line}: status {result.status}, {result.stderr!r}")
        else:
            expect(result.status == 0 or (finds and result.status == 1
                                          and not result.stderr.startswith("danchi: ")),
                   f"{line}: status {result.status}\n{result.stdout[-600:]}\n{result.stderr[-900:]}")
        self.answers[line] = result.stdout


@test("R1.1", "R1.2", "R1.3", "R1.5", "R3.2", "R4.5", seconds=900, only=EMULATION)
def the_guides_commands_do_what_their_pages_say(machine):
    guide = page("operators-guide.md")
    commands = sections(guide)
    expect(len(commands) > 35, f"only {len(commands)} commands in the operator's guide")
    machine.more_settings = settings(guide) + "[guest]\nallow_emulation = yes\n"
    machine.restart()
    try:
        with as_the_hosts_own(machine):
            follow(machine, commands)
    finally:
        machine.more_settings = ""
        machine.restart()


def follow(machine, commands):
    reader = Reader(machine)
    wrong = next(number for number, (heading, _) in enumerate(commands)
                 if heading == "When something is wrong")
    try:
        for _, line in commands[:wrong]:
            reader.type(line)
        audited(machine, reader)
        for _, line in commands[wrong:]:
            reader.type(line)
        expect_globex_is_gone(machine)
        only_hers = reader.answers["alice$ danchi ps"]
        expect("acme-web" in only_hers and "globex" not in only_hers, f"alice's ps: {only_hers!r}")
        expect(os.path.getsize(f"{reader.home}/audit.html") > 10000, "the page is small")
        expect(os.path.exists(f"{reader.home}/evidence/manifest.json"), "there is no manifest")
    finally:
        for name in CONTEXTS:
            machine.danchi("context", "thaw", name, check=False)
            machine.danchi("context", "rm", "-f", name, check=False)
        machine.danchi("image", "rm", "registry.acme.example/web:1", check=False)
        shutil.rmtree(reader.home)


def audited(machine, reader):
    for tenant in "acme", "globex":
        machine.danchi("run", "-d", "--name", f"web-of-{tenant}", "--context", f"{tenant}-web",
                       f"registry.{tenant}.example/web:1", "sleep", "1000000")
    commands = sections(page("auditors-guide.md"))
    expect(len(commands) > 25, f"only {len(commands)} commands in the auditor's guide")
    for _, line in commands:
        reader.type(line)
    kernels = {answer for line, answer in reader.answers.items() if line.endswith("random/boot_id")
               and "exec web-of-" in line}
    expect_equal(len(kernels), 2, "kernels of two tenants")


def expect_globex_is_gone(machine):
    names = [one["name"] for one in machine.json("context", "ls")]
    expect("globex-web" not in names and "acme-web" in names, f"contexts: {names}")
