#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The lab: a machine with KVM and vhost-vsock, on any machine.

    lab.py [--timeout S] [--memory MIB] [--cpus N] [--env NAME=VALUE]... [--files DIR] SCRIPT [ARG...]

Boots Debian's cloud kernel in a QEMU that emulates AMD SVM, with this machine's / as its root
(read-only, under an overlay that is thrown away), and runs SCRIPT in it as root.  The script's
output appears as it is written; its exit status becomes ours.  What it leaves in /run/lab-files
is copied to DIR; after a failure of the lab itself its logs are, as lab-console.log and so on.

Exit status: the script's; 124 when the time was up; 125 when the lab itself failed.
"""

import argparse
import ctypes
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
LAB_FAILED = 125
TIME_IS_UP = 124
# The machine gives a sign of life every few seconds (run-job).  One that gives none for so long hangs:
# QEMU 7.2's emulation of SVM now and then leaves a halted processor for good.
HANGS_AFTER_S = 120
PR_SET_PDEATHSIG = 1

# Everything below / becomes read-only in the private mount namespace of virtiofsd before it starts,
# so that no mistake in the lab, not even a remount of its lower layer, can write to the host.
# Mounts which cannot be made so (some pseudo file systems) hold no files of anybody's.
VIRTIOFSD = r"""
findmnt -rno TARGET | sort -r | while read -r target; do
  mount -o remount,bind,ro "$(printf '%b' "$target")" 2> /dev/null || true
done
exec /usr/lib/qemu/virtiofsd --fd="$1" -o source=/ -o cache=always -o sandbox=chroot
"""


def end_with_parent():
    """The child shall not outlive us, not even after kill -9: nothing of a lab may stay behind."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def write_job(work, options):
    """The job: a bash script that sets the environment and runs SCRIPT where we are."""
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
        "DN_LAB": "1",
        "LAB_FILES": "/run/lab-files",
        "TOP": TOP,
    }
    for setting in options.env:
        name, _, value = setting.partition("=")
        environment[name] = value if "=" in setting else os.environ.get(name, "")
    command = [os.path.realpath(options.script)] + options.arguments
    with open(os.path.join(work, "run"), "w") as job:
        for name, value in environment.items():
            job.write(f"export {name}={shlex.quote(value)}\n")
        job.write(f"cd {shlex.quote(os.getcwd())}\n")
        job.write(f"exec {' '.join(map(shlex.quote, command))}\n")


