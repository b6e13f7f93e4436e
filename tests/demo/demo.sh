#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `make demo`: from a clone to two tenants in two guests, and away again.
#
# Builds, prepares the host, makes two images of Debian packages, runs nginx for one tenant and redis
# for another, has each answer a real request, shows that they share neither kernel nor uid, and
# removes everything.  It has a danchid and directories of its own: what this machine runs otherwise
# is left alone.  Everything that is not shown is in build/demo.log.
set -euo pipefail
cd "$(dirname "$0")/../.."
# The makes below have job slots of their own: those of `make demo` do not reach through a recipe.
unset MAKEFLAGS MFLAGS MAKELEVEL
top=$PWD
log=$top/build/demo.log
mkdir -p build
: > "$log"

if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' yellow=$'\e[33m' blue=$'\e[34m' off=$'\e[0m'
  live=yes
else
  bold='' dim='' green='' red='' yellow='' blue='' off='' live=
fi

base=danchi-demo-$$
run=/run/$base
state=/var/lib/$base
config=/run/$base-config
export DANCHI_SOCKET=$run/danchid.sock
daemon='' emulation=()
began=$EPOCHREALTIME

elapsed() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%6.1f s", b - a }'; }
title() { printf '\n%s%s%s\n' "$bold" "$*" "$off"; }

# step TEXT COMMAND...: one line with the time it took; the output goes to the log.
step()
{
  local text=$1 start=$EPOCHREALTIME
  shift
  printf '=== %s: %s\n' "$text" "$*" >> "$log"
  if [ -n "$live" ]; then printf '   %s…%s %s' "$dim" "$off" "$text"; fi
  if "$@" >> "$log" 2>&1; then
    if [ -n "$live" ]; then printf '\r\e[K'; fi
    printf '  %s✓%s %-86s %s%s%s\n' "$green" "$off" "$text" "$dim" "$(elapsed "$start")" "$off"
  else
    if [ -n "$live" ]; then printf '\r\e[K'; fi
    printf '  %s✗%s %s\n' "$red" "$off" "$text"
    printf '\nthe end of %s:\n' "$log"
    tail -n 15 "$log" | sed 's/^/    /'
    exit 1
  fi
}

danchi() { "$top/build/bin/danchi" "${emulation[@]}" "$@"; }

# show COMMAND...: a command as it is typed, the time it took, and the beginning of its output.
show()
{
  local start=$EPOCHREALTIME output word line='$ danchi'
  for word in "$@"; do
    if [[ $word == *' '* ]]; then word="'$word'"; fi
    line+=" $word"
  done
  if [ -n "$live" ]; then printf '  %s%s%s' "$blue" "$line" "$off"; fi
  if ! output=$(danchi "$@" 2>> "$log"); then
    printf '\n    %sfailed%s; see %s\n' "$red" "$off" "$log"
    tail -n 8 "$log" | sed 's/^/    /'
    exit 1
  fi
  if [ -n "$live" ]; then printf '\r\e[K'; fi
  printf '  %s%-88s%s %s%s%s\n' "$blue" "$line" "$off" "$dim" "$(elapsed "$start")" "$off"
  if [ -n "$output" ]; then head -n 4 <<< "$output" | tee -a "$log" | sed 's/^/    /'; fi
}

remove_everything()
{
  if [ -n "$daemon" ] && kill -0 "$daemon" 2> /dev/null; then
    danchi rm -f web cache || true
    danchi context rm -f acme-web umbrella-cache || true
    danchi gc || true
    kill "$daemon" || true
    wait "$daemon" || true
  fi
  rm -rf "$run" "$state" "$config"
}

at_exit()
{
  local status=$?
  if [ -n "$daemon" ]; then remove_everything >> "$log" 2>&1 || true; fi
  if [ $status -ne 0 ]; then printf '\n%sthe demo failed%s; its log is %s\n' "$red" "$off" "$log"; fi
}
trap at_exit EXIT
trap 'exit 130' INT TERM

start_daemon()
{
  mkdir -p "$run" "$state" "$config"
  "$top/build/bin/danchid" --foreground --socket "$DANCHI_SOCKET" --state "$state" --run "$run" \
    --config "$config" < /dev/null >> "$log" 2>&1 &
  daemon=$!
  for _ in $(seq 200); do
    # Not by danchi itself, which would start a danchid where none listens yet.
    if grep -q " $DANCHI_SOCKET\$" /proc/net/unix; then danchi version && return 0; fi
    kill -0 "$daemon" || return 1
    sleep 0.1
  done
  return 1
}

make_image() { [ -e "$2" ] || tests/images/build.sh "$1" "$2" "$3"; }

# field CONTAINER KEY: a value of the container's guest, from inspect.
field()
{
  danchi inspect "$1" | python3 -c '
import json, sys
print(json.load(sys.stdin)[0]["guest"][sys.argv[1]])' "$2"
}

row() { printf '  %-16s %-10s %-7s %-10s %-38s %-8s %s\n' "$@"; }

table()
{
  local name context tenant
  printf '%s' "$bold"
  row CONTEXT TENANT RUNS GUEST 'KERNEL (boot_id)' 'QEMU UID' ACCELERATOR
  printf '%s' "$off"
  for name in web cache; do
    case $name in
      web) context=acme-web tenant=acme ;;
      cache) context=umbrella-cache tenant=umbrella ;;
    esac
    row "$context" "$tenant" "$name" "$(field $name id | cut -c1-8)" \
      "$(field $name boot_id)" \
      "$(stat -c %u "/proc/$(field $name qemu_pid)")" "$(field $name accelerator)"
  done
  row '(this host)' - - - "$(cat /proc/sys/kernel/random/boot_id)" - -
}

# The redis image has not even cat: its kernel's id is what the agent reported, as in the table.
check_separate()
{
  local host first second
  host=$(cat /proc/sys/kernel/random/boot_id)
  first=$(danchi exec web busybox cat /proc/sys/kernel/random/boot_id)
  second=$(field cache boot_id)
  [ "$first" = "$(field web boot_id)" ] && [ "$first" != "$second" ] && [ "$first" != "$host" ] \
    && [ "$second" != "$host" ] && [ "$(stat -c %u "/proc/$(field web qemu_pid)")" \
         != "$(stat -c %u "/proc/$(field cache qemu_pid)")" ]
}

is_all_gone()
{
  ! virsh -c qemu:///system list --all --name | grep -qx "danchi-$1\|danchi-$2" \
    && [ ! -e "$run" ] && [ ! -e "$state" ]
}

# The program in each image needs a moment after the container's start.
wait_for()
{
  for _ in $(seq 100); do
    if danchi exec "$@"; then return 0; fi
    sleep 0.2
  done
  return 1
}

printf '%sDanchi%s  containers, each security context in a KVM guest of its own\n' "$bold" "$off"

title 'Build and prepare'
step 'install what is missing' make --no-print-directory deps
step 'build danchi, danchid, relay, guest kernel and root' make --no-print-directory all
step 'prepare this host: libvirt answers' make --no-print-directory host
step 'make an nginx image of Debian packages (docker-archive)' \
  make_image nginx build/test-images/nginx.tar docker
step 'make a redis image of Debian packages (OCI archive)' \
  make_image redis build/test-images/redis-oci.tar oci
step 'start a danchid for the demo' start_daemon

if ! timeout 20 build/bin/danchid --probe-kvm >> "$log" 2>&1; then
  emulation=(--allow-emulation)
  printf '\n  %sThis host cannot run KVM guests, so the guests are emulated in software (TCG).%s\n' \
    "$yellow" "$off"
  printf '  %sThat shows how it works; it is slow, and it is no security boundary.%s\n' "$yellow" "$off"
fi

title 'Load the images: unpacked in a throw-away guest, never parsed by the host'
show load -i build/test-images/nginx.tar
show load -i build/test-images/redis-oci.tar
show images
web_image=$(danchi --format json images | python3 -c '
import json, sys
print(next(n for i in json.load(sys.stdin) for n in i["names"] if "nginx" in n))')
cache_image=$(danchi --format json images | python3 -c '
import json, sys
print(next(n for i in json.load(sys.stdin) for n in i["names"] if "redis" in n))')

title 'Two tenants, two contexts, two guests'
show context create --tenant acme --stage prod --tier frontend acme-web
show context create --tenant umbrella --stage prod --tier database umbrella-cache
show run -d --name web --context acme-web "$web_image"
show run -d --name cache --context umbrella-cache "$cache_image"
guests=("$(field web id)" "$(field cache id)")

title 'They work'
step 'redis answers' wait_for cache redis-cli ping
show exec cache redis-cli SET greeting 'hello from a kernel of my own'
show exec cache redis-cli GET greeting
step 'nginx answers' wait_for web busybox wget -q -O /dev/null http://127.0.0.1:8080/
show exec web busybox wget -qO- http://127.0.0.1:8080/
show ps

title 'They share nothing'
table
step "two kernels, two uids, neither of them the host's" check_separate
show verify --quiet

title 'Away again'
step 'remove containers, guests, contexts, images, danchid' remove_everything
daemon=''
step 'nothing is left' is_all_gone "${guests[@]}"

printf '\n%sDone in %s.%s  Next: make check, make bench, or the first session in README.md\n' \
  "$bold" "$(elapsed "$began" | tr -d ' ' | sed 's/s$/ s/')" "$off"
