#!/bin/sh
# Run an Airflow command, or with `sh`, `bash` or `python` in front any other.
set -eu
# Whoever runs the next container, as another uid of group 0, has to write in the same folders.
umask 0002
# Airflow's own image is often asked so.
[ "${1:-}" != airflow ] || shift
# A setting that lets strangers in, or has the queue give a task twice, is often made in a container that runs, for a
# moment.
case "${1:-} ${2:-}" in
  "api-server "* | "scheduler "* | "celery worker") python -m tidemark_orchestration.policy "$1" ;;
esac
case ${1:-} in
  sh | bash | python | python3) ;;
  # A worker that is told to end lets its tasks end: they must not have the signal themselves.
  celery) export DUMB_INIT_SETSID=0; set -- airflow "$@" ;;
  *) set -- airflow "$@" ;;
esac
exec dumb-init -- "$@"
