#!/bin/bash
# The image's entrypoint executes this when the primary has no data yet. It makes schemas and users, from the template beside this file and
# the mounted secrets. The statements go through the binary log, and so reach the replica.
set -euo pipefail

sql=$(cat /etc/oms/users.sql.template)
for file in /run/secrets/mysql-*; do
  sql=${sql//"{{${file##*/}}}"/$(cat "$file")}
done

MYSQL_PWD=$(cat /run/secrets/mysql-root)
export MYSQL_PWD
mysql --user=root --socket=/var/run/mysqld/mysqld.sock <<<"$sql"
