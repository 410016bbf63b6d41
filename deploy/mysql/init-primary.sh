#!/bin/bash
# Executed by the image's entrypoint when the primary's data is new: schemas and users, from the template beside this
# file and the secrets that are mounted. They go through the binary log, and so reach the replica.
set -euo pipefail

sql=$(cat /etc/oms/users.sql.template)
for file in /run/secrets/mysql-*; do
  sql=${sql//"{{${file##*/}}}"/$(cat "$file")}
done

MYSQL_PWD=$(cat /run/secrets/mysql-root)
export MYSQL_PWD
mysql --user=root --socket=/var/run/mysqld/mysqld.sock <<<"$sql"
