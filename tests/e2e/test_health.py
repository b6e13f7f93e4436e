# SPDX-License-Identifier: Apache-2.0
"""Health checks, restart policies and --init, as docker's users know them."""

import time

from machine import EMULATION, expect, expect_equal, kill9, wait_until
from suite import (expect_error, image, in_box, machine_json_events, new_name, start_sh, test)

# Ends itself with 9 when it is told to, and by nobody's stop.
OBEDIENT = "trap 'exit 9' USR1; cat /proc/sys/kernel/random/boot_id; while :; do sleep 0.1; done"

QUICK = ("--health-interval", "300ms", "--health-retries", "2")


def health(machine, name):
    return machine.inspect(name).get("health", {})


@test(only=EMULATION)
def a_check_says_whether_a_container_does_its_work(machine):
    name = new_name()
    machine.danchi("run", "-d", "--name", name, "--health-cmd", "cat /dev/shm/up", *QUICK,
                   *in_box(machine), image(machine), "sleep", "10000")
    entry = machine.container(name)
    expect("(health: starting)" in entry["status"] or "(unhealthy)" in entry["status"],
           entry["status"])
    wait_until(lambda: health(machine, name)["status"] == "unhealthy", "it is unhealthy", 30)
    record = health(machine, name)
    expect(record["failing_streak"] >= 2 and record["log"][-1]["exit_code"] == 1, record)
    expect("/dev/shm/up" in record["log"][-1]["output"], record)
    machine.danchi("exec", name, "touch", "/dev/shm/up")
    wait_until(lambda: health(machine, name)["status"] == "healthy", "it is healthy again", 30)
    expect("(healthy)" in machine.container(name)["status"], machine.container(name)["status"])
    expect_equal([one["name"] for one in machine.json("ps", "--filter", "health=healthy")], [name],
                 "ps --filter health=healthy")
    # Checks go on without danchid, and the next one knows what they found.
    checks = health(machine, name)["checks"]
    machine.restart()
    wait_until(lambda: health(machine, name).get("checks", 0) > checks, "checks after a restart", 30)
    expect_equal(health(machine, name)["status"], "healthy", "status after a restart")
    machine.danchi("stop", "-t", "0", name)
    expect("health" not in machine.container(name)["status"], machine.container(name)["status"])


@test(only=EMULATION)
def a_policy_starts_a_container_again(machine):
    name = new_name()
    start_sh(machine, "echo run; sleep 0.2; exit 3", "--restart", "on-failure:2", name=name)
    wait_until(lambda: machine.container(name)["state"] == "exited", "it is given up", 60)
    # The last end may be one of those between which it is restarting.
    expect_equal(machine.out("wait", name), "3", "wait")
    state = machine.inspect(name)["restart"]
    expect_equal((state["policy"], state["restarts"], state["is_stopped"]), ("on-failure:2", 2, False),
                 "restart in inspect")
    expect_equal(machine.out("logs", name).split(), ["run"] * 3, "three runs' output")
    expect_equal(machine.inspect(name)["starts"], 3, "starts")
    actions = [event["action"] for event in machine_json_events(machine, name)]
    expect_equal(actions.count("restart"), 2, "restarts among the events")


@test(only=EMULATION)
def what_somebody_stops_stays_stopped(machine):
    name = new_name()
    start_sh(machine, OBEDIENT, "--restart", "always", name=name)
    wait_until(lambda: machine.out("logs", name), "its trap is set", 30)
    machine.danchi("stop", "-t", "0", name)
    time.sleep(1)
    expect_equal(machine.state_of(name), "exited", "after a stop")
    expect(machine.inspect(name)["restart"]["is_stopped"], "inspect does not say who ended it")
    machine.danchi("start", name)
    wait_until(lambda: len(machine.out("logs", name).split()) == 2, "its trap is set", 30)
    machine.danchi("kill", "-s", "USR1", name)
    wait_until(lambda: machine.inspect(name)["restart"]["restarts"] == 1, "it was started again", 30)
    wait_until(lambda: machine.state_of(name) == "running", "it runs", 30)
    expect_error(machine.danchi("rm", name, check=False), 1, "stop it first")
    machine.danchi("rm", "-f", name)
    time.sleep(0.5)
    expect_equal(machine.container(name), None, "after rm -f")


@test(only=EMULATION)
def a_container_that_cannot_work_is_started_ever_more_seldom(machine):
    name = new_name()
    start_sh(machine, "exit 1", "--restart", "unless-stopped", name=name)
    wait_until(lambda: machine.inspect(name)["restart"]["restarts"] >= 3, "three restarts", 60)
    wait_until(lambda: machine.state_of(name) == "restarting", "it waits", 30)
    expect(machine.container(name)["status"].startswith("Restarting (1)"),
           machine.container(name)["status"])
    expect_equal([one["name"] for one in machine.json("ps", "-a", "--filter", "status=restarting")],
                 [name], "ps --filter status=restarting")
    restarts = machine.inspect(name)["restart"]["restarts"]
    machine.kill_daemon()
    machine.start()
    wait_until(lambda: machine.inspect(name)["restart"]["restarts"] > restarts,
               "a danchid that starts goes on with it", 60)
    machine.danchi("stop", name)
    time.sleep(1)
    expect_equal(machine.state_of(name), "exited", "after a stop while it waited")
    machine.danchi("rm", name)


