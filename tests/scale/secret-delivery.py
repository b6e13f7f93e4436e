#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Secrets on the host's side: that they arrive, and that nothing of them stays.

danchid, client, relays, agents and containers are the real ones; QEMU and libvirt are not there: see
simulator.py.  After each way that a delivery can go, its content is looked for in the memory of danchid,
of all relays, of clients that still run and of the agents, and in every file below danchid's
directories: there is none.  That the search finds what is there, is shown first.

Not searched: the kernel's buffers, and a guest's memory, where the content is by nature.
"""

import glob
import hashlib
import os
import signal
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.realpath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [HERE, os.path.join(TESTS, "e2e"), os.path.join(TESTS, "tools")]
import memory  # noqa: E402
import scale  # noqa: E402
from machine import Failure, Machine, expect, expect_equal, kill9, wait_until  # noqa: E402
from suite import expect_error  # noqa: E402
from tally import Tally, forget_tally  # noqa: E402

CONTEXT = scale.context_name(1)
IMAGE = "scale:1"
SLEEP = "/bin/busybox", "sleep", "1000000"
# The default is more than what this machine may allow its own processes.
LIMITS = "--ulimit", "nofile=1024:1024"


def digest(content):
    return hashlib.md5(content.encode()).hexdigest()


class SecretsMachine(scale.ScaleMachine):
    def __init__(self):
        super().__init__()
        self.files = f"{self.run}-files"
        os.makedirs(self.files, mode=0o700)

    def wait_for_daemon(self):
        """The base's: a socket of one that was killed is there, and nobody listens."""
        Machine.wait_for_daemon(self)

    def file(self, content, name="content"):
        """Of the test's own, so below none of danchid's directories."""
        path = f"{self.files}/{name}"
        with open(path, "w") as file:
            file.write(content)
        return path

    def run_box(self, name, *flags, command=SLEEP, context=CONTEXT, **options):
        place = ("--context", context) if context else ("--allow-emulation",)
        return self.danchi("run", "-d", "--name", name, *place, *LIMITS, *flags, IMAGE, *command,
                           **options)

    def digest(self, container, path, *flags):
        """What a program prints goes through the relay and into memory like any output: so of a
        content only its digest is asked for."""
        return self.out("exec", *flags, container, "/bin/busybox", "md5sum", path).split()[0]

    def expect_content(self, container, path, content, *flags):
        expect_equal(self.digest(container, path, *flags), digest(content),
                     f"the digest of '{container}:{path}'")

    def agents(self):
        """The guests' side: where a content was received, and is to be in a file alone."""
        return [pid for pid, words in scale_commands() if os.path.basename(words[0]) == "danchi-agent"
                and self.simulator.directory in " ".join(words)]

    def processes(self):
        return ([self.daemon.pid] + self.guest_processes("danchi-relay")
                + [client.pid for client in self.clients if client.poll() is None] + self.agents())

    def vaults(self):
        return glob.glob(f"{self.simulator.directory}/*/vaults/*")

    def expect_nowhere(self, *markers):
        """In no process and no file of the host's."""
        expect_equal(memory.core_files(), [], "core files")
        for marker in markers:
            for pid in self.processes():
                found = memory.search_memory(pid, marker)
                with open(f"/proc/{pid}/comm") as file:
                    expect_equal(found, [], f"places of the content in {file.read().strip()}")
            found = memory.search_files([self.state, self.run, self.config, "/var/log", "/var/lib",
                                         "/run/systemd", "/tmp"], marker)
            expect_equal(found, [], "files with the content")
            expect(not memory.search_file(self.log_path, marker), "danchid's log has the content")


def scale_commands():
    import machine
    return list(machine.all_commands())


def the_search_finds_what_is_there(machine):
    """A variable is no secret: it is in the container's files, and on its way through danchid."""
    marker = memory.new_marker()
    machine.run_box("control", "-e", f"CONTROL={marker}")
    found = memory.search_files([machine.state], marker)
    expect(found, "a variable is in no file of danchid's: the search of files finds nothing")
    expect(memory.search_memory(machine.daemon.pid, marker),
           "a variable is nowhere in danchid's memory: the search of memory finds nothing")
    try:
        machine.expect_nowhere(marker)
    except Failure:
        return f"{len(found)} files"
    raise Failure("expect_nowhere() accepts a content that is there")


