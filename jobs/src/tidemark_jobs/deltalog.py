"""Delta tables through delta-rs, on `file://` and `s3://` alike."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import DeltaError

from tidemark_contract import s3
from tidemark_contract.errors import TidemarkError
from tidemark_contract.s3 import SCHEME, S3Access, lake_error
from tidemark_jobs import storage
from tidemark_jobs.logs import log

COMPACT_EVERY = 64
# What a compaction has replaced is told in checkpoints for so long.
SMALL = {"delta.deletedFileRetentionDuration": "interval 1 hour"}
# A file of that size is left alone: what is put together again and again is never much.
COMPACTED_BYTES = 4 << 20


def open_table(url: str, version: int | None = None) -> DeltaTable:
    """Open a table at a version (default: its newest); TableNotFoundError when there is none."""
    try:
        return DeltaTable(url, version=version, storage_options=storage_options(url))
    except OSError as error:
        raise lake_error(url, str(error)) from error


def entry(version: int) -> str:
    """Name the log entry of a version."""
    return f"_delta_log/{version:020d}.json"


@dataclass(frozen=True)
class OwnCommit:
    """A commit by delta-rs as one version and no later one, that knows itself again in the log.

    When its conditional PUT is repeated because the answer was lost, it meets its own object, and delta-rs says that
    somebody else was first.
    """

    url: str
    version: int
    name: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def properties(self) -> CommitProperties:
        """Give what delta-rs commits with."""
        return CommitProperties(custom_metadata={"attempt": self.name}, max_commit_retries=0)

    def stands(self) -> bool:
        """Tell whether it is this commit that has made the version."""
        return self.name.encode() in (storage.read(self.url, entry(self.version)) or b"")


def keep_small(url: str, version: int) -> None:
    """Put together, at some versions, what was appended file by file: to open a table is to read the names of all.

    No row changes. Whoever is beaten to it, or cut off, leaves it to the next one.
    """
    if not version or version % COMPACT_EVERY:
        return
    try:
        table = open_table(url)
        table.optimize.compact(target_size=COMPACTED_BYTES)
        table.create_checkpoint()
    except (DeltaError, TidemarkError, OSError) as error:
        log("compaction_left", level="warning", path=url, reason=str(error))


def storage_options(url: str) -> dict[str, Any] | None:
    """Give what delta-rs has to be told to reach a table; nothing for a local one."""
    if not url.startswith(SCHEME):
        return None
    access = S3Access.read()
    return access.object_store() | {
        "AWS_ALLOW_HTTP": str(access.plain_http).lower(),
        "connect_timeout": f"{s3.CONNECT_S}s",
        "timeout": f"{s3.ANSWER_S}s",
        "max_retries": str(s3.RETRIES),
        "retry_timeout": f"{s3.PATIENCE_S}s",
    }


def is_table(url: str) -> bool:
    """Tell whether there is a table."""
    return bool(DeltaTable.is_deltatable(url, storage_options=storage_options(url)))
