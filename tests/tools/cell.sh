#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cell.sh COMMAND...: runs a command, as root, on what looks to it like a machine of its own with
# libvirt running; so test runs can go on beside each other and each still sees, and counts, only
# what it did itself.
#
# Private are: processes, network (loopback alone), System V and POSIX shared memory, mounts, /run
# with its sockets, and all that is written below /var (an overlay, thrown away; on disk).  When the
# command ends, so do libvirt and whatever was started, and the exit status is the command's.
#
# CELL_LIBVIRT=no leaves libvirt out.
set -euo pipefail

tools=$(cd "$(dirname "$0")" && pwd)
cells=/var/tmp

# In the new namespaces, as their process 1.
inside() {
  local cell=$1
  shift
  mount --make-rprivate /
  mount -t overlay -o "lowerdir=/var,upperdir=$cell/upper,workdir=$cell/work" var /var
  mount -t tmpfs -o mode=0755,nosuid,nodev run /run
  mount -t tmpfs -o mode=1777,nosuid,nodev shm /dev/shm
  mkdir -p /run/lock
  ip link set lo up
  # Its directories alone: what libvirt remembers and runs outside would shine through the overlay.
  (cd /var/lib/libvirt && find . -maxdepth 2 -type d -not -path './qemu/domain-*') |
    cpio -pdm --quiet -D /var/lib/libvirt "$cell/libvirt"
  mount --bind "$cell/libvirt" /var/lib/libvirt
  if [[ ${CELL_LIBVIRT:-yes} != no ]]; then "$tools/host.sh" start; fi
  # Not exec: process 1 must reap, and end all when the command ends.
  local status=0
  "$@" || status=$?
  exit "$status"
}

if [[ ${1:-} == --inside ]]; then
  inside "${@:2}"
fi
[[ $# -gt 0 ]] || { echo "usage: cell.sh COMMAND..." >&2; exit 2; }
[[ $EUID -eq 0 ]] || { echo "cell: needs root" >&2; exit 1; }

cell=$(mktemp -d "$cells/danchi-cell.XXXXXX")
mkdir "$cell/upper" "$cell/work" "$cell/libvirt"
chmod 0755 "$cell" "$cell/upper"
trap 'rm -rf "$cell"' EXIT
# The signal of an impatient caller must reach process 1 of the cell, and this trap run after it.
trap 'kill -TERM "$child" 2> /dev/null || true' INT TERM
unshare --mount --pid --net --ipc --fork --kill-child --mount-proc "$BASH" "$0" --inside "$cell" "$@" &
child=$!
status=0
wait "$child" || status=$?
while kill -0 "$child" 2> /dev/null; do wait "$child" || status=$?; done
exit "$status"
