#!/bin/bash
# The image's entrypoint executes this when the replica has no data yet. It only names the source: replication starts with the server's
# next start, which is the first real one. Nothing may be written to the binary log here, because the primary would lack that
# transaction.
#
# super_read_only is set here, for all later starts. In the configuration file it would also hold for the entrypoint, which has to create
# root.
set -euo pipefail

MYSQL_PWD=$(cat /run/secrets/mysql-root)
export MYSQL_PWD
mysql --user=root --socket=/var/run/mysqld/mysqld.sock <<SQL
CHANGE REPLICATION SOURCE TO
  SOURCE_HOST = 'primary', SOURCE_PORT = 3306,
  SOURCE_USER = 'replicator', SOURCE_PASSWORD = '$(cat /run/secrets/mysql-replicator)',
  SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1,
  SOURCE_CONNECT_RETRY = 1, SOURCE_RETRY_COUNT = 86400;
SET PERSIST_ONLY read_only = ON;
SET PERSIST_ONLY super_read_only = ON;
SQL
