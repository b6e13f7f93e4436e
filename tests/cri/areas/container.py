# SPDX-License-Identifier: Apache-2.0
"""Containers: their life, what runs in them, and ExecSync."""

import time

from areas import test
from client import CriError
from machine import expect, expect_equal


@test(seconds=120, core=True)
def a_container_is_created_started_stopped_and_removed(node):
    with node.shared_pod() as pod:
        container = pod.create("sh", "-c", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.1; done")
        expect_equal(container.state(), "created", "its state")
        container.start()
        container.log_has("ready")
        expect_equal(container.state(), "running", "its state")
        begun = time.monotonic()
        container.stop(timeout=20)
        expect(time.monotonic() - begun < 15, "it did not end by the signal")
        status = container.status()
        expect_equal((container.state(), status.exit_code), ("exited", 7), "its end")
        expect(0 < status.created_at <= status.started_at <= status.finished_at, status)
        container.remove()
        try:
            container.status()
        except CriError as error:
            expect_equal(error.code, "NOT_FOUND", "what is said of it")


@test(seconds=120)
def a_container_that_heeds_no_signal_is_killed(node):
    with node.shared_pod() as pod:
        container = pod.sh("trap '' TERM; echo ready; while :; do sleep 0.1; done")
        container.log_has("ready")
        container.stop(timeout=1)
        expect_equal(container.status().exit_code, 137, "its exit code")
        pod.sh("exec sleep 1000", name="other").remove()


@test(seconds=120)
def environment_directory_and_user_are_what_was_asked_for(node):
    with node.shared_pod() as pod:
        container = pod.sh("echo $GREETING; pwd; id -u; id -g", working_dir="/tmp",
                           envs=[{"key": "GREETING", "value": "hello you"}],
                           security={"run_as_user": {"value": 1000}, "run_as_group": {"value": 2000}})
        container.wait()
        expect_equal(container.log(), "hello you\n/tmp\n1000\n2000\n", "what it sees")


@test(seconds=120)
def a_command_that_is_not_there_is_an_error_of_the_start(node):
    with node.shared_pod() as pod:
        container = pod.create("/no/such/program")
        try:
            container.start()
        except CriError as error:
            expect("no such file" in str(error).lower() or "not found" in str(error).lower(), error)
            return
        expect(False, "it started")


@test(seconds=120, core=True)
def execsync_gives_output_and_exit_code_and_ends_in_time(node):
    with node.shared_pod() as pod:
        container = pod.sh("exec sleep 1000")
        expect_equal(container.execute("echo", "-n", "one two"), "one two", "its output")
        done = container.execute("sh", "-c", "echo out; echo err >&2; exit 9", check=False)
        expect_equal((done.stdout, done.stderr, done.exit_code), (b"out\n", b"err\n", 9), "all of it")
        begun = time.monotonic()
        try:
            done = container.execute("sleep", "1000", timeout=1, check=False)
            expect_equal((node.service, done.exit_code), ("CRI-O", -1), "who says it by an exit code")
        except CriError as error:
            expect_equal(error.code, "DEADLINE_EXCEEDED", "what is said")
        expect(time.monotonic() - begun < 15, "it was not ended")
        expect_equal(container.execute("echo", "still"), "still\n", "and afterwards")
        big = container.exec_sh("head -c 3000000 /dev/zero | tr '\\0' x")
        expect_equal(len(big), 3000000, "bytes of an output")


@test(seconds=120)
def limits_change_while_it_runs(node):
    with node.shared_pod() as pod:
        container = pod.sh("exec sleep 1000", linux={"resources": {"memory_limit_in_bytes": 64 << 20,
                                                                   "cpu_period": 100000, "cpu_quota": 50000}})
        node.client.call("UpdateContainerResources", container_id=container.id,
                         linux={"memory_limit_in_bytes": 96 << 20, "cpu_period": 100000, "cpu_quota": 20000})
        expect_equal(container.state(), "running", "its state")
