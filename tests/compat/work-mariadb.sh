#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A data directory made anew, as mariadb-install-db does it, then the server.
set -e
data=/var/lib/mysql/data
share=/usr/share/mysql
if [ ! -e $data/mysql ]; then
  mkdir -p $data/mysql
  { echo 'use mysql;'; cat $share/mysql_system_tables.sql $share/mysql_performance_tables.sql \
      $share/mysql_system_tables_data.sql; } \
    | mariadbd --no-defaults --bootstrap --datadir=$data --tmpdir=/tmp \
        --innodb-log-file-size=4M --innodb-buffer-pool-size=16M
fi
exec mariadbd --no-defaults --datadir=$data --tmpdir=/tmp --socket=/tmp/mysql.sock \
  --bind-address=127.0.0.1 --innodb-log-file-size=4M --innodb-buffer-pool-size=16M \
  --skip-grant-tables --pid-file=/tmp/mysql.pid
