# SPDX-License-Identifier: Apache-2.0
"""Images from registries: fetched in a jail, each blob checked, credentials for one registry alone."""

import base64
import contextlib
import glob
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

from machine import (ARCHIVES, EMULATION, PATIENCE, all_commands, expect, expect_equal, proc_status,
                     wait_until)
from registry import GOOD, PASSWORD, USER, Authority, Hostile, Registry, free_port, sha256
from suite import test
from test_image_store import write_derived

RANGE = range(200001, 210001)


@contextlib.contextmanager
def directory_of_test():
    path = tempfile.mkdtemp(prefix="registry-", dir="/var/tmp")
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def hostile(machine, trusted=True, settings=""):
    """A hostile registry that danchid's settings trust, and one more that it may redirect to."""
    with directory_of_test() as directory, contextlib.ExitStack() as stack:
        authority = Authority(directory)
        other = Hostile(authority)
        stack.callback(other.stop)
        registry = Hostile(authority, other)
        stack.callback(registry.stop)
        registry.directory = directory
        for one in (registry.name, f"127.0.0.1:{other.port}") if trusted else ():
            authority.trust(machine, one)
        stack.callback(shutil.rmtree, f"{machine.config}/containers", ignore_errors=True)
        if settings:
            stack.enter_context(more_settings(machine, settings))
        yield registry


@contextlib.contextmanager
def more_settings(machine, text):
    """danchi.conf with other [images], read again by danchid at the next command."""
    path = f"{machine.config}/danchi.conf"
    with open(path) as file:
        before = file.read()
    replace(path, before.replace("[images]\n", f"[images]\n{text}\n"))
    try:
        yield
    finally:
        replace(path, before)


def replace(path, text):
    with open(f"{path}.new", "w") as file:
        file.write(text)
    os.rename(f"{path}.new", path)


def auth_file(directory, entries, name="auth.json"):
    path = f"{directory}/{name}"
    with open(path, "w") as file:
        json.dump({"auths": {key: {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}
                             for key, (user, password) in entries.items()}}, file)
    return path


def staging_is_empty(machine):
    return not glob.glob(f"{machine.state}/store/staging/*") and not glob.glob(f"{machine.run}/intake/*")


def refused(machine, *words, arguments=(), timeout=120):
    """A pull that fails with these words, and leaves nothing but what can be gone on with."""
    result = machine.danchi("pull", *arguments, check=False, timeout=timeout)
    expect_equal(result.status, 1, f"exit status; stderr: {result.stderr}")
    for word in words:
        expect(word in result.stderr, f"no {word!r} in {result.stderr!r}")
    expect("hint: " in result.stderr, f"no remedy in {result.stderr!r}")
    expect(staging_is_empty(machine), "staging is not empty")
    expect(not jailed(), f"processes are left: {jailed()}")
    return result.stderr


def jailed():
    """pids of all processes of runs of danchi-intake: skopeo, the task, its keeper."""
    found = []
    for pid, words in all_commands():
        if os.path.basename(words[0]) in ("danchi-intake", "skopeo"):
            with contextlib.suppress(OSError):
                if int(proc_status(pid)["Uid"].split()[0]) in RANGE:
                    found.append(pid)
    return found


@test("R5.4", only=EMULATION)
def a_short_name_is_refused_and_the_whole_ones_are_named(machine):
    os.makedirs(f"{machine.config}/containers", exist_ok=True)
    try:
        with open(f"{machine.config}/containers/registries.conf", "w") as file:
            file.write('# unqualified-search-registries = ["no.example"]\n'
                       'unqualified-search-registries = [\n  "quay.io",\n  "registry.example.com:5000"]\n')
        for short in "redis:7", "library/redis:7", "docker.io/redis:7":
            result = machine.danchi("pull", short, check=False)
            expect_equal(result.status, 2, f"{short}: exit status")
            expect("short name" in result.stderr and "docker.io/library/redis:7" in result.stderr,
                   f"{short}: {result.stderr}")
            expect("no.example" not in result.stderr, result.stderr)
        expect("quay.io/redis:7, registry.example.com:5000/redis:7, docker.io/library/redis:7"
               in machine.danchi("pull", "redis:7", check=False).stderr, "the candidates")
    finally:
        shutil.rmtree(f"{machine.config}/containers")
    for wrong, word in (("localhost/redis", "of this host"), ("a.b/c:1@sha256:" + "0" * 64, "leave out the tag"),
                        ("https://a.b/c", "not a reference"), ("a.b/../c", "not a reference")):
        result = machine.danchi("pull", wrong, check=False)
        expect(result.status == 2 and word in result.stderr, f"{wrong}: {result.status} {result.stderr}")


