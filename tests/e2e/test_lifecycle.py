# SPDX-License-Identifier: Apache-2.0
"""Every command on containers, as its user knows it from docker or podman."""

import json
import time

from machine import EMULATION, expect, expect_equal, wait_until
from suite import (BOX, box, context, exec_sh, expect_error, image, in_box, new_name, run_sh,
                   start_sh, test)


def others(machine):
    """The containers' names, without the one that the tests share."""
    return [entry["name"] for entry in machine.containers() if entry["name"] != BOX]


@test()
def run_shows_output_and_returns_zero(machine):
    result = run_sh(machine, "echo hello from $(uname -s)", fresh=True)
    expect_equal(result.stdout, "hello from Linux\n", "stdout")
    expect_equal(result.stderr, "", "stderr")


@test()
def run_returns_the_exit_status_of_the_command(machine):
    run_sh(machine, "exit 42", check=False).expect_status(42)


@test(only=EMULATION)
def run_returns_128_plus_n_when_signal_n_ends_the_command(machine):
    name = start_sh(machine, "sh -c 'kill -SEGV $$'; exit $?")
    expect_equal(machine.out("wait", name), "139", "the shell's view")
    machine.danchi("start", "-a", name, check=False).expect_status(139)


@test(only=EMULATION)
def run_returns_127_for_a_command_that_is_not_there(machine):
    result = machine.danchi("run", "--rm", *in_box(machine), image(machine),
                            "no-such-command", check=False)
    expect_error(result, 127, "no-such-command")
    expect_equal(others(machine), [], "containers after the failure")


@test(only=EMULATION)
def run_returns_126_for_a_command_that_cannot_be_executed(machine):
    result = machine.danchi("run", "--rm", *in_box(machine), image(machine),
                            "/etc/passwd", check=False)
    expect_error(result, 126, "/etc/passwd")


@test(only=EMULATION)
def run_returns_125_for_an_image_that_is_not_in_the_store(machine):
    result = machine.danchi("run", "--rm", "localhost/no-such:image", "true", check=False)
    expect_error(result, 125, "no-such")


@test()
def run_rm_leaves_neither_container_nor_guest(machine):
    before = machine.guest_processes("qemu-system")
    run_sh(machine, "true", fresh=True)
    wait_until(lambda: not others(machine), "the container is gone")
    wait_until(lambda: machine.guest_processes("qemu-system") == before, "its QEMU is gone")


@test()
def a_detached_container_runs_stops_and_starts_again(machine):
    name = new_name()
    identity = machine.out("run", "-d", "--name", name, *in_box(machine), image(machine), "sh", "-c",
                           "trap 'exit 7' TERM; echo up; while :; do sleep 0.1; done")
    expect_equal(len(identity), 32, "length of the id on stdout")
    expect_equal(machine.state_of(name), "running", "state")
    wait_until(lambda: "up" in machine.out("logs", name), "its trap is set")
    machine.danchi("stop", name)
    entry = machine.container(name)
    expect_equal((entry["state"], entry["exit_code"]), ("exited", 7), "state and status")
    machine.danchi("start", name)
    expect_equal(machine.container(name)["id"], identity, "id after the second start")
    expect_equal(machine.state_of(name), "running", "state after the second start")
    machine.danchi("rm", "-f", name)
    expect_equal(machine.container(name), None, "container after rm -f")


@test(only=EMULATION)
def create_makes_a_container_that_start_attach_runs(machine):
    name = new_name()
    machine.danchi("create", "--name", name, *in_box(machine), image(machine), "sh", "-c",
                   "echo out; exit 5")
    expect_equal(machine.state_of(name), "created", "state")
    result = machine.danchi("start", "-a", name, check=False).expect_status(5)
    expect_equal(result.stdout, "out\n", "stdout")


@test(only=EMULATION)
def a_name_is_taken_once(machine):
    name = new_name()
    machine.danchi("create", "--name", name, image(machine), "true")
    again = machine.danchi("create", "--name", name, image(machine), "true", check=False)
    expect(again.status in (1, 125), f"exit status {again.status}")
    expect(name in again.stderr, f"the error does not name it: {again.stderr!r}")


