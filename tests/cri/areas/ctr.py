# SPDX-License-Identifier: Apache-2.0
"""ctr, containerd's own client: a container without a pod is a guest by itself."""

import itertools
import os
import subprocess

from areas import test
from machine import ARCHIVES, PATIENCE, expect, expect_equal, wait_until
from node import IMAGE

NO_CTR = "ctr is containerd's"

numbers = itertools.count(1)


def ctr(*words, given="", status=0):
    done = subprocess.run(["ctr", "-n", "ctr-tests", *words], input=given, capture_output=True, text=True,
                          timeout=60 * PATIENCE)
    expect_equal(done.returncode, status, f"ctr {' '.join(words)}: {done.stdout}{done.stderr}\nstatus")
    return done.stdout, done.stderr


def run(node, *words):
    """The beginning of `ctr run`, and the container's name."""
    if IMAGE not in ctr("images", "ls", "-q")[0]:
        ctr("images", "import", f"{ARCHIVES}/busybox.tar")
    runtime = "io.containerd.danchi.v2" if node.runtime == "danchi" else "io.containerd.runc.v2"
    return ["run", "--runtime", runtime, "--snapshotter", node.snapshotter, *words, IMAGE], f"by-ctr-{next(numbers)}"


def tasks():
    return {line.split()[0]: line.split()[2] for line in ctr("task", "ls")[0].splitlines()[1:]}


@test("R5.7", seconds=180, not_crio=NO_CTR)
def a_root_of_the_native_snapshotter_is_a_directory_that_is_written(node):
    """No overlay: the snapshot is a copy, which the container has as its root."""
    words, name = run(node, "-d")
    words[words.index("--snapshotter") + 1] = "native"
    ctr(*words, name, "sh", "-c", "echo written > /home/app/file; exec sleep 1000")
    shown = ctr("snapshots", "--snapshotter", "native", "mounts", "/there", name)[0].split()
    path = shown[shown.index("/there") - 1]
    wait_until(lambda: os.path.exists(f"{path}/home/app/file"), "the file is in the snapshot", 30)
    status = os.stat(f"{path}/home/app/file")
    expect_equal((status.st_uid, status.st_gid), (1000, 1000), "its owner on this host")
    out, _ = ctr("task", "exec", "--exec-id", "look", name, "stat", "-c", "%u:%g", "/home/app/file", "/bin/busybox")
    expect_equal(out.split(), ["1000:1000", "0:0"], "owners in the container")
    ctr("task", "kill", "-s", "SIGKILL", name)
    wait_until(lambda: tasks().get(name) == "STOPPED", f"{name} ends")
    ctr("task", "delete", name)
    ctr("containers", "rm", name)
    wait_until(lambda: not os.path.exists(path), "the snapshot is removed", 30)


# With runc, input that ends before the container is there ends nothing: ctr tells it too early.
@test("R5.16", seconds=120, only_danchi=True, not_crio=NO_CTR)
def a_container_of_ctr_has_its_streams_and_its_end(node):
    words, name = run(node, "--rm")
    script = "cat; uname -n; echo err >&2; head -c 3000000 /dev/zero; exit 3"
    out, err = ctr(*words, name, "sh", "-c", script, given="what was given\n", status=3)
    expect(out.startswith("what was given\n"), f"output: {out[:200]!r}")
    expect_equal((out.count("\0"), err), (3000000, "err\n"), "its streams")
    expect_equal(tasks(), {}, "what is left")
    expect(name not in ctr("containers", "ls", "-q")[0], "the container is left")


@test("R5.14", seconds=180, not_crio=NO_CTR)
def exec_pause_metrics_kill_and_attach_of_ctr_do_what_they_say(node):
    words, name = run(node, "-d")
    ctr(*words, name, "sleep", "1000")
    out, _ = ctr("task", "exec", "--exec-id", "one", name, "sh", "-c", "id -u; cat; exit 4", given="in", status=4)
    expect_equal(out, "1000\nin", "what it ran")
    _, err = ctr("task", "exec", "--exec-id", "two", name, "/no/such", status=1)
    expect("no such file or directory" in err, err)
    expect("memory.usage" in ctr("task", "metrics", name)[0] or "memory.current" in ctr("task", "metrics", name)[0],
           "no metrics")
    ctr("task", "pause", name)
    expect_equal(tasks()[name], "PAUSED", "its state")
    ctr("task", "resume", name)
    expect_equal(tasks()[name], "RUNNING", "its state")
    attached = subprocess.Popen(["ctr", "-n", "ctr-tests", "task", "attach", name], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ctr("task", "kill", "-s", "SIGKILL", name)
    # It takes the task away, too.
    expect_equal(attached.wait(20 * PATIENCE), 137, "what attach says of its end")
    ctr("containers", "rm", name)
    expect_equal(tasks(), {}, "what is left")


@test(seconds=180, not_crio=NO_CTR)
def a_terminal_and_log_files_of_ctr_work(node):
    log = f"{node.directory}/ctr.log"
    words, name = run(node, "-d", "--log-uri", f"file://{log}")
    ctr(*words, name, "sh", "-c", "echo into the file; echo and this >&2; exec sleep 1000")

    def logged():
        with open(log) as file:
            return sorted(file.read().splitlines())
    wait_until(lambda: logged() == ["and this", "into the file"], "its log", 20)
    done = subprocess.run(["script", "-qec", f"ctr -n ctr-tests task exec -t --exec-id tty {name} tty", "/dev/null"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60 * PATIENCE)
    expect("/dev/pts/" in done.stdout, f"tty: {done.stdout!r}")
    ctr("task", "kill", "-s", "SIGTERM", name)
    ctr("task", "kill", "-s", "SIGKILL", name)
    wait_until(lambda: tasks()[name] == "STOPPED", "it has ended", 20)
    ctr("task", "delete", name)
    ctr("containers", "rm", name)
