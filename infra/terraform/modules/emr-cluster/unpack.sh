#!/bin/bash
# Before a node takes work: each word is an archive and the folder that it becomes, s3://…/venv.tar.gz#/opt/tidemark.
set -euo pipefail
for word in "$@"; do
  archive=${word%%#*} folder=${word#*#}
  sudo mkdir -p "$folder"
  aws s3 cp --only-show-errors "$archive" /tmp/unpack
  case $archive in
    *.zip) sudo unzip -q -o /tmp/unpack -d "$folder" ;;
    *) sudo tar -xzf /tmp/unpack -C "$folder" ;;
  esac
  rm /tmp/unpack
done
