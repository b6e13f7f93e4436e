# SPDX-License-Identifier: Apache-2.0
"""Policy: what contexts and the host permit, where a refusal says it stands, and from when on."""

import contextlib
import json
import os
import signal
import time

from machine import EMULATION, PATIENCE, expect, expect_equal, wait_until
from suite import box, context, exec_sh, expect_error, image, new_name, start_sh, test



def replace(path, text):
    """As an operator is told to do it: in one step."""
    with open(f"{path}.new", "w") as file:
        file.write(text)
    os.rename(f"{path}.new", path)


@contextlib.contextmanager
def settings(machine):
    """Yields a function that adds a text to danchi.conf and returns the number of its first line."""
    path = f"{machine.config}/danchi.conf"
    with open(path) as file:
        before = file.read()

    def add(text):
        replace(path, before + text)
        return before.count("\n") + 1
    try:
        yield add
    finally:
        replace(path, before)
        machine.danchi("info")


@contextlib.contextmanager
def context_file(machine, text):
    name = new_name("e2e-p")
    path = f"{machine.config}/contexts.d/{name}.conf"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    replace(path, text)
    try:
        yield name, path
    finally:
        machine.danchi("context", "rm", "-f", name, check=False)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def doctor(machine, id):
    checks = machine.danchi("--format", "json", "doctor", check=False).stdout
    return [check for check in json.loads(checks) if check["id"] == id]


def make(machine, *flags, check=False):
    return machine.danchi("create", "--name", new_name(), *flags, image(machine), "true",
                          check=check)


def context_events(machine, name, action):
    lines = machine.out("--format", "json", "events", "--since", "60m").splitlines()
    return [event for event in map(json.loads, lines)
            if event["type"] == "context" and event["action"] == action and event["name"] == name]


@test("R1.2", "R1.3", only=EMULATION)
def a_host_takes_only_contexts_that_it_accepts_and_names_rule_file_and_line(machine):
    with context(machine, "acme", "dev") as dev, context(machine, "acme", "prod") as prod, \
            settings(machine) as add:
        line = add("[host]\naccepts = stage:prod;tenant:acme\n") + 1
        place = f"(rule host-accepts, {machine.config}/danchi.conf:{line})"
        expect_error(make(machine, "--context", dev), 1, dev, "stage 'dev'", "takes prod", place)
        expect_error(make(machine), 1, "tenant 'none'", place)
        expect_error(make(machine, "--tenant", "acme", "--stage", "test"), 1, place)
        expect_error(machine.danchi("context", "create", "--stage", "dev", "e2e-never", check=False),
                     1, place)
        expect(not os.path.exists(f"{machine.config}/contexts.d/e2e-never.conf"), "it was made")
        make(machine, "--context", prod, check=True)
        make(machine, "--tenant", "acme", "--stage", "prod", check=True)
        found = [check for check in doctor(machine, "placement") if f"'{dev}'" in check["what"]]
        expect(found and found[0]["status"] == "warn" and place in found[0]["what"],
               f"doctor: {doctor(machine, 'placement')}")
        expect(not any(f"'{prod}'" in check["what"] for check in doctor(machine, "placement")),
               "doctor names the accepted one")
    make(machine, check=True)


@test("R1.3", only=EMULATION)
def labels_that_are_not_the_contexts_are_refused_with_both_and_the_line(machine):
    with context(machine, "acme", "prod", "web") as name:
        path = f"{machine.config}/contexts.d/{name}.conf"
        for flag, asked, found, line in (("tenant", "globex", "acme", 2), ("stage", "dev", "prod", 3),
                                         ("tier", "db", "web", 4)):
            expect_error(make(machine, "--context", name, f"--{flag}", asked), 1,
                         f"{flag} '{asked}'", f"{flag} '{found}'", f"(rule {flag}, {path}:{line})")
        make(machine, "--context", name, "--tenant", "acme", "--stage", "prod", "--tier", "web",
             check=True)
    made = new_name()
    machine.danchi("create", "--name", made, "--stage", "prod", image(machine), "true")
    expect_equal(machine.container(made)["stage"], "prod", "the stage of a context made for it")


