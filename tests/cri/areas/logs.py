# SPDX-License-Identifier: Apache-2.0
"""Logs."""

import os
import re

from areas import test
from machine import expect, expect_equal


@test(seconds=120, core=True)
def a_log_has_time_stream_and_text_of_each_line(node):
    with node.shared_pod() as pod:
        container = pod.sh("echo out; sleep 0.1; echo err >&2")
        container.wait()
        with open(container.log_path) as file:
            lines = file.read().splitlines()
        expect_equal([line.split(" ", 1)[1] for line in lines], ["stdout F out", "stderr F err"], "the lines")
        expect(all(re.match(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d) ", line) for line in lines), lines)


@test(seconds=120)
def all_output_is_there_when_the_exit_is_told(node):
    with node.shared_pod() as pod:
        for _ in range(3):
            container = pod.sh("head -c 300000 /dev/zero | tr '\\0' 'x' | fold -w 100; echo; echo the last line")
            container.wait()
            text = container.log()
            expect(text.endswith("the last line\n") and text.count("x") == 300000, (len(text), text[-100:]))
            container.remove()


@test(seconds=120)
def a_log_that_was_moved_is_opened_anew(node):
    with node.shared_pod() as pod:
        container = pod.sh("i=0; while :; do echo line $i; i=$((i+1)); sleep 0.2; done")
        container.log_has("line 1")
        os.rename(container.log_path, container.log_path + ".1")
        node.client.call("ReopenContainerLog", container_id=container.id)
        container.log_has("line")
        expect(os.path.exists(container.log_path + ".1"), "the old log is gone")
