"""The words of spark-submit for a job that runs elsewhere; every target takes the same."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tidemark_contract.argv import Job
from tidemark_contract.errors import SettingsError
from tidemark_contract.outcome import ADDRESS
from tidemark_contract.settings import SECRETS

ENTRY, SPECS, SECRET = "TIDEMARK_SPARK_ENTRY", "TIDEMARK_SPARK_SPECS", "TIDEMARK_SPARK_SECRETS"
PYTHON, CONF, LOGS = "TIDEMARK_SPARK_PYTHON", "TIDEMARK_SPARK_CONF", "TIDEMARK_SPARK_LOGS"
_LISTS = {"TIDEMARK_SPARK_ARCHIVES": "--archives", "TIDEMARK_SPARK_JARS": "--jars"}
_MEANING = {
    ENTRY: "jobs/submit.py where the target finds it, s3://… or local:///…",
    SPECS: "the folder with <source>/source.yaml as the job sees it, ./specs for an archive …#specs",
    SECRET: "where the job finds its secret settings: the name of a secret, never one itself",
}
_HANDED_ON = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")


def needed(meaning: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Give settings that have to be there; SettingsError names all that are not."""
    if missing := [f"{name} is not set: {what}" for name, what in meaning.items() if not environment.get(name)]:
        raise SettingsError("\n".join(missing))
    return {name: environment[name] for name in meaning}


@dataclass(frozen=True)
class SparkSubmit:
    """What of a spark-submit is the same for all jobs of an installation."""

    entry: str
    words: tuple[str, ...]
    variables: Mapping[str, str] = field(repr=False)

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "SparkSubmit":
        """Read TIDEMARK_SPARK_*; SettingsError. No value may have a space: AWS takes all words as one text."""
        found = needed(_MEANING, environment)
        words: list[str] = []
        for name, flag in _LISTS.items():
            if value := environment.get(name):
                words += [flag, _plain(name, value)]
        for fact in environment.get(CONF, "").split():
            if not re.fullmatch(r"spark\.[^=]+=.*", fact):
                raise SettingsError(f"{CONF} has {fact!r}: write spark.executor.memory=4g, several parted by spaces")
            words += ["--conf", _plain(CONF, fact)]
        variables = {
            "TIDEMARK_LAKE": environment.get("TIDEMARK_LAKE", ""),
            "TIDEMARK_SPECS": _plain(SPECS, found[SPECS]),
            "TIDEMARK_STATE": "./state",
            SECRETS: _plain(SECRET, found[SECRET]),
            **{name: environment[name] for name in _HANDED_ON if environment.get(name)},
        }
        if python := environment.get(PYTHON):
            variables |= {"PYSPARK_PYTHON": _plain(PYTHON, python), "PYSPARK_DRIVER_PYTHON": python}
            words += ["--conf", f"spark.executorEnv.PYSPARK_PYTHON={python}"]
        return cls(_plain(ENTRY, found[ENTRY]), tuple(words), variables)

    def environment(self, outcome: str, job: Job) -> dict[str, str]:
        """Give the driver's variables."""
        return {**self.variables, SECRETS: job.at(self.variables[SECRETS]), ADDRESS: outcome}

    def parameters(self, driver_variable: str, outcome: str, job: Job) -> list[str]:
        """Give the words before the entry point; `driver_variable` begins the setting of one of the driver's."""
        settings = [f"{driver_variable}{name}={value}" for name, value in self.environment(outcome, job).items()]
        return [*self.words, *(word for setting in settings for word in ("--conf", setting))]


def _plain(name: str, value: str) -> str:
    if re.search(r"[\s\"'\\]", value):
        raise SettingsError(f"{name} has {value!r}: write it without spaces, quotes and backslashes")
    return value


def logs_to(environment: Mapping[str, str]) -> dict[str, Any]:
    """Give AWS's word for where the logs of driver and executors go; nothing when it is not said."""
    if not (place := environment.get(LOGS)):
        return {}
    return {"monitoringConfiguration": {"s3MonitoringConfiguration": {"logUri": place}}}
