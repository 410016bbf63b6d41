#!/bin/bash
# The health check of both servers. It asks as ops over TCP: that user exists on the primary once it has been set up, and
# on the replica once replication has brought it; the entrypoint's temporary server listens on no port.
set -euo pipefail

MYSQL_PWD=$(cat /run/secrets/mysql-ops)
export MYSQL_PWD
ask=(mysql --host=127.0.0.1 --user=ops --get-server-public-key --batch --vertical)
if [[ ${1:-} == replica ]]; then
  status=$("${ask[@]}" --execute='SHOW REPLICA STATUS')
  [[ $status == *"Replica_IO_Running: Yes"* && $status == *"Replica_SQL_Running: Yes"* ]]
else
  "${ask[@]}" --execute='SELECT 1'
fi
