#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# scratch.sh OUT: makes what a guest's agent writes on a scratch disk before it mounts it: a small,
# empty ext4, of which OUT has each block that is not all zeroes, behind its number (32 bits, big
# endian).  The kernel then lets it grow to the disk's size.  So the guest needs no mke2fs, and what
# is written there is the same bytes each time.
#
# No journal: what was on the disk is gone with the guest anyway.  An inode for each 32 KiB.
set -euo pipefail
out=$(realpath -m "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The build machine's preferences have no say.
printf '[fs_types]\next4 = {\ninode_size = 256\n}\nfloppy = {\ninode_size = 256\n}\n' > "$work/conf"
export E2FSPROGS_FAKE_TIME=1 MKE2FS_CONFIG="$work/conf"
truncate -s 2M "$work/fs"
features=none,extent,64bit,flex_bg,metadata_csum,dir_index,filetype,sparse_super,large_file
features+=,huge_file,extra_isize,dir_nlink,ext_attr,resize_inode
seed=64616e63-6869-4000-8000-000000000004
mke2fs -q -F -t ext4 -b 4096 -I 256 -N 4096 -m 0 \
  -O "$features" \
  -U 64616e63-6869-4000-8000-000000000003 \
  -E "hash_seed=$seed,lazy_itable_init=0,nodiscard,root_owner=0:0,resize=16777216" \
  "$work/fs"
perl -e 'my ($number, $block) = (0); binmode STDIN; binmode STDOUT;
  while (read (STDIN, $block, 4096)) {
    print pack ("N", $number), $block if $block =~ /[^\0]/; $number++;
  }' < "$work/fs" > "$out.new"
mv "$out.new" "$out"
