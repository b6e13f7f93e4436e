# SPDX-License-Identifier: Apache-2.0
"""What the kubelet makes of a pod's manifest: its calls of the CRI, in its order, its volumes, probes and restarts.

A manifest is read as it is, so that "runs unchanged" can be shown.  A field that is not known here is an
error: nothing of a manifest is left out in silence.
"""

import contextlib
import os
import subprocess

from areas.volumes import pods_directory, swap
from client import CriError
from machine import expect, wait_until

MEBIBYTE = 1 << 20
UNITS = {"Ki": 1 << 10, "Mi": MEBIBYTE, "Gi": 1 << 30, "m": 0.001, "": 1}
# The kubelet's own lists where `procMount` is Default.
MASKED = ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/scsi",
          "/proc/sched_debug", "/proc/timer_list", "/proc/timer_stats", "/sys/firmware"]
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
PROFILES = {"RuntimeDefault": 0, "Unconfined": 1, "Localhost": 2}


def quantity(text):
    """`512Mi`, `500m`, `2`"""
    number = str(text).rstrip("KMGim")
    return float(number) * UNITS[str(text)[len(number):]]


def take(fields, *known):
    """The values of `known`; any other field is an error."""
    unknown = set(fields) - set(known)
    expect(not unknown, f"fields of a manifest that kubelet.py does not know: {sorted(unknown)}")
    return [fields.get(name) for name in known]


class Kubelet:
    """One pod.  `objects` are the ConfigMaps and Secrets that it names: {name: {key: text}}."""

    def __init__(self, node, manifest, objects=None):
        self.node, self.objects = node, objects or {}
        self.name, self.namespace, self.labels = take(manifest["metadata"], "name", "namespace", "labels")
        (self.runtime_class, self.security, self.init, self.specs, self.volume_specs, self.policy,
         self.shares_processes, self.hostname, _automount) = take(
             manifest["spec"], "runtimeClassName", "securityContext", "initContainers", "containers", "volumes",
             "restartPolicy", "shareProcessNamespace", "hostname", "automountServiceAccountToken")
        self.security = self.security or {}
        self.policy = self.policy or "Always"
        self.mounted, self.directories = [], {}
        self.pod, self.running, self.restarts = None, {}, {}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end()

    # The pod.

    def start(self):
        """Up to the start of all containers."""
        self.pod = self.node.pod(
            name=self.name, namespace=self.namespace or "default", runtime=self.runtime_class,
            hostname=self.hostname or self.name, labels=self.labels or {}, security=self.sandbox_security(),
            linux={"resources": self.sandbox_resources()}, timeout=120)
        for volume in self.volume_specs or []:
            self.make_volume(volume)
        for spec in self.init or []:
            status = self.make_container(spec).wait(60)
            expect(status.exit_code == 0, f"init container {spec['name']}: {status}")
        for spec in self.specs:
            self.running[spec["name"]] = self.make_container(spec)

    def end(self):
        if self.pod is not None:
            with contextlib.suppress(CriError):
                self.pod.remove()
        for path in self.mounted:
            subprocess.run(["umount", path], check=True)

    def namespaces(self):
        return {"pid": 0 if self.shares_processes else 1}

    def sandbox_security(self):
        return {"namespace_options": self.namespaces(), **identity(self.security), **seccomp(self.security)}

    def sandbox_resources(self):
        """The sum of the containers' limits, as far as each has one."""
        limits = [take(spec.get("resources", {}), "limits", "requests")[0] or {} for spec in self.specs]
        found = {}
        if all("memory" in limit for limit in limits):
            found["memory_limit_in_bytes"] = int(sum(quantity(limit["memory"]) for limit in limits))
        if all("cpu" in limit for limit in limits):
            found |= {"cpu_period": 100000, "cpu_quota": int(100000 * sum(quantity(limit["cpu"]) for limit in limits))}
        return found

    # Volumes.

    def make_volume(self, volume):
        [(kind, source)] = [(key, value) for key, value in volume.items() if key != "name"]
        make = {"emptyDir": self.make_empty_dir, "configMap": self.make_config_map, "secret": self.make_secret,
                "downwardAPI": self.make_downward}[kind]
        path = self.directories[volume["name"]] = make(volume["name"], source or {})
        if "fsGroup" in self.security:
            hand_over(path, self.security["fsGroup"])

    def mount_tmpfs(self, path, size):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], check=True)
        self.mounted.append(path)

    def make_empty_dir(self, name, source):
        medium, limit = take(source, "medium", "sizeLimit")
        path = pods_directory(self.pod, "empty-dir", name)
        if medium == "Memory":
            self.mount_tmpfs(path, int(quantity(limit or "64Mi")))
        os.chmod(path, 0o777)
        return path

    def make_config_map(self, name, source):
        [of] = take(source, "name")
        path = pods_directory(self.pod, "configmap", name)
        swap(path, "1", self.objects[of])
        return path

    def make_secret(self, name, source):
        of, mode = take(source, "secretName", "defaultMode")
        path = pods_directory(self.pod, "secret", name)
        self.mount_tmpfs(path, MEBIBYTE)
        swap(path, "1", self.objects[of])
        for key in self.objects[of]:
            os.chmod(os.path.join(path, key), mode or 0o644)
        return path

    def make_downward(self, name, source):
        [items] = take(source, "items")
        path = pods_directory(self.pod, "downward-api", name)
        swap(path, "1", {item["path"]: self.field(item["fieldRef"]) for item in items})
        return path

    def field(self, reference):
        """What the downward API says."""
        [path] = take(reference, "fieldPath")
        if path == "metadata.labels":
            return "\n".join(f'{key}="{value}"' for key, value in sorted((self.labels or {}).items()))
        return {"metadata.name": self.name, "metadata.namespace": self.namespace,
                "status.podIP": self.pod.status().network.ip}[path]

    # Containers.

    def make_container(self, spec, attempt=0):
        (name, image, command, arguments, environment, mounts, resources, security, directory, _ports, *_probes) = take(
            spec, "name", "image", "command", "args", "env", "volumeMounts", "resources", "securityContext",
            "workingDir", "ports", "readinessProbe", "livenessProbe")
        container = self.pod.create(
            *(command or []), args=arguments or [], name=name, image=image, attempt=attempt,
            working_dir=directory or "", envs=[self.variable(one) for one in environment or []],
            mounts=[self.mount(one) for one in mounts or []],
            linux={"resources": limits_of((resources or {}).get("limits", {}))},
            security=self.container_security(security or {}))
        container.start()
        return container

    def variable(self, entry):
        name, value, source = take(entry, "name", "value", "valueFrom")
        if source is not None:
            [(kind, reference)] = source.items()
            value = (self.field(reference) if kind == "fieldRef"
                     else self.objects[reference["name"]][reference["key"]])
        return {"key": name, "value": value or ""}

    def mount(self, entry):
        name, path, read_only, below = take(entry, "name", "mountPath", "readOnly", "subPath")
        return {"container_path": path, "readonly": bool(read_only),
                "host_path": os.path.normpath(os.path.join(self.directories[name], below or ""))}

    def container_security(self, own):
        merged = {**self.security, **own}
        capabilities = merged.get("capabilities", {})
        return {"namespace_options": self.namespaces(), **identity(merged), **seccomp(merged),
                "capabilities": {"add_capabilities": capabilities.get("add", []),
                                 "drop_capabilities": capabilities.get("drop", [])},
                "readonly_rootfs": merged.get("readOnlyRootFilesystem", False),
                "no_new_privs": not merged.get("allowPrivilegeEscalation", True),
                "masked_paths": MASKED, "readonly_paths": READ_ONLY}

    # What it goes on doing.

    def probe(self, name, kind="readinessProbe"):
        """Whether the container's probe succeeds now."""
        spec = next(one for one in self.specs if one["name"] == name)
        command = spec[kind]["exec"]["command"]
        return self.running[name].execute(*command, check=False).exit_code == 0

    def wait_ready(self, seconds=30):
        for spec in self.specs:
            if "readinessProbe" in spec:
                wait_until(lambda name=spec["name"]: self.probe(name), f"container {spec['name']} is ready", seconds)

    def sync(self):
        """One round of its loop: what is not alive ends, and what has ended starts again."""
        for spec in self.specs:
            name = spec["name"]
            if self.running[name].state() == "running" and "livenessProbe" in spec and not self.probe(
                    name, "livenessProbe"):
                self.running[name].stop(1)
            status = self.running[name].status()
            if status.state == self.pod.messages.CONTAINER_EXITED and (
                    self.policy == "Always" or (self.policy == "OnFailure" and status.exit_code != 0)):
                self.restarts[name] = self.restarts.get(name, 0) + 1
                self.running[name] = self.make_container(spec, self.restarts[name])


