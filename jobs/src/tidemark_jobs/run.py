"""What one run of a job works with."""

from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import SparkSession

from tidemark_contract.argv import Job
from tidemark_contract.layout import Layout
from tidemark_contract.settings import Settings
from tidemark_contract.specs import SourceSpec, load_source
from tidemark_jobs.control import Control
from tidemark_jobs.session import build_session


@dataclass(frozen=True)
class Run:
    """One job on one source: where things are, and the engines, started when first used."""

    job: Job
    settings: Settings

    @cached_property
    def spec(self) -> SourceSpec:
        """The source and its tables."""
        return load_source(self.settings.specs / self.job.source)

    @cached_property
    def layout(self) -> Layout:
        """The source's places in the lake."""
        return Layout(self.settings.lake, self.job.source)

    @cached_property
    def control(self) -> Control:
        """What is published."""
        return Control(self.layout)

    @cached_property
    def url(self) -> str:
        """The capture role's connection to the source; holds a secret."""
        return self.settings.source_url(self.job.source)

    @cached_property
    def spark(self) -> SparkSession:
        """The Spark session."""
        return build_session(f"tidemark {self.job.name} {self.job.source}", self.settings.lake)