@test("R5.5", only=EMULATION)
def what_danchi_conf_does_not_permit_is_refused_before_anybody_is_asked(machine):
    with hostile(machine, settings="allow = registry.example.com/**") as registry:
        text = refused(machine, "not permitted on this host", "image-allow", "registry.example.com/**",
                       arguments=[f"{registry.name}/wrong-digest:1"])
        expect("image-allow" in text, text)
        expect_equal(registry.asked, [], "what the registry was asked")


@test("R5.4", only=EMULATION)
def a_blob_with_another_digest_or_too_few_bytes_is_refused(machine):
    with hostile(machine) as registry:
        refused(machine, f"registry '{registry.name}'", "digest", arguments=[f"{registry.name}/wrong-digest:1"])
        fetched = [os.path.basename(path) for path in glob.glob(f"{machine.state}/store/fetch/*")]
        expect_equal(["sha256:" + name for name in fetched],
                     [sha256(registry.wares.config)] if fetched else [], "what was kept")
        refused(machine, "connection broke", arguments=[f"{registry.name}/truncated:1"])
        tries = registry.paths("truncated/blobs/" + sha256(registry.wares.layer))
        expect(len(tries) >= 3, f"{len(tries)} tries")


@test("R5.4", only=EMULATION)
def a_pull_by_digest_takes_that_digest_and_no_other(machine):
    with hostile(machine) as registry:
        digest = sha256(registry.wares.manifest)
        refused(machine, "digest", arguments=[f"{registry.name}/wrong-manifest@{digest}"])
        expect_equal(registry.paths("/blobs/"), [], "blobs asked for")


@test("R5.4", "R2.6", only=EMULATION)
def credentials_do_not_follow_a_redirect_to_another_host(machine):
    with hostile(machine) as registry:
        registry.other.on_elsewhere = registry.other.on_wrong_digest
        path = auth_file(registry.directory, {registry.name: (USER, PASSWORD), "other.example": ("eve", "x")})
        refused(machine, "digest", arguments=["--authfile", path, f"{registry.name}/redirect:1"])
        expect(any("Authorization" in headers for _, headers in registry.asked), "none were sent at all")
        expect(registry.other.asked, "the redirect was not followed")
        for asked, headers in registry.other.asked:
            expect("Authorization" not in headers and PASSWORD not in str(headers), f"{asked}: {headers}")


@test("R5.4", only=EMULATION)
def a_registry_that_is_busy_or_fails_is_asked_again(machine):
    with hostile(machine) as registry:
        refused(machine, "digest", arguments=[f"{registry.name}/failing:1"])
        expect(len(registry.paths("failing/manifests")) >= 3, "manifests were not asked for again")
        expect(len(registry.paths("failing/blobs")) >= 3, "blobs were not asked for again")
        refused(machine, "error of its own (5xx)", "later", arguments=[f"{registry.name}/always-busy:1"])


@test("R5.4", only=EMULATION, seconds=180)
def a_registry_that_stalls_or_never_ends_is_given_up(machine):
    with hostile(machine, settings="pull_stall_s = 3") as registry:
        refused(machine, "stopped sending", arguments=[f"{registry.name}/stalling:1"])
        started = time.monotonic()
        refused(machine, "more than the manifest says", arguments=[f"{registry.name}/endless:1"])
        expect(time.monotonic() - started < 60 * PATIENCE, "it took too long")


@test("R5.4", only=EMULATION)
def manifests_without_end_sense_or_size_are_refused(machine):
    with hostile(machine) as registry:
        for repository, words in (("huge-manifest", "more than 4 MiB"), ("loop", "another index"),
                                  ("huge-image", "archive_limit_mib"), ("not-json", "manifest"),
                                  ("other-platform", "linux on amd64")):
            refused(machine, words, arguments=[f"{registry.name}/{repository}:1"])
        expect_equal(registry.paths("/blobs/"), [], "blobs asked for")


