#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tuned-kernel.sh CACHE OUT: builds the tuned guest kernel from Debian's linux-source-6.1 package
# with kernel.config into OUT/{vmlinuz,vmlinux,config,inputs}.  A build whose inputs (source package,
# configuration, this script) are the same as OUT/inputs is not repeated.  About 10 minutes on two
# processors, 2.5 GB in CACHE while it runs.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
cache=$(realpath -m "$1")
out=$(realpath -m "$2")
config=$here/kernel.config
package=linux-source-6.1

deb=$("$here/fetch-deb.sh" "$package" "$cache")
inputs=$(cat "$deb" "$config" "$0" | sha256sum | cut -d' ' -f1)
if [ -f "$out/vmlinuz" ] && [ "$(cat "$out/inputs" 2> /dev/null)" = "$inputs" ]; then
  echo "tuned kernel: unchanged"
  exit 0
fi

source_tree=$cache/$package
if [ ! -f "$source_tree/.whole" ] || [ "$deb" -nt "$source_tree/.whole" ]; then
  echo "tuned kernel: unpacking $(basename "$deb")"
  rm -rf "$source_tree"
  mkdir -p "$source_tree"
  dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/src/$package.tar.xz" |
    tar -xJ -C "$source_tree" --strip-components=1
  touch "$source_tree/.whole"
fi

# Same inputs, same bytes: no clock, user or machine name goes into the kernel.
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970'
export KBUILD_BUILD_USER=danchi KBUILD_BUILD_HOST=danchi KBUILD_BUILD_VERSION=1
build=$cache/tuned-build
mkdir -p "$build"
kbuild() {
  make --no-print-directory -C "$source_tree" O="$build" "$@"
}

kbuild KCONFIG_ALLCONFIG="$config" allnoconfig > "$build/configure.log"

# Kconfig drops in silence what it does not know or whose needs are not met.
missing=0
while IFS= read -r line; do
  case $line in
    CONFIG_*=*) grep -qxF -- "$line" "$build/.config" && continue ;;
    "# CONFIG_"*" is not set")
      option=${line#\# }
      grep -q "^${option%% *}=" "$build/.config" || continue
      ;;
    *) continue ;;
  esac
  echo "tuned kernel: did not take: $line" >&2
  missing=1
done < "$config"
[ "$missing" = 0 ] || exit 1

echo "tuned kernel: building (log: $build/build.log)"
if ! kbuild -j"$(nproc)" bzImage > "$build/build.log" 2>&1; then
  tail -n 30 "$build/build.log" >&2
  exit 1
fi
mkdir -p "$out"
cp "$build/arch/x86/boot/bzImage" "$out/vmlinuz"
strip -o "$out/vmlinux" "$build/vmlinux"
cp "$build/.config" "$out/config"
echo "$inputs" > "$out/inputs"
echo "tuned kernel: $(stat -c %s "$out/vmlinuz") bytes"
