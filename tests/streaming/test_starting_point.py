"""Where a stream begins that a machine starts, however often, and wherever it was cut off."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tidemark_contract.errors import SettingsError
from tidemark_contract.layout import Layout
from tidemark_streaming.incarnations import Incarnations
from tidemark_streaming.starting_point import StartingPoint, starting_point


class Place:
    """A lake and a folder of checkpoints."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.layout = Layout(f"file://{folder}/lake", "shop")
        self.incarnations = Incarnations(self.layout)

    def checkpoints_of(self, incarnation: int) -> str:
        return (self.folder / "checkpoints" / f"{incarnation:06d}").as_uri()

    def begin(self, wanted: int, checkpoints_of: Callable[[int], str] | None = None) -> StartingPoint:
        return starting_point(
            self.incarnations,
            wanted,
            checkpoints_of=checkpoints_of or self.checkpoints_of,
            landing_of=self.layout.incarnation,
        )

    def complete(self, incarnation: int, number: int) -> str:
        folder = self.folder / "checkpoints" / f"{incarnation:06d}" / f"{incarnation:032x}" / f"chk-{number}"
        folder.mkdir(parents=True)
        (folder / "_metadata").write_bytes(struct.pack(">iiq", 0x4960672D, 6, number) + b"the rest")
        return folder.as_uri()

    def land(self, incarnation: int, name: str) -> None:
        folder = Path(self.layout.incarnation(incarnation).removeprefix("file://"))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_the_first_start_takes_the_first_incarnation(place: Place) -> None:
    assert StartingPoint(1, "") == place.begin(1)
    assert 1 == place.incarnations.current()


def test_a_start_that_was_killed_before_its_first_checkpoint_takes_no_second_incarnation(place: Place) -> None:
    place.begin(1)
    place.land(1, ".part-uuid-0-0.inprogress.x")

    assert StartingPoint(1, "") == place.begin(1)
    assert 1 == place.incarnations.current()


def test_it_goes_on_from_the_newest_checkpoint_as_often_as_it_is_started(place: Place) -> None:
    place.begin(1)
    place.complete(1, 6)
    newest = place.complete(1, 7)
    place.land(1, "part-uuid-0-0")

    assert StartingPoint(1, newest) == place.begin(1) == place.begin(1)
    assert 1 == place.incarnations.current()


def test_a_higher_number_begins_anew_and_once(place: Place) -> None:
    place.begin(1)
    place.complete(1, 7)

    assert StartingPoint(2, "") == place.begin(2)
    own = place.complete(2, 3)
    assert StartingPoint(2, own) == place.begin(2)
    assert 2 == place.incarnations.current()


def test_an_older_deployment_does_not_go_on_beside_a_newer_one(place: Place) -> None:
    place.begin(1)
    place.complete(1, 7)
    place.begin(2)

    with pytest.raises(SettingsError, match="incarnation 1 is to be run, but 2 has begun since"):
        place.begin(1)


def test_no_number_is_left_out(place: Place) -> None:
    with pytest.raises(SettingsError, match="incarnation 3 is to be run, but the next one is 1"):
        place.begin(3)
    assert 0 == place.incarnations.current()


def test_what_tidemark_start_has_begun_is_not_gone_on_with_from_nothing(place: Place) -> None:
    place.incarnations.take()

    with pytest.raises(SettingsError, match=r"incarnation 1 was begun by `tidemark start`.* ask for incarnation 2"):
        place.begin(1)


def test_another_folder_of_checkpoints_is_not_taken_for_an_empty_one(place: Place) -> None:
    """A mistyped bucket would lose what was sent before, and nobody would be told."""
    place.begin(1)
    place.complete(1, 7)

    with pytest.raises(SettingsError, match=r"keeps its checkpoints in .*/checkpoints/000001, and not in .*/typo"):
        place.begin(1, lambda incarnation: (place.folder / "typo").as_uri())


def test_checkpoints_that_are_gone_though_files_have_landed_are_missed(place: Place) -> None:
    place.begin(1)
    place.land(1, "part-uuid-0-0")

    with pytest.raises(SettingsError, match=r"has landed files, but .* holds none of its checkpoints: bring them back"):
        place.begin(1)


def test_of_two_that_begin_at_once_neither_is_refused_and_one_has_claimed(place: Place) -> None:
    """The other one goes on with it: it is the same deployment."""
    assert place.begin(1) == Place(place.folder).begin(1)
