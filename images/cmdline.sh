#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cmdline.sh FILE...: prints the kernel command line that the commented files spell out.
set -euo pipefail
sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$@" | paste -sd ' '
