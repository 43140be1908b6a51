import os
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.integration.containers import S3_IMAGE, build_s3_image, unavailable
from tests.kubernetes.cluster import Cluster, images, missing
from tests.kubernetes.shop import Shop
from tests.variants import ALL


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """A Kubernetes; it takes minutes, so it is not asked of a run of all suites."""
    if not ALL:
        pytest.skip("the suite is run among others: `make test-kubernetes` has the cluster too")
    if why := missing() or unavailable():
        pytest.skip(why)
    return Cluster.find()


@pytest.fixture(scope="session")
def named(cluster: Cluster) -> dict[str, str]:
    """The images that the cluster has, by chart; to load them takes longest of all."""
    flink, spark = images("flink", "spark")
    build_s3_image()
    cluster.load(flink, spark, S3_IMAGE, "postgres:17")
    return {"flink-pipeline": flink, "spark-job": spark, "s3": S3_IMAGE}


@pytest.fixture(scope="session")
def shop(cluster: Cluster, named: dict[str, str]) -> Iterator[Shop]:
    """A source with rows and a publication and a slot; nothing mirrors it yet."""
    name = os.environ.get("TIDEMARK_TEST_NAMESPACE") or f"tidemark-test-{uuid4().hex[:8]}"
    with Shop(cluster.within(name), named).open() as made:
        made.console("init", "init")
        yield made


@pytest.fixture(scope="session")
def mirror(shop: Shop) -> Shop:
    """Its stream runs, and its tables are copied."""
    shop.helm("flink-pipeline", "shop", {"source": "shop", "checkpointInterval": "2s"})
    status = shop.landing()
    assert (1, 1) == (status["incarnation"], int(status["job"], 16))
    assert 2020 == shop.job("copy")["rows"]
    return shop
