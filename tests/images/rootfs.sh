#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# rootfs.sh DIRECTORY PACKAGE...: unpacks Debian packages and what they depend on into DIRECTORY,
# without installing anything and without running their scripts.  Downloads are kept in
# build/cache/debs.  KEEP: packages that are not left out although most programs go without them;
# LEAVE_OUT: a pattern of others that this image goes without.
set -euo pipefail
top=$(dirname "$(realpath "$0")")/../..
root=$(realpath -m "$1")
shift
cache=$top/build/cache/debs
mkdir -p "$cache" "$root"

# Essential packages are always there on Debian, so nothing names them as a dependency; of those an
# image needs its libc's configuration and no more.  Shells and maintenance tools are left out.
skip='^(debconf.*|dpkg|perl.*|init-system-helpers|lsb-base|sysvinit-utils|adduser|passwd|login|
libpam-.*|libpam0g|libpam-runtime|iproute2|sensible-utils|gcc-12-base|media-types|tzdata|ucf|bash|
dash|coreutils|libc-bin|install-info|libcrypt-dev|sed|grep|tar|libperl.*|lib.*-perl)$'
skip=${skip//$'\n'/}

# Not what this machine has installed, perhaps of another origin: what Debian offers.
apt=(-o Dir::State::status=/dev/null)

apt-cache show "$1" > /dev/null 2>&1 || apt-get update -qq >&2
apt-cache "${apt[@]}" depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
  --no-replaces --no-enhances "$@" | grep -E '^[a-z0-9]' | sort -u > "$root.packages"

# Several images may be made at once, of the same packages: apt-get writes them under their names.
exec 8> "$cache/.lock"
flock 8
wanted=()
missing=()
while read -r package; do
  [[ $package =~ $skip && " ${KEEP:-} " != *" $package "* ]] && continue
  [[ -n ${LEAVE_OUT:-} && $package =~ ^($LEAVE_OUT)$ ]] && continue
  wanted+=("$package")
  compgen -G "$cache/${package}_*.deb" > /dev/null || missing+=("$package")
done < "$root.packages"
rm -f "$root.packages"
# One call for all: each reads apt's lists anew, which takes a second.  apt checks signatures; as root
# it would drop to a user that cannot write here.
if [ ${#missing[@]} -gt 0 ]; then
  (cd "$cache" && apt-get -qq "${apt[@]}" -o APT::Sandbox::User=root download "${missing[@]}" >&2)
fi
exec 8>&-
for package in "${wanted[@]}"; do
  for deb in "$cache/${package}"_*.deb; do
    dpkg-deb -x "$deb" "$root"
  done
done

# Debian's merged /usr: packages of this release still ship files in both places.
for directory in bin sbin lib lib64; do
  mkdir -p "$root/usr/$directory"
  if [ -d "$root/$directory" ] && [ ! -L "$root/$directory" ]; then
    cp -a "$root/$directory/." "$root/usr/$directory/"
    rm -rf "${root:?}/$directory"
  fi
  ln -sfn "usr/$directory" "$root/$directory"
done
rm -rf "$root"/usr/share/{doc,man,locale,lintian,bug,info,zoneinfo} "$root"/etc/{init.d,cron.*,logrotate.d}
find "$root" -type f -perm /6000 -exec chmod ug-s {} +

mkdir -p "$root"/{proc,sys,dev,run,tmp,etc,root,var/tmp,var/log}
chmod 1777 "$root/tmp" "$root/var/tmp"
cat > "$root/etc/passwd" << 'END'
root:x:0:0:root:/root:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
END
cat > "$root/etc/group" << 'END'
root:x:0:
nogroup:x:65534:
END
printf 'passwd: files\ngroup: files\nhosts: files dns\n' > "$root/etc/nsswitch.conf"
: > "$root/etc/hostname"
: > "$root/etc/hosts"
: > "$root/etc/resolv.conf"
