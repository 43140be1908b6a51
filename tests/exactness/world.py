"""One database in which every case has its schema, and the sessions that play the cases."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import psycopg
import yaml
from psycopg import sql

from tests.e2e.world import HASH_KEY, World
from tests.exactness import audit
from tests.exactness.cases import SECTIONS, STALE, Case, chosen_cases
from tidemark_contract.evolution import spec_at
from tidemark_contract.marks import MarkKind
from tidemark_contract.specs import TableSpec
from tidemark_source.copyout import copy_text
from tidemark_source.snapshots import hold, join

START = ("start", "--detach", "--checkpoint-interval", "1s")


class Exactness(World):
    """The cases, side by side."""

    cases: ClassVar[Sequence[Case]] = chosen_cases()
    lock_timeout: ClassVar[str] = "5s"
    server_settings: ClassVar[Mapping[str, str]] = {"max_connections": "300"}  # each case has its own
    witnessed: ClassVar[bool] = True  # what tables keep of the past is seen by triggers, too

    @cached_property
    def sessions(self) -> dict[tuple[str, str], psycopg.Connection[Any]]:
        """The applications' sessions, by case and name."""
        return {}

    @cached_property
    def seen(self) -> dict[int, dict[str, list[tuple[Any, ...]]]]:
        """What the witnesses had seen of each table, by mark of ours."""
        return {}

    def fill(self, connection: psycopg.Connection[Any]) -> None:
        for case in self.cases:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(case.name)))
        self.play("before")
        connection.execute(audit.SETUP)
        for case in self.cases:
            if case.keeps and self.witnessed and not case.protect:
                audit.watch(connection, case.name)

    def play(self, section: str) -> None:
        """Do what all cases do in a section; a transaction that is left open stays so until a later one ends it."""
        for case in self.cases:
            for block in case.sections[section]:
                send(self.session(case, block.session), block.text)

    def session(self, case: Case, name: str) -> psycopg.Connection[Any]:
        """Give one of a case's sessions."""
        if (case.name, name) not in self.sessions:
            options = f"-c search_path={case.name} -c lock_timeout={self.lock_timeout}"
            session = psycopg.connect(self.url("owner"), autocommit=True, options=options)
            self.sessions[case.name, name] = session
        return self.sessions[case.name, name]

    def amend_specs(self) -> None:
        """Add to the specs what the cases want them to say."""
        for case in self.cases:
            for file in (self.folder / "specs" / "shop").glob(f"{case.name}.*.yaml"):
                facts = yaml.safe_load(file.read_text()) | (yaml.safe_load(case.spec) or {})
                for column in facts["columns"]:
                    if how := case.protect.get(column["name"]):
                        column["protect"] = how
                file.write_text(yaml.safe_dump(facts, sort_keys=False))

    def close(self) -> None:
        """End the applications' sessions."""
        for session in self.sessions.values():
            session.close()

    def tables(self, case: Case) -> list[TableSpec]:
        """The case's tables, as they were when the mirror was set up."""
        return [spec for spec in self.spec.tables if spec.table.schema == case.name]

    def alters(self, spec: TableSpec) -> bool:
        """Tell whether the lake's rows may be others than the witness saw: columns change, or are protected."""
        if not self.witnessed:
            return True
        [case] = [case for case in self.cases if case.name == spec.table.schema]
        return bool(case.protect) or any(
            "ALTER TABLE" in block.text for name in SECTIONS[1:] for block in case.sections[name]
        )

    def _read_truth(self) -> int:
        """Of tables that only a person brings back there is no truth."""
        specs = [spec for case in self.cases if case.state != STALE for spec in self.tables(case)]
        url = self.url("capture")
        with (
            hold(url, "shop", [spec.table for spec in specs], MarkKind.VERIFY, plain=self.spec.plain) as held,
            join(url, held.id, "truth", key=HASH_KEY) as connection,
        ):
            self.truth[held.mark.id] = {
                str(spec.table): sorted(line.decode() for line in copy_text(connection, now))
                for spec in specs
                for now in [spec_at(spec, held.mark.catalog.table(spec.table))]
            }
            self.seen[held.mark.id] = audit.testimony(connection)
        return held.mark.id


def send(session: psycopg.Connection[Any], text: str) -> None:
    """Send a block; rows after COPY … FROM STDIN, else statements."""
    first, _, rest = text.partition("\n")
    if first.startswith("COPY"):
        with session.cursor().copy(first.encode()) as copy:
            copy.write(rest + "\n")
    else:
        session.execute(text.encode())
