#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# compare.sh PROBE OUTDIR [RUNTIME...]: the same probe in Podman's default container, with crun, runc
# and runsc below it.
#
# Not part of the tests.  Needs root and `apt-get install podman crun runc runsc`.  Each runtime is asked as root and
# as uid 1000 of the container; OUTDIR/RUNTIME-USER.tsv holds the lines, OUTDIR/versions.txt what was compared.
# Everything happens in a mount namespace of its own and in a directory that is removed afterwards.  Resource limits
# are not compared: --cgroups=disabled is what works on machines without systemd.
set -euo pipefail
probe=$(realpath "$1")
out=$(realpath -m "$2")
shift 2
runtimes=("${@:-crun}")
[ $# -gt 0 ] || runtimes=(crun runc runsc)

if [ "${REDTEAM_COMPARE_INSIDE:-}" != 1 ]; then
  mkdir -p "$out"
  REDTEAM_COMPARE_INSIDE=1 exec unshare --mount --propagation private -- "$0" "$probe" "$out" "${runtimes[@]}"
fi

# crun refuses a host where both versions of cgroups are mounted.
! mountpoint -q /sys/fs/cgroup/unified || umount -l /sys/fs/cgroup/unified

work=$(mktemp -d /var/tmp/redteam-compare.XXXXXX)
trap 'rm -rf "$work"' EXIT
root=$work/rootfs
mkdir -p "$root"/{bin,dev,etc,proc,sys,tmp,run,var/tmp}
chmod 1777 "$root"/{tmp,var/tmp}
install -m 0755 "$probe" "$root/redteam-probe"
install -o 1234 -g 1234 -m 6755 "$probe" "$root/redteam-suid"
printf 'root:x:0:0:root:/:/redteam-probe\nredteam:x:1000:1000::/:/redteam-probe\n' > "$root/etc/passwd"
printf 'root:x:0:\nredteam:x:1000:\n' > "$root/etc/group"

# One specification for all, Podman's own for a container without options: made by Podman, then given
# to each runtime.  Podman itself insists on cgroups with every runtime but crun.
podman=(podman --cgroup-manager cgroupfs --events-backend none --storage-driver vfs
  --root "$work/storage" --runroot "$work/run" --tmpdir "$work/tmp" --runtime crun)
create=(create --cgroups=disabled --network none --log-driver none)

# All families but bombs, which a machine without limits would only suffer from.
mapfile -t families < <("$probe" --list | sed -E 's/\..*//; /^(bombs|guest)$/d' | uniq)

declare -A flags=(
  [crun]='--cgroup-manager=disabled'
  [runc]=''
  [runsc]='--platform=ptrace --network=none --ignore-cgroups'
)

{
  uname -sr
  podman --version
  for runtime in "${runtimes[@]}"; do "$runtime" --version | sed -n 1p; done
} > "$out/versions.txt"

for user in 0 1000; do
  bundle=$work/bundle-$user
  mkdir "$bundle"
  id=$("${podman[@]}" "${create[@]}" --user "$user" --rootfs "$root" /redteam-probe \
    "${families[@]}")
  "${podman[@]}" init "$id" > /dev/null
  cp "$work/storage/vfs-containers/$id/userdata/config.json" "$bundle/config.json"
  cp "$bundle/config.json" "$out/podman-$user.json"
  "${podman[@]}" rm -f "$id" > /dev/null
  # What names things that went with Podman's container.
  python3 - "$bundle/config.json" "$root" << 'EDIT'
import json, os, sys
path, root = sys.argv[1:]
spec = json.load(open(path))
spec.pop("hooks", None)
spec["root"]["path"] = root
for key in "cgroupsPath", "resources":
    spec["linux"].pop(key, None)
for namespace in spec["linux"]["namespaces"]:
    namespace.pop("path", None)
spec["mounts"] = [mount for mount in spec["mounts"]
                  if mount["type"] != "bind" or os.path.exists(mount["source"])]
json.dump(spec, open(path, "w"))
EDIT
  for runtime in "${runtimes[@]}"; do
    read -ra given <<< "${flags[$runtime]}" # flags without blanks of their own
    rm -rf "$root"/tmp/*
    command=("$runtime" --root "$work/state" "${given[@]}" run --bundle "$bundle" "redteam-$runtime-$user")
    echo "${command[*]}" | sed "s|$work|DIR|g" >> "$out/versions.txt"
    # 1: something was not refused, which is what is to be shown.
    timeout 300 "${command[@]}" < /dev/null > "$out/$runtime-$user.tsv" 2> "$out/$runtime-$user.err" || [ $? = 1 ] \
      || { echo "compare.sh: $runtime as $user:" >&2; tail -3 "$out/$runtime-$user.err" >&2; }
    echo "$runtime as $user: $(cut -f2 "$out/$runtime-$user.tsv" | sort | uniq -c | tr -s ' \n' ' ')"
  done
done
echo "specification: ${podman[*]} ${create[*]} --user UID --rootfs ROOTFS /redteam-probe FAMILY..." \
  | sed "s|$work|DIR|g" >> "$out/versions.txt"
