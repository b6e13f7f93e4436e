# SPDX-License-Identifier: Apache-2.0
"""The guest's kernel, root and agent: as its own root sees them, and as a container does.

The first half starts a guest whose agent brings a witness (witness.c): before it serves, it tells the
console what guest root reads and what guest root is refused.  Everything is the same otherwise.
"""

import configparser
import contextlib
import errno
import os
import shutil
import subprocess
import tempfile

from machine import BUILD, EMULATION, expect, expect_equal, wait_until
from suite import exec_sh, expect_error, image, new_name, run_sh, start_sh, test

# What init sets (guest-agent/init/settings.c), as the kernel must show it.
SETTINGS = {
    "kernel/kptr_restrict": "2", "kernel/dmesg_restrict": "1", "kernel/perf_event_paranoid": "3",
    "kernel/unprivileged_bpf_disabled": "1", "kernel/unprivileged_userns_clone": "0",
    "net/core/bpf_jit_harden": "2", "kernel/io_uring_disabled": "2",
    "vm/unprivileged_userfaultfd": "0", "kernel/kexec_load_disabled": "1", "kernel/sysrq": "0",
    "kernel/yama/ptrace_scope": "2", "kernel/core_pattern": "core", "fs/suid_dumpable": "0",
    "kernel/randomize_va_space": "2", "vm/mmap_rnd_bits": "32", "vm/mmap_min_addr": "65536",
    "dev/tty/legacy_tiocsti": "0", "dev/tty/ldisc_autoload": "0",
    "fs/protected_symlinks": "1", "fs/protected_hardlinks": "1", "fs/protected_fifos": "2",
    "fs/protected_regular": "2", "kernel/panic_on_oops": "1", "kernel/modprobe": "",
    "kernel/modules_disabled": "1", "kernel/panic": "-1", "kernel/hotplug": "",
}

# Settings without a file, because the kernel has nothing to set there.
ABSENT = {
    # 6.1 has no switch for io_uring and TIOCSTI: both are refused to containers by the filter.
    "debian": {"kernel/io_uring_disabled", "dev/tty/legacy_tiocsti", "kernel/hotplug"},
    # The tuned kernel is built without what these would switch off: core dumps, a second kernel,
    # modules, SysRq, a compiler for BPF, userfaultfd, io_uring, helper programs.
    "tuned": {"kernel/io_uring_disabled", "dev/tty/legacy_tiocsti", "kernel/hotplug",
              "kernel/core_pattern", "kernel/kexec_load_disabled", "kernel/modprobe",
              "kernel/modules_disabled", "kernel/sysrq", "net/core/bpf_jit_harden",
              "vm/unprivileged_userfaultfd", "kernel/unprivileged_userns_clone"},
}

EPERM_EACCES = (errno.EPERM, errno.EACCES)
ABSENT_ERRORS = (errno.ENOSYS, errno.ENOENT, errno.ENXIO, errno.ENODEV)
# What guest root tries, and how it may fail.
REFUSED = {
    "/sbin/danchi-agent": (errno.EROFS,), "/sbin/new": (errno.EROFS,),
    "remount-root-writable": (errno.EROFS, errno.EACCES, errno.EPERM),
    "write-the-root-disk": (errno.EACCES, errno.EPERM, errno.EROFS),
    "write-the-checked-root": (errno.EACCES, errno.EPERM, errno.EROFS),
    "/dev/mem": EPERM_EACCES + ABSENT_ERRORS, "/dev/port": EPERM_EACCES + ABSENT_ERRORS,
    "/proc/kcore": EPERM_EACCES + ABSENT_ERRORS, "io-ports": EPERM_EACCES + ABSENT_ERRORS,
    "load-a-module": EPERM_EACCES + ABSENT_ERRORS, "load-a-kernel": EPERM_EACCES + ABSENT_ERRORS,
    "allow-modules-again": (errno.EINVAL, errno.EPERM) + ABSENT_ERRORS,
}


