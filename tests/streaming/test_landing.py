from pathlib import Path

from tidemark_streaming.landing import hidden_files, sweep

_UUID = "0b6a4f5e-6d5c-4f0e-9b3a-2f1f6c7d8e9f"


def test_only_what_was_never_committed_and_is_still_there_is_swept(tmp_path: Path) -> None:
    """The restored job renames what its checkpoint had still to commit: that is no orphan."""
    landed = tmp_path / f"part-{_UUID}-0-1"
    landed.touch()
    orphan, pending = (tmp_path / f".part-{_UUID}-0-{n}.inprogress.{_UUID}" for n in (2, 3))
    orphan.touch()
    pending.touch()
    found = hidden_files(f"file://{tmp_path}")
    pending.rename(tmp_path / f"part-{_UUID}-0-3")

    assert [orphan, pending] == found
    assert 1 == sweep(found)
    assert [landed, tmp_path / f"part-{_UUID}-0-3"] == sorted(tmp_path.iterdir())


def test_a_folder_that_is_not_there_or_not_local_has_nothing_hidden(tmp_path: Path) -> None:
    assert [] == hidden_files(f"file://{tmp_path}/none") == hidden_files("s3://bucket/lake")
