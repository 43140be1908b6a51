import struct
from pathlib import Path

from tidemark_streaming.checkpoints import completed, newest, prune
from tidemark_streaming.stores import local_url


def test_the_newest_is_the_one_with_the_highest_number_whatever_its_files_say_of_time(tmp_path: Path) -> None:
    _complete(tmp_path / "first" / "chk-9", 9)
    savepoint = _complete(tmp_path / "savepoint-abc-def", 12)
    _complete(tmp_path / "second" / "chk-11", 11)

    found = newest(local_url(tmp_path))

    assert found is not None
    assert (12, local_url(savepoint)) == (found.number, found.url)


def test_what_was_not_completed_is_not_restored(tmp_path: Path) -> None:
    """A killed JobManager leaves folders without metadata; a full disk leaves empty ones."""
    whole = _complete(tmp_path / "job" / "chk-3", 3)
    (tmp_path / "job" / "chk-4").mkdir()
    (tmp_path / "job" / "chk-5").mkdir()
    (tmp_path / "job" / "chk-5" / "_metadata").touch()

    assert [local_url(whole)] == [checkpoint.url for checkpoint in completed(local_url(tmp_path))]


def test_nothing_is_newest_where_nothing_is(tmp_path: Path) -> None:
    assert newest(local_url(tmp_path / "no such folder")) is None


def test_pruning_keeps_three_and_leaves_no_empty_folder(tmp_path: Path) -> None:
    for number in range(1, 6):
        _complete(tmp_path / f"job{number}" / f"chk-{number}", number)
        (tmp_path / f"job{number}" / "shared").mkdir()
    (tmp_path / "job5" / "chk-6").mkdir()
    savepoint = _complete(tmp_path / "savepoint-old", 2)

    prune(tmp_path)

    assert [3, 4, 5] == [checkpoint.number for checkpoint in completed(local_url(tmp_path))]
    assert ["job3", "job4", "job5"] == sorted(folder.name for folder in tmp_path.iterdir())
    assert not savepoint.exists()
    assert not (tmp_path / "job5" / "chk-6").exists()


def _complete(folder: Path, number: int) -> Path:
    folder.mkdir(parents=True)
    (folder / "_metadata").write_bytes(struct.pack(">iiq", 0x4960672D, 6, number) + b"the rest")
    return folder