@contextlib.contextmanager
def variant(machine, name):
    """danchid with guests of build/variant/NAME for the length of a with statement."""
    machine.build = os.path.join(BUILD, "variant", name)
    try:
        machine.restart()
        yield
    finally:
        machine.remove_all(keep=("keep-box",))
        machine.build = BUILD
        machine.restart()


def read_console(machine, guest):
    with open(f"{machine.run}/guests/{guest}/console.ring", "rb") as file:
        return file.read()[16:].decode(errors="replace")


def testimony(machine):
    """The witness's lines as lists of words; the guest is started once for all tests."""
    if not hasattr(machine, "testimony"):
        with variant(machine, "witness"):
            before = set(machine.guest_ids())
            image(machine)
            name = start_sh(machine, "sleep 1000", fresh=True)
            guest = (set(machine.guest_ids()) - before).pop()
            machine.witness_root_hash = machine.inspect(name)["guest"]["root_hash"]
            text = wait_until(lambda: (lambda all: "witness: end" in all and all)(
                read_console(machine, guest)), "the witness has spoken", 30)
            machine.testimony = [line.split()[1:] for line in text.replace("\r", "").split("\n")
                                 if line.startswith("witness: ")]
    return machine.testimony


def lines_of(machine, kind):
    return [words[1:] for words in testimony(machine) if words[0] == kind]


@test("R2.2", "R4.7", "R5.14", seconds=240)
def the_kernel_has_the_settings_that_init_promises(machine):
    found = {words[0]: " ".join(words[1:]) for words in lines_of(machine, "setting")}
    expect_equal(sorted(found), sorted(SETTINGS), "settings that the witness read")
    absent = {name for name, value in found.items() if value == "absent"}
    expect_equal(sorted(absent - ABSENT[machine.kernel]), [], "settings that are not there")
    wrong = {name: value for name, value in found.items()
             if value != "absent" and value != f"={SETTINGS[name]}"}
    expect_equal(wrong, {}, "settings with another value")


@test("R2.2", "R3.4")
def the_kernel_is_locked_down_and_its_security_modules_are_on(machine):
    found = {words[0]: " ".join(words[1:]) for words in lines_of(machine, "security")}
    expect_equal(sorted(found.get("lsm", "").split(",")), ["capability", "landlock", "lockdown", "yama"],
                 "security modules")
    expect("[confidentiality]" in found.get("lockdown", ""), f"lockdown: {found}")


@test("R2.2", "R4.3")
def even_guest_root_changes_neither_kernel_nor_root(machine):
    found = {words[0]: int(words[1]) for words in lines_of(machine, "try")}
    for what, errors in REFUSED.items():
        expect(found.get(what) in errors,
               f"{what}: errno {found.get(what)}, not one of {sorted(errors)}")


@test("R4.3", "R5.7")
def the_guests_own_mounts_are_read_only_or_cannot_be_run_from(machine):
    mounts = {words[0]: (words[1], words[2].split(",")) for words in lines_of(machine, "mount")
              if words[1] != "rootfs"}
    kind, flags = mounts["/"]
    expect_equal(kind, "erofs", "type of the guest's root")
    for flag in "ro", "nosuid", "nodev":
        expect(flag in flags, f"the guest's root is not {flag}: {flags}")
    for target, (kind, flags) in mounts.items():
        expect("nosuid" in flags, f"{target} is not nosuid: {flags}")
        expect("ro" in flags or "noexec" in flags, f"{target} can be written and run: {flags}")


def root_hash_of(tree):
    file = configparser.ConfigParser()
    expect(file.read(f"{tree}/images/guest.verity"), f"no guest.verity in {tree}")
    return f"sha256 {file['root_hash']['sha256']}"


@test("R4.3", "R4.6")
def every_block_of_the_guests_root_is_checked_by_the_promised_hash(machine):
    (target, status, *found), = lines_of(machine, "root")
    expect_equal((target, status), ("verity", "V"), "what the kernel makes the root of")
    promised = root_hash_of(os.path.join(BUILD, "variant", "witness"))
    expect_equal(" ".join(found), promised, "the hash by which the kernel checks the root")
    expect_equal(machine.witness_root_hash, promised, "the hash that inspect shows")


