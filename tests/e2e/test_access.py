# SPDX-License-Identifier: Apache-2.0
"""Who may do what: users other than root, each with contexts of its own, several at once."""

import contextlib
import os
import re
import subprocess
import time

import ask
from machine import EMULATION, PATIENCE, TOP, expect, expect_equal, wait_until
from suite import expect_error, image, new_name, test

# Users that every Debian has, so that rules can name them, and two that no database knows.  "users"
# is the group that may connect.
CONNECT = 100
ALICE = (5, 60, (CONNECT,))         # games
BOB = (6, 12, (CONNECT, 77000))     # man
CAROL = (9, 9, (CONNECT,))          # news
EVE = (77001, 77001, (CONNECT,))
# As eve: the audit record takes only so much of one user in a while, and much is asked.
EVE_TOO = [(uid, uid, (CONNECT,)) for uid in range(77010, 77014)]
DAVE = (77002, 77002, (CONNECT,))   # has no right to anything
STRANGER = (77003, 77003, ())       # may not even connect

EVE_USERS = ";".join(str(uid) for uid, _, _ in [EVE, *EVE_TOO])

HOST = f"""[guest]
allow_emulation = yes
[access]
socket_group = users
ephemeral_users = news
load_users = {EVE_USERS}
[limits]
contexts_per_user = 2
containers_per_user = 40
memory_mib_per_user = 700
"""
ALICES, EVES = "e2e-alices", "e2e-eves--"


def write_context(machine, name, rules):
    os.makedirs(f"{machine.config}/contexts.d", exist_ok=True)
    with open(f"{machine.config}/contexts.d/{name}.conf", "w") as file:
        file.write(f"[context]\ntenant = {name}\n[access]\n{rules}\n")


@contextlib.contextmanager
def users(machine):
    """danchid with rules for the users above; without them again at the end."""
    machine.more_settings = HOST
    write_context(machine, ALICES, "users = games\nreaders = man")
    write_context(machine, EVES, f"users = {EVE_USERS}")
    machine.restart()
    try:
        yield
    finally:
        for name in ALICES, EVES:
            machine.danchi("context", "rm", "-f", name, check=False)
        for entry in machine.containers():
            if entry["owner_uid"] != 0:
                machine.danchi("rm", "-f", entry["id"], check=False)
        machine.more_settings = ""
        machine.restart()


def asks(machine, user, *requests):
    return ask.finish(ask.start(machine.socket, user, requests), 240 * PATIENCE)


def create(machine, user, context, name=None):
    """(id, name) of a container that does not run, made by that user."""
    options = {"image": image(machine), "command": ["sleep", "1000"], "context": context}
    answer = asks(machine, user, ["container-create", options | ({"name": name} if name else {})])[0]
    expect(answer.ok, f"create in {context}: {answer.error}")
    return answer.ok["id"], answer.ok["name"]


# Every verb with something that it can be asked about a container or context X; what is root's
# alone is not asked about anything.  A verb that is not here fails the test: say what it does.
X = "X"
CONTAINER = {"container": X}
ASKED = {
    "version": [], "info": [], "image-list": [], "profile-list": [],
    "profile-show": [{"name": "strict"}],
    "image-load": [{"allow_emulation": False}], "image-pull": [{"reference": "redis"}],
    "image-history": [{"image": X}], "image-tag": [{"image": X, "name": "other"}],
    "image-save": [{"images": [X]}], "image-check": [{"image": X}], "image-scan": [{"image": X}],
    "container-create": [{"context": X}], "container-run": [{"context": X}],
    "container-start": [CONTAINER], "container-attach": [CONTAINER],
    "container-exec": [CONTAINER | {"command": ["true"]}],
    "container-stop": [CONTAINER], "container-kill": [CONTAINER], "container-wait": [CONTAINER],
    "container-remove": [CONTAINER, CONTAINER | {"force": True}],
    "container-pause": [CONTAINER], "container-unpause": [CONTAINER],
    "container-restart": [CONTAINER], "container-rename": [CONTAINER | {"name": "other"}],
    "container-update": [CONTAINER | {"pids_limit": 9}],
    "container-list": [{"all": True}] + [
        {"all": True, "filters": [f"{key}={X}"]} for key in ("id", "name", "context", "tenant")],
    "container-logs": [CONTAINER], "container-top": [CONTAINER],
    "container-stats": [{}, {"containers": [X]}], "context-stats": [{}, {"contexts": [X]}],
    "container-copy-out": [CONTAINER | {"path": "/etc"}],
    "container-copy-in": [CONTAINER | {"path": "/etc"}],
    "context-size": [{"context": X}], "context-update": [{"context": X, "guest_memory_bytes": 1 << 29}],
    "network-list": [], "volume-create": [{"name": "v", "context": X}], "volume-list": [],
    "volume-inspect": [{"volume": X}], "volume-remove": [{"volume": X}], "volume-prune": [],
    "secret-list": [CONTAINER], "secret-update": [CONTAINER | {"contents": ["tok"]}],
    "inspect": [{"name": X}, {"name": X, "kind": "container"}, {"name": X, "kind": "context"},
                {"name": X, "kind": "image"}],
    "verify": [{"names": [X]}], "events": [{"since_us": 0}],
    "context-list": [], "context-stop": [{"context": X}], "context-console": [{"context": X}],
    # Not in every danchid.
    "context-explain": [{"context": X}, {"name": X}], "context-check": [{}],
}


