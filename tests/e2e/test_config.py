# SPDX-License-Identifier: Apache-2.0
"""An image's config is honoured as Docker does it.

The images are tests/images/configured.py's.  What is expected is what Podman 4.3 with crun printed for
the same archives and flags, but for TERM, `container` and the order, in which nobody sees a difference.
"""

import os
import subprocess
import sys

from machine import ARCHIVES, EMULATION, TOP, expect, expect_equal, wait_until
from suite import expect_error, in_box, new_name, test

CONFIGURED = os.path.join(TOP, "tests", "images", "configured.py")
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BOTH_ENV = ["A=twice", "B=", "C=x=y", "PATH=/opt/bin:/bin"]
APP = "id 1000:1000 1000 2000"

# Image, flags, words; then the arguments, the ids, the directory and the environment of the process.
COMMANDS = [
    ("both", [], [], "[e1] [c1] [c 2]", APP, "/srv/made", BOTH_ENV),
    ("both", [], ["x", "y z"], "[e1] [x] [y z]", APP, "/srv/made", BOTH_ENV),
    ("both", ["--entrypoint", "/bin/show"], [], "", APP, "/srv/made", BOTH_ENV),
    ("both", ["--entrypoint", "/bin/show"], ["x"], "[x]", APP, "/srv/made", BOTH_ENV),
    ("both", ["--entrypoint", ""], ["/bin/show", "z"], "[z]", APP, "/srv/made", BOTH_ENV),
    ("both", ["-e", "A=flag", "-e", "D=new", "-w", "/tmp"], [], "[e1] [c1] [c 2]", APP, "/tmp",
     ["A=flag", "B=", "C=x=y", "D=new", "PATH=/opt/bin:/bin"]),
    ("cmd", [], [], "[c1]", "id 4321:0 0", "/", [PATH]),
    ("cmd", [], ["/bin/show", "z"], "[z]", "id 4321:0 0", "/", [PATH]),
]

USERS = [("root", "id 0:0 0"), ("app", APP), ("other", "id 1001:1001 1001"),
         ("app:other", "id 1000:1001 1001"), ("1000", APP), ("1000:1000", "id 1000:1000 1000"),
         ("1001:app", "id 1001:1000 1000"), ("4321", "id 4321:0 0"),
         ("4321:extra", "id 4321:2000 2000"), ("4321:1234", "id 4321:1234 1234")]


def configured(machine, name):
    """The reference of an image of configured.py's, loaded once."""
    loaded = machine.__dict__.setdefault("configured", {})
    directory = f"{machine.run}/configured"
    if not loaded:
        subprocess.run([sys.executable, CONFIGURED, f"{ARCHIVES}/busybox.tar", directory], check=True)
    if name not in loaded:
        loaded[name] = machine.json("load", "-i", f"{directory}/{name}.tar", timeout=300)[0]["names"][0]
    return loaded[name]


def shown(machine, name, flags, words):
    """What /bin/show prints, without what the shell adds: arguments, ids, directory, environment."""
    result = machine.danchi("run", "--rm", *in_box(machine), *flags, configured(machine, name), *words)
    lines = result.stdout.splitlines()
    ours = "HOME=", "HOSTNAME=", "PWD=", "SHLVL=", "TERM=", "OLDPWD="
    return (lines[0].removeprefix("args").strip(), lines[1], lines[2].removeprefix("cwd "),
            [line for line in lines[3:] if not line.startswith(ours)])


@test(only=EMULATION, seconds=300)
def entrypoint_command_environment_and_directory_are_the_images_until_a_flag_says_otherwise(machine):
    for name, flags, words, *wanted in COMMANDS:
        expect_equal(shown(machine, name, flags, words), tuple(wanted), f"{name} {flags} {words}")
    for name, flags in ("none", []), ("both", ["--entrypoint", ""]):
        result = machine.danchi("run", "--rm", *in_box(machine), *flags, configured(machine, name),
                                check=False)
        expect_error(result, 125, "no command")


@test("R5.3", only=EMULATION, seconds=300)
def users_and_groups_are_looked_up_in_the_images_own_files(machine):
    for user, wanted in USERS:
        expect_equal(shown(machine, "none", ["-u", user], ["/bin/show"])[1], wanted, user)
    for user in "nobody-knows", "app:nogrp":
        result = machine.danchi("run", "--rm", *in_box(machine), "-u", user,
                                configured(machine, "none"), "/bin/show", check=False)
        expect_error(result, 125, user.split(":")[-1])


@test("R2.5", only=EMULATION)
def inspect_and_ps_show_the_images_ports_labels_volumes_and_health_check(machine):
    name = new_name()
    machine.danchi("create", "--name", name, "--label", "org.example.from=flag", *in_box(machine),
                   configured(machine, "both"))
    found = machine.inspect(name)
    expect_equal(found["labels"], {"org.example.from": "flag", "org.example.kept": "yes"}, "labels")
    expect_equal(sorted(found["exposed_ports"]), ["53/udp", "8080/tcp"], "exposed ports")
    config = found["image_config"]
    expect_equal(sorted(config["volumes"]), ["/srv/volume", "/var/new"], "volumes")
    expect_equal(config["stop_signal"], "SIGUSR1", "stop signal")
    expect_equal(config["healthcheck"], {"test": ["CMD", "/bin/true"], "interval_ns": 30000000000,
                                         "retries": 3}, "health check")
    expect("8080/tcp" in machine.out("ps", "-a"), "ps lacks the port")
    for label, count in ("org.example.from=flag", 1), ("org.example.from=image", 0), ("org.example.kept", 1):
        expect_equal(len(machine.json("ps", "-a", "--filter", f"label={label}")), count, label)


@test(only=EMULATION)
def stop_sends_the_images_signal_unless_a_flag_names_another(machine):
    script = "trap 'exit 10' USR1; trap 'exit 15' TERM; echo up; while :; do sleep 0.1; done"
    for flags, wanted in ([], 10), (["--stop-signal", "TERM"], 15), (["--stop-signal", "15"], 15):
        name = new_name()
        machine.danchi("run", "-d", "--name", name, *in_box(machine), *flags, "--entrypoint", "/bin/sh",
                       configured(machine, "both"), "-c", script)
        wait_until(lambda: "up" in machine.out("logs", name), "its traps are set")
        machine.danchi("stop", name)
        expect_equal(machine.container(name)["exit_code"], wanted, f"exit status with {flags}")
        machine.danchi("rm", name)
