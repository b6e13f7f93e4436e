# SPDX-License-Identifier: Apache-2.0
"""Contexts: made, shown, stopped and removed; who may share one."""

import os

from machine import EMULATION, expect, expect_equal, wait_until
from suite import (context, create_context, expect_error, image, new_name, start_sh, test)


@test("R1.3", only=EMULATION)
def a_context_is_listed_with_tenant_stage_and_tier(machine):
    with context(machine, "globex", "prod", "frontend") as name:
        entry = [one for one in machine.json("context", "ls") if one["name"] == name][0]
        expect_equal((entry["tenant"], entry["stage"], entry["tier"]),
                     ("globex", "prod", "frontend"), "labels")
        expect(name in machine.out("context", "ls"), "the table does not show it")
        expect("globex" in machine.out("context", "inspect", name), "inspect lacks the tenant")
    expect(name not in [one["name"] for one in machine.json("context", "ls")], "it is still there")


@test()
def a_context_is_a_file_that_outlives_the_daemon(machine):
    with context(machine) as name:
        expect(os.path.exists(f"{machine.config}/contexts.d/{name}.conf"), "there is no file")
        machine.restart()
        expect(name in [one["name"] for one in machine.json("context", "ls")], "it is gone")


@test(only=EMULATION)
def a_context_is_made_once(machine):
    with context(machine) as name:
        again = machine.danchi("context", "create", "--tenant", "acme", "--stage", "test",
                               "--tier", "backend", name, check=False)
        expect_error(again, 1, name)


@test(only=EMULATION)
def stopping_a_context_ends_its_containers_and_its_guest(machine):
    with context(machine) as name:
        container = start_sh(machine, "sleep 1000", "--context", name)
        machine.danchi("context", "stop", name)
        expect_equal(machine.state_of(container), "exited", "state of its container")
        wait_until(lambda: machine.inspect(container).get("guest") in (None, {}),
                   "inspect shows no guest")
        machine.danchi("start", container)
        expect_equal(machine.state_of(container), "running", "state after start")
        machine.danchi("rm", "-f", container)


@test(only=EMULATION)
def a_context_with_containers_is_not_removed_without_force(machine):
    with context(machine) as name:
        container = start_sh(machine, "sleep 1000", "--context", name)
        expect_error(machine.danchi("context", "rm", name, check=False), 1, name)
        expect_equal(machine.state_of(container), "running", "state of its container")


@test(only=EMULATION)
def a_context_that_is_not_there_is_an_error(machine):
    result = machine.danchi("run", "--rm", "--context", "no-such", image(machine), "true",
                            check=False)
    expect_error(result, 125, "no-such")


@test(only=EMULATION)
def a_bad_name_is_refused_before_anything_is_made(machine):
    for name in "../../etc/x", "a b", "-x", "x" * 200, "a\nb", "":
        result = machine.danchi("context", "create", "--tenant", "a", "--", name, check=False)
        expect(result.status != 0, f"{name!r} was accepted")
        result = machine.danchi("create", "--name", name or "/", image(machine), check=False)
        expect(result.status != 0, f"a container could be named {name!r}")


@test(only=EMULATION)
def a_faulty_context_file_is_named_and_harms_no_other(machine):
    path = f"{machine.config}/contexts.d/broken.conf"
    good = create_context(machine, new_name("e2e-c"))
    try:
        with open(path, "w") as file:
            file.write("[context]\ntenant = acme\nno_such_key = 1\n")
        machine.restart()
        expect(good in [one["name"] for one in machine.json("context", "ls")], "the good one is gone")
        result = machine.danchi("run", "--rm", "--context", "broken", image(machine), "true",
                                check=False)
        expect_error(result, 125, "broken")
    finally:
        os.unlink(path)
        machine.restart()
        machine.danchi("context", "rm", "-f", good)
