"""`make compose-rotate` on the stack that runs: another key everywhere, everything encrypted anew, no value lost."""

import pytest

from tests.compose.conftest import wait_until_well
from tests.compose.platform import Platform

pytestmark = [
    pytest.mark.slow,
    pytest.mark.drawn(1, among="what is kept"),
    pytest.mark.integration,
    pytest.mark.timeout(1200),
]
KEY = "TIDEMARK_FERNET_KEY"
# Who has the key, by compose.yaml.
TOLD = ("api-server", "execution", "scheduler", "dag-processor", "triggerer")
KEPT = "SELECT password FROM connection WHERE conn_id = 'kept' UNION ALL SELECT val FROM variable WHERE key = 'kept'"


def test_a_new_key_takes_over_while_all_of_it_runs(platform: Platform) -> None:
    api, old = platform.api, platform.settings[KEY]
    made = {"connection_id": "kept", "conn_type": "http", "password": "a-password"}
    api._authorized("POST", "/api/v2/connections", made)
    api._authorized("POST", "/api/v2/variables", {"key": "kept", "value": "a-value"})
    before = kept(platform)

    platform.make("compose-rotate")

    new = platform.settings[KEY]
    assert ("," not in new, old != new) == (True, True)
    assert {new} == {platform.run_in(name, ["cat", "/run/secrets/fernet-key"]).said for name in TOLD}
    assert (2, set()) == (len(kept(platform)), before & kept(platform))
    wait_until_well(platform)
    for name in ("scheduler", "triggerer"):
        shown = platform.run_in(name, ["airflow", "connections", "get", "kept", "--output", "plain"]).said
        assert "a-password" in shown, name
    assert "a-value" == api._authorized("GET", "/api/v2/variables/kept")["value"]


def kept(platform: Platform) -> set[str]:
    """Give what SQL finds: ciphertext."""
    words = ["sh", "-c", f'exec psql -At -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "{KEPT}"']
    rows = platform.run_in("postgres", words).said.split()
    assert [] == [row for row in rows if not row.startswith("gAAAA")]
    return set(rows)
