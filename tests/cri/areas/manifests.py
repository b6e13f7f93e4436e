# SPDX-License-Identifier: Apache-2.0
"""Whole manifests, read as they are and run as the kubelet runs them."""

import contextlib
import json
import os
import pathlib
import secrets
import stat

import yaml

from areas import test
from areas.network import fetch
from kubelet import Kubelet
from machine import BUILD, TOP, expect, expect_equal, wait_until

WEB = "registry.example.com/web:1.0"
OBJECTS = {"settings": {"greeting": "hello\n"}, "keys": {"password": "hunter2"}}


def read(*names):
    with open(os.path.join(TOP, *names)) as file:
        return yaml.safe_load(file)


def address(kubelet, port=8080):
    return f"http://{kubelet.pod.status().network.ip}:{port}"


@test("U3", "R5.16", seconds=240, only_danchi=True)
def the_shipped_manifest_runs_as_it_is(node):
    """Debian's nginx under the name that the manifest has."""
    node.import_image(os.path.join(BUILD, "test-images", "nginx.tar"), WEB)
    with Kubelet(node, read("config", "kubernetes", "pod.yaml")) as kubelet:
        wait_until(lambda: b"Hello from a guest" in (fetch(f"{address(kubelet)}/") or b""), "nginx answers", 30)
        web = kubelet.running["web"]
        expect_equal(web.state(), "running", "its state")


@test("U3", "R5.16", seconds=300)
def a_pod_of_an_init_container_and_three_others_lives_as_its_manifest_says(node):
    manifest = read("tests", "cri", "manifests", "stack.yaml")
    manifest["spec"]["runtimeClassName"] = node.runtime
    with Kubelet(node, manifest, OBJECTS) as kubelet:
        kubelet.wait_ready()
        expect_equal(fetch(f"{address(kubelet)}/"), b"hello\nmade by stack\n", "what the init container has made")
        wait_until(lambda: fetch(f"{address(kubelet)}/now.html"), "a sidecar's page is served", 20)
        kubelet.running["worker"].log_has('password has 7 bytes, hunter2, labels:\napp="shop"\ntier="backend"')

        # What ends is started again, and nobody else notices.
        wait_until(lambda: kubelet.sync() or kubelet.restarts.get("worker"), "the worker is started again", 30)
        expect_equal(kubelet.restarts, {"worker": 1}, "restarts")
        expect(kubelet.probe("server"), "the server has gone with the worker")

        # What is said to be dead by its liveness probe is, too.
        kubelet.running["writer"].execute("touch", "/scratch/hung")
        kubelet.sync()
        expect_equal(kubelet.restarts["server"], 1, "restarts of the server")
        kubelet.wait_ready()


@test("R5.16", "R5.18", seconds=180, only_danchi=True)
def the_life_of_a_pod_is_in_the_audit_record(node):
    with node.pod(name="billed", namespace="acme") as pod:
        name = next(entry["name"] for entry in node.machine.json("context", "ls") if entry["tenant"] == "acme")
        container = pod.sh("exit 7", name="worker")
        container.wait()
        sandbox, worker = pod.id, container.id
    lines = [json.loads(line) for line in node.machine.out("--format", "json", "audit", "log").splitlines()]
    entries = [entry for entry in lines if entry.get("context", {}).get("name") == name]
    verbs = [(entry["verb"], entry["phase"]) for entry in entries]
    for verb in "pod-create", "pod-container-create", "container-start", "pod-remove":
        expect({(verb, "request"), (verb, "outcome")} <= set(verbs), f"{verb}: {verbs}")
    for verb in "guest-started", "container-ended", "guest-ended":
        expect((verb, "act") in verbs, f"{verb}: {verbs}")
    text = str(entries)
    expect(sandbox in text and worker in text and "billed" in text, text)
    expect("acme" in {entry["context"].get("tenant") for entry in entries}, text)
    node.machine.danchi("audit", "verify-log")


def files_with(text, directory):
    """Paths of the files below `directory` that have `text` in them."""
    found = []
    for base, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(base, name)
            with contextlib.suppress(OSError):
                if stat.S_ISREG(os.lstat(path).st_mode) and text in pathlib.Path(path).read_bytes():
                    found.append(path)
    return found


def jails():
    """The root directories of all virtiofsd: what guests can ask for at most."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.path.basename(os.readlink(f"/proc/{pid}/exe")) == "virtiofsd":
                yield f"/proc/{pid}/root"


@test("R5.18", "R1.2", seconds=240, only_danchi=True)
def a_service_account_token_reaches_its_own_guest_and_no_file_of_danchis(node):
    token = secrets.token_hex(32)
    manifest = read("tests", "cri", "manifests", "caller.yaml")
    with node.pod() as other, Kubelet(node, manifest, {"token": {"token": token}}) as kubelet:
        path = "/var/run/secrets/kubernetes.io/serviceaccount/token"
        expect_equal(kubelet.running["caller"].execute("cat", path), token, "the token in its own pod")
        owners = {jail for jail in jails() if files_with(token.encode(), jail)}
        expect_equal(len(owners), 1, "jails with the token, of two guests' or more")
        stranger = other.sh("exec sleep 1000", security={"run_as_user": {"value": 0}})
        search = ("find $(ls -d /* | grep -v -e ^/proc -e ^/sys -e ^/dev) -type f "
                  f"-exec grep -l {token} {{}} + 2> /dev/null; true")
        expect(path.split("/")[-1] in kubelet.running["caller"].exec_sh(search), "the search finds it where it is")
        expect_equal(stranger.exec_sh(search), "", "files of the other pod with the token")
        for directory in node.machine.state, node.machine.run:
            expect_equal(files_with(token.encode(), directory), [], f"files of {directory} with the token")