def table_of_verbs():
    """(verb, its scope) as danchid's own table has them."""
    with open(f"{TOP}/launcher/daemon/verbs.c") as file:
        rows = re.findall(r'\{ "([a-z-]+)", dn_verb_\w+,[^}]*?DN_SCOPE_(\w+) \}', file.read())
    expect(len(rows) > 30, "verbs.c does not look as this test reads it")
    return rows


def requests_about(machine, target):
    requests = []
    for verb, scope in table_of_verbs():
        if scope == "ROOT":
            requests.append([verb, {}])
            continue
        expect(verb in ASKED, f"verb '{verb}': ASKED does not say how it is asked about what is not "
               "the caller's")
        for args in ASKED[verb] or [{}]:
            args = put(args, target)
            if verb in ("container-create", "container-run"):
                args["image"] = image(machine)
            requests.append([verb, args])
    return requests


def put(value, target):
    if isinstance(value, dict):
        return {key: put(entry, target) for key, entry in value.items()}
    if isinstance(value, list):
        return [put(entry, target) for entry in value]
    return value.replace(X, target) if isinstance(value, str) else value


# What tells two answers of one danchid apart, whatever is asked.
MOVING = re.compile(rb'"(started_us|time_us|time_ns)":\d+')


def plain(answer, target):
    return MOVING.sub(b"", answer.raw.replace(target.encode(), X.encode()))


def absent_like(text):
    """Another name of the same length and kind, of nothing."""
    if re.fullmatch("[0-9a-f]{4,}", text):
        return text[:-4] + ("0000" if text[-4:] != "0000" else "1111")
    return text[:-3] + "zzz"


@test("R1.2", seconds=900, only=EMULATION)
def what_is_not_the_callers_answers_as_what_does_not_exist(machine):
    with users(machine):
        mine, my_name = create(machine, EVE, EVES)
        theirs, name = create(machine, ALICE, ALICES)
        secrets = [word.encode() for word in (theirs[:12], name, ALICES)]
        for target, asking in zip((name, theirs, theirs[:12], f"{ALICES}/{name}", ALICES), [EVE, *EVE_TOO]):
            nothing = absent_like(target)
            about_theirs = requests_about(machine, target)
            found = asks(machine, asking, *about_theirs)
            wanted = asks(machine, asking, *requests_about(machine, nothing))
            for request, one, other in zip(about_theirs, found, wanted):
                what = f"{request[0]} {request[1]}"
                expect(one.raw, f"{what}: no answer")
                expect_equal(plain(one, target), plain(other, nothing), what)
                expect_equal(one.fds, other.fds, f"{what}: descriptors")
                for secret in secrets:
                    expect(secret not in one.raw.replace(target.encode(), b""),
                           f"{what}: tells of {secret}: {one.raw}")
        # Nothing was done to it, and the one's own is there and seen.
        expect_equal(machine.inspect(theirs)["name"], name, "alice's container")
        info, listed = asks(machine, EVE, ["info", {}], ["container-list", {"all": True}])
        expect_equal((info.ok["containers"]["total"], info.ok["contexts"]), (1, 1), "eve's counts")
        expect_equal([(one["id"], one["name"]) for one in listed.ok["containers"]],
                     [(mine, my_name)], "eve's list")


