#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# install.sh BUILD DESTDIR PREFIX: puts what was built where launcher/common/paths.c looks for it.
#
# Configuration that exists is left alone.  Nothing is started.
set -euo pipefail
cd "$(dirname "$0")/.."

build=$1
root=${2%/}
prefix=$3
to=$root$prefix

install -d -m 755 "$to"/{bin,libexec/danchi,lib/danchi/images,share/danchi} \
  "$to"/{lib/systemd/system,share/doc/danchi,share/man/man1}
# The shim where containerd looks for it: in its PATH.
install -m 755 "$build/bin/danchi" "$build/bin/containerd-shim-danchi-v2" "$to/bin/"
install -m 755 "$build/bin/danchid" "$build/bin/danchi-relay" "$build/bin/danchi-publish" \
  "$build/bin/danchi-resolver" "$build/bin/danchi-intake" "$build/bin/danchi-gateway" \
  "$build/bin/danchi-share" "$build/bin/danchi-session" "$to/libexec/danchi/"

install -m 644 "$build/bin/danchi-share-pod.so" "$to/libexec/danchi/"

for name in vmlinuz cmdline initramfs.cpio initramfs-network.cpio {guest,unpack}.{erofs,verity}; do
  install -m 644 "$build/images/$name" "$to/lib/danchi/images/"
done
if [ -d "$build/images/tuned" ]; then
  install -d -m 755 "$to/lib/danchi/images/tuned"
  find "$build/images/tuned" -maxdepth 1 -type f \
    -exec install -m 644 -t "$to/lib/danchi/images/tuned" {} +
fi

# Defaults that danchid reads; what an operator changes lies in /etc/danchi.
install -d -m 755 "$to/share/danchi/seccomp"
install -m 644 -t "$to/share/danchi/seccomp" config/seccomp/*.json
install -d -m 755 "$root/etc/danchi/contexts.d" "$root/etc/danchi/profiles"
# Profiles are the operator's from the first day on: they are there and nowhere else.
for profile in config/profiles/*.conf; do
  [ -e "$root/etc/danchi/profiles/$(basename "$profile")" ] \
    || install -m 644 "$profile" "$root/etc/danchi/profiles/"
done
# The red team, for operators: the probe, its image, and what runs it.
install -d -m 755 "$to/lib/danchi/redteam"
install -m 755 tests/redteam/danchi-redteam "$build/redteam/redteam-probe" "$to/lib/danchi/redteam/"
install -m 644 "$build/redteam/redteam.tar" "$to/lib/danchi/redteam/"

if [ -e config/danchi.conf ] && [ ! -e "$root/etc/danchi/danchi.conf" ]; then
  install -m 644 config/danchi.conf "$root/etc/danchi/"
fi
# 0711: a context's uid must reach its own files below, and list nothing.
install -d -m 711 "$root/var/lib/danchi"

for unit in danchid danchi-intake danchi-gateway danchi-share; do
  sed "s|@PREFIX@|$prefix|" "config/systemd/$unit.service" > "$to/lib/systemd/system/$unit.service"
  install -m 644 "config/systemd/$unit.socket" "$to/lib/systemd/system/"
  chmod 644 "$to/lib/systemd/system/$unit.service"
done

# Read by nobody from here; docs/kubernetes.md says where each goes.
install -d -m 755 "$to/share/danchi/kubernetes"
install -m 644 -t "$to/share/danchi/kubernetes" config/kubernetes/*

# Not loaded by this: docs/operations.md says how, and what to look at first.
install -d -m 755 "$to/share/danchi/apparmor"
for profile in danchid danchi-relay danchi-resolver danchi-publish libvirt-qemu; do
  sed "s|@PREFIX@|$prefix|" "config/apparmor/$profile" > "$to/share/danchi/apparmor/$profile"
  chmod 644 "$to/share/danchi/apparmor/$profile"
done

install -m 644 README.md LICENSE "$to/share/doc/danchi/"
find docs -maxdepth 1 -name '*.md' -exec install -m 644 -t "$to/share/doc/danchi" {} +
for page in docs/man/*.scd; do
  [ -e "$page" ] || continue
  name=$(basename "$page" .scd)
  install -d -m 755 "$to/share/man/man${name##*.}"
  scdoc < "$page" | gzip -9n > "$to/share/man/man${name##*.}/$name.gz"
done