@test("R3.1", only=EMULATION)
def what_runs_goes_on_when_the_host_takes_its_context_no_more(machine):
    box(machine)
    with settings(machine) as add:
        add("[host]\naccepts = stage:prod\n")
        expect_error(make(machine, "--context", "e2e-box"), 1, "host-accepts")
        expect_equal(exec_sh(machine, "echo on").stdout, "on\n", "an exec in what runs")
        expect_equal(machine.state_of("keep-box"), "running", "its state")


@test("R2.1", only=EMULATION)
def a_bad_edit_of_the_settings_changes_nothing_and_is_named_until_it_is_mended(machine):
    with context(machine, "acme", "dev") as dev, settings(machine) as add:
        add("[host]\naccepts = stage:prod\n")
        expect_error(make(machine, "--context", dev), 1, "host-accepts")
        line = add("\n[host]\naccepts = stage:prod\nacepts = stage:dev\n") + 3
        error = f"{machine.config}/danchi.conf:{line}': [host] acepts: unknown key"
        expect_error(make(machine, "--context", dev), 1, "host-accepts")
        for _ in range(2):
            check, = doctor(machine, "settings")
            expect_equal((check["status"], error in check["what"]), ("fail", True), str(check))
        expect(error in machine.log_tail(), "danchid's log does not say it")
        add("[host]\naccepts = stage:dev\n")
        make(machine, "--context", dev, check=True)
        expect_equal(doctor(machine, "settings")[0]["status"], "ok", "once it is mended")
        # Without any command: at SIGHUP.
        add("[host]\naccepts = stage:prod;level:1\n")
        machine.daemon.send_signal(signal.SIGHUP)
        wait_until(lambda: "'level:1': must be" in machine.log_tail(), "SIGHUP makes it look")


@test("R2.1", only=EMULATION)
def a_bad_context_file_is_named_with_its_line_and_harms_no_other(machine):
    with context(machine) as good, \
            context_file(machine, "[context]\nstage = test\n\n[guest]\nvcpus = many\n") as (bad, path):
        place = f"{path}:5': [guest] vcpus = many: must be a whole number"
        expect_error(make(machine, "--context", bad), 1, bad, place, "(rule context-file)")
        make(machine, "--context", good, check=True)
        found = [check for check in doctor(machine, "contexts") if bad in check["what"]]
        expect(found and found[0]["status"] == "fail" and place in found[0]["what"], str(found))
        expect(place in machine.out("context", "explain", bad), "explain does not say it")
        expect_equal(len(doctor(machine, "contexts")), 1, "faults")
        replace(path, "[context]\nstage = test\n")
        made = make(machine, "--context", bad, check=True)
        expect(made.stdout, "no container once it is mended")
        # Wrong again, with a container in it that does not run: what was there is not lost.
        replace(path, "[context]\nstage = test\nstage = prod\n")
        entry, = [one for one in machine.json("context", "ls") if one["name"] == bad]
        expect("line 2" in entry["error"], f"error: {entry}")
        expect_equal(entry["stage"], "test", "the stage that it had")


@test("R5.4", only=EMULATION)
def a_context_takes_only_the_images_that_its_rules_permit(machine):
    name = image(machine)
    identity = machine.json("image", "inspect", name)[0]["id"]
    with context_file(machine, "[images]\nallow = redis:*;quay.io/**\n") as (strangers, path):
        expect_error(make(machine, "--context", strangers), 1, "not permitted",
                     f"(rule image-allow, {path}:2)", "redis:*")
        replace(path, "[images]\nallow = redis:*;**/busybox:*\n")
        make(machine, "--context", strangers, check=True)
        replace(path, "[images]\ndigest = required\n")
        expect_error(make(machine, "--context", strangers), 1, f"(rule image-digest, {path}:2)")
        machine.danchi("create", "--context", strangers, identity, "true")
        replace(path, "[images]\nsignature = required\n")
        expect_error(make(machine, "--context", strangers), 1, f"(rule image-signature, {path}:2)")


