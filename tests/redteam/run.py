#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the red team against a danchid of its own: from containers, and as the guest's root.

    run.py [--part NAME] [containers] [guest]     both where none is named

Environment: REDTEAM_PROFILES, the profiles to try, default "strict standard"; E2E_MODE as for the end-to-end
tests, whose machine this is.  A test is a family of probes seen from one place; a probe that breaks
through, or is answered by another layer than the table says, fails it.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.realpath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(TESTS, "e2e"), os.path.join(TESTS, "tools"), HERE]
import leftovers  # noqa: E402
from guest_root import GuestRoot  # noqa: E402
from machine import BUILD, PATIENCE, Failure, Machine, expect_equal, wait_until  # noqa: E402
from tally import Tally, forget_tally  # noqa: E402

PROFILES = os.environ.get("REDTEAM_PROFILES", "strict standard").split()
USERS = {"root": "0", "user": "1000"}
CONTEXT = "redteam"
# Fewer probes than the demand names would be a build without some of them.
PROBES_LEAST = 200


class TimeIsUp(BaseException):
    """Not an Exception: no test shall catch it by accident."""


def ring(_number, _frame):
    raise TimeIsUp()


def profile_flags(profile):
    """The default needs no flag, and a danchid that knows no profiles has no other."""
    return [] if profile == "strict" else ["--profile", profile]


def load_image(machine):
    loaded = machine.json("load", "-i", f"{BUILD}/redteam/redteam.tar", timeout=300)
    return (loaded[0]["names"] or [loaded[0]["id"]])[0]


def read_lines(text):
    """(id, verdict, observed) of each line that the probe printed."""
    return [tuple(line.split("\t")) for line in text.splitlines() if line.count("\t") == 2]


def start_neighbour(machine, image, profile):
    """What the family `neighbours` looks for: same context, same user."""
    name = f"neighbour-{profile}"
    machine.danchi("run", "-d", "--name", name, "--context", CONTEXT, "-u", "1000",
                   *profile_flags(profile), image, "--neighbour")
    wait_until(lambda: "neighbour" in machine.out("logs", name), "the neighbour is ready")
    return name


def judge_families(tally, place, lines):
    families = {}
    for probe, verdict, observed in lines:
        families.setdefault(probe.split(".")[0], []).append((probe, verdict, observed))
    for family, found in families.items():
        bad = [" ".join(one) for one in found if one[1] not in ("refused", "permitted")]
        name = f"redteam: {family} from {place}"
        if bad:
            tally.fails(name, "\n".join(bad))
        else:
            tally.passes(name, f"{len(found)} probes")


def try_container(machine, tally, image, profile, user):
    """The whole probe as a container's process; every probe must have printed its line."""
    elsewhere = ("guest.", "share.", "networks.")
    wanted = [line.split("\t")[0] for line in machine.probe_list if not line.startswith(elsewhere)]
    done = machine.danchi("run", "--rm", "--context", CONTEXT, "-u", USERS[user],
                          *profile_flags(profile), image, "--profile", profile, timeout=150,
                          check=False)
    lines = read_lines(done.stdout)
    place = f"a {profile} container as {user}"
    judge_families(tally, place, lines)
    missing = sorted(set(wanted) - {line[0] for line in lines})
    if missing or done.status not in (0, 1):
        raise Failure(f"{place}: exit status {done.status}, {len(missing)} probes are missing: "
                      f"{' '.join(missing[:8])}\n{done.stderr[-800:]}")
    if len(lines) < PROBES_LEAST:
        raise Failure(f"{place}: only {len(lines)} probes")
    machine.results[(profile, user)] = lines


def guarded(tally, name, seconds, function, *arguments):
    """One test with a time limit (0: those of its own tests); returns whether it passed."""
    started = time.monotonic()
    signal.alarm(int(seconds * PATIENCE))
    try:
        function(*arguments)
        signal.alarm(0)
        tally.passes(name, f"{time.monotonic() - started:.1f} s")
        return True
    except (Exception, TimeIsUp) as error:  # noqa: BLE001 - whatever it raises is its failure
        tally.fails(name, str(error) if isinstance(error, Failure) else traceback.format_exc())
    finally:
        signal.alarm(0)
    return False


