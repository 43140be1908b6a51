#!/bin/sh
# As root: give the folders that are bound from the host to the uid that Airflow runs as, and go on as that uid.
set -eu
for folder in logs dags plugins config; do
  # What is right already is not touched: logs are many.
  find "/opt/airflow/$folder" \( ! -uid "$AIRFLOW_UID" -o ! -gid 0 \) -exec chown -h "$AIRFLOW_UID:0" {} +
done
exec setpriv --reuid "$AIRFLOW_UID" --regid 0 --clear-groups -- entrypoint.sh "$@"
