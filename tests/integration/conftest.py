from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from tests.integration.containers import postgres_container, s3_container
from tests.integration.mirror import Mirror
from tests.integration.places import EMBEDDED
from tests.integration.proxy import FaultyS3, behind
from tests.integration.s3 import BUCKET, S3Server, moto_server
from tidemark.local.home import home
from tidemark.local.postgres import EmbeddedPostgres
from tidemark_jobs.session import build_session


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with moto_server(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture(scope="session")
def faulty_s3(moto: S3Server) -> Iterator[FaultyS3]:
    with behind(moto) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def spark_on_s3(faulty_s3: FaultyS3) -> Iterator[SparkSession]:
    """A Spark in this process, with all its ways to S3 through the proxy, which S3A tries few times."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in faulty_s3.environment.items():
            if name.startswith("AWS_"):
                patch.setenv(name, value)
        with pytest.MonkeyPatch.context() as hurried:
            hurried.setattr("tidemark_contract.s3.PATIENCE_S", 2)
            spark = build_session("tests", f"s3://{BUCKET}")
        yield spark
        spark.stop()


@pytest.fixture(scope="session")
def contained_s3() -> Iterator[S3Server]:
    with s3_container() as server:
        yield server


@pytest.fixture(scope="module")
def mirror(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    """A source with tables and no mirror yet; what runs for it is stopped at the end."""
    folder = tmp_path_factory.mktemp("mirror")
    if request.param == EMBEDDED:
        server = EmbeddedPostgres(home() / "postgres" / "17", folder / "postgres")
        with server:
            yield from _made(Mirror(server.superuser_url, request.getfixturevalue("moto"), folder))
        server.remove()
        return
    with postgres_container(request.param) as superuser:
        prefix = request.param.replace(":", "/")
        yield from _made(Mirror(superuser, request.getfixturevalue("contained_s3"), folder, prefix))


def _made(mirror: Mirror) -> Iterator[Mirror]:
    mirror.make_source()
    yield mirror
    mirror.run("stop")
