#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# image.sh PROBE OUT.tar: an image with the probe, a copy of it with set-id bits, and nothing else.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

mkdir -p "$root"/{bin,dev,etc,proc,sys,tmp,run,var/tmp}
chmod 0755 "$root"
chmod 1777 "$root"/{tmp,var/tmp}
: > "$root/etc/hostname"
: > "$root/etc/hosts"
: > "$root/etc/resolv.conf"
install -m 0755 "$1" "$root/redteam-probe"
install -m 6755 "$1" "$root/redteam-suid"
printf 'root:x:0:0:root:/:/redteam-probe\nredteam:x:1000:1000::/:/redteam-probe\n' > "$root/etc/passwd"
printf 'root:x:0:\nredteam:x:1000:\n' > "$root/etc/group"
"$here/../images/make-image.py" "$root" "$2" oci --name docker.io/danchi/redteam:1 --user redteam \
  --entrypoint /redteam-probe --own /redteam-suid=1234:1234
