#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that a list names, only those that are missing.
#
#   deps.sh LIST       one package per line, # starts a comment
#
# No service is started by the installation (a machine that builds Danchi need not run it): while
# apt runs, a policy-rc.d refuses it, the way Debian's containers do.  Needs root only when
# something is missing.  The network is touched only then, too.
set -euo pipefail

list=${1:?usage: deps.sh LIST}
mapfile -t wanted < <(sed 's/#.*//' "$list" | tr -s ' \t' '\n' | sed '/^$/d' | sort -u)

missing_packages()
{
  local installed
  # dpkg-query fails for unknown names, which is what we look for: its status says nothing more.
  # shellcheck disable=SC2016 # dpkg-query expands these, not the shell
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null \
                | sed -n 's/^installed //p' | sort -u) || true
  comm -23 <(printf '%s\n' "${wanted[@]}") <(printf '%s\n' "$installed")
}

mapfile -t missing < <(missing_packages)
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
  echo "deps.sh: missing packages: ${missing[*]}" >&2
  echo "deps.sh: run 'make deps' as root once" >&2
  exit 1
fi

# Several makes may come here at once; apt's own lock would make the second one fail.
mkdir -p /run/lock
exec 9> /run/lock/danchi-deps.lock
flock 9
mapfile -t missing < <(missing_packages)
[ ${#missing[@]} -gt 0 ] || exit 0
echo "installing: ${missing[*]}"

guard=/usr/sbin/policy-rc.d
if [ ! -e $guard ]; then
  trap 'rm -f "$guard"' EXIT
  printf '#!/bin/sh\nexit 101\n' > $guard
  chmod 755 $guard
fi

export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
install_missing()
{
  # 9>&-: a daemon that a maintainer script leaves behind must not keep the lock.
  apt-get install -y -q --no-install-recommends -o Dpkg::Use-Pty=0 \
          -o DPkg::Lock::Timeout=300 "${missing[@]}" 9>&-
}

# A fresh machine has no package lists, an old one has stale lists: in both cases an update helps.
simulate() { apt-get install -s -q --no-install-recommends "${missing[@]}" > /dev/null 2>&1; }
updated=
if ! simulate; then
  apt-get update -q
  updated=yes
fi
if ! install_missing; then
  [ -z "$updated" ] || exit 1
  apt-get update -q
  install_missing
fi