def hand_over(path, group):
    """fsGroup: all of a volume is the group's, and what is made in it, too."""
    for base, directories, names in os.walk(path):
        os.chown(base, -1, group)
        os.chmod(base, os.stat(base).st_mode | 0o2770)
        for name in names + directories:
            os.chown(os.path.join(base, name), -1, group, follow_symlinks=False)


def identity(security):
    """runAsUser and runAsGroup, and that root is not what is asked for."""
    user, group = security.get("runAsUser"), security.get("runAsGroup")
    expect(not (security.get("runAsNonRoot") and user == 0), "a pod that is not to be root runs as root")
    groups = list(security.get("supplementalGroups", [])) + ([security["fsGroup"]] if "fsGroup" in security else [])
    return {**({"run_as_user": {"value": user}} if user is not None else {}),
            **({"run_as_group": {"value": group}} if group is not None else {}), "supplemental_groups": groups}


def seccomp(security):
    profile = security.get("seccompProfile")
    if profile is None:
        return {}
    kind, path = take(profile, "type", "localhostProfile")
    return {"seccomp": {"profile_type": PROFILES[kind], "localhost_ref": path or ""}}


def limits_of(limits):
    found = {}
    if "memory" in limits:
        found["memory_limit_in_bytes"] = int(quantity(limits["memory"]))
    if "cpu" in limits:
        found |= {"cpu_period": 100000, "cpu_quota": int(100000 * quantity(limits["cpu"])),
                  "cpu_shares": int(1024 * quantity(limits["cpu"]))}
    return found