def a_content_comes_from_each_kind_of_source_and_stays_nowhere(machine):
    markers = [memory.new_marker() for _ in range(4)]
    read, write = os.pipe()
    os.write(write, markers[2].encode())
    os.close(write)
    environment = dict(os.environ, MY_SECRET=markers[1])
    client = subprocess.run(
        machine.command("run", "-d", "--name", "sources", "--context", CONTEXT, *LIMITS,
                        "--secret", f"file={machine.file(markers[0])}", "--secret",
                        "variable,env=MY_SECRET,target=/etc/variable", "--secret",
                        f"number,fd={read},uid=3,gid=4,mode=0440", "--config", "input=-", IMAGE,
                        *SLEEP),
        input=markers[3].encode(), env=environment, pass_fds=[read], capture_output=True,
        timeout=60)
    os.close(read)
    expect_equal((client.returncode, client.stderr), (0, b""), "run")
    for name, marker, flags in zip(("run/secrets/file", "etc/variable", "run/secrets/number",
                                    "run/secrets/input"), markers, ((), (), ("-u", "3"), ())):
        machine.expect_content("sources", f"/{name}", marker, *flags)
    listing = machine.out("exec", "sources", "/bin/busybox", "ls", "-lnL", "/run/secrets")
    modes = {line.split()[-1]: line.split()[:1] + line.split()[2:4]
             for line in listing.splitlines()[1:]}
    expect_equal(modes, {"file": ["-r--------", "0", "0"], "variable": ["-r--------", "0", "0"],
                         "number": ["-r--r-----", "3", "4"], "input": ["-r--r--r--", "0", "0"]},
                 "modes and owners")
    mounts = machine.out("exec", "sources", "/bin/busybox", "cat", "/proc/self/mountinfo")
    expect("/run/secrets ro,nosuid,nodev,noexec" in mounts, f"the mount: {mounts}")
    machine.expect_nowhere(*markers)
    return f"{len(machine.processes())} processes"


