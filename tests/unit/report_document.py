# SPDX-License-Identifier: Apache-2.0
"""Documents of `danchi audit` with any number of contexts, the same ones every time."""

import hashlib

VERDICTS = ("good", "good", "good", "attention", "good", "bad", "good", "good", "attention", "good")
STAGES, TIERS = ("prod", "test", "dev"), ("frontend", "backend", "database", "auth")
PROGRAMS = (("nginx", 443), ("app", 9000), ("postgres", 5432), ("redis", 6379), ("worker", None))


def digest(*words):
    return hashlib.sha256(" ".join(map(str, words)).encode()).hexdigest()


def container(number, index):
    name, port = PROGRAMS[(number + index) % len(PROGRAMS)]
    listeners = [{"protocol": "tcp", "address": "0.0.0.0", "port": port, "process": name, "exposure": "all"}]
    return {
        "id": digest("container", number, index)[:12], "name": name,
        "state": "exited" if number % 11 == 3 else "running",
        "image": {"reference": f"registry.example.com/t{number}/{name}:1.{index}", "digest": "sha256:" + digest(name),
                  "created": "2026-11-01T00:00:00Z", "age_days": number * 7 % 300, "signature": "verified"},
        "profile": {"name": "strict", "hash": digest("strict")[:16]},
        "relaxations": ["writable root"] if number % 9 == 4 else [], "capabilities": [],
        "ports": [{"host_port": 8000 + number}] if port == 443 else [],
        "listeners": listeners if port else [], "listeners_error": None,
    }


def context(number, tenants):
    tenant = f"tenant-{number * number % tenants:02d}"
    state = "stopped" if number % 11 == 3 else "running"
    return {
        "name": f"{tenant}-{TIERS[number % 4]}-{number}", "tenant": tenant, "stage": STAGES[number % 3],
        "tier": TIERS[number % 4], "is_ephemeral": False, "state": state, "error": None,
        "verdict": VERDICTS[number % len(VERDICTS)],
        "access": {"users": ["alice"], "groups": [], "verbs": ["run", "logs"]},
        "guest": {"accelerator": "kvm", "uid": 200000 + number, "memory_bytes": 512 << 20, "kernel": "6.1.158-danchi"},
        "containers": [container(number, index) for index in range(number % 6)],
    }


def finding(number, owner):
    return {"id": "image.age", "severity": ("info", "low", "medium", "high")[number % 4], "demand": "R2.5",
            "subject": "nginx", "context": owner, "text": f"The image was built {90 + number} days ago.",
            "remedy": "Build it anew with current packages and load it."}


def document(contexts, tenants=23):
    """`contexts` contexts of at most `tenants` tenants, on a host with a bit of everything."""
    rooms = [context(number, tenants) for number in range(contexts)]
    return {
        "format": "danchi-audit/1", "generated": "2026-11-29T22:40:00Z", "danchi_version": "0.1.0",
        "host": {"hostname": f"host-of-{contexts}", "kernel": {"release": "6.1.0-41-amd64"},
                 "distribution": {"name": "Debian GNU/Linux 12 (bookworm)", "end_of_life": "2028-06-30",
                                  "is_over": False}},
        "machines": [{"name": f"legacy-{number}", "is_danchi": False, "hypervisor": "qemu", "pid": 700 + number,
                      "uid": 64055, "source": "process"} for number in range(contexts // 50)],
        "listeners": [{"protocol": "tcp", "address": "0.0.0.0", "port": 1000 + number * 37, "exposure": "all",
                       "pid": number, "process": f"daemon-{number}", "uid": 0} for number in range(contexts // 4)],
        "contexts": rooms,
        "findings": [finding(number, room["name"]) for number, room in enumerate(rooms) if room["verdict"] != "good"],
        "summary": {"verdict": "attention" if contexts else "good"},
    }
