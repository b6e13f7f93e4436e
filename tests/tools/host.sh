#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes this machine able to run guests: `host.sh start | stop | status`.  For build trees, tests and
# the lab; an installed Danchi relies on the distribution's own services.
#
# start   idempotent.  Starts virtlogd and libvirtd where nobody answers on libvirt's socket; needs
#         no systemd.  Where /dev/kvm exists but cannot run a guest, libvirt would probe QEMU anew
#         on every call (a minute each): there libvirtd gets a private mount namespace whose /dev
#         has no kvm.  `danchid --probe-kvm` decides; without danchid kvm counts as broken, since
#         software emulation works everywhere and a hanging probe nowhere.
# stop    ends what start recorded, by pid and start time, and nothing else.
# status  exit status 0 when libvirt answers.
#
# Environment: DANCHID (default build/bin/danchid), DN_HOST_KVM=yes|no skips the probe.
set -euo pipefail

tools=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$tools/../.." && pwd)
danchid=${DANCHID:-$top/build/bin/danchid}
state=/run/danchi-host
dev=/run/dev-without-kvm
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

say() { echo "host: $*" >&2; }
die() { say "$*"; exit 1; }

# A pid alone may be somebody else's by now: the start time (field 22 of stat) tells them apart.  A
# zombie (field 3) runs no more.
start_time() { sed -n '/) Z /d; s/.*) //p' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

record() {
  echo "$2 $(start_time "$2")" > "$state/$1.pid"
}

recorded() {
  local pid time
  read -r pid time 2>/dev/null < "$state/$1.pid" || return 1
  [[ -n $time && $(start_time "$pid") == "$time" ]] && echo "$pid"
}

# Opens the socket only: asking for capabilities may take libvirt long the first time.
answers() { timeout 20 virsh -q -c qemu:///system version > /dev/null 2>&1; }

kvm_works() {
  case ${DN_HOST_KVM:-} in
    yes) return 0 ;;
    no) return 1 ;;
  esac
  [[ -e /dev/kvm ]] || return 1
  if [[ ! -x $danchid ]]; then
    say "$danchid is not built, so /dev/kvm is not probed and not used"
    return 1
  fi
  timeout 60 "$danchid" --probe-kvm > /dev/null 2>&1
}

# Runs in its own mount namespace: replaces /dev, then becomes the daemon.
inside_without_kvm() {
  mount --make-rprivate /
  # Hidden old mounts would break the namespace that libvirt makes for each QEMU.
  while umount -l /dev/pts 2> /dev/null; do :; done
  while umount -l /dev/shm 2> /dev/null; do :; done
  mkdir -p "$dev"
  mount -t tmpfs -o mode=755,nosuid tmpfs "$dev"
  for node in null zero full random urandom tty fuse vhost-vsock vhost-net; do
    if [[ -e /dev/$node ]]; then cp -a "/dev/$node" "$dev/"; fi
  done
  mkdir "$dev/net" "$dev/pts" "$dev/shm" "$dev/host"
  # Block devices that are made later, with the ACLs that they have got: the nodes themselves.
  mount --bind /dev "$dev/host"
  ln -s host/loop{0..255} "$dev/"
  if [[ -e /dev/net/tun ]]; then cp -a /dev/net/tun "$dev/net/"; fi
  ln -s pts/ptmx "$dev/ptmx"
  mount -t devpts -o newinstance,mode=600,ptmxmode=0666 devpts "$dev/pts"
  mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$dev/shm"
  mount --move "$dev" /dev
  exec "$@"
}

# launch NAME PROGRAM: in the background, its output in a log of ours, its pid recorded.
launch() {
  local name=$1
  shift
  rm -f "$state/$name.child"
  # A session of its own: the terminal or make that ran this script may go.
  setsid "$tools/reaper.py" "$state/$name.child" "$@" < /dev/null >> "$state/$name.log" 2>&1 9>&- &
  disown
  for ((i = 0; i < 100; i++)); do
    if [[ -s $state/$name.child ]]; then break; fi
    sleep 0.05
  done
  record "$name" "$(cat "$state/$name.child")"
}

prepare_directories() {
  mkdir -p /run/lock /run/libvirt "$state"
  install -d -m 0755 /run/danchi
  # QEMU runs under the context's uid and must pass through to the files that libvirt makes for it:
  # search permission only, no listing, for directories whose names are no secret.
  for directory in /var/lib/libvirt /var/lib/libvirt/qemu /var/log/libvirt; do
    if [[ -d $directory ]]; then chmod o+x "$directory"; fi
  done
}

start() {
  [[ $EUID -eq 0 ]] || die "needs root"
  mkdir -p "$state"
  # One at a time: `make -j` and tests may all want a host.
  exec 9> "$state/lock"
  flock 9
  prepare_directories
  if answers; then
    say "libvirt answers already"
    return 0
  fi
  local wrap=() kind="with the host's /dev"
  if [[ -e /dev/kvm ]] && ! kvm_works; then
    wrap=(unshare --mount "$BASH" "$tools/host.sh" inside-without-kvm)
    kind="without /dev/kvm, which cannot run guests here"
  fi
  rm -f "$state/libvirtd.log" "$state/virtlogd.log"
  if ! recorded virtlogd > /dev/null; then
    launch virtlogd virtlogd
  fi
  if ! recorded libvirtd > /dev/null; then
    launch libvirtd "${wrap[@]}" libvirtd
  fi
  for ((i = 0; i < 60; i++)); do
    if answers; then
      # Made anew by libvirtd where it was missing.
      prepare_directories
      say "libvirtd runs $kind"
      return 0
    fi
    recorded libvirtd > /dev/null || break
    sleep 0.5
  done
  tail -n 20 "$state/libvirtd.log" >&2 || true
  die "libvirtd does not answer; its log is $state/libvirtd.log"
}

stop() {
  [[ $EUID -eq 0 ]] || die "needs root"
  local pid
  for name in libvirtd virtlogd; do
    if pid=$(recorded "$name"); then
      kill -TERM "$pid" 2> /dev/null || true
      for ((i = 0; i < 50; i++)); do
        recorded "$name" > /dev/null || break
        sleep 0.1
      done
      if pid=$(recorded "$name"); then kill -KILL "$pid" 2> /dev/null || true; fi
      say "$name ended"
    fi
    rm -f "$state/$name.pid"
  done
}

status() {
  local pid
  for name in virtlogd libvirtd; do
    if pid=$(recorded "$name"); then echo "$name: pid $pid, started by this script"; fi
  done
  if answers; then
    echo "libvirt: answers at qemu:///system"
  else
    echo "libvirt: not reachable"
    return 1
  fi
}

case ${1:-} in
  start | stop | status) "$1" ;;
  inside-without-kvm) inside_without_kvm "${@:2}" ;;
  *) die "usage: host.sh start | stop | status" ;;
esac
