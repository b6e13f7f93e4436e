#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# fetch-deb.sh PACKAGE DIRECTORY: downloads a Debian package without installing it, once, and prints
# the path of the file.  apt checks the archive's signatures, as for an installation.
set -euo pipefail

package=$1
directory=$(realpath -m "$2")
mkdir -p "$directory"

cached() {
  find "$directory" -maxdepth 1 -name "${package}_*.deb" -printf '%T@ %p\n' | sort -rn |
    sed -n '1s/^[^ ]* //p'
}

file=$(cached)
if [ -z "$file" ]; then
  # A machine on which apt never ran has no lists.
  apt-cache show "$package" > /dev/null 2>&1 || apt-get update -qq >&2
  # As root apt would drop to a user that cannot write here.
  (cd "$directory" && apt-get -qq -o APT::Sandbox::User=root download "$package" >&2)
  file=$(cached)
fi
[ -n "$file" ] || { echo "fetch-deb.sh: no file for package '$package'" >&2; exit 1; }
echo "$file"