def see_the_open(machine):
    """Where nothing confines it, the probe must break through: a probe that cannot is no test."""
    names = ["namespaces.unshare-uts", "surfaces.personality", "tracing.trace-me", "tracing.attach",
             "kernel.hostname", "links.dirty-pipe", "privileges.no-new-privs"]
    done = subprocess.run([machine.probe_path, *names], capture_output=True, text=True, timeout=60)
    found = {probe: verdict for probe, verdict, _ in read_lines(done.stdout)}
    wanted = {name: "refused" if name == "links.dirty-pipe" else "BREACH" for name in names}
    expect_equal(found, wanted, "verdicts on the machine itself")
    expect_equal(done.returncode, 1, "exit status")


def run_installed(machine):
    """The operator's runner, from a directory as `make install` lays it out."""
    top = os.path.join(machine.run, "installed")
    subprocess.run(["./config/install.sh", BUILD, top, "/usr"], cwd=os.path.dirname(TESTS), check=True,
                   stdout=subprocess.DEVNULL)
    command = machine.command()
    done = subprocess.run([f"{top}/usr/lib/danchi/redteam/danchi-redteam", "--user", "1000", "--", *command[1:]],
                          capture_output=True, text=True, env=os.environ | {"DANCHI": command[0]},
                          timeout=150 * PATIENCE)
    lines = read_lines(done.stdout)
    if done.returncode != 0 or len(lines) < PROBES_LEAST:
        bad = [line for line in lines if line[1] not in ("refused", "permitted")]
        raise Failure(f"exit status {done.returncode}, {len(lines)} probes, {bad}\n{done.stderr}")


def containers_part(machine, tally):
    guarded(tally, "redteam: the probe breaks through where nothing confines it", 60, see_the_open,
            machine)
    guarded(tally, "redteam: the operator's runner finds nothing on a live danchid", 200,
            run_installed, machine)
    image = load_image(machine)
    machine.danchi("context", "create", "--tenant", "acme", "--stage", "test", "--tier", "backend",
                   CONTEXT)
    for profile in PROFILES:
        neighbour = start_neighbour(machine, image, profile)
        for user in USERS:
            guarded(tally, f"redteam: every probe runs in a {profile} container as {user}", 200,
                    try_container, machine, tally, image, profile, user)
        machine.danchi("rm", "-f", neighbour)
    machine.danchi("context", "rm", "-f", CONTEXT)


def end_part(machine, before):
    machine.remove_all()
    for entry in machine.json("context", "ls"):
        machine.danchi("context", "rm", "-f", entry["name"])
    machine.stop()
    left = leftovers.difference(before, leftovers.snapshot())
    if left:
        raise Failure("left behind:\n" + "\n".join(left))


def write_results(machine, part):
    """build/check/redteam-*.tsv: what docs/red-team.md is made of."""
    os.makedirs("build/check", exist_ok=True)
    with open(f"build/check/{part.replace(' ', '-')}.tsv", "w") as file:
        for (place, user), lines in machine.results.items():
            file.writelines("\t".join((place, user, *line)) + "\n" for line in lines)


PROBE = f"{BUILD}/redteam/redteam-probe"


def list_probes():
    return subprocess.run([PROBE, "--list"], capture_output=True, text=True,
                          check=True).stdout.splitlines()


def run_part(tally, machine, name, function):
    """A danchid for the length of one part."""
    before = leftovers.snapshot()
    machine.results, machine.probe_list, machine.probe_path = {}, list_probes(), PROBE
    if guarded(tally, f"{name}: danchid starts", 60, machine.start):
        guarded(tally, f"{name}: the part comes to its end", 0, function, machine, tally)
        guarded(tally, f"{name}: nothing is left behind", 120, end_part, machine, before)
    write_results(machine, name)
    if machine.daemon and machine.daemon.poll() is None:
        machine.kill_daemon()
    if not tally.failed:
        machine.remove_directories()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", default="redteam")
    parser.add_argument("places", nargs="*", choices=["containers", "guest", []])
    options = parser.parse_args()
    signal.signal(signal.SIGALRM, ring)
    forget_tally(options.part)
    tally = Tally(options.part)
    wanted = options.places or ["containers", "guest"]
    if "containers" in wanted:
        run_part(tally, Machine("redteam"), "redteam containers", containers_part)
    if "guest" in wanted:
        machine = Machine("redroot", build=os.path.join(BUILD, "redteam", "tree"))
        run_part(tally, machine, "redteam guest",
                 lambda machine, tally: GuestRoot(machine, tally, load_image(machine)).run(guarded))
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
