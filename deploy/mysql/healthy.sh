#!/bin/bash
# The health check of both servers. It logs in as ops over TCP. On the primary that user exists once the first start has made it, and on
# the replica once replication has brought it. The temporary server of the image's entrypoint listens on no port. The check does
# not ask whether the replica still replicates, because the shop goes on without it; `make replication` shows that.
set -euo pipefail

MYSQL_PWD=$(cat /run/secrets/mysql-ops)
export MYSQL_PWD
mysql --host=127.0.0.1 --user=ops --get-server-public-key --batch --execute='SELECT 1'
