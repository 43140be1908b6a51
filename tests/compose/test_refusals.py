"""What does not start, and says why: a folder that has another name, a password that is not there."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.compose.platform import Platform, make

pytestmark = pytest.mark.integration


@pytest.fixture
def planned(image: str, tmp_path: Path) -> Iterator[Platform]:
    made = make(tmp_path / "place", f"tidemark-test-{uuid4().hex[:8]}", TIDEMARK_AIRFLOW_IMAGE=image)
    yield made
    made.compose("down", "--volumes", "--remove-orphans", check=False)


def test_a_folder_that_is_not_there_is_refused_and_not_made(planned: Platform) -> None:
    """Docker would make one, of root's, and Airflow find no DAG in it."""
    folder = planned.home / "logs"
    folder.rename(planned.home / "log")

    refused = planned.compose("run", "--rm", "--no-deps", "init", "true", check=False)

    assert refused.code != 0
    assert f"bind source path does not exist: {folder}" in refused.said
    assert not folder.exists()


def test_nothing_starts_without_its_password(planned: Platform) -> None:
    file = planned.home / ".env"
    file.write_text("\n".join(line for line in file.read_text().splitlines() if "FERNET_KEY" not in line))

    refused = planned.compose("run", "--rm", "--no-deps", "init", "true", check=False)

    assert refused.code != 0
    assert '"TIDEMARK_FERNET_KEY" required by secret' in refused.said