@test(only=EMULATION)
def ps_shows_running_containers_and_with_a_all(machine):
    running, stopped = start_sh(machine, "sleep 1000"), new_name()
    machine.danchi("create", "--name", stopped, image(machine), "true")
    names = {entry["name"] for entry in machine.json("ps")}
    expect(running in names and stopped not in names, f"ps: {names}")
    names = {entry["name"] for entry in machine.json("ps", "-a")}
    expect({running, stopped} <= names, f"ps -a: {names}")
    only = machine.json("ps", "-a", "--filter", f"name={stopped}")
    expect_equal([entry["name"] for entry in only], [stopped], "ps --filter name=")
    table = machine.out("ps")
    expect(running in table and "CONTEXT" in table, f"the table: {table!r}")


@test()
def exec_runs_a_process_beside_the_first(machine):
    result = exec_sh(machine, "echo $$; exit 9", check=False).expect_status(9)
    expect(result.stdout.strip() != "1", "the process has pid 1 of the container")


@test(only=EMULATION)
def exec_takes_environment_user_and_directory(machine):
    result = exec_sh(machine, 'echo "$GREETING $(id -u):$(id -g) $(pwd)"', "-e", "GREETING=hi",
                     "-u", "1234:4321", "-w", "/tmp")
    expect_equal(result.stdout, "hi 1234:4321 /tmp\n", "stdout")


@test(only=EMULATION)
def exec_returns_126_and_127_like_run(machine):
    name = box(machine)
    machine.danchi("exec", name, "no-such-command", check=False).expect_status(127)
    machine.danchi("exec", name, "/etc/passwd", check=False).expect_status(126)


@test(only=EMULATION)
def exec_in_a_stopped_container_is_an_error_that_says_so(machine):
    name = new_name()
    machine.danchi("create", "--name", name, image(machine), "true")
    expect_error(machine.danchi("exec", name, "true", check=False), 125, name)


@test(only=EMULATION)
def run_takes_environment_directory_hostname_and_entrypoint(machine):
    result = machine.danchi("run", "--rm", *in_box(machine), "-e", "A=1 2", "-w", "/tmp", "--hostname", "hut",
                            "--entrypoint", "/bin/sh", image(machine), "-c",
                            'echo "$A $(pwd) $(hostname)"')
    expect_equal(result.stdout, "1 2 /tmp hut\n", "stdout")


@test(only=EMULATION)
def wait_prints_the_exit_status_once_the_container_has_ended(machine):
    name = start_sh(machine, "sleep 1; exit 11")
    expect_equal(machine.out("wait", name), "11", "output of wait")


@test(only=EMULATION)
def kill_sends_the_signal_it_is_given(machine):
    name = start_sh(machine, "trap 'exit 33' USR1; echo up; while :; do sleep 0.1; done")
    wait_until(lambda: "up" in machine.out("logs", name), "its trap is set")
    machine.danchi("kill", "-s", "USR1", name)
    expect_equal(machine.out("wait", name), "33", "exit status")
    name = start_sh(machine, "sleep 1000")
    machine.danchi("kill", name)
    expect_equal(machine.out("wait", name), "137", "exit status after SIGKILL")


@test(only=EMULATION)
def stop_and_restart_send_another_signal_and_wait_as_long_as_it_takes(machine):
    name = start_sh(machine, "trap '' TERM; trap 'sleep 1; exit 7' USR1; echo ready; while :; do sleep 0.1; done",
                    "--stop-timeout", "1")
    wait_until(lambda: machine.out("logs", name), "its traps are set", 30)
    machine.danchi("restart", "-s", "USR1", "-t", "-1", name)
    wait_until(lambda: len(machine.out("logs", name).split()) == 2, "its traps are set again", 30)
    machine.danchi("stop", "--signal", "SIGUSR1", "--time", "-1", name)
    expect_equal(machine.inspect(name)["exit_code"], 7, "it had its time")
    for flags, words in ((("-s", "NONE"), "--signal"), (("-t", "-2"), "--time")):
        expect_error(machine.danchi("stop", *flags, name, check=False), 2, words)


@test(only=EMULATION)
def stop_kills_what_does_not_end_in_time(machine):
    name = start_sh(machine, "trap '' TERM; while :; do sleep 0.1; done")
    started = time.monotonic()
    machine.danchi("stop", "-t", "1", name)
    expect(time.monotonic() - started >= 1, "stop did not give it its second")
    expect_equal(machine.container(name)["exit_code"], 137, "exit status")


