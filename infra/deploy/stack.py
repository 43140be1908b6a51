"""What Terraform has made, as its output says: all that the later steps know of it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Registries:
    """The output `registries`: where images are pushed to, by name."""

    region: str
    images: Mapping[str, str]


@dataclass(frozen=True)
class Database:
    """Airflow's: `secret` is the ARN of the one that RDS keeps its owner's password in."""

    address: str
    database: str
    secret: str


@dataclass(frozen=True)
class Prepare:
    """On ECS: the definition of the task that makes Airflow's database ready, and where it runs."""

    cluster: str
    task: str
    subnets: tuple[str, ...]
    group: str


@dataclass(frozen=True)
class Stack:
    """The output `tidemark`; infra/terraform/modules/stack/outputs.tf says what each of it is."""

    name: str
    platform: str
    sources: tuple[str, ...]
    settings: Mapping[str, str]
    jobs: Mapping[str, str]
    plain_dags: tuple[str, ...]
    airflow: Mapping[str, str]
    buckets: Mapping[str, str]
    images: Mapping[str, str]
    cluster: str
    metadata: tuple[Database, ...]
    prepare: tuple[Prepare, ...]

    @classmethod
    def read(cls, output: Mapping[str, Any]) -> "Stack":
        """Take of an output what is known here."""
        known = {field.name: output[field.name] for field in fields(cls)}
        known |= {name: tuple(output[name]) for name in ("sources", "plain_dags")}
        databases = tuple(Database(**each) for each in output["metadata"])
        tasks = tuple(Prepare(**{**each, "subnets": tuple(each["subnets"])}) for each in output["prepare"])
        return cls(**{**known, "metadata": databases, "prepare": tasks})

    @property
    def region(self) -> str:
        """Say where it is."""
        return self.settings["AWS_REGION"]

    @property
    def lake(self) -> str:
        """Give the lake's address, s3://bucket/prefix."""
        return self.settings["TIDEMARK_LAKE"]

    def secret_of(self, source: str) -> str:
        """Name the secret with the settings of a source."""
        return f"{self.name}/sources/{source}"
