#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# build.sh BUILD VERSION PREFIX: stages an installation and makes BUILD/danchi_VERSION_amd64.deb.
#
# The same inputs give the same bytes, on the same distribution.
set -euo pipefail
cd "$(dirname "$0")/../.."

build=$1
version=$2
prefix=$3
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
chmod 755 "$stage"

config/install.sh "$build" "$stage" "$prefix"
strip --strip-unneeded "$stage$prefix"/bin/* "$stage$prefix"/libexec/danchi/*

# The packages that own the libraries our programs name themselves (not what those load in turn), in
# at least the version they were linked with.
depends()
{
  local program library path package
  for program in "$stage$prefix"/bin/* "$stage$prefix"/libexec/danchi/*; do
    readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | while read -r library; do
      path=$(ldd "$program" | awk -v name="$library" '$1 == name { print $3 }')
      # The loader itself has no path there; libc's package brings it.
      [ -n "$path" ] || continue
      # Since the merge of /usr dpkg may know a library by either path.
      dpkg-query -S "$path" 2> /dev/null || dpkg-query -S "/usr$path" 2> /dev/null \
        || dpkg-query -S "$(realpath "$path")"
    done
  done | sed 's/:.*//' | sort -u | while read -r package; do
    # shellcheck disable=SC2016 # dpkg-query expands these, not the shell
    dpkg-query -W -f '${Package} (>= ${Version})\n' "$package"
  done | sort -u | paste -sd, | sed 's/,/, /g'
}

mkdir -m 755 "$stage/DEBIAN"
size=$(du -sk --exclude=DEBIAN "$stage" | cut -f1)
sed "s/@VERSION@/$version/; s/@SIZE@/$size/; s/@DEPENDS@/$(depends | sed 's/[&/]/\\&/g')/" \
  config/debian/control > "$stage/DEBIAN/control"
for script in postinst prerm postrm; do
  sed "s|@PREFIX@|$prefix|" "config/debian/$script" > "$stage/DEBIAN/$script"
  chmod 755 "$stage/DEBIAN/$script"
done
(cd "$stage" && find etc -type f -printf '/%p\n') > "$stage/DEBIAN/conffiles"
find "$stage" -exec touch -h -d @0 {} +
SOURCE_DATE_EPOCH=0 dpkg-deb --root-owner-group -Zxz --build "$stage" \
  "$build/danchi_${version}_amd64.deb"
