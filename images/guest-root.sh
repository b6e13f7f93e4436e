#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# guest-root.sh guest|unpack INIT AGENT UNPACK OUT: makes a guest's root, a read-only EROFS image with
# a hash tree behind it, OUT (NAME.erofs), and what leads to the tree, NAME.verity.
#
#   guest   /sbin/init, /sbin/danchi-agent, empty mount points, /etc/passwd and /etc/group, and
#           /etc/scratch.ext4 and /etc/volume.ext4, empty file systems (scratch.sh);
#           /sbin/danchi-reaper, the first process of containers with --init;
#           /sbin/danchi-keeper, of those of a pod that share their processes: it lies beside INIT
#   unpack  the same and /sbin/danchi-unpack and mke2fs with the shared libraries they load
#
# There is no shell, no package manager and no set-id file in either.  The list of files beside the
# image is what tests/images checks.  The same inputs give the same bytes.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
kind=$1
init=$(realpath "$2")
agent=$(realpath "$3")
unpack=$4
out=$(realpath -m "$5")
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

# Any constants will do: an image is told apart by its content.
case $kind in
  guest) uuid=64616e63-6869-4000-8000-000000000001 ;;
  unpack) uuid=64616e63-6869-4000-8000-000000000002 ;;
  *) echo "guest-root.sh: unknown kind '$kind'" >&2; exit 2 ;;
esac

mkdir -p "$stage"/{sbin,etc,proc,sys,dev,run,tmp,root}
# mktemp's 0700 would keep a container's root, an unprivileged id of the guest, from its own /proc.
chmod 0755 "$stage"
chmod 0700 "$stage/root"
install -m 0755 "$init" "$stage/sbin/init"
install -m 0755 "$agent" "$stage/sbin/danchi-agent"
strip "$stage"/sbin/*
# For the agent's own messages; users of containers come from their images.
printf 'root:x:0:0:root:/:/nonexistent\n' > "$stage/etc/passwd"
printf 'root:x:0:\ntty:x:5:\n' > "$stage/etc/group"

# Copies a program's shared libraries and its loader, as the build machine's loader finds them.
add_libraries() {
  ldd "$1" | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }' |
    while read -r library; do
      case $library in
        */ld-linux-*) install -D -m 0755 "$library" "$stage/lib64/$(basename "$library")" ;;
        *) install -D -m 0644 "$library" "$stage/lib/x86_64-linux-gnu/$(basename "$library")" ;;
      esac
    done
}

if [ "$kind" = guest ]; then
  # Of containers with --init: tini, linked statically, since it runs in a root that is not this one.
  install -m 0755 "$(command -v tini-static)" "$stage/sbin/danchi-reaper"
  install -m 0755 "$(dirname "$init")/danchi-keeper" "$stage/sbin/danchi-keeper"
  strip "$stage/sbin/danchi-keeper"
  # What a pod cannot read is run as the guest's: no right over the pod's ids leads to the process.
  chmod 0711 "$stage/sbin/danchi-keeper"
  for disk in scratch volume; do
    "$here/scratch.sh" "$disk" "$stage/etc/$disk.ext4"
    chmod 0644 "$stage/etc/$disk.ext4"
  done
fi
if [ "$kind" = unpack ]; then
  install -m 0755 "$unpack" "$stage/sbin/danchi-unpack"
  strip "$stage/sbin/danchi-unpack"
  install -m 0755 "$(command -v mke2fs)" "$stage/sbin/mke2fs"
  for program in danchi-unpack mke2fs; do
    add_libraries "$stage/sbin/$program"
  done
  : > "$stage/etc/mtab" # mke2fs asks whether its device is mounted
fi

mkdir -p "$(dirname "$out")"
(cd "$stage" && find . -mindepth 1 -printf '%M %P\n' | LC_ALL=C sort -k 2) > "${out%.erofs}.list"
# Not compressed: it is read from the host's page cache, and unpacking costs the guest's processor.
mkfs.erofs --quiet -T0 -U"$uuid" --all-root -x-1 "$out.new" "$stage" > /dev/null
"$here/verity.sh" "$out.new" "${out%.erofs}.verity"
mv "$out.new" "$out"
