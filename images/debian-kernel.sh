#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# debian-kernel.sh CACHE OUT: unpacks Debian's cloud kernel into OUT/{vmlinuz,version,modules/}.
# It is the default kernel: signed by Debian, updated by Debian, booted with a small initramfs.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
cache=$(realpath -m "$1")
out=$(realpath -m "$2")

# linux-image-cloud-amd64 is an empty package that depends on the current kernel.
depends() {
  apt-cache depends linux-image-cloud-amd64 2> /dev/null |
    awk '$1 == "Depends:" && $2 ~ /^linux-image-[0-9]/ { print $2; exit }'
}
package=$(depends)
if [ -z "$package" ]; then
  apt-get update -qq >&2
  package=$(depends)
fi
[ -n "$package" ] || { echo "debian-kernel.sh: apt knows no linux-image-cloud-amd64" >&2; exit 1; }

deb=$("$here/fetch-deb.sh" "$package" "$cache")
rm -rf "$out"
mkdir -p "$out/unpacked"
dpkg-deb -x "$deb" "$out/unpacked"
version=$(ls "$out/unpacked/lib/modules")
depmod -b "$out/unpacked" "$version"
cp "$out/unpacked/boot/vmlinuz-$version" "$out/vmlinuz"
cp "$out/unpacked/boot/config-$version" "$out/config"
echo "$version" > "$out/version"