@contextlib.contextmanager
def spoilt_tree(machine):
    """danchid with a copy of the build tree, whose images may be changed."""
    image(machine)
    tree = f"{machine.run}/spoilt"
    for part in "bin", "images":
        shutil.copytree(f"{BUILD}/{part}", f"{tree}/{part}", dirs_exist_ok=True)
    shutil.copy(f"{BUILD}/build-tree", tree)
    machine.build = tree
    try:
        machine.restart()
        yield f"{tree}/images"
    finally:
        machine.build = BUILD
        machine.restart()
        shutil.rmtree(tree)


def beginnings():
    """Of the programs in a guest's root that not every boot reads: the first process of containers with
    --init, and that of pods which share their processes."""
    with open(shutil.which("tini-static"), "rb") as file:
        yield file.read(4096)
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["strip", "-o", f"{directory}/keeper", f"{BUILD}/guest/bin/danchi-keeper"], check=True)
        with open(f"{directory}/keeper", "rb") as file:
            yield file.read(4096)


def programs_in(root):
    """Where in an EROFS image, which does not compress, programs begin that each boot reads."""
    with open(root, "rb") as file:
        data = file.read()
    others = tuple(beginnings())
    return [at for at in range(0, len(data), 4096)
            if data.startswith(b"\x7fELF", at) and not data.startswith(others, at)]


def flip(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))


@test("R4.6", "R4.3", seconds=300)
def a_root_with_one_changed_byte_does_not_start(machine):
    with spoilt_tree(machine) as images:
        root = f"{images}/guest.erofs"
        programs = programs_in(root)
        expect_equal(len(programs), 2, "programs in the guest's root: agent and init")
        before = set(machine.guest_ids())
        for start in programs:
            # A byte of the header that no kernel looks at: the program would run as ever.
            flip(root, start + 15)
            name = new_name()
            result = machine.danchi("run", "--rm", "--name", name, machine.image, "true",
                                    check=False, timeout=180)
            expect_error(result, 125, "guest.erofs", f"is damaged: block {start // 4096} ",
                         # Of the guest's console: its kernel's own words.
                         "device-mapper: verity", "is corrupted")
            expect_equal(machine.container(name), None, "the container of the failed run")
            expect_equal(set(machine.guest_ids()), before, "guests")
            doctor = machine.json("doctor", check=False)
            found = next(check for check in doctor if check["id"] == "guest-images")
            expect(found["status"] == "fail" and "is damaged: block" in found["what"],
                   f"doctor: {found}")
            flip(root, start + 15)


@test("R4.6", only=EMULATION)
def a_root_with_the_hash_of_another_is_refused(machine):
    with spoilt_tree(machine) as images:
        shutil.copy(f"{images}/unpack.verity", f"{images}/guest.verity")
        result = machine.danchi("run", "--rm", machine.image, "true", check=False)
        expect_error(result, 125, "guest.erofs", "its hash tree is that of", "make images")
        with open(f"{images}/guest.verity", "w") as file:
            file.write("[tree]\n")
        result = machine.danchi("run", "--rm", machine.image, "true", check=False)
        expect_error(result, 125, "guest.verity", "[root_hash]")
        os.unlink(f"{images}/guest.verity")
        result = machine.danchi("run", "--rm", machine.image, "true", check=False)
        expect_error(result, 125, "guest.verity", "cannot be read")


@test("R2.2", "R4.5", seconds=240)
def a_panic_of_the_kernel_ends_the_guest_and_is_called_that(machine):
    with variant(machine, "panic"):
        image(machine)
        name = start_sh(machine, "sleep 1000", fresh=True)
        wait_until(lambda: machine.state_of(name) != "running", "the guest is gone", 60)
        text = machine.out("inspect", name)
        expect("panics" in text, f"no word of a panic: {text[:1500]}")
        expect_equal(machine.container(name)["exit_code"], 137, "exit status")


