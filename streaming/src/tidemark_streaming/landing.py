"""What killed runs leave in a landing folder.

Flink writes into files that start with a dot, and renames them when their checkpoint is complete. A restore renames
those that its checkpoint had still to rename, so nothing is removed before the restored job runs; what was there before
it started and is hidden still belongs to nobody. On S3 such data are uploads never completed, which no listing shows: a
lifecycle rule of the bucket (AbortIncompleteMultipartUpload) removes them.
"""

from pathlib import Path

_HIDDEN = ".part-*.inprogress.*"


def hidden_files(folder_url: str) -> list[Path]:
    """List the in-progress files of a local landing folder; none for a folder on S3."""
    if not folder_url.startswith("file://"):
        return []
    return sorted(Path(folder_url.removeprefix("file://")).glob(_HIDDEN))


def sweep(files: list[Path]) -> int:
    """Remove those of the files that are still there; return how many."""
    orphans = [file for file in files if file.exists()]
    for file in orphans:
        file.unlink(missing_ok=True)
    return len(orphans)
