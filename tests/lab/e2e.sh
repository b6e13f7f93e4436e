#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs inside the lab: prepares it as a host and runs the end-to-end tests on KVM and vsock.
# Arguments: as for tests/e2e/run.py.
set -euo pipefail

started=$(cut -d' ' -f1 /proc/uptime)
"$TOP/tests/tools/host.sh" start
echo "lab: libvirt answers $(cut -d' ' -f1 /proc/uptime) s after boot (script at $started s)"

# One machine emulated by software, guests in it: slow, so every wait is longer and loads are small.
export E2E_MODE=kvm E2E_PATIENCE=${E2E_PATIENCE:-4} E2E_BIG_BYTES=${E2E_BIG_BYTES:-67108864}
# The machine's run has Debian's kernel, this one the tuned: so both pass the same tests.
export E2E_KERNEL=${E2E_KERNEL:-tuned}
export CHAOS_ROUNDS=${CHAOS_ROUNDS:-3} DN_TALLY_DIR=$LAB_FILES
exec "$TOP/tests/e2e/run.py" "$@"