# The second half: what a container can reach of init and agent.

@test("R1.6", "R3.2", "R3.4")
def a_container_sees_no_process_of_the_guest(machine):
    pids = exec_sh(machine, "cd /proc && ls -d [0-9]*").stdout.split()
    # Its own first process, the shell and ls.
    expect("1" in pids and len(pids) <= 4, f"processes: {pids}")
    command = exec_sh(machine, "tr '\\0' ' ' < /proc/1/cmdline").stdout
    expect("sleep 1000000" in command, f"its pid 1 is {command!r}")
    # Every pid that is not its own is nobody to signal or to look at.
    script = ("for p in $(seq 2 400); do [ -e /proc/$p/stat ] || kill -0 $p 2>&1; done "
              "| grep -v 'No such process' | head -3")
    expect_equal(exec_sh(machine, script, "-u", "0").stdout, "", "other answers")


@test("R3.4", "R4.3")
def a_container_has_no_path_of_the_guests(machine):
    table = exec_sh(machine, "cat /proc/1/mountinfo").stdout
    expect("/run/danchi" not in table and "/sbin" not in table, f"mounts: {table}")
    # The one root above all is the image's; what is above that cannot be named.
    result = exec_sh(machine, "ls /sbin/danchi-agent /run/danchi ../../../../sbin/danchi-agent "
                     "/proc/1/root/sbin/danchi-agent", "-u", "0", check=False)
    expect_equal(result.stdout, "", "what it found of the agent")
    # Nothing that its own root may write is a file of the guest's root (guest id 0 is no id here).
    script = "find / -xdev -user nobody -perm -0002 ! -type l 2>/dev/null | head -5"
    expect_equal(exec_sh(machine, script, "-u", "0").stdout, "",
                 "files of ids that are not its own, writable to all")


@test("R2.2", "R3.6")
def a_container_makes_no_user_namespace_by_count_either(machine):
    text = exec_sh(machine, "cat /proc/sys/user/max_user_namespaces").stdout
    expect_equal(text, "0\n", "max_user_namespaces inside")


@test("R2.2")
def a_container_cannot_read_the_kernels_log_or_addresses(machine):
    expect(exec_sh(machine, "dmesg", "-u", "0", check=False).status != 0, "it reads the kernel's log")
    result = exec_sh(machine, "cut -d' ' -f1 /proc/kallsyms | sort -u | head -2; "
                     "cut -d' ' -f1,6 /proc/modules | grep -o 0x.* | sort -u | head -2", "-u", "0",
                     check=False)
    for word in result.stdout.split():
        expect_equal(int(word, 16), 0, "an address that a container sees")


@test("R3.4")
def a_crash_in_a_container_starts_no_program_and_leaves_no_file(machine):
    script = "ulimit -c; ulimit -c 1000 2>/dev/null; sh -c 'kill -SEGV $$'; echo $?; ls /tmp /run"
    result = run_sh(machine, f"cd /tmp; {script}", check=False)
    lines = result.stdout.split()
    expect_equal(lines[:2], ["0", "139"], "core limit, status of the crash")
    expect_equal(lines[2:], ["/run:", "/tmp:"], "files after it")


@test("R4.7")
def nothing_is_loaded_into_the_kernel_after_the_boot(machine):
    # A file system and protocol that Debian's kernel has as modules, and nobody loaded.
    before = exec_sh(machine, "cat /proc/modules | wc -l", check=False).stdout
    exec_sh(machine, "mount -t xfs none /mnt; modprobe dummy; cat /proc/net/sctp/eps; nc -w1 -u ::1 9; "
            "ifconfig dummy0", "-u", "0", check=False)
    after = exec_sh(machine, "cat /proc/modules | wc -l", check=False).stdout
    expect_equal(after, before, "modules")
    expect(before.strip().isdigit(), f"modules: {before!r}")
