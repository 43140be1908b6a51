"""Secrets that are planted wherever one enters a platform, to be looked for in all that it tells."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from tidemark_contract.protection import HASH_KEY


def _draw() -> str:
    return "canary-" + secrets.token_hex(12)


@dataclass
class Canaries:
    """Each, by where it is planted."""

    known: dict[str, str] = field(default_factory=dict)

    def draw(self, where: str) -> str:
        return self.known.setdefault(where, _draw())

    def environment(self) -> dict[str, str]:
        """Give what a worker is told, by its environment."""
        awkward = self.draw("a source's password with awkward characters") + "p@ss:/w%ord #?"
        self.known["the same as it stands in the URL"] = quote(awkward, safe="")
        environment = {
            "TIDEMARK_SOURCE_SHOP_URL": f"postgresql://capture:{self.draw('a source URL')}@db:5432/shop",
            "TIDEMARK_SOURCE_SHOP_ADMIN_URL": f"postgresql://owner:{quote(awkward, safe='')}@db:5432/shop",
            "TIDEMARK_SOURCE_CRM_URL": f"postgresql://capture@db/crm?password={self.draw('a query of a source URL')}",
            "TIDEMARK_SOURCE_ATTIC_URL": f"host=db user=me password='{self.draw('words instead of a source URL')}'",
            "AWS_SECRET_ACCESS_KEY": self.draw("a key of AWS"),
            "AWS_SESSION_TOKEN": self.draw("a session token of AWS"),
            HASH_KEY: f"v1:{self.draw('a hash key')}",
        }
        for name in ("FROM_ENV", "FROM_ENV_JSON"):
            environment[f"AIRFLOW_CONN_{name}"] = json.dumps(self.connection(f"the environment's {name}"))
            environment[f"AIRFLOW_VAR_TOKEN_{name}"] = self.draw(f"the environment's variable {name}")
        return environment

    def connection(self, where: str) -> dict[str, str]:
        extra = {"private_key": self.draw(f"extra of {where}")}
        return {
            "conn_type": "postgres",
            "host": "db",
            "login": "someone",
            "password": self.draw(f"password of {where}"),
            "extra": json.dumps(extra),
        }

    def found_in(self, text: str) -> Iterator[str]:
        """Name where those were planted that stand in a text."""
        yield from (where for where, value in self.known.items() if value in text)
