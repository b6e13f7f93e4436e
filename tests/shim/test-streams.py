#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A container's streams: pipes, a terminal, files and programs."""

import hashlib
import os
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../network")]
from harness import main, test  # noqa: E402
from pods import MEMBER, member, pod  # noqa: E402
from ttrpc import pb  # noqa: E402
from world import (INVALID, NOT_FOUND, RUNNING, Reader, Task, World, eventually, fails, is_gone, shell,  # noqa: E402
                   socket_of)


@test()
def a_hundred_megabytes_arrive_whole_before_the_end_is_told(lab):
    size = 100 * 1024 * 1024
    script = ("import sys,hashlib\nblock=bytes(range(256))*256\nfor i in range(%d):\n"
              " sys.stdout.buffer.write(i.to_bytes(4,'big')+block[4:])" % (size // 65536))
    task = lab.task(args=(sys.executable, "-c", script))
    task.out.keeps = False
    task.start()
    assert task.wait(timeout=120) == 0
    # Wait was answered: nothing may be on its way any more.
    assert task.out.size == size
    expected = hashlib.sha256()
    block = bytes(range(256)) * 256
    for i in range(size // 65536):
        expected.update(i.to_bytes(4, "big") + block[4:])
    task.out.end()
    assert task.out.digest.digest() == expected.digest()


@test()
def a_slow_reader_has_everything_before_the_end_is_told(lab):
    lab.bundle("c1", shell("head -c 40000 /dev/zero"))
    task = Task(lab, "c1", lab.connect(lab.start("c1")), streams="", creates=False)
    task.stdout = lab.fifo("slow")
    reader = os.open(task.stdout, os.O_RDONLY | os.O_NONBLOCK)
    task.create()
    task.start()
    stream = task.begin_wait()
    time.sleep(1)
    assert not task.client.has_answer(stream) and task.state().status == RUNNING
    got = 0
    while got < 40000:
        got += len(os.read(reader, 4096))
    assert task.client.receive(stream, pb.WaitResponse).exit_status == 0
    assert os.read(reader, 1) == b""
    os.close(reader)


@test()
def a_reader_that_is_lost_and_comes_back_misses_nothing(lab):
    pod(lab)
    lab.bundle("a1", shell("for i in 1 2 3; do read x; echo line $i; done"), annotations=MEMBER)
    task = Task(lab, "a1", lab.connect(lab.start("a1")), streams="i", creates=False)
    task.stdout = lab.fifo("lost")
    reader = os.open(task.stdout, os.O_RDONLY | os.O_NONBLOCK)
    task.create()
    task.start()
    writer = os.open(task.stdin, os.O_WRONLY)
    os.write(writer, b"\n")
    eventually(lambda: poll_read(reader) == b"line 1\n", "no first line")
    # containerd is restarted: both of its ends close, and its connections.
    os.close(reader)
    os.close(writer)
    task.client.close()
    time.sleep(0.2)
    assert not is_gone(task.shim_pid)
    writer = os.open(task.stdin, os.O_WRONLY)
    os.write(writer, b"\n\n")
    task.client = lab.connect(f"unix://{socket_of(lab, 'a1')}")
    again = Reader(task.stdout)
    assert task.wait() == 0
    assert again.end() == b"line 2\nline 3\n"
    os.close(writer)


def poll_read(fd):
    try:
        return os.read(fd, 4096)
    except BlockingIOError:
        return b""


@test()
def nobody_reads_and_the_end_is_told_all_the_same(lab):
    lab.bundle("c1", shell("head -c 1000000 /dev/zero; exit 4"))
    task = Task(lab, "c1", lab.connect(lab.start("c1")), streams="", creates=False)
    task.stdout = lab.fifo("unread")
    task.create()
    task.start()
    stream = task.begin_wait()
    time.sleep(0.5)
    assert task.state().status == RUNNING  # its pipe is full, so it waits
    task.kill(9)
    begun = time.monotonic()
    assert task.client.receive(stream, pb.WaitResponse, 40).exit_status == 137
    assert time.monotonic() - begun > 5
    task.delete()


@test()
def standard_input_arrives_whole_and_ends_when_the_client_says_so(lab):
    pod(lab)
    task = member(lab, "a1", ("sha256sum",), streams="ioe")
    task.start()
    data = os.urandom(1000000)
    writer = os.open(task.stdin, os.O_WRONLY)
    os.write(writer, data[:10])
    os.close(writer)  # a client that leaves is no end of file
    time.sleep(0.3)
    assert task.state().status == RUNNING
    with open(task.stdin, "wb") as pipe:
        pipe.write(data[10:])
        pipe.flush()
        task.close_io()
        task.close_io()
    assert task.wait() == 0
    assert task.out.end().split()[0].decode() == hashlib.sha256(data).hexdigest()


@test()
def a_client_of_no_pod_ends_the_input_by_leaving(lab):
    task = lab.task(args=("cat",), streams="ioe")
    with open(task.stdin, "wb") as pipe:
        pipe.write(b"said and gone")
    task.start()
    assert task.wait() == 0
    assert task.out.end() == b"said and gone"
    task.delete()
    task.shutdown()
    slow = lab.task("c2", args=("cat",), streams="ioe")
    slow.start()
    time.sleep(0.3)
    assert slow.state().status == RUNNING  # nobody has come yet, so nobody has left
    with open(slow.stdin, "wb") as pipe:
        pipe.write(b"late")
    assert slow.wait() == 0
    assert slow.out.end() == b"late"


@test()
def input_that_was_closed_before_the_start_arrives_too(lab):
    task = lab.task(args=("cat",), streams="ioe")
    writer = os.open(task.stdin, os.O_WRONLY)
    os.write(writer, b"early")
    task.close_io()
    os.close(writer)
    assert task.run() == 0
    assert task.out.end() == b"early"


@test()
def a_terminal_has_the_size_it_is_given_before_and_after_the_start(lab):
    task = lab.task(args=shell("stty size; read x; stty size"), streams="io", terminal=True)
    task.client.call("ResizePty", pb.ResizePtyRequest(id="c1", width=90, height=30))
    task.start()
    eventually(lambda: b"30 90" in task.out.data, "no size")
    task.client.call("ResizePty", pb.ResizePtyRequest(id="c1", width=0, height=0))
    task.client.call("ResizePty", pb.ResizePtyRequest(id="c1", width=101, height=41))
    time.sleep(0.2)
    with open(task.stdin, "w") as pipe:
        pipe.write("\n")
    assert task.wait() == 0
    assert b"41 101" in task.out.end()


@test()
def output_goes_into_files_and_programs_as_uris_say(lab):
    lab.bundle("f1", shell("echo out; echo err >&2"))
    task = Task(lab, "f1", lab.connect(lab.start("f1")), streams="", creates=False)
    log = f"{lab.directory}/deep/down/f1.log"
    task.create(stdout=f"file://{log}", stderr=f"file://{log}")
    assert task.run() == 0
    with open(log) as file:
        assert sorted(file.read().split()) == ["err", "out"]
    task.delete()
    task.shutdown()

    program = f"{lab.directory}/logger"
    with open(program, "w") as file:
        file.write("#!/bin/sh\nexec >>\"$2\"\necho $1 $CONTAINER_ID $CONTAINER_NAMESPACE\n"
                   "sleep 0.3; exec 5>&-; cat <&3; cat <&4; echo end\n")
    os.chmod(program, 0o755)
    lab.bundle("b1", shell("echo out; echo err >&2"))
    task = Task(lab, "b1", lab.connect(lab.start("b1")), streams="", creates=False)
    uri = f"binary://{program}?key={lab.directory}/b1.log"
    task.create(stdout=uri, stderr=uri)
    assert task.run() == 0
    task.delete()

    def logged():
        with open(f"{lab.directory}/b1.log") as file:
            return file.read().split()
    eventually(lambda: logged() == ["key", "b1", "k8s.io", "out", "err", "end"], "the program's log")
    lab.bundle("w1")
    wrong = Task(lab, "w1", lab.connect(lab.start("w1")), streams="", creates=False)
    fails(INVALID, wrong.create, stdout="ttrpc+unix:///x?streaming_id=1")
    fails(INVALID, wrong.create, stdout="relative")
    fails(NOT_FOUND, wrong.create, stdout="/nowhere/at/all")
    fails(2, wrong.create, stdout="binary:///no/such/logger", stderr="binary:///no/such/logger")


if __name__ == "__main__":
    sys.exit(main(World))