@test("R1.2", seconds=300, only=EMULATION)
def whoever_has_no_right_gets_one_refusal_to_everything(machine):
    with users(machine):
        _, name = create(machine, ALICE, ALICES)
        requests = requests_about(machine, name)
        answers = asks(machine, DAVE, *requests)
        expect_equal(len({one.raw for one in answers}), 1, "different answers")
        expect_equal(answers[0].error["code"], "denied", "code")
        expect("77002" in answers[0].error["message"], f"message: {answers[0].error}")
        refused = machine.danchi("ps", user=STRANGER[0], check=False)
        expect_error(refused, 1, "permission denied", "socket_group")


@test("R1.2", seconds=300, only=EMULATION)
def a_name_tells_nobody_of_anothers_container(machine):
    with users(machine):
        theirs, name = create(machine, ALICE, ALICES)
        mine, _ = create(machine, EVE, EVES, name)
        found = asks(machine, EVE, ["inspect", {"name": name}])[0]
        expect_equal(found.ok["object"]["id"], mine, "eve's container of alice's name")
        taken = asks(machine, EVE, ["container-create", {"image": image(machine), "name": name,
                                                         "context": EVES}])[0]
        expect_equal(taken.error["code"], "conflict", "eve's own name again")
        # root sees both, and has to say which.
        expect_error(machine.danchi("inspect", name, check=False), 1, "CONTEXT/NAME")
        expect_equal(machine.inspect(f"{ALICES}/{name}")["id"], theirs, "by context and name")
        renamed = asks(machine, EVE, ["container-rename", {"container": mine, "name": "eves"}],
                       ["container-rename", {"container": mine, "name": name}])
        expect(all(one.ok for one in renamed), f"rename: {[one.error for one in renamed]}")
        removed = asks(machine, EVE, ["container-remove", {"container": name}])[0]
        expect_equal(removed.ok["id"], mine, "what eve removed")
        expect_equal(machine.inspect(name)["id"], theirs, "alice's is still there")


@test("R1.2", seconds=300, only=EMULATION)
def root_only_verbs_are_roots_and_rules_are_told_to_whom_they_concern(machine):
    with users(machine):
        _, name = create(machine, ALICE, ALICES)
        roots = [verb for verb, scope in table_of_verbs() if scope == "ROOT"]
        for verb, answer in zip(roots, asks(machine, ALICE, *[[verb, {}] for verb in roots])):
            expect_equal(answer.error["code"], "denied", verb)
            expect("only root" in answer.error["message"], f"{verb}: {answer.error}")
        # bob may look and read logs there, and is told why he may not do more.
        look, logs, stop = asks(machine, BOB, ["inspect", {"name": name}],
                                ["container-logs", {"container": name}],
                                ["container-remove", {"container": name}])
        expect(look.ok and logs.fds == 2, f"bob cannot look: {look.error} {logs.error}")
        expect_equal(stop.error["code"], "denied", "bob's rm")
        expect("no right to rm" in stop.error["message"], f"message: {stop.error}")
        expect(f"{ALICES}.conf': [access] readers" in stop.error["hint"], f"rule: {stop.error}")


@test("R1.2", seconds=300, only=EMULATION)
def a_right_that_is_taken_away_is_gone_at_once(machine):
    with users(machine):
        _, name = create(machine, ALICE, ALICES)
        write_context(machine, ALICES, "groups = 77000\nverbs = inspect;rm")
        look = ["inspect", {"name": name}]
        expect_equal(asks(machine, ALICE, look)[0].error["code"], "denied", "alice afterwards")
        expect(asks(machine, BOB, look)[0].ok, "bob, by his group")
        # A file that is wrong closes its context to all but root.
        write_context(machine, ALICES, "users = games\nverbs = everything")
        expect_equal(asks(machine, ALICE, look)[0].error["code"], "denied", "with a wrong file")
        expect_equal(machine.inspect(name)["name"], name, "root still sees it")
        write_context(machine, ALICES, "users = games")
        expect(asks(machine, ALICE, look)[0].ok, "alice again")