@test(only=EMULATION)
def explain_says_where_each_value_comes_from(machine):
    name = new_name("e2e-p")
    with settings(machine) as add:
        line = add("[lifetime]\nidle_s = 600\n") + 1
        machine.danchi("context", "create", "--tenant", "acme", "--guest-memory", "300m",
                       "--maximum", "2h", "--allow-image", "a:*", "--allow-image", "b:*", name)
        try:
            answer = machine.json("context", "explain", name)
            path = f"{machine.config}/contexts.d/{name}.conf"
            found = {(key["group"], key["key"]):
                     (key["value"], key.get("file", key["source"]), key.get("line"))
                     for key in answer["keys"]}
            expect_equal(found["context", "tenant"], ("acme", path, 2), "tenant")
            expect_equal(found["context", "stage"], ("none", "built-in", None), "stage")
            expect_equal(found["images", "allow"][:2], ("a:*;b:*", path), "allow")
            expect_equal(found["lifetime", "maximum_s"][:2], ("7200", path), "maximum")
            expect_equal(found["lifetime", "idle_s"],
                         ("600", f"{machine.config}/danchi.conf", line), "idle")
            expect(f"{machine.config}/danchi.conf:{line}" in machine.out("context", "explain", name),
                   "the table does not show it")
            # The defaults of danchi.conf are not frozen by `create`.
            add("\n\n[lifetime]\nidle_s = 700\n")
            key, = [key for key in machine.json("context", "explain", name)["keys"]
                    if key["key"] == "idle_s"]
            expect_equal((key["value"], key["line"]), ("700", line + 2), "idle after a change")
        finally:
            machine.danchi("context", "rm", "-f", name)
    wrong = machine.danchi("context", "create", "--image-digest", "maybe", "e2e-never", check=False)
    expect_error(wrong, 1, "[images] digest = maybe: must be one of optional, required")
    expect(not os.path.exists(f"{machine.config}/contexts.d/e2e-never.conf"), "it was made")


@test("R2.1", seconds=240, only=EMULATION)
def lifetimes_end_guests_also_when_danchid_was_killed_meanwhile(machine):
    idle_s, maximum_s = int(6 * PATIENCE), int(40 * PATIENCE)
    with context_file(machine, f"[lifetime]\nidle_s = {idle_s}\n") as (idle, _), \
            context_file(machine, f"[lifetime]\nidle_s = 1\nmaximum_s = {maximum_s}\n") as (old, _):
        long = start_sh(machine, "trap '' TERM; sleep 1000 & wait; sleep 1000", "--context", old)
        started = time.monotonic()
        machine.danchi("run", "--rm", "--context", idle, image(machine), "true", timeout=120)
        empty = time.monotonic()
        machine.kill_daemon()
        machine.start()
        expect(not context_events(machine, idle, "lifetime") or
               time.monotonic() - empty >= idle_s - 1, "the idle guest ended too early")
        event, = wait_until(lambda: context_events(machine, idle, "lifetime"),
                            "the idle guest ends", idle_s + 30)
        expect_equal(event["attributes"], {"idle_s": str(idle_s)}, "its event")
        wait_until(lambda: "guest" not in machine.json("context", "inspect", idle)[0],
                   "the idle context has no guest", 20)
        expect_equal(machine.state_of(long), "running", "what is in use and young")
        event, = wait_until(lambda: context_events(machine, old, "lifetime"),
                            "the old guest ends", maximum_s + 30)
        expect_equal(event["attributes"], {"maximum_s": str(maximum_s)}, "its event")
        expect(time.monotonic() - started <= maximum_s + 15 * PATIENCE, "it ended too late")
        wait_until(lambda: machine.state_of(long) == "exited", "its container ends", 40)
        facts = machine.inspect(long)
        expect(facts["reason"].startswith("lifetime: ") and f"{maximum_s} s" in facts["reason"],
               f"reason: {facts['reason']}")
        expect(facts["exit_code"] in (137, 143), f"exit status {facts['exit_code']}")
        wait_until(lambda: "guest" not in machine.json("context", "inspect", old)[0],
                   "the old context has no guest", 30)
