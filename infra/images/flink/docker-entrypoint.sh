#!/bin/sh
# Run a part of the stream (`jobmanager`, `taskmanager`, `status` …), or what Flink's operator asks for, by a shell.
set -eu
case ${1:-} in
  jobmanager | taskmanager) exec python -W ignore -m tidemark_streaming.pods "$@" ;;
  bash)
    # The operator's pods begin with Flink's scripts, and not with ours: the password has to be there before.
    [ -z "${TIDEMARK_SOURCE:-}" ] || python -W ignore -m tidemark_streaming.passwords "$TIDEMARK_SOURCE"
    exec "$@"
    ;;
  sh | python | java) exec "$@" ;;
  *) exec python -W ignore -m tidemark_streaming "$@" ;;
esac
