#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# initramfs.sh KERNEL INIT OUT [SECTION]: makes the initramfs for a modular kernel: init, and the
# drivers of modules.list with their dependencies in load order; those behind a line "%SECTION" only
# where that is asked for.  KERNEL is debian-kernel.sh's output.
#
# It is not compressed: reading 2 MB from QEMU takes less time than unpacking 1 MB.  The same inputs
# give the same bytes.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
kernel=$(realpath "$1")
init=$(realpath "$2")
out=$(realpath -m "$3")
section=${4:-}
version=$(cat "$kernel/version")
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

mkdir -p "$stage"/{modules,proc,sys,dev,root}
install -m 0755 "$init" "$stage/init"

# Prints "FILE MODULE-LINE'S PCI IDS" for a module and what it needs, dependencies first.
resolve() {
  local module=$1 ids=$2 path
  # modprobe says "builtin NAME" for what the kernel has anyway.
  modprobe -d "$kernel/unpacked" -S "$version" --show-depends "$module" |
    while read -r kind path _; do
      if [ "$kind" = insmod ]; then
        echo "$path${ids:+ $ids}"
      fi
    done
}

sed 's/#.*//' "$here/modules.list" |
  awk -v wanted="$section" '/^%/ { current = substr ($1, 2); next } current == "" || current == wanted' |
  while read -r module ids; do
  [ -n "$module" ] || continue
  resolve "$module" "$ids"
done > "$stage/resolved"

# One line for a file, where it is first needed.  It is conditional only if all who need it are: the
# first line then has every id.
awk '{ path = $1; $1 = ""; sub (/^ /, "")
       if (!(path in seen)) { seen[path] = 1; order[++n] = path; ids[path] = $0; all[path] = ($0 == "") }
       else if ($0 == "") all[path] = 1
       else ids[path] = ids[path] " " $0 }
     END { for (i = 1; i <= n; i++) print order[i] (all[order[i]] ? "" : " " ids[order[i]]) }' \
  "$stage/resolved" > "$stage/lines"
while read -r path ids; do
  install -m 0644 "$path" "$stage/modules/"
  echo "$(basename "$path")${ids:+ $ids}"
done < "$stage/lines" > "$stage/modules/order"
rm "$stage/resolved" "$stage/lines"

find "$stage" -exec touch -h -d @0 {} +
mkdir -p "$(dirname "$out")"
(cd "$stage" && find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort |
  cpio --quiet --reproducible -R 0:0 -o -H newc) > "$out.new"
(cd "$stage" && find . -mindepth 1 -printf '%M %P\n' | LC_ALL=C sort -k 2) > "$out.list"
mv "$out.new" "$out"
