#!/bin/sh
# Run a part of the stream (`jobmanager`, `taskmanager`, `status` …), or what Flink's operator calls by the same name.
set -eu
case ${1:-} in
  kubernetes-jobmanager.sh | kubernetes-taskmanager.sh) exec "$FLINK_HOME/bin/$1" "$2" ;;
  sh | bash | python | java) exec "$@" ;;
  jobmanager | taskmanager) exec python -W ignore -m tidemark_streaming.pods "$@" ;;
  *) exec python -W ignore -m tidemark_streaming "$@" ;;
esac