@test("R5.4", only=EMULATION)
def errors_name_the_registry_the_step_and_the_remedy(machine):
    with hostile(machine, trusted=False) as registry:
        refused(machine, "no authority known here", f"certs.d/{registry.name}/ca.crt",
                arguments=[f"{registry.name}/wrong-digest:1"])
        port = free_port()
        refused(machine, "nobody listens", f"localhost:{port}", arguments=[f"localhost:{port}/a:1"])
        refused(machine, "no host of that name", arguments=["nowhere.invalid/a:1"])
    with hostile(machine) as registry:
        refused(machine, "does not let this user in", f"skopeo login {registry.name}",
                arguments=[f"{registry.name}/locked:1"])
        result = machine.danchi("pull", "--authfile", "/nonexistent/auth.json", f"{registry.name}/locked:1",
                                check=False)
        expect(result.status == 1 and "/nonexistent/auth.json" in result.stderr, result.stderr)


def heed_ctrl_c():
    """What was started in the background of a shell ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@test("R5.4", "R2.6", only=EMULATION)
def ctrl_c_leaves_nothing_but_whole_blobs_and_skopeo_runs_jailed(machine):
    with hostile(machine) as registry:
        client = machine.spawn("pull", f"{registry.name}/stalling:1", preexec_fn=heed_ctrl_c)

        def fetching():
            return [pid for pid in jailed() if "skopeo" in open(f"/proc/{pid}/cmdline").read()
                    and registry.paths("stalling/blobs/" + sha256(registry.wares.layer))]
        pid = wait_until(fetching, "skopeo fetches", 30)[0]
        status = proc_status(pid)
        expect_equal({name: status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")},
                     dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), "0" * 16), "capabilities")
        expect_equal((status["NoNewPrivs"], status["Seccomp"], status["Groups"]), ("1", "2", ""), "confinement")
        expect(len(set(status["Uid"].split())) == 1 and int(status["Uid"].split()[0]) in RANGE, status["Uid"])
        for space in "mnt", "ipc", "uts", "pid", "cgroup":
            expect(os.readlink(f"/proc/{pid}/ns/{space}") != os.readlink(f"/proc/self/ns/{space}"), space)
        expect_equal(os.readlink(f"/proc/{pid}/ns/net"), os.readlink("/proc/self/ns/net"), "the network")
        root = f"/proc/{pid}/root"
        for hidden in "etc/shadow", "run/danchi", machine.run, machine.state, "proc", "root", "usr/bin/sh":
            expect(not os.path.exists(os.path.join(root, hidden.lstrip("/"))), f"it sees {hidden}")
        with open(f"/proc/{pid}/mountinfo") as file:
            writable = {line.split()[4] for line in file if line.split()[5].startswith("rw,")}
        expect_equal(writable, {"/work", "/tmp", "/dev/null"}, "what it may write to")
        with open(f"/proc/{pid}/environ") as file:
            expect(machine.state not in file.read(), "its environment")
        client.send_signal(signal.SIGINT)
        client.wait(30 * PATIENCE)
        wait_until(lambda: not jailed() and staging_is_empty(machine), "all of it ends", 15)
        kept = {"sha256:" + os.path.basename(path) for path in glob.glob(f"{machine.state}/store/fetch/*")}
        expect(kept <= {sha256(registry.wares.config)}, f"kept: {kept}")
        machine.danchi("gc", timeout=120)
        expect_equal(glob.glob(f"{machine.state}/store/fetch/*"), [], "after gc")


@test("R5.4", only=EMULATION)
def nothing_is_left_when_danchid_dies_while_it_pulls(machine):
    with hostile(machine) as registry:
        machine.spawn("pull", f"{registry.name}/stalling:1")
        wait_until(lambda: registry.paths("stalling/blobs/" + sha256(registry.wares.layer)), "skopeo fetches", 30)
        machine.kill_daemon()
        wait_until(lambda: not jailed(), "the jail ends with danchid", 15)
        machine.start()
        wait_until(lambda: staging_is_empty(machine), "the next one sweeps", 15)


@test("R5.4", only=EMULATION)
def starting_a_container_never_pulls_unless_it_is_told_to(machine):
    with hostile(machine) as registry:
        result = machine.danchi("run", "--rm", f"{registry.name}/wrong-digest:1", "true", check=False)
        expect_equal(result.status, 125, f"exit status; {result.stderr}")
        expect("danchi pull" in result.stderr and "--pull=missing" in result.stderr, result.stderr)
        expect_equal(registry.asked, [], "what the registry was asked")
        result = machine.danchi("run", "--rm", "--pull=missing", f"{registry.name}/wrong-digest:1", "true",
                                check=False)
        expect(result.status == 125 and "digest" in result.stderr, f"{result.status} {result.stderr}")
        result = machine.danchi("run", "--pull=sometimes", "a", check=False)
        expect("never, missing or always" in result.stderr, result.stderr)


def all_bytes(*directories):
    for directory in directories:
        for path, _, names in os.walk(directory):
            for name in names:
                with contextlib.suppress(OSError):
                    with open(os.path.join(path, name), "rb") as file:
                        yield os.path.join(path, name), file.read(64 << 20)


def a_newer_one_is_told(machine, registry, name, auth):
    """R5.5: the tag gets another image, and then the old one again."""
    def check():
        newer = machine.json("image", "check", "--authfile", auth, name)[0]
        row = next(line for line in machine.out("images").splitlines() if registry.name in line)
        expect_equal("(stale)" in row, newer["is_stale"], f"the mark in {row!r}")
        return newer

    blobs = len(registry.requests("/blobs/"))
    expect_equal(check()["is_stale"], False, "of the one that was just pulled")
    other = write_derived(f"{machine.run}/newer.tar", "x:1")
    registry.push(f"docker-archive:{other}", "danchi/busybox:pulled")
    newer = check()
    expect(newer["is_stale"] and newer["digest"] != machine.json("image", "inspect", name)[0]["digest"],
           f"of a tag with another image: {newer}")
    expect_equal([name in one["names"] for one in machine.json("images", "-f", "stale=true")], [True],
                 "stale images")
    registry.push(f"oci-archive:{ARCHIVES}/busybox-oci.tar", "danchi/busybox:pulled")
    expect_equal(check()["is_stale"], False, "of the old one again")
    expect_equal(len([line for line in registry.requests("/blobs/") if "http.request.method=GET" in line]),
                 blobs, "blobs fetched by asking")
    refused_check = machine.danchi("image", "check", name, check=False)
    expect("does not let this user in" in refused_check.stderr, f"without a password: {refused_check.stderr}")


@test("R5.1", "R5.4", "R5.5", "R5.6", "R2.6", seconds=400, only=EMULATION)
def an_image_comes_from_a_registry_with_tls_and_a_password_and_runs(machine):
    with directory_of_test() as directory, contextlib.ExitStack() as stack:
        authority = Authority(directory)
        registry = Registry(directory, authority)
        stack.callback(registry.stop)
        stack.callback(shutil.rmtree, f"{machine.config}/containers", ignore_errors=True)
        authority.trust(machine, registry.name)
        name = registry.push(f"oci-archive:{ARCHIVES}/busybox-oci.tar", "danchi/busybox:pulled")
        refused(machine, "does not let this user in", arguments=[name])
        auth = auth_file(directory, {registry.name: (USER, "wrong"), f"{registry.name}/danchi": (USER, PASSWORD)})

        # That the same image has come as an archive changes nothing of what follows.
        machine.danchi("load", "-i", f"{ARCHIVES}/busybox.tar", timeout=300)
        # Two at a time: each blob is fetched once.
        both = [machine.spawn("pull", "--authfile", auth, name) for _ in range(2)]
        for client in both:
            _, stderr = client.communicate(timeout=300 * PATIENCE)
            expect_equal(client.returncode, 0, f"exit status; stderr: {stderr!r}")
        entry = machine.json("image", "inspect", name)[0]
        expect(name in entry["names"], f"names: {entry['names']}")
        # The config is small, and skopeo asks for it each time.
        fetched = [line for line in registry.requests("/blobs/") if entry["id"] not in line]
        expect(fetched, "the registry's log has no layers")
        paths = [word for line in fetched for word in line.split() if word.startswith("http.request.uri=")]
        expect_equal(len(paths), len(set(paths)), f"blobs were fetched more than once: {paths}")

        result = machine.danchi("run", "--rm", name, "sh", "-c", "echo it runs")
        expect_equal(result.stdout, "it runs\n", "what it said")

        a_newer_one_is_told(machine, registry, name, auth)

        # Again, and by digest: nothing is fetched, no guest is needed.
        before = len(registry.requests("/blobs/"))
        machine.danchi("pull", "--authfile", auth, name)
        digest = sha256(subprocess.run(["skopeo", "inspect", "--raw", "--cert-dir", f"{directory}/certs",
                                        "--creds", f"{USER}:{PASSWORD}", f"docker://{name}"],
                                       check=True, capture_output=True).stdout)
        machine.danchi("pull", "--authfile", auth, f"{registry.name}/danchi/busybox@{digest}")
        expect_equal(registry.requests("/blobs/")[before:], [], "blobs fetched again")
        expect_equal(glob.glob(f"{machine.state}/store/fetch/*"), [], "what is kept of a pull that is done")

        # The password is nowhere.
        secret = base64.b64encode(f"{USER}:{PASSWORD}".encode())
        for path, data in all_bytes(machine.state, machine.run):
            expect(PASSWORD.encode() not in data and secret not in data, f"'{path}' has the password")
        with open(machine.log_path, "rb") as log:
            expect(PASSWORD.encode() not in log.read(), "danchid's log has the password")
        record = machine.out("audit", "log", f"{machine.state}/audit")
        expect("image-pull" in record and name in record, "the record has no pull")


@test("R5.4", only=EMULATION)
def mirrors_and_registries_without_tls_are_those_of_registries_conf(machine):
    with hostile(machine) as registry, contextlib.ExitStack() as stack:
        plain = Hostile(None, plain=True)
        stack.callback(plain.stop)
        refused(machine, "does not speak TLS", "registries.conf", arguments=[f"{plain.name}/wrong-digest:1"])
        expect_equal(plain.paths("manifests"), [], "what was asked without TLS")
        with open(f"{machine.config}/containers/registries.conf", "w") as file:
            file.write(f'[[registry]]\nlocation = "{plain.name}"\ninsecure = true\n\n'
                       f'[[registry]]\nlocation = "upstream.invalid"\n\n'
                       f'[[registry.mirror]]\nlocation = "{registry.name}"\n\n'
                       f'[[registry]]\nlocation = "blocked.invalid"\nblocked = true\n')
        refused(machine, "digest", arguments=[f"{plain.name}/wrong-digest:1"])
        expect(plain.paths("wrong-digest/blobs"), "the registry without TLS was not asked")
        auth = auth_file(registry.directory, {"upstream.invalid": (USER, PASSWORD)})
        refused(machine, "upstream.invalid", "digest",
                arguments=["--authfile", auth, "upstream.invalid/wrong-digest:1"])
        expect(registry.paths("wrong-digest/manifests"), "the mirror was not asked")
        expect(not any(headers.get("Authorization") == GOOD for _, headers in registry.asked),
               "the mirror got the credentials of another registry")
        refused(machine, "blocks it", arguments=["blocked.invalid/a:1"])


@test("R5.4", "R5.6", only=EMULATION, seconds=300)
def of_several_platforms_this_hosts_image_is_taken_and_the_digest_is_the_indexs(machine):
    with hostile(machine) as registry:
        digest = sha256(registry.index())
        pulled = machine.json("pull", f"{registry.name}/several@{digest}", timeout=300)[0]
        expect_equal("sha256:" + pulled["id"], sha256(registry.wares.config), "the image's id")
        entry = machine.json("image", "inspect", pulled["id"])[0]
        expect(f"{registry.name}/several@{digest}" in entry["names"], f"names: {entry['names']}")
        # By a tag, the same manifest: nothing is fetched, and no guest is started.
        before = len(registry.paths("/blobs/"))
        machine.danchi("pull", f"{registry.name}/several:1")
        expect_equal(len(registry.paths("/blobs/")), before, "blobs fetched again")
        machine.danchi("image", "rm", "-f", pulled["id"])
