#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# package.sh PACKAGE.deb: installs it, upgrades it while the danchid runs that a command started, and
# removes it, on a copy of this machine's files that is thrown away (an overlay), without systemd.
# Prints `NAME VALUE` lines: what test_package.py looks at.  Needs: root.
set -euo pipefail

package=$(realpath "$1")
# Hidden by a file system in memory, for as long as this runs and for nobody else.
work=/mnt

# In the new namespaces, as their process 1: what danchid starts ends with it.
inside() {
  local root=$work/root first second
  mount --make-rprivate /
  mount -t tmpfs -o mode=0755 work "$work"
  cp "$package" "$work/first.deb"
  mkdir "$work/upper" "$work/work" "$root"
  mount -t overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" overlay "$root"
  mount -t tmpfs -o mode=0755 run "$root/run"
  mount --rbind /dev "$root/dev"
  mount -t proc proc "$root/proc"
  mount --rbind /sys "$root/sys"
  # A package of the next version, with the same in it.
  dpkg-deb -R "$work/first.deb" "$work/next"
  sed -i 's/^Version: .*/&+next/' "$work/next/DEBIAN/control"
  dpkg-deb --root-owner-group -Znone -b "$work/next" "$work/second.deb" > /dev/null
  cp "$work"/{first,second}.deb "$root/root/"

  # Triggers would bring the manual's index up to date, on files that are thrown away.
  in_root dpkg --no-triggers --force-unsafe-io -i /root/first.deb >&2
  echo "started-by-installing $(count_danchids)"
  first=$(ask_pid)
  in_root dpkg --no-triggers --force-unsafe-io -i /root/second.deb >&2
  echo "old-runs-after-upgrade $([ -e "/proc/$first" ] && echo yes || echo no)"
  second=$(ask_pid)
  echo "another-answers $([ "$second" != "$first" ] && echo yes || echo no)"
  echo "its-program $(readlink "/proc/$second/exe" | sed "s|^$root||")"
  in_root dpkg --no-triggers -r danchi >&2
  echo "runs-after-removal $(count_danchids)"
}
in_root() { env -u DANCHI_SOCKET DEBIAN_FRONTEND=noninteractive chroot "$work/root" "$@"; }
ask_pid() { in_root danchi version --format json | sed -n 's/.*"pid" : \([0-9]*\).*/\1/p'; }
# In this namespace of processes alone.
count_danchids() { find /proc -maxdepth 2 -path '/proc/[0-9]*/comm' -exec grep -lx danchid {} + | wc -l; }

if [[ ${2:-} == --inside ]]; then
  inside
else
  unshare --mount --pid --net --ipc --fork --kill-child --mount-proc "$BASH" "$0" "$package" --inside
fi
