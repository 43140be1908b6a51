"""DAGs whose results, logs and secrets are looked for afterwards. (Airflow skips files without its name and "dag".)"""

import logging
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import DAG, BaseHook, BaseOperator, Variable

START = datetime(2026, 1, 1, tzinfo=UTC)


class Give(BaseOperator):
    """Give a text of some length."""

    def __init__(self, *, length: int, **facts: Any) -> None:
        super().__init__(**facts)
        self.length = length

    def execute(self, context: Any) -> str:
        self.log.info("a line of the %s task", self.task_id)
        return "r" * (context["params"].get("length") or self.length)


class Take(BaseOperator):
    """Read what another has given."""

    def execute(self, context: Any) -> int:
        return len(context["ti"].xcom_pull(task_ids="large"))


class Tell(BaseOperator):
    """Say every secret there is, in every way that a careless author might."""

    template_fields = ("told",)

    def __init__(self, *, told: str, **facts: Any) -> None:
        super().__init__(**facts)
        self.told = told

    def execute(self, context: Any) -> None:
        print("rendered", self.told)
        for name in context["params"]["connections"]:
            found = BaseHook.get_connection(name)
            print("printed", found.password, found.extra, found.get_uri())
            logging.getLogger("careless").warning("logged %s %s", found.password, found.extra_dejson)
        for name in context["params"]["variables"]:
            text = Variable.get(name)
            print("printed", text)
            self.log.info("logged %s", text)
        raise RuntimeError(f"{self.told} and {text}")


with DAG("results", schedule=None, start_date=START, params={"length": 0}):
    Give(task_id="small", length=100)
    Give(task_id="large", length=5000) >> Take(task_id="taken")

with DAG("telltale", schedule=None, start_date=START, params={"connections": [], "variables": []}):
    Tell(
        task_id="tell",
        told=(
            "{% for name in params.connections %}{{ conn.get(name).password }} {{ conn.get(name).extra }} {% endfor %}"
            "{% for name in params.variables %}{{ var.value.get(name) }} {% endfor %}"
        ),
    )
