#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# scratch.sh scratch|volume OUT: makes what a guest's agent writes on a new disk before it mounts it:
# a small, empty ext4, of which OUT has each block that is not all zeroes, behind its number (32
# bits, big endian).  The kernel then lets it grow to the disk's size.  So the guest needs no mke2fs,
# and what is written there is the same bytes each time.
#
# scratch: for a container's writable root.  No journal: what was on the disk is gone with the guest
# anyway.  An inode for each 32 KiB, up to 64 GiB.
# volume: outlives its guests, so it has a journal, of 8 MiB, and checksums in it.  An inode for each
# 16 KiB, up to 1 TiB.
set -euo pipefail
kind=$1
out=$(realpath -m "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The build machine's preferences have no say.
{
  echo '[fs_types]'
  for type in ext4 floppy small; do
    printf '%s = {\ninode_size = 256\n}\n' "$type"
  done
} > "$work/conf"
export E2FSPROGS_FAKE_TIME=1 MKE2FS_CONFIG="$work/conf"
features=none,extent,64bit,flex_bg,metadata_csum,dir_index,filetype,sparse_super,large_file
features+=,huge_file,extra_isize,dir_nlink,ext_attr,resize_inode
case $kind in
  scratch)
    size=2M inodes=4096 blocks=16777216 more=()
    uuid=64616e63-6869-4000-8000-000000000003 seed=64616e63-6869-4000-8000-000000000004
    ;;
  volume)
    size=24M inodes=8192 blocks=268435456 more=(-J size=8)
    features+=,has_journal
    uuid=64616e63-6869-4000-8000-000000000005 seed=64616e63-6869-4000-8000-000000000006
    ;;
  *)
    echo "scratch.sh: '$kind': must be scratch or volume" >&2
    exit 1
    ;;
esac
truncate -s "$size" "$work/fs"
mke2fs -q -F -t ext4 -b 4096 -I 256 -N "$inodes" -m 0 -O "$features" -U "$uuid" "${more[@]}" \
  -E "hash_seed=$seed,lazy_itable_init=0,nodiscard,root_owner=0:0,resize=$blocks" "$work/fs"
perl -e 'my ($number, $block) = (0); binmode STDIN; binmode STDOUT;
  while (read (STDIN, $block, 4096)) {
    print pack ("N", $number), $block if $block =~ /[^\0]/; $number++;
  }' < "$work/fs" > "$out.new"
mv "$out.new" "$out"