@test("R1.2", seconds=300, only=EMULATION)
def an_image_that_no_context_of_ones_lets_in_is_not_there(machine):
    with users(machine):
        name = image(machine)
        asked = [["inspect", {"name": name, "kind": "image"}], ["image-list", {}],
                 ["container-create", {"image": name, "context": ALICES}]]
        look, images, _ = asks(machine, ALICE, *asked)
        expect(look.ok and len(images.ok["images"]) >= 1, f"alice's images: {look.error}")
        mine, _ = create(machine, ALICE, ALICES)
        with open(f"{machine.config}/contexts.d/{ALICES}.conf", "a") as file:
            file.write("[images]\nallow = registry.example/acme/*:*\n")
        nothing = absent_like(name)
        look, images, made = asks(machine, ALICE, *asked)
        # What her own container is made of she still sees, by its id and without a name.
        expect_equal([one["names"] for one in images.ok["images"]], [[]], "names")
        asks(machine, ALICE, ["container-remove", {"container": mine}],
             *[["container-remove", {"container": one["id"]}] for one in machine.containers()
               if one["context"] == ALICES and one["id"] != mine])
        found = asks(machine, ALICE, *asked)
        wanted = asks(machine, ALICE, *[
            [verb, args | {key: nothing for key in args if args[key] == name}]
            for verb, args in asked])
        for request, one, other in zip(asked, found, wanted):
            expect_equal(plain(one, name), plain(other, nothing), f"{request[0]} of the image")
        expect_equal(found[1].ok["images"], [], "alice's images afterwards")


@test("R1.2", seconds=300, only=EMULATION)
def names_that_the_host_does_not_know_are_shown(machine):
    with users(machine):
        write_context(machine, ALICES, "users = games;alisha-with-a-slip;1042\nreader_groups = crew")
        access = machine.inspect(ALICES)["access"]
        expect_equal(access["unknown"], ["users: alisha-with-a-slip", "reader_groups: crew"],
                     "unknown names")
        expect_equal(access["users"], ["games", "alisha-with-a-slip", "1042"], "users")
        checks = [one for one in machine.json("doctor", check=False) if one["id"] == "access"]
        expect_equal([one["status"] for one in checks], ["warn"], "doctor")
        expect(ALICES in checks[0]["what"] and "crew" in checks[0]["what"], f"doctor: {checks}")
        write_context(machine, ALICES, "users = games")
        checks = [one for one in machine.json("doctor", check=False) if one["id"] == "access"]
        expect_equal([one["status"] for one in checks], ["ok"], "doctor afterwards")


@test("R1.2", seconds=300, only=EMULATION)
def a_container_without_a_context_is_its_makers_within_limits(machine):
    with users(machine):
        options = {"image": image(machine), "command": ["true"], "name": "carols"}
        made, second = asks(machine, CAROL, ["container-create", options],
                            ["container-create", options | {"name": "more"}])
        expect(made.ok and second.ok, f"carol's: {made.error} {second.error}")
        third = asks(machine, CAROL, ["container-create", options | {"name": "third"}])[0]
        expect_equal(third.error["code"], "limit", "carol's third")
        for word in "[limits] contexts_per_user = 2", "uid 9":
            expect(word in third.error["message"] + third.error["hint"], f"{word}: {third.error}")
        asks(machine, CAROL, ["container-remove", {"container": "more"}])
        big = asks(machine, CAROL, ["container-create",
                                    options | {"name": "big", "guest_memory_bytes": 600 << 20}])[0]
        expect("memory_mib_per_user = 700" in big.error["hint"], f"memory: {big.error}")
        nobody = asks(machine, ALICE, ["inspect", {"name": "carols"}],
                      ["inspect", {"name": made.ok["context"]}],
                      ["container-create", options | {"name": "alices"}])
        expect_equal([one.error["code"] for one in nobody], ["not-found", "not-found", "denied"],
                     "alice with carol's, and without a context")
        # Whose it is outlives danchid.
        machine.restart()
        expect(asks(machine, CAROL, ["inspect", {"name": "carols"}])[0].ok, "after a restart")
        expect_equal(asks(machine, ALICE, ["inspect", {"name": "carols"}])[0].error["code"],
                     "not-found", "after a restart, to alice")


# Connects as often as it is told, asks on the last connection, and says how that was answered.
HOARDER = """
import json, socket, struct, sys
held = []
for _ in range(int(sys.argv[2])):
    held.append(socket.socket(socket.AF_UNIX))
    held[-1].connect(sys.argv[1])
print(flush=True)
sys.stdin.readline()
held[-1].settimeout(60)
size = struct.unpack(">I", held[-1].recv(4))[0]
print(json.loads(held[-1].recv(size))["error"]["message"])
"""