@test(only=EMULATION)
def a_policy_is_changed_whatever_the_container_does(machine):
    name, runs = new_name(), new_name()
    start_sh(machine, "exit 1", "--restart", "always", name=name)
    start_sh(machine, OBEDIENT, name=runs)
    wait_until(lambda: machine.inspect(name)["restart"]["restarts"] >= 3, "three restarts", 60)
    machine.danchi("update", "--restart", "no", name)
    # One that was being made at that moment goes on to its end.
    wait_until(lambda: machine.state_of(name) == "exited", "what was pending is over", 10)
    restarts = machine.inspect(name)["restart"]["restarts"]
    machine.danchi("update", "--restart", "on-failure", "--pids-limit", "50", runs)
    expect_equal(machine.inspect(runs)["options"]["restart"], "on-failure", "the policy")
    wait_until(lambda: machine.out("logs", runs), "its trap is set", 30)
    machine.danchi("kill", "-s", "USR1", runs)
    wait_until(lambda: machine.inspect(runs)["restart"]["restarts"] == 1
               and machine.state_of(runs) == "running", "it was started again", 30)
    machine.danchi("stop", "-t", "0", runs)
    # What was stopped stays so under its next policy, also when danchid starts.
    machine.danchi("update", "--restart", "unless-stopped", runs, name)
    machine.restart()
    time.sleep(1)
    expect_equal(machine.state_of(runs), "exited", "what was stopped")
    expect(machine.inspect(name)["restart"]["restarts"] >= restarts, "restarts")
    machine.danchi("rm", "-f", name, runs)
    gone = new_name()
    start_sh(machine, "sleep 1000", "--rm", name=gone)
    expect_error(machine.danchi("update", "--restart", "always", gone, check=False), 2, "--rm")
    expect_error(machine.danchi("update", "--restart", "sometimes", gone, check=False), 2, "--restart")
    machine.danchi("rm", "-f", gone)


@test(only=EMULATION)
def a_guest_that_goes_under_a_container_is_made_anew(machine):
    name = new_name()
    start_sh(machine, OBEDIENT, "--restart", "always", name=name, fresh=True)
    before = machine.inspect(name)["guest"]["id"]
    wait_until(lambda: machine.out("logs", name), "its trap is set", 30)
    machine.danchi("kill", "-s", "USR1", name)
    # Its own guest stays for it.
    wait_until(lambda: machine.inspect(name)["restart"]["restarts"] == 1
               and machine.state_of(name) == "running", "it was started again", 30)
    expect_equal(machine.inspect(name)["guest"]["id"], before, "its guest")
    kill9(machine.inspect(name)["guest"]["qemu_pid"])
    wait_until(lambda: machine.inspect(name)["restart"]["restarts"] == 2
               and machine.state_of(name) == "running", "it runs in another guest", 60)
    expect(machine.inspect(name)["guest"]["id"] != before, "the guest is the one that was killed")
    wait_until(lambda: len(set(machine.out("logs", name).split())) == 2, "two kernels in its log")
    machine.danchi("rm", "-f", name)


@test(only=EMULATION)
def init_is_the_first_process_and_reaps(machine):
    name = new_name()
    start_sh(machine, "sleep 10000", "--init", name=name)
    top = machine.out("exec", name, "ps", "-o", "pid,args")
    expect("danchi-reaper" in top.splitlines()[1], top)
    # An orphan's end leaves no zombie.
    machine.danchi("exec", name, "sh", "-c", "(sh -c 'sleep 0.1 &' ) ; sleep 1")
    expect("[sleep]" not in machine.out("exec", name, "ps"), "a zombie")
    before = time.monotonic()
    machine.danchi("stop", "-t", "60", name)
    expect(time.monotonic() - before < 20, "a signal did not reach the command")


@test(only=EMULATION)
def wishes_that_cannot_be_met_are_refused(machine):
    box = in_box(machine)
    for flags, words in (
            (("--restart", "sometimes"), "--restart"),
            (("--restart", "on-failure:0"), "from 1 to"),
            (("--restart", "always", "--rm"), "--rm"),
            (("--health-interval", "1s"), "--health-cmd"),
            (("--health-cmd", "true", "--health-interval", "1ms"), "100 ms"),
            (("--health-cmd", "true", "--no-healthcheck"), "--no-healthcheck")):
        result = machine.danchi("run", "-d", *flags, *box, image(machine), "true", check=False)
        expect(result.status in (2, 125) and words in result.stderr, f"{flags}: {result.stderr}")
