"""What the lake's tables are called among Airflow's assets."""

from airflow.sdk import Asset

from tidemark_contract.names import TableName, asset_uri, gold_alias


def silver_asset(source: str, table: TableName) -> Asset:
    """Give the asset that stands for one silver table."""
    uri = asset_uri(source, table)
    return Asset(uri=uri, name=uri)


def silver_asset_named(source: str, table: str) -> Asset:
    """Give it by the table's name as jobs write it."""
    return silver_asset(source, TableName.parse(table))


def mart_asset(source: str, mart: str) -> Asset:
    """Give the asset that stands for one mart."""
    uri = f"{gold_alias(source)}/{mart}"
    return Asset(uri=uri, name=uri)
