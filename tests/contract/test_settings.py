"""Settings: a lake's URL is one that every engine reads the same way."""

import pytest

from tidemark_contract.errors import SettingsError
from tidemark_contract.settings import Settings


def settings(lake: str) -> Settings:
    return Settings.read({"TIDEMARK_SPECS": "s", "TIDEMARK_STATE": "t", "TIDEMARK_LAKE": lake})


@pytest.mark.parametrize("lake", ["file:///home/a%20b/lake", "file:///home/a b/lake/"])
def test_a_folder_with_a_blank_is_one_folder(lake: str) -> None:
    """Spark would make `a%20b`, delta-rs `a b`."""
    assert "file:///home/a b/lake" == settings(lake).lake


@pytest.mark.parametrize(
    "lake", ["file:///home/100%25/lake", "file:///a%23b", "file:///a?b", "file:///a*", "/a", "hdfs://a"]
)
def test_a_lake_that_the_engines_read_differently_is_refused(lake: str) -> None:
    with pytest.raises(SettingsError, match="TIDEMARK_LAKE is"):
        settings(lake)


def test_all_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.read({})

    assert 3 == len(str(caught.value).splitlines())