@test("R1.2", seconds=300, only=EMULATION)
def a_user_with_many_connections_keeps_nobody_else_out(machine):
    with users(machine):
        uid, gid, groups = EVE
        with subprocess.Popen([ask.PYTHON, "-c", HOARDER, machine.socket, "65"], user=uid, group=gid,
                              extra_groups=list(groups), cwd="/", stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as hoarder:
            expect_equal(hoarder.stdout.readline(), "\n", "the connections")
            expect(asks(machine, ALICE, ["version", {}])[0].ok, "alice meanwhile")
            machine.danchi("version")
            said, _ = hoarder.communicate("\n", timeout=60 * PATIENCE)
        expect("uid 77001 has 64 connections" in said, f"the 65th: {said}")
        wait_until(lambda: asks(machine, EVE, ["version", {}])[0].ok, "eve afterwards")


ROUNDS = 12


def round_requests(machine, context, number):
    name = f"same{number}"
    options = {"image": image(machine), "command": ["true"], "name": name}
    return [["container-create", options | ({"context": context} if context else {})],
            ["inspect", {"name": name}], ["container-list", {"all": True}],
            ["container-rename", {"container": name, "name": f"new{number}"}],
            ["container-remove", {"container": f"new{number}"}], ["events", {"since_us": 0}]]


@test("R1.2", seconds=600, only=EMULATION)
def users_who_work_at_the_same_time_see_their_own_alone(machine):
    with users(machine):
        began_us = int(time.time() * 1e6)
        who = {ALICE: ALICES, EVE: EVES, CAROL: None}
        askers = {user: ask.start(machine.socket, user, [
            request for number in range(ROUNDS)
            for request in round_requests(machine, context, number)])
            for user, context in who.items()}
        for user, asker in askers.items():
            answers = ask.finish(asker, 400 * PATIENCE)
            failed = [one.error for one in answers if one.error]
            expect(not failed, f"uid {user[0]}: {failed[:3]}")
            for number in range(ROUNDS):
                made, seen, listed, _, _, events = answers[6 * number:6 * number + 6]
                expect_equal(seen.ok["object"]["id"], made.ok["id"], f"uid {user[0]}: inspect")
                expect_equal([one["id"] for one in listed.ok["containers"]], [made.ok["id"]],
                             f"uid {user[0]}: list")
                contexts = {one.get("context") for one in events.events
                            if one["time_us"] >= began_us and one["type"] == "container"}
                expect(contexts, f"uid {user[0]}: no events of its own")
                if who[user]:
                    expect_equal(contexts, {who[user]}, f"uid {user[0]}: contexts of its events")
                else:
                    expect(all(one.startswith("c-") for one in contexts), f"carol: {contexts}")


@test("R1.2", seconds=600, only=EMULATION)
def a_user_runs_a_container_in_its_context_and_others_cannot_reach_it(machine):
    with users(machine):
        name = new_name()
        as_alice = {"user": ALICE[0], "groups": ALICE[2]}
        machine.danchi("run", "-d", "--name", name, "--context", ALICES, image(machine), "sh", "-c",
                       "echo said; sleep 1000", timeout=200, **as_alice)
        expect_equal(machine.out("exec", name, "echo", "done", **as_alice), "done", "alice's exec")
        wait_until(lambda: machine.out("logs", name, user=BOB[0], groups=BOB[2]) == "said",
                   "bob reads the log")
        for verb, args in (["container-exec", {"command": ["true"]}], ["container-attach", {}],
                           ["container-kill", {}], ["container-copy-out", {"path": "/etc"}]):
            bob, eve = (asks(machine, user, [verb, args | {"container": name}])[0]
                        for user in (BOB, EVE))
            expect_equal((bob.error["code"], eve.error["code"]), ("denied", "not-found"), verb)
            expect_equal((bob.fds, eve.fds), (0, 0), f"{verb}: descriptors")
        console, stats, verify = asks(machine, EVE, ["context-console", {"context": ALICES}],
                                      ["container-stats", {}], ["verify", {}])
        expect_equal((console.error["code"], stats.ok["stats"]), ("not-found", []), "eve's view")
        expect(not [one for one in verify.ok["lines"] if one["subject"] != "danchid"],
               "verify of all tells eve of others")
        machine.danchi("rm", "-f", name, **as_alice)