@test("R5.14")
def pause_stops_the_clock_of_a_container_and_unpause_starts_it(machine):
    name = start_sh(machine, "while :; do echo tick; sleep 0.1; done")
    wait_until(lambda: machine.out("logs", name), "it ticks")
    machine.danchi("pause", name)
    expect_equal(machine.state_of(name), "paused", "state")
    time.sleep(0.5)
    before = len(machine.out("logs", name))
    time.sleep(1)
    expect_equal(len(machine.out("logs", name)), before, "log while it is paused")
    machine.danchi("unpause", name)
    expect_equal(machine.state_of(name), "running", "state after unpause")
    wait_until(lambda: len(machine.out("logs", name)) > before, "it ticks again")


@test(only=EMULATION)
def restart_runs_the_command_anew(machine):
    name = start_sh(machine, "trap 'exit 0' TERM; echo started; while :; do sleep 0.1; done")
    wait_until(lambda: "started" in machine.out("logs", name), "the first start")
    machine.danchi("restart", name)
    wait_until(lambda: machine.out("logs", name).count("started") == 2, "the second start")
    expect_equal(machine.state_of(name), "running", "state")


@test(only=EMULATION)
def rename_gives_a_container_another_name(machine):
    name, other = start_sh(machine, "sleep 1000"), new_name()
    machine.danchi("rename", name, other)
    expect_equal((machine.container(name), machine.state_of(other)), (None, "running"), "states")


@test(only=EMULATION)
def rm_refuses_a_running_container_without_force(machine):
    name = start_sh(machine, "sleep 1000")
    expect_error(machine.danchi("rm", name, check=False), 1, name)
    expect_equal(machine.state_of(name), "running", "state")


@test(only=EMULATION)
def top_lists_the_processes_of_a_container(machine):
    name = start_sh(machine, "sleep 1111 & sleep 2222 & wait")
    wait_until(lambda: "2222" in machine.out("top", name), "both sleeps are in top")
    expect("1111" in machine.out("top", name), "the first sleep is missing")


@test("R5.14")
def stats_count_memory_and_processes(machine):
    name = box(machine)
    text = machine.out("stats", "--no-stream", name)
    expect(name in text, f"the table: {text!r}")
    entry = machine.json("stats", "--no-stream", name)[0]
    expect(entry["memory_bytes"] > 0 and entry["pids"] >= 1, f"stats: {entry}")
    # Without names, its guest beside it: QEMU and what serves it, by the host, and the guest's own word.
    rows = [row for row in machine.json("stats", "--no-stream") if row["context"] == entry["context"]]
    guest = rows[0]
    expect_equal((guest["name"], [row["name"] for row in rows].count("(guest)")), ("(guest)", 1), "the guest's row")
    expect(name in [row["name"] for row in rows[1:]], f"rows: {rows}")
    expect(guest["memory_bytes"] > entry["memory_bytes"] and guest["cpu_us"] > entry["cpu_us"]
           and guest["guest_memory_bytes"] > guest["guest_memory_used_bytes"] > 0, f"the guest's: {guest}")
    parts = {part["name"]: part["memory_bytes"] for part in guest["processes"]}
    expect(parts["qemu"] > parts["relay"] > 0 and sum(parts.values()) == guest["memory_bytes"], f"parts: {parts}")


@test("R2.5")
def inspect_tells_all_about_container_and_guest(machine):
    text = json.dumps(machine.inspect(box(machine)))
    for word in machine.accelerator, machine.transport, "boot_id", "seccomp", "e2e-box":
        expect(word in text, f"{word!r} is not in inspect: {text[:2000]}")


@test(only=EMULATION)
def cp_brings_a_file_in_and_out_unchanged(machine):
    name = start_sh(machine, "sleep 1000")
    data = bytes(range(256)) * 1000
    source, back = f"{machine.run}/in.bin", f"{machine.run}/out.bin"
    with open(source, "wb") as file:
        file.write(data)
    machine.danchi("cp", source, f"{name}:/tmp/there.bin")
    size = machine.out("exec", name, "wc", "-c", "/tmp/there.bin").split()[0]
    expect_equal(int(size), len(data), "size in the container")
    machine.danchi("cp", f"{name}:/tmp/there.bin", back)
    with open(back, "rb") as file:
        expect(file.read() == data, "the bytes changed on the way")


