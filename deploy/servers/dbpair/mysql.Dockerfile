# The servers of tests. Making the data takes most of a MySQL server's first start, so it is a layer of the image: Docker makes it
# once a machine, and a server copies it when it first starts.
FROM mysql:9.7
RUN mysqld --no-defaults --user=root --datadir=/made --innodb-redo-log-capacity=32M --initialize-insecure && rm /made/auto.cnf
ENTRYPOINT ["sh", "-c", "if [ ! -e /var/lib/mysql/mysql ]; then \
  cp -a /made/. /var/lib/mysql/; \
  echo \"SET SESSION sql_log_bin = 0; \
    CREATE USER 'root'@'%' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD'; \
    GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION; \
    ALTER USER 'root'@'localhost' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';\" >/tmp/users.sql; \
  set -- --init-file=/tmp/users.sql \"$@\"; \
fi; \
exec docker-entrypoint.sh mysqld \"$@\"", "mysqld"]