def a_long_one_leaves_nothing_either(machine):
    """A mebibyte goes through the one page of each in some 260 pieces."""
    marker = memory.new_marker()
    content = (marker + "\n") * ((1 << 20) // 65)
    machine.run_box("long", "--secret", f"long={machine.file(content)}")
    machine.expect_content("long", "/run/secrets/long", content)
    machine.expect_nowhere(marker)


def the_memory_that_it_goes_through_is_locked_and_in_no_dump(machine):
    for pid in machine.guest_processes("danchi-relay"):
        expect(memory.locked_kib(pid) >= 8, f"a relay has {memory.locked_kib(pid)} KiB locked")
    for pid in [machine.daemon.pid, *machine.guest_processes("danchi-relay")]:
        with open(f"/proc/{pid}/limits") as file:
            core = [line for line in file if line.startswith("Max core file size")][0].split()
        expect_equal(core[4:6], ["0", "0"], f"core limits of {pid}")


def an_attached_client_keeps_none_and_shows_none(machine):
    marker = memory.new_marker()
    client = machine.spawn("run", "--name", "attached", "--context", CONTEXT, *LIMITS, "--secret",
                           "tok,env=MY_SECRET", IMAGE, *SLEEP,
                           env=dict(os.environ, MY_SECRET=marker))
    wait_until(lambda: machine.state_of("attached") == "running", "the container runs")
    for name in "environ", "cmdline":
        with open(f"/proc/{client.pid}/{name}", "rb") as file:
            expect(marker.encode() not in file.read(), f"/proc/PID/{name} shows the content")
    machine.expect_content("attached", "/run/secrets/tok", marker)
    machine.expect_nowhere(marker)
    with open(f"/proc/{client.pid}/limits") as file:
        expect("Max core file size        0" in file.read(), "the client may dump core")


def a_stuck_source(machine, marker):
    """A named pipe in which half of a content waits for its rest: the delivery stands still there."""
    path = f"{machine.files}/pipe-{memory.new_marker()[:8]}"
    os.mkfifo(path)
    keeper = os.open(path, os.O_RDWR)
    os.write(keeper, marker.encode())
    return path, keeper


def begin_stuck(machine, name, marker, *more):
    path, keeper = a_stuck_source(machine, marker)
    client = machine.spawn("run", "-d", "--name", name, "--context", CONTEXT, *LIMITS, *more,
                           "--secret", f"tok={path}", IMAGE, *SLEEP)
    wait_until(lambda: glob.glob(f"{machine.simulator.directory}/*/vaults/*/new/*"),
               "the agent waits for the rest")
    return client, keeper


def expect_undone(machine, name, *markers):
    wait_until(lambda: machine.container(name) is None, f"'{name}' is gone")
    wait_until(lambda: not [one for one in machine.vaults() if glob.glob(f"{one}/new/*")],
               "what was half received is gone")
    machine.expect_nowhere(*markers)


def a_client_that_is_killed_midway_leaves_nothing(machine):
    marker, whole = memory.new_marker(), memory.new_marker()
    before = machine.vaults()
    client, keeper = begin_stuck(machine, "killed", marker, "--secret",
                                 f"first={machine.file(whole)}")
    kill9(client.pid)
    os.close(keeper)
    expect_undone(machine, "killed", marker, whole)
    expect_equal(machine.vaults(), before, "places of secrets")


def a_relay_that_is_killed_midway_leaves_nothing(machine):
    marker = memory.new_marker()
    client, keeper = begin_stuck(machine, "relay-killed", marker)
    relays = machine.guest_processes("danchi-relay")
    expect_equal(len(relays), 1, "relays")
    kill9(relays[0])
    client.wait(60)
    os.close(keeper)
    expect(client.returncode != 0, "the run did not fail")
    expect_undone(machine, "relay-killed", marker)
    # The guest goes on, and takes the next one.
    machine.run_box("after-relay", "--secret", f"tok={machine.file(marker)}")
    machine.expect_content("after-relay", "/run/secrets/tok", marker)


def a_danchid_that_is_killed_midway_leaves_nothing(machine):
    marker = memory.new_marker()
    client, keeper = begin_stuck(machine, "danchid-killed", marker)
    machine.kill_daemon()
    client.wait(60)
    os.close(keeper)
    machine.start()
    machine.danchi("gc")
    expect_undone(machine, "danchid-killed", marker)
    expect_equal(machine.state_of("sources"), "running", "the state of another one")


def a_start_that_fails_leaves_nothing(machine):
    marker = memory.new_marker()
    before = machine.vaults()
    failed = machine.run_box("nothing", "--secret", f"tok={machine.file(marker)}",
                             command=("/bin/no-such-program",), check=False)
    expect_equal(failed.status, 127, "the exit status")
    expect_undone(machine, "nothing", marker)
    wait_until(lambda: machine.vaults() == before, "its secrets are gone")


def an_update_is_seen_at_once_and_leaves_nothing(machine):
    old, new = memory.new_marker(), memory.new_marker()
    script = "trap 'md5sum /run/secrets/tok' HUP; while true; do sleep 0.1; done"
    machine.run_box("updated", "--secret", f"tok={machine.file(old)}", "--secret",
                    f"other={machine.file('x', 'other')}",
                    command=("/bin/busybox", "sh", "-c", script))
    machine.danchi("secret", "update", "--signal", "HUP", "updated", f"tok={machine.file(new)}")
    machine.expect_content("updated", "/run/secrets/tok", new)
    wait_until(lambda: digest(new) in machine.danchi("logs", "updated").stdout,
               "the program was told, and found it")
    rows = machine.json("secret", "ls", "updated")
    expect_equal([(row["name"], row["kind"], row["target"], row["mode"], row["owner"])
                  for row in rows],
                 [("tok", "secret", "/run/secrets/tok", "0400", "user:user"),
                  ("other", "secret", "/run/secrets/other", "0400", "user:user")], "secret ls")
    expect(all(abs(row["updated_us"] / 1e6 - time.time()) < 600 for row in rows), f"{rows}")
    machine.expect_nowhere(old, new)
    events = machine.out("--format", "json", "events", "--since", "60m")
    expect('"action":"secret-update"' in events.replace(" ", ""), "there is no event of it")
    expect_error(machine.danchi("secret", "update", "updated", f"none={machine.file('x')}",
                                check=False), 1, "'none'", "secret ls")


def inspect_and_the_record_have_names_alone(machine):
    text = machine.out("inspect", "updated")
    expect('"/run/secrets/tok"' in text and '"other"' in text, "inspect says nothing of them")
    record = "".join(open(path).read() for path in glob.glob(f"{machine.state}/audit/*.jsonl")
                     + glob.glob(f"{machine.state}/audit/*") if os.path.isfile(path))
    expect('"contents":["tok"]' in record.replace(" ", ""), "the record does not name it")
    expect('"secrets":["tok","other"]' in record.replace(" ", ""), "nor what was asked for")


def what_is_not_given_is_asked_for_by_name(machine):
    marker = memory.new_marker()
    expect_error(machine.danchi("create", "--name", "later", "--context", CONTEXT, "--secret",
                                f"tok={machine.file(marker)}", IMAGE, *SLEEP, check=False),
                 2, "keeps no content", "danchi start")
    machine.danchi("create", "--name", "later", "--context", CONTEXT, *LIMITS, "--secret", "tok",
                   "--config", "conf,target=/etc/later.conf", IMAGE, *SLEEP)
    expect_error(machine.danchi("start", "later", check=False), 1, "'tok', 'conf'",
                 "danchi start --secret tok=FILE later")
    expect_error(machine.danchi("start", "--secret", f"tok={machine.file(marker)}", "later",
                                check=False), 1, "'conf'")
    expect_error(machine.danchi("start", "--secret", f"more={machine.file(marker)}", "later",
                                check=False), 1, "no secret 'more'")
    machine.danchi("start", "--secret", f"tok={machine.file(marker)}", "--config",
                   f"conf={machine.file('a=1', 'conf')}", "later")
    machine.expect_content("later", "/etc/later.conf", "a=1")
    expect_error(machine.danchi("start", "--secret", f"tok={machine.file(marker)}", "later",
                                check=False), 1, "secret update")
    machine.expect_nowhere(marker)


def they_end_with_their_container(machine):
    def vault():
        return glob.glob(f"{machine.simulator.directory}/*/vaults/{machine.container('later')['id']}")
    expect_equal(len(vault()), 1, "its place before")
    machine.danchi("stop", "-t", "0", "later")
    wait_until(lambda: not vault(), "its secrets are gone")
    expect_error(machine.danchi("start", "later", check=False), 1, "needs the content of 'tok'")


def a_restart_keeps_them(machine):
    marker = memory.new_marker()
    for name, context in ("kept", CONTEXT), ("kept-alone", None):
        machine.run_box(name, "--secret", f"tok={machine.file(marker)}", context=context)
        machine.danchi("restart", "-t", "0", name)
        machine.expect_content(name, "/run/secrets/tok", marker)
    machine.run_box("phoenix", "--restart", "always", "--secret", f"tok={machine.file(marker)}")
    first = machine.inspect("phoenix")["starts"]
    os.kill(int(first_process(machine, "phoenix")), signal.SIGKILL)
    wait_until(lambda: machine.inspect("phoenix")["starts"] > first
               and machine.state_of("phoenix") == "running", "it was started again", 30)
    machine.expect_content("phoenix", "/run/secrets/tok", marker)
    machine.expect_nowhere(marker)
    machine.danchi("rm", "-f", "kept", "kept-alone", "phoenix")
    machine.expect_nowhere(marker)


def first_process(machine, name):
    """Its pid in the guest, which here is this machine's."""
    return machine.inspect(name)["confinement"]["pid"]


def bad_words_get_one_clear_error(machine):
    path = machine.file("x")
    big = machine.file("x" * ((1 << 20) + 1), "big")
    for flags, status, words in (
            (("--secret", "a"), 125, ("'a'", "content is missing", "a=FILE")),
            (("--secret", f"a={path},env=HOME"), 125, ("'a'", "given twice")),
            (("--secret", "a=/no/such/file"), 125, ("/no/such/file", "No such file")),
            (("--secret", "a=/etc"), 125, ("'/etc'", "is a directory")),
            (("--secret", "a,env=NO_SUCH_VARIABLE"), 125, ("NO_SUCH_VARIABLE",)),
            (("--secret", "a,fd=77"), 125, ("fd 77", "Bad file descriptor")),
            (("--secret", "a,fd=1"), 125, ("fd '1'",)),
            (("--secret", f"a={big}"), 125, ("more than 1048576 bytes",)),
            (("-i", "--secret", "a=-"), 125, ("standard input", "taken")),
            (("--secret", "a=-", "--secret", "b,stdin"), 125, ("'b'", "standard input")),
            (("--secret", f"a={path},type=env"), 125, ("/run/secrets/a",)),
            (("--secret", f"../a={path}"), 125, ("letters, digits",)),
            (("--secret", f"a={path},target=/proc/x"), 125, ("/proc/x",)),
            (("--secret", f"a={path},target=/a/../b"), 125, ("/a/../b",)),
            (("--secret", f"a={path},mode=4755"), 125, ("mode '4755'",)),
            (("--secret", f"a={path},colour=red"), 125, ("colour=red",)),
            (("--secret", f"a={path}", "--config", f"a={path}"), 125, ("'a'", "twice"))):
        expect_error(machine.run_box("bad", *flags, check=False), status, *words)
    expect_equal(machine.container("bad"), None, "a container of bad words")


def one_over_the_limit_from_a_pipe_is_refused_whole(machine):
    marker = memory.new_marker()
    content = (marker + "\n") * (((1 << 20) // 65) + 20)
    failed = machine.run_box("piped", "--secret", "a=-", input=content, check=False)
    expect_error(failed, 125, "'a'", "more than 1048576 bytes")
    expect_undone(machine, "piped", marker)


CHECKS = (the_search_finds_what_is_there,
          a_content_comes_from_each_kind_of_source_and_stays_nowhere,
          a_long_one_leaves_nothing_either,
          the_memory_that_it_goes_through_is_locked_and_in_no_dump,
          an_attached_client_keeps_none_and_shows_none,
          a_client_that_is_killed_midway_leaves_nothing,
          a_relay_that_is_killed_midway_leaves_nothing,
          a_danchid_that_is_killed_midway_leaves_nothing,
          a_start_that_fails_leaves_nothing,
          an_update_is_seen_at_once_and_leaves_nothing,
          inspect_and_the_record_have_names_alone,
          what_is_not_given_is_asked_for_by_name,
          they_end_with_their_container,
          a_restart_keeps_them,
          bad_words_get_one_clear_error,
          one_over_the_limit_from_a_pipe_is_refused_whole)


def check(machine, words):
    tally = Tally("secrets")
    forget_tally("secrets")
    try:
        machine.make()
    except (Failure, OSError):
        tally.fails("secrets: danchid starts", f"{traceback.format_exc()}\n{machine.log_tail()}")
        return tally.end()
    for function in CHECKS:
        name = f"secrets: {function.__name__.replace('_', ' ')}"
        if words and not any(word in name for word in words):
            continue
        try:
            tally.passes(name, function(machine) or "")
        except Failure as failure:
            tally.fails(name, f"{failure}\n{machine.log_tail(6)}")
        except Exception:  # noqa: BLE001 - whatever a test raises is that test's failure
            tally.fails(name, f"{traceback.format_exc()}\n{machine.log_tail()}")
        machine.end_clients()
    return tally.end()


def main():
    scale.CONTEXTS = 3
    machine = SecretsMachine()
    status = 1
    try:
        status = check(machine, sys.argv[1:])
    finally:
        machine.end()
        if status == 0:
            machine.remove_directories()
    return status


if __name__ == "__main__":
    sys.exit(main())
