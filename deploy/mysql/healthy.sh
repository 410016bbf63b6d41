#!/bin/bash
# The health check of both servers. It asks as ops over TCP: that user exists on the primary once it has been set up, and
# on the replica once replication has brought it; the entrypoint's temporary server listens on no port. Whether the replica
# still replicates is not asked: without it the shop goes on, and `make replication` tells.
set -euo pipefail

MYSQL_PWD=$(cat /run/secrets/mysql-ops)
export MYSQL_PWD
mysql --host=127.0.0.1 --user=ops --get-server-public-key --batch --execute='SELECT 1'
