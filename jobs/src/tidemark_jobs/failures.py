"""What an engine says when S3 or the source does not answer, as the error that tells an operator what to do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from deltalake.exceptions import TableNotFoundError

from tidemark_contract.errors import LakeDamaged, SnapshotGivenUp, SourceUnavailable, TidemarkError
from tidemark_contract.s3 import lake_error

_OF_S3 = re.compile(
    r"Generic S3 error|Object [Ss]tore error"  # delta-rs and obstore
    r"|(org\.apache\.hadoop\.fs\.s3a\.(AWS|HttpChannel)\w+|software\.amazon\.awssdk\.[\w.]+Exception)"  # S3A
)
_NOT_THERE = re.compile(r"FileNotFoundException|FILE_NOT_EXIST|status: 404|NoSuchKey")
# io.tidemark.spark.copy.CopyFailedException
_OF_COPY = re.compile(r"COPY of query\.\d+ failed after \d+ rows: \[SQLSTATE (?P<state>\w+)\] (?P<words>.*)")
# Lost, ended, full, and a lock that was not to be had; without a state, pgjdbc's own words.
_PASSING = re.compile(r"null|08...|57P..|57014|53...|25P0[34]|55P03|40...")
_SNAPSHOT_GONE = re.compile(r"22023|42704|55000")


@contextmanager
def engines_told(lake: str, source: str = "") -> Iterator[None]:
    """Turn what Spark, delta-rs and obstore say of S3, and Spark of a COPY; `source` names it in the message."""
    try:
        yield
    except TidemarkError:
        raise
    except Exception as error:
        if told := _told(str(error), lake, source):
            raise told from error
        raise


@contextmanager
def intact(url: str) -> Iterator[None]:
    """Say of a table that is there and cannot be read that it is damaged; not where S3 only does not answer."""
    try:
        yield
    except (TidemarkError, TableNotFoundError):
        raise
    except Exception as error:
        words = str(error)
        if url.startswith("s3") and (told := _told(words, url, "")):
            raise told from error
        raise damaged(url, " ".join(words.partition("\n")[0].split())[:300]) from error


def damaged(url: str, why: str) -> LakeDamaged:
    """Give the error, with the cure."""
    cure = "put its files back as they were (a bucket with versions has them, docs/architecture.md#a-damaged-table)"
    return LakeDamaged(f"{url} is there, and cannot be read: {why}; {cure}")


def _told(words: str, lake: str, source: str) -> TidemarkError | None:
    if found := _OF_COPY.search(words):
        if _SNAPSHOT_GONE.fullmatch(found["state"]):
            return SnapshotGivenUp(f"{source}: the snapshot is gone: its holder let go or died; start again")
        return SourceUnavailable(f"{source}: {found[0]}") if _PASSING.fullmatch(found["state"]) else None
    if (found := _OF_S3.search(words)) and not _NOT_THERE.search(words):
        return lake_error(lake, words[found.start() :])
    return None
