"""The versions of the DAG files as Airflow's DAG processor and its workers take them.

AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST='[{"name": "tidemark",
  "classpath": "tidemark_orchestration.bundles.bundle.VersionedS3Bundle",
  "kwargs": {"url": "s3://bucket/dags"}}]'
"""

from functools import cached_property
from pathlib import Path
from typing import Any

from airflow.dag_processing.bundles.base import BaseDagBundle, BundleVersion
from airflow.providers.amazon.aws.hooks.s3 import S3Hook

from tidemark_orchestration.bundles.local import materialize, tidy
from tidemark_orchestration.bundles.store import Store


class VersionedS3Bundle(BaseDagBundle):
    """A run goes on with the version that it began with, while another is promoted.

    `aws_conn_id` names Airflow's connection to S3; by default what boto3 finds, on AWS the process's own role.
    """

    supports_versioning = True

    def __init__(self, *, url: str, aws_conn_id: str | None = None, **facts: Any) -> None:
        super().__init__(**facts)
        self.url = url
        self.aws_conn_id = aws_conn_id
        self._newest = ""

    def initialize(self) -> None:
        """Have the files of the version that is wanted, or of the one that is promoted."""
        if self.version:
            materialize(self._store, self.version, self.versions_dir)
        else:
            self.refresh()
        super().initialize()

    def refresh(self) -> None:
        """Go over to the version that is promoted by now."""
        if self.version:
            raise RuntimeError(f"{self.name} is at version {self.version}, which never changes")
        with self.lock():
            version = self._store.current()
            materialize(self._store, version, self._tracked)
            tidy(self._tracked)
            self._newest = version

    def get_current_version(self) -> BundleVersion:
        """Name the version whose files are here."""
        return BundleVersion(self.version or self._newest or self._store.current())

    @property
    def path(self) -> Path:
        """The folder of its files; of the promoted version another one after each promotion: files are never mixed."""
        return self.versions_dir / self.version if self.version else self._tracked / self._newest

    @cached_property
    def _store(self) -> Store:
        return Store(self.url, S3Hook(aws_conn_id=self.aws_conn_id).get_conn())

    @property
    def _tracked(self) -> Path:
        """Beside `versions_dir`, which Airflow clears of what no task has used for long."""
        return self.base_dir / "tracked"