@test()
def cp_brings_a_tree_out_with_its_links_as_links(machine):
    name = start_sh(machine, "mkdir -p /tmp/tree/a/b; echo x > /tmp/tree/a/b/file;"
                    " ln -s /etc/passwd /tmp/tree/link; touch /tmp/tree/done; sleep 1000")
    wait_until(lambda: machine.danchi("exec", name, "test", "-e", "/tmp/tree/done",
                                      check=False).status == 0, "the tree is there")
    machine.danchi("cp", f"{name}:/tmp/tree", f"{machine.run}/tree")
    with open(f"{machine.run}/tree/a/b/file") as file:
        expect_equal(file.read(), "x\n", "the file in the tree")
    import os
    expect_equal(os.readlink(f"{machine.run}/tree/link"), "/etc/passwd", "the link")


@test("R1.2", only=EMULATION)
def events_record_the_life_of_a_container_in_order(machine):
    name = new_name()
    machine.danchi("run", "--rm", "--name", name, *in_box(machine), image(machine), "true")
    wait_until(lambda: machine.container(name) is None, "the container is gone")
    lines = machine.out("--format", "json", "events", "--since", "10m").splitlines()
    events = [json.loads(line) for line in lines]
    actions = [event["action"] for event in events if event.get("name") == name]
    wanted = ["create", "start", "die"]
    expect([action for action in actions if action in wanted] == wanted, f"actions: {actions}")


@test("R5.14", only=EMULATION)
def update_changes_the_limits_of_a_running_container(machine):
    name = start_sh(machine, "sleep 1000", "-m", "64m")
    machine.danchi("update", "--memory", "32m", "--pids-limit", "17", name)
    pids = exec_sh(machine, "cat /sys/fs/cgroup/pids.max", container=name).stdout.strip()
    memory = exec_sh(machine, "cat /sys/fs/cgroup/memory.max", container=name).stdout.strip()
    expect_equal((pids, memory), ("17", str(32 << 20)), "limits in the guest's kernel")


@test(only=EMULATION)
def several_containers_run_in_one_context(machine):
    with context(machine) as name:
        first = start_sh(machine, "sleep 1000", "--context", name)
        second = start_sh(machine, "sleep 1000", "--context", name)
        expect_equal(len(machine.guest_ids()), len({entry["context"] for entry in
                     machine.containers() if entry["state"] == "running"}), "guests")
        machine.danchi("rm", "-f", first)
        expect_equal(machine.state_of(second), "running", "the other one's state")
        machine.danchi("rm", "-f", second)


@test(only=EMULATION)
def a_flag_that_is_not_built_or_not_permitted_is_an_error_and_not_ignored(machine):
    for flags in (["--device", "/dev/kvm"], ["--privileged"], ["-v", "/tmp:/data"],
                  ["--secret", "key"], ["-p", "80:80"], ["--security-opt", "apparmor=x"],
                  ["--cap-add", "ALL"]):
        result = machine.danchi("run", "--rm", *flags, image(machine), "true", check=False)
        expect(result.status in (2, 125), f"{flags}: exit status {result.status}")
        expect(result.stderr.startswith("danchi: "), f"{flags}: {result.stderr!r}")


@test(only=EMULATION)
def a_wrong_flag_is_wrong_usage(machine):
    machine.danchi("ps", "--no-such-flag", check=False).expect_status(2)
    machine.danchi("no-such-command", check=False).expect_status(2)


@test()
def doctor_info_and_version_answer(machine):
    expect(machine.out("version"), "version printed nothing")
    expect(machine.out("info"), "info printed nothing")
    text = machine.danchi("doctor", check=False).stdout
    for word in "kvm", "the networks of pods", "owners":
        expect(word in text.lower(), f"doctor says nothing about {word}: {text!r}")


@test(only=EMULATION)
def a_trace_names_the_phases_of_a_start(machine):
    path = f"{machine.run}/trace.json"
    machine.danchi("run", "--rm", "--trace", path, image(machine), "true")
    with open(path) as file:
        names = {phase["name"] for phase in json.load(file)["phases"]}
    expect({"libvirt", "kernel", "agent", "container"} <= names, f"phases: {names}")


@test("R1.2", only=EMULATION)
def another_user_is_refused(machine):
    result = machine.danchi("ps", user=65534, check=False)
    expect(result.status in (1, 125), f"exit status {result.status}")
    expect(result.stderr.startswith("danchi: "), f"no error line: {result.stderr!r}")
