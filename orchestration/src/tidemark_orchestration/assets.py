"""What the lake's tables are called among Airflow's assets."""

from airflow.sdk import Asset

from tidemark_contract.names import TableName, asset_uri


def silver_asset(source: str, table: TableName) -> Asset:
    """Give the asset that stands for one silver table."""
    uri = asset_uri(source, table)
    return Asset(uri=uri, name=uri)


def mart_asset(source: str, mart: str) -> Asset:
    """Give the asset that stands for one mart."""
    uri = f"tidemark://gold/{source}/{mart}"
    return Asset(uri=uri, name=uri)
