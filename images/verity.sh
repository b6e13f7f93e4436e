#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# verity.sh IMAGE OUT: appends a hash tree to a guest's root IMAGE (NAME.erofs), by which the guest's
# kernel checks every block, and writes what leads to it to OUT (NAME.verity, a file for danchid:
# launcher/guest/hash-tree.h).  The same inputs give the same bytes.
set -euo pipefail
image=$1
out=$2
block=4096

bytes=$(stat -c %s "$image")
[ $((bytes % block)) = 0 ] || { echo "verity.sh: '$image' has no whole number of blocks" >&2; exit 1; }
data_blocks=$((bytes / block))

# No salt and no header: the table in OUT says all, and nobody could have hashed ahead.
root_hash=$(veritysetup format --no-superblock --hash=sha256 --salt=- --data-block-size=$block \
  --hash-block-size=$block --data-blocks=$data_blocks --hash-offset="$bytes" "$image" "$image" |
  awk '$1 == "Root" && $2 == "hash:" { print $3 }')
hash_blocks=$((($(stat -c %s "$image") - bytes) / block))

cat > "$out.new" << END
# What the blocks of the .erofs beside this must be: images/verity.sh.
[tree]
data_blocks = $data_blocks
hash_blocks = $hash_blocks
[root_hash]
sha256 = $root_hash
END
mv "$out.new" "$out"
