# SPDX-License-Identifier: Apache-2.0
"""kill -9 of everything at random moments: afterwards ps tells the truth and gc leaves nothing.

A round starts one action (run, exec or stop) and kills one victim (the client, danchid, a relay,
QEMU, the agent in the guest, libvirtd) within it.  Beside that a keeper, a container in a guest of
its own, counts; it must go on in the same kernel through every round that does not hit its guest.

The agent is killed from inside its guest, by mortal.c.  CHAOS_SEED repeats a sequence of rounds (not
the exact moments), CHAOS_VICTIMS restricts whom to kill.
"""

import contextlib
import os
import random
import subprocess
import time

import leftovers
from machine import (BUILD, PATIENCE, Failure, all_commands, expect, expect_equal, kill9,
                     libvirt_answers, start_libvirt, wait_until)
from suite import exec_sh, image, new_name, start_sh, test

ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "20"))
VICTIMS = os.environ.get("CHAOS_VICTIMS", "danchi danchid relay qemu agent libvirtd").split()
ACTIONS = ("run", "exec", "stop")
MORTAL = os.path.join(BUILD, "mortal")
KEEPER = "keep-counting"
# Within this time after an action's start its victim dies: longer than any of the actions takes.
MOMENT_SECONDS = 5


def libvirtd_pid():
    for pid, words in all_commands():
        if os.path.basename(words[0]) == "libvirtd":
            return pid
    return None


class Round:
    def __init__(self, machine, dice, number):
        self.machine, self.number = machine, number
        self.action, self.victim = dice.choice(ACTIONS), dice.choice(VICTIMS)
        self.moment = dice.uniform(0, MOMENT_SECONDS) * PATIENCE
        self.name = new_name("chaos")
        self.keeper_guest = machine.inspect(KEEPER)["guest"]

    def __str__(self):
        return f"round {self.number}: {self.victim} dies {self.moment:.2f} s into {self.action}"

    def act(self):
        """Starts the action and returns its client."""
        if self.action == "run":
            return self.machine.spawn("run", "--name", self.name, image(self.machine), "sh", "-c",
                                      "echo out; sleep 2; echo end; exit 4")
        start_sh(self.machine, "sleep 1000", name=self.name, fresh=True)
        if self.action == "exec":
            return self.machine.spawn("exec", self.name, "sh", "-c", "echo out; sleep 2; exit 4")
        return self.machine.spawn("stop", "-t", "1", self.name)

    def strike(self, client):
        if self.victim == "danchi":
            client.kill()
        elif self.victim == "danchid":
            self.machine.kill_daemon()
        elif self.victim == "libvirtd":
            pid = libvirtd_pid()
            if pid:
                kill9(pid)
        elif self.victim in ("relay", "qemu"):
            program = "danchi-relay" if self.victim == "relay" else "qemu-system"
            own = self.keeper_guest[f"{self.victim}_pid"]
            for pid in self.machine.guest_processes(program):
                if pid != own:
                    kill9(pid)
        # The agent dies by itself: its guest was started with a mortal one.

    def run(self):
        mortal = self.victim == "agent"
        if mortal:
            self.machine.build = MORTAL
            self.machine.restart()
        client = None
        try:
            # With a mortal agent even the preparation may fail: that is a failed start like others.
            with contextlib.suppress(Failure) if mortal else contextlib.nullcontext():
                client = self.act()
                time.sleep(self.moment)
                self.strike(client)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    client.wait(15 * PATIENCE)
        finally:
            if mortal:
                self.machine.build = BUILD
                self.machine.restart()
            self.restore()

    def restore(self):
        if not libvirt_answers():
            start_libvirt()
        if self.machine.daemon.poll() is not None:
            self.machine.start()
        self.machine.end_clients()

    def check_truth(self):
        """What ps says holds: who runs answers, who does not has no guest with processes."""
        def settled():
            for entry in self.machine.containers():
                if entry["state"] == "running":
                    done = self.machine.danchi("exec", entry["name"], "true", check=False,
                                               timeout=40)
                    # It may just have ended by itself; then ps must say so in a moment.
                    if done.status != 0:
                        return False
            return True
        wait_until(settled, "every container that ps shows as running answers", 30)

    def check_keeper(self):
        machine = self.machine
        expect_equal(machine.state_of(KEEPER), "running", "the keeper's state")
        guest = machine.inspect(KEEPER)["guest"]
        expect_equal(guest["boot_id"], self.keeper_guest["boot_id"], "the keeper's boot id")
        expect_equal(guest["qemu_pid"], self.keeper_guest["qemu_pid"], "the keeper's QEMU")
        count = len(machine.out("logs", "--tail", "100000", KEEPER).splitlines())
        wait_until(lambda: len(machine.out("logs", "--tail", "100000", KEEPER).splitlines())
                   > count, "the keeper counts on", 20)

    def check_nothing_left(self, before):
        machine = self.machine
        machine.remove_all(keep=(KEEPER, "keep-box"))
        machine.danchi("gc", timeout=120)

        def left():
            now = leftovers.snapshot()
            # A relay or daemon that was replaced has another pid; that alone is nothing left over.
            extra = [line for line in leftovers.difference(before, now)
                     if not line.startswith(("processes: danchid", "processes: danchi-relay",
                                             "processes: danchi-intake",
                                             "processes: danchi-gateway",
                                             "processes: danchi-share"))]
            relays = len(machine.guest_processes("danchi-relay"))
            guests = len(machine.guest_ids())
            return extra + ([f"{relays} relays for {guests} guests"] if relays != guests else [])
        try:
            wait_until(lambda: not left(), "nothing is left", 15)
        except Failure:
            raise Failure("left after gc:\n" + "\n".join(left())) from None


@test("R4.5", seconds=300 + 120 * ROUNDS)
def after_any_death_ps_tells_the_truth_and_gc_leaves_nothing(machine):
    seed = int(os.environ.get("CHAOS_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"       CHAOS_SEED={seed} CHAOS_ROUNDS={ROUNDS}", flush=True)
    dice = random.Random(seed)
    start_sh(machine, "i=0; while :; do i=$((i + 1)); echo $i; sleep 0.2; done", name=KEEPER, fresh=True)
    before = leftovers.snapshot()
    for number in range(1, ROUNDS + 1):
        one = Round(machine, dice, number)
        started = time.monotonic()
        try:
            one.run()
            one.check_truth()
            one.check_keeper()
            one.check_nothing_left(before)
        except Exception as error:
            raise Failure(f"{one} (CHAOS_SEED={seed}):\n{error}\n{machine.log_tail()}") from error
        print(f"       {one}: {time.monotonic() - started:.1f} s", flush=True)
    lines = [int(line) for line in machine.out("logs", KEEPER).splitlines()]
    expect(len(set(lines)) >= max(lines) - min(lines) + 1, "the keeper's log lacks lines")
    expect_equal(exec_sh(machine, "echo fine", container=KEEPER).stdout, "fine\n", "the keeper")
