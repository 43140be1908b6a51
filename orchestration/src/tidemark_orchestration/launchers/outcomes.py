"""The outcomes that jobs leave in the lake, read from Airflow's side."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tidemark_contract.errors import PlatformRefused, SettingsError
from tidemark_contract.layout import Layout
from tidemark_contract.outcome import Outcome
from tidemark_contract.s3 import SCHEME
from tidemark_orchestration.launchers.aws import PATIENT, aws_told, region_of


@dataclass(frozen=True)
class Outcomes:
    """The outcomes of a lake on S3: what a job writes from afar has to be where the worker can read it."""

    lake: str
    region: str | None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Outcomes":
        """Read TIDEMARK_LAKE; SettingsError."""
        lake = environment.get("TIDEMARK_LAKE", "").rstrip("/")
        if not lake.startswith(SCHEME):
            raise SettingsError(f"TIDEMARK_LAKE is {lake!r}: what runs elsewhere needs one there, s3://bucket/prefix")
        return cls(lake, region_of(environment))

    def address(self, source: str, name: str) -> str:
        """Name the object that a job is to write."""
        return Layout(self.lake, source).outcome(name)

    def look(self, source: str, name: str) -> Outcome | None:
        """Read an outcome; None when there is none."""
        bucket, key = self._place(source, name)
        with aws_told(f"s3://{bucket}/{key}"):
            try:
                text = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            except self._s3.exceptions.NoSuchKey:
                return None
        try:
            return Outcome.parse(text.decode())
        except ValueError as error:
            raise PlatformRefused(f"s3://{bucket}/{key} is {error}: delete it") from error

    def forget(self, source: str, name: str) -> None:
        """Delete one that was read, so that it does not count again."""
        bucket, key = self._place(source, name)
        with aws_told(f"s3://{bucket}/{key}"):
            self._s3.delete_object(Bucket=bucket, Key=key)

    def _place(self, source: str, name: str) -> tuple[str, str]:
        bucket, _, key = self.address(source, name).removeprefix(SCHEME).partition("/")
        return bucket, key

    @cached_property
    def _s3(self) -> Any:
        from airflow.providers.amazon.aws.hooks.s3 import S3Hook

        return S3Hook(region_name=self.region, config=PATIENT).get_conn()
