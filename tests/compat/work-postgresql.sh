#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A cluster made anew, served over a unix socket and loopback.
set -e
data=/var/lib/postgresql/data/main
[ -e $data/PG_VERSION ] || initdb -D $data -A trust --no-sync --locale=C -E UTF8 > /dev/null
exec postgres -D $data -k /tmp -h 127.0.0.1 -c shared_buffers=16MB -c fsync=off
