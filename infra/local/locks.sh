#!/usr/bin/env bash
# Solve every requirements*.in into its lock. A lock that comes out the same is left alone: its date decides what
# `make setup` installs again. --upgrade moves what is not pinned.
set -euo pipefail
cd "$(dirname "$0")/../.."
uv=$PWD/.tidemark/tools/bin/uv

for folder in infra/local infra/deploy jobs streaming orchestration tests/infra tests/infra/scan; do
  # In this order: a test lock is held to the versions of its runtime lock.
  for name in requirements-uv requirements-build requirements requirements-test; do
    [ -e "$folder/$name.in" ] || continue
    new=$folder/$name.lock.new
    [ ! -e "$folder/$name.lock" ] || cp "$folder/$name.lock" "$new"
    (cd "$folder" && "$uv" pip compile --quiet --universal --generate-hashes --python-version 3.11 \
      --no-emit-index-url --no-header "$@" "$name.in" --output-file "$name.lock.new")
    if cmp -s "$new" "$folder/$name.lock"; then
      rm "$new"
    else
      mv "$new" "$folder/$name.lock"
      echo "locks: $folder/$name.lock changed"
    fi
  done
done
