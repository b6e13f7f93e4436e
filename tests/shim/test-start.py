#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The shim as a command: start, delete, what it says of itself."""

import os
import signal
import socket
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../network")]
from harness import main, test  # noqa: E402
from pods import MEMBER, SANDBOX, member, pod  # noqa: E402
from ttrpc import pb  # noqa: E402
from world import SHIM, Task, World, eventually, fails  # noqa: E402


@test()
def two_starts_of_one_pod_at_once_make_one_shim(lab):
    lab.bundle("p1", annotations=SANDBOX)
    lab.bundle("a1", annotations=MEMBER)
    for _ in range(5):
        answers = []
        threads = [threading.Thread(target=lambda name=name: answers.append(lab.start(name)))
                   for name in ("p1", "a1", "p1", "a1")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == 4 and len(set(answers)) == 1
        client = lab.connect(answers[0])
        client.call("Shutdown", pb.ShutdownRequest())
        eventually(lambda: not os.path.exists(answers[0][len("unix://"):]), "the socket is still there")


@test()
def a_stale_socket_is_replaced_and_start_leaves_no_pipe_open(lab):
    lab.bundle("c1")
    address = lab.start("c1")  # subprocess.run() ends only once the pipe is closed by everybody
    with open(f"{lab.directory}/bundles/c1/address") as file:
        assert file.read() == address
    path = address[len("unix://"):]
    status = os.stat(path)
    assert status.st_mode & 0o777 == 0o600 and os.stat("/run/containerd/s").st_mode & 0o777 == 0o700
    lab.connect(address).call("Shutdown", pb.ShutdownRequest())
    eventually(lambda: not os.path.exists(path), "the socket is still there")
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(path)
    stale.close()
    assert lab.start("c1") == address
    lab.connect(address).call("Shutdown", pb.ShutdownRequest())


@test()
def a_start_that_cannot_be_says_why_and_fails(lab):
    os.makedirs(f"{lab.directory}/bundles/c1")
    result = lab.run_shim("c1", "start", cwd=f"{lab.directory}/bundles/c1", check=False)
    assert result.returncode == 1 and b"config.json" in result.stderr and result.stdout == b""
    for wrong in (["-id", "../x", "start"], ["-namespace", "a/b", "-id", "x", "start"], ["frobnicate"], ["-wrong"], []):
        result = subprocess.run([os.path.abspath(SHIM), *wrong], capture_output=True)
        assert result.returncode == 1 and result.stderr, wrong


@test()
def options_on_standard_input_change_nothing_and_bootstrap_params_are_answered(lab):
    lab.bundle("c1")
    options = pb.Any(type_url="runtimeoptions.v1.Options", value=b"\x12\x05/etc/")
    address = lab.start("c1", stdin=options.SerializeToString())
    assert lab.start("c1", stdin=b"\xff\xff garbage") == address
    lab.connect(address).call("Shutdown", pb.ShutdownRequest())
    eventually(lambda: not os.path.exists(address[len("unix://"):]), "the socket is still there")
    place = f"{lab.directory}/sockets"
    params = pb.BootstrapParams(instance_id="c1", namespace="k8s.io", socket_dir=place)
    result = lab.run_shim("c1", "start", cwd=f"{lab.directory}/bundles/c1", stdin=params.SerializeToString())
    answer = pb.BootstrapResult.FromString(result.stdout)
    assert (answer.version, answer.protocol) == (2, "ttrpc") and answer.address.startswith(f"unix://{place}/")
    lab.connect(answer.address).call("Shutdown", pb.ShutdownRequest(), service="containerd.task.v3.Task")


@test()
def version_and_info_are_told(lab):
    shim = os.path.abspath(SHIM)
    assert b"Version:" in subprocess.run([shim, "-v"], capture_output=True, check=True).stdout
    info = pb.RuntimeInfo.FromString(subprocess.run([shim, "-info"], capture_output=True, check=True).stdout)
    assert info.name == "io.containerd.danchi.v2" and info.version.version


@test()
def delete_after_a_crash_of_the_shim_cleans_up_and_may_run_twice_and_at_once(lab):
    sandbox = pod(lab)
    one = member(lab, "a1", ("sleep", "1000"))
    one.start()
    # The shim lives: a container's delete is not the pod's.
    answer = lab.delete("a1")
    assert answer.exit_status == 137 and answer.exited_at.seconds > 0 and "p1" in lab.danchid.pods
    os.kill(sandbox.shim_pid, signal.SIGKILL)
    answers = []
    threads = [threading.Thread(target=lambda name=name: answers.append(lab.delete(name)))
               for name in ("a1", "p1", "a1", "p1")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.exit_status for answer in answers] == [137] * 4
    assert lab.danchid.pods == {} and os.listdir("/run/containerd/s") == []


@test()
def delete_without_a_bundle_or_without_danchid_still_answers(lab):
    assert lab.delete("nothing-there").exit_status == 137
    sandbox = pod(lab)
    os.kill(sandbox.shim_pid, signal.SIGKILL)
    os.unlink(f"{lab.directory}/bundles/p1/config.json")
    assert lab.delete("p1").exit_status == 137
    assert lab.danchid.pods == {}


@test()
def the_shim_stays_small_and_says_whole_lines_to_containerds_log(lab):
    lab.bundle("c1", ("/no/such/program",))
    log = os.open(f"{lab.directory}/bundles/c1/log", os.O_RDWR | os.O_NONBLOCK)
    task = Task(lab, "c1", lab.connect(lab.start("c1")))
    fails(2, task.start)
    line = os.read(log, 4096).decode()
    assert line.startswith('time="') and " level=info msg=" in line and line.endswith("id=c1 runtime=danchi\n"), line
    with open(f"/proc/{task.shim_pid}/smaps_rollup") as file:
        private = sum(int(row.split()[1]) for row in file if row.startswith("Private"))
    print(f"# private memory: {private} KiB")
    assert private < 8192, private
    os.close(log)


if __name__ == "__main__":
    sys.exit(main(World))
