#!/usr/bin/env bash
# Build an image from the checkout and from the jars that `make setup-s3` has fetched and checked.
#
#     infra/images/build.sh airflow|flink|spark TAG
#
# The context is put together here, of what the image is made of and nothing else: jars lie in .tidemark, which may be a
# link, and neither environments nor secrets are ever sent to the engine. The classic builder does.
set -euo pipefail
cd "$(dirname "$0")/../.."
image=$1
tag=$2

common="infra/local/requirements-uv.lock infra/local/requirements-build.lock infra/images/$image contract/pyproject.toml contract/src"
case $image in
  airflow)
    paths="$common orchestration/pyproject.toml orchestration/requirements.lock orchestration/src orchestration/dags"
    ;;
  flink)
    paths="$common streaming/pyproject.toml streaming/requirements.lock streaming/src streaming/application.py streaming/jars .tidemark/jars/flink .tidemark/plugins/flink"
    ;;
  spark)
    paths="$common source/pyproject.toml source/src jobs/pyproject.toml jobs/requirements.lock jobs/src jobs/submit.py jobs/jars console/pyproject.toml console/src .tidemark/jars/spark .tidemark/jars/spark-s3"
    ;;
  *)
    echo "build.sh: there is no image $image: airflow, flink, spark" >&2
    exit 78
    ;;
esac

revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
# An archive of classes (.jsa) fits one build of Java, which is not the image's.
# shellcheck disable=SC2086
tar --create --dereference --exclude='*.jsa' --exclude=__pycache__ --transform='s,^\.tidemark/,home/,' $paths |
  DOCKER_BUILDKIT=${DOCKER_BUILDKIT:-0} docker build --quiet --tag "$tag" \
    --label "org.opencontainers.image.revision=$revision" --file "infra/images/$image/Dockerfile" -
