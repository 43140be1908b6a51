"""Delta tables through delta-rs, on `file://` and `s3://` alike."""

from typing import Any

from deltalake import DeltaTable

from tidemark_contract.s3 import SCHEME, S3Access, lake_error


def open_table(url: str, version: int | None = None) -> DeltaTable:
    """Open a table at a version (default: its newest); TableNotFoundError when there is none."""
    try:
        return DeltaTable(url, version=version, storage_options=storage_options(url))
    except OSError as error:
        raise lake_error(url, str(error)) from error


def storage_options(url: str) -> dict[str, Any] | None:
    """Give what delta-rs has to be told to reach a table; nothing for a local one."""
    if not url.startswith(SCHEME):
        return None
    access = S3Access.read()
    return access.object_store() | {"AWS_ALLOW_HTTP": str(access.plain_http).lower()}


def is_table(url: str) -> bool:
    """Tell whether there is a table."""
    return bool(DeltaTable.is_deltatable(url, storage_options=storage_options(url)))
