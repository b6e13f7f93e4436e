#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# fetch-containerd.sh SUITE DIRECTORY: containerd, its shim for runc and ctr as a newer Debian has them, in
# DIRECTORY/usr/bin, without installing anything.  apt checks signatures, as for an installation.
set -euo pipefail

suite=$1
directory=$(realpath -m "$2")
[ -x "$directory/usr/bin/containerd" ] && exit 0

state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
mkdir -p "$state"/{lists/partial,archives/partial,etc} "$directory"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $suite main" \
  > "$state/etc/sources.list"
options=(-qq -o "Dir::Etc::sourcelist=$state/etc/sources.list" -o Dir::Etc::sourceparts=/dev/null
  -o "Dir::State::lists=$state/lists" -o "Dir::Cache=$state" -o APT::Sandbox::User=root
  -o Acquire::Languages=none -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false)
apt-get "${options[@]}" update
(cd "$state" && apt-get "${options[@]}" download "containerd/$suite")
dpkg-deb -x "$state"/containerd_*.deb "$directory"