def start_virtiofsd(work, socket_path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(socket_path)
    listener.listen(1)
    log = open(os.path.join(work, "virtiofsd.log"), "w")
    command = ["unshare", "-m", "--propagation", "slave", "bash", "-c", VIRTIOFSD, "virtiofsd",
               str(listener.fileno())]
    return subprocess.Popen(command, pass_fds=[listener.fileno()], stdin=subprocess.DEVNULL,
                            stdout=log, stderr=log, preexec_fn=end_with_parent)


def qemu_command(work, lab, socket_path, options):
    memory = f"{options.memory}M"
    command = [
        "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-machine", "q35", "-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max",
        "-smp", str(options.cpus), "-m", memory,
        # vhost-user needs memory that virtiofsd can map.
        "-object", f"memory-backend-memfd,id=mem,size={memory},share=on", "-numa",
        "node,memdev=mem",
        "-chardev", f"socket,id=fs,path={socket_path}",
        "-device", "vhost-user-fs-pci,chardev=fs,tag=root,queue-size=1024",
        "-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng",
        "-chardev", f"file,id=console,path={work}/console.log", "-serial", "chardev:console",
        "-device", "virtio-serial-pci",
        # Not the stdio backend: an ended stdin would look like a closed port to the guest.
        "-chardev", "file,id=output,path=/dev/stdout",
        "-device", "virtserialport,chardev=output,name=lab.output",
    ]
    for name in "status", "files", "life":
        command += ["-chardev", f"file,id={name},path={work}/{name}",
                    "-device", f"virtserialport,chardev={name},name=lab.{name}"]
    # Without AppArmor: nobody loads its policy there, so QEMU would run unconfined on a host that could
    # confine it, which `danchi verify` rightly calls a difference.
    command += ["-kernel", f"{lab}/vmlinuz", "-initrd", f"{lab}/initramfs", "-append",
                f"console=ttyS0 quiet panic=-1 mitigations=off transparent_hugepage=never "
                f"apparmor=0 lab_job={work}"]
    return command


def read_status(work):
    try:
        with open(os.path.join(work, "status")) as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def keep_files(work, directory):
    os.makedirs(directory, exist_ok=True)
    try:
        with tarfile.open(os.path.join(work, "files")) as archive:
            archive.extractall(directory)
    except (OSError, tarfile.TarError) as error:
        print(f"lab: no files came back: {error}", file=sys.stderr)


def explain_failure(work, what, options):
    """Shows the ends of the logs, the console's last; with --files all of them are kept."""
    print(f"lab: {what}", file=sys.stderr)
    for name in "virtiofsd.log", "qemu.log", "console.log":
        try:
            with open(os.path.join(work, name), errors="replace") as file:
                text = file.read()
        except OSError:
            continue
        if text:
            print(f"lab: the end of {name}:", *text.splitlines()[-20:], sep="\n  ", file=sys.stderr)
        if options.files:
            shutil.copy(os.path.join(work, name), os.path.join(options.files, f"lab-{name}"))


def end_if_it_hangs(work, qemu, hangs):
    """Until QEMU ends: kills it when the file of signs of life grows no more."""
    path, size, since = os.path.join(work, "life"), 0, time.monotonic()
    while qemu.poll() is None:
        time.sleep(2)
        try:
            now = os.path.getsize(path)
        except OSError:
            now = 0
        if now != size:
            size, since = now, time.monotonic()
        elif time.monotonic() - since > HANGS_AFTER_S:
            hangs.set()
            qemu.kill()
            return


def run(work, lab, options):
    # A path below 108 bytes, whatever the tree is called: the limit of unix sockets.
    with tempfile.TemporaryDirectory(prefix="danchi-lab-", dir="/tmp") as socket_dir:
        socket_path = os.path.join(socket_dir, "fs")
        write_job(work, options)
        virtiofsd = start_virtiofsd(work, socket_path)
        qemu_log = open(os.path.join(work, "qemu.log"), "w")
        qemu = subprocess.Popen(qemu_command(work, lab, socket_path, options),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=qemu_log,
                                preexec_fn=end_with_parent)
        timed_out = threading.Event()

        def give_up():
            timed_out.set()
            qemu.kill()

        timer = threading.Timer(options.timeout, give_up)
        timer.start()
        hangs = threading.Event()
        threading.Thread(target=end_if_it_hangs, args=(work, qemu, hangs), daemon=True).start()
        try:
            while chunk := qemu.stdout.read1(65536):
                sys.stdout.buffer.write(chunk)
                sys.stdout.buffer.flush()
            qemu.wait()
        finally:
            timer.cancel()
            qemu.kill()
            virtiofsd.kill()
            qemu.wait()
            virtiofsd.wait()
    if timed_out.is_set():
        explain_failure(work, f"time is up after {options.timeout} s", options)
        return TIME_IS_UP
    status = read_status(work)
    if status is None:
        explain_failure(work, f"the machine hung: no sign of life for {HANGS_AFTER_S} s" if hangs.is_set()
                        else "the machine ended without an exit status", options)
        return LAB_FAILED
    if options.files:
        keep_files(work, options.files)
    return status


def main():
    parser = argparse.ArgumentParser(description="Runs a script in a machine with KVM.")
    parser.add_argument("--timeout", type=float, default=float(os.environ.get("LAB_TIMEOUT", 900)))
    parser.add_argument("--memory", type=int, default=int(os.environ.get("LAB_MEMORY_MIB", 6144)))
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--env", action="append", default=[])
    parser.add_argument("--files")
    parser.add_argument("--lab", default=os.path.join(TOP, "build", "lab"))
    parser.add_argument("script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    lab = os.path.realpath(options.lab)
    # Not in /tmp: the lab mounts its own there.
    work = tempfile.mkdtemp(prefix="job-", dir=lab)
    started = time.monotonic()
    try:
        status = run(work, lab, options)
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    finally:
        if "LAB_KEEP" not in os.environ:
            shutil.rmtree(work, ignore_errors=True)
    print(f"lab: exit status {status} after {time.monotonic() - started:.1f} s", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
