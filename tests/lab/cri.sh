#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs inside the lab: the core set of the tests of pods, on KVM and vsock, with Debian's containerd and the
# guest kernel of Debian.  Arguments: as for tests/cri/run.py.
set -euo pipefail

"$TOP/tests/tools/host.sh" start
# The lab's root is an overlay; containerd's overlayfs, and owners that are translated, want a real disk.
truncate -s 1G /tmp/disk
mkfs.ext4 -qF /tmp/disk
mkdir -p "$TOP/build/cri"
mount -o loop /tmp/disk "$TOP/build/cri"

export E2E_MODE=kvm E2E_PATIENCE=${E2E_PATIENCE:-4} DN_TALLY_DIR=$LAB_FILES
exec "$TOP/tests/cri/run.py" --core "$@"
