#!/bin/sh
# Make PgBouncer's settings of what the container is told, in /tmp, which has to be memory: the password is in them.
set -eu
umask 0077
password=$(cat /etc/tidemark/secrets/database-password)
if [ -z "$password" ]; then
  echo "pgbouncer: /etc/tidemark/secrets/database-password is empty" >&2
  exit 78
fi
printf '"%s" "%s"\n' "$DATABASE_USER" "$(printf %s "$password" | sed 's/"/""/g')" > /tmp/users
cat > /tmp/pgbouncer.ini <<INI
[databases]
$DATABASE_NAME = host=$DATABASE_HOST port=$DATABASE_PORT

[pgbouncer]
listen_addr = ${LISTEN_ADDRESS:-0.0.0.0}
listen_port = 6432
unix_socket_dir =
auth_type = scram-sha-256
auth_file = /tmp/users
stats_users = $DATABASE_USER
pool_mode = transaction
default_pool_size = $POOL_SIZE
max_client_conn = $MAX_CLIENTS
server_tls_sslmode = $DATABASE_SSLMODE
log_connections = 0
log_disconnections = 0
INI
exec pgbouncer /tmp/pgbouncer.ini
