#!/usr/bin/env bash
# Put together what a Spark that is not ours needs of ours, EMR's for one, in a new folder:
#
#     infra/images/package.sh FOLDER [PYTHON]
#
#     environment.tar.gz   for --archives: Python's packages from the lock and ours, but for Spark's own
#     *.whl                ours by themselves
#     submit.py            the entry point
#     jars/                Delta, ours, and what it takes to read from PostgreSQL
#
# The environment has no interpreter: PYTHON is where the cluster has its own, 3.11, /usr/bin/python3.11 if not said.
# Packages are built for this kind of machine: for Linux on x86-64 on one.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=$1
python=${2:-/usr/bin/python3.11}
uv=.tidemark/tools/bin/uv
own=$(command -v python3.11)
build="--build-constraints infra/local/requirements-build.lock"

[ ! -e "$target" ] || { echo "package.sh: $target is there already: name a new folder" >&2; exit 78; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for part in contract source jobs; do
  # shellcheck disable=SC2086
  "$uv" build --quiet --wheel --python "$own" $build --out-dir "$work/wheels" "$part"
done
"$uv" venv --quiet --relocatable --python "$own" "$work/environment"
# shellcheck disable=SC2086
"$uv" pip sync --quiet --python "$work/environment" --require-hashes $build jobs/requirements.lock
"$uv" pip uninstall --quiet --python "$work/environment" pyspark py4j
"$uv" pip install --quiet --python "$work/environment" --no-deps --no-index --find-links "$work/wheels" \
  tidemark-contract tidemark-source tidemark-jobs
# Neither the interpreter of this machine nor its paths go along.
find "$work/environment/bin" -mindepth 1 -delete
ln -s "$python" "$work/environment/bin/python"
printf 'home = %s\ninclude-system-site-packages = false\n' "$(dirname "$python")" > "$work/environment/pyvenv.cfg"

# Nor who has packed it, and when.
mkdir -p "$work/made/jars"
tar --create --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --exclude=__pycache__ -C "$work/environment" . |
  gzip --no-name > "$work/made/environment.tar.gz"
cp "$work"/wheels/*.whl jobs/submit.py "$work/made"
cp .tidemark/jars/spark/*.jar "$work/made/jars"
# Whole, or not at all: one that was cut off would be taken for done.
mkdir -p "$(dirname "$target")"
cp -R "$work/made" "$target.new.$$"
mv "$target.new.$$" "$target"
