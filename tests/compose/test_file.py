"""What compose.yaml comes to, without an engine: who is who, who knows what, who reaches whom."""

import json
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from infra.compose import picture, prepare
from tests.compose.platform import AIRFLOWS, COMPOSE, FILE, SERVICES, Platform, make

LOOPBACK = "127.0.0.1"


@pytest.fixture
def planned(tmp_path: Path) -> Platform:
    return make(tmp_path / "place", "tidemark-test")


def networks(platform: Platform, name: str) -> set[str]:
    return set(platform.service(name)["networks"])


def secrets(platform: Platform, name: str) -> set[str]:
    return {secret["source"] for secret in platform.service(name).get("secrets", [])}


def database_url(platform: Platform, name: str) -> tuple[str, str]:
    """Give the URL that a service is told, and the file its password is read from."""
    *_, url, file = platform.service(name)["environment"]["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD"].split()
    return url, file


def test_every_folder_that_is_bound_is_there_and_none_would_be_made(planned: Platform) -> None:
    binds = [bind for name in (*AIRFLOWS, "init") for bind in planned.service(name)["volumes"]]

    assert {"logs", "dags", "plugins", "config", "specs"} == {Path(bind["source"]).name for bind in binds}
    assert [] == [bind["source"] for bind in binds if not Path(bind["source"]).is_dir()]
    assert [] == [bind for bind in binds if bind["bind"].get("create_host_path", True)]


@pytest.mark.parametrize(("uid", "shown"), [(1000, 1000), (0, 50000)])
def test_airflow_runs_as_whose_the_folders_are_and_never_as_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uid: int, shown: int
) -> None:
    monkeypatch.setattr("os.getuid", lambda: uid)
    platform = make(tmp_path / "place", "tidemark-test")

    assert {f"{shown}:0"} == {platform.service(name)["user"] for name in AIRFLOWS}
    assert str(shown) == platform.service("init")["environment"]["AIRFLOW_UID"]


def test_the_uid_of_the_image_is_what_it_is_without_a_setting(planned: Platform) -> None:
    file = planned.home / ".env"
    file.write_text("\n".join(line for line in file.read_text().splitlines() if "AIRFLOW_UID" not in line))

    assert "50000:0" == planned.service("worker")["user"]
    assert "USER 50000:0\n" in Path("infra/images/airflow/Dockerfile").read_text()


@pytest.mark.parametrize("overrides", [{}, {"TIDEMARK_DATABASE_USER": "other", "TIDEMARK_DATABASE": "its"}])
def test_the_database_and_who_connects_to_it_are_told_the_same(tmp_path: Path, overrides: dict[str, str]) -> None:
    platform = make(tmp_path / "place", "tidemark-test", **overrides)
    server = platform.service("postgres")["environment"]
    clients = [name for name in (*AIRFLOWS, "init") if "database-password" in secrets(platform, name)]

    assert ["api-server", "execution", "scheduler", "dag-processor", "triggerer", "init"] == clients
    for name in clients:
        url, file = database_url(platform, name)
        parts = urlsplit(url)
        assert (server["POSTGRES_USER"], f"/{server['POSTGRES_DB']}") == (parts.username, parts.path)
        assert (("postgres", 5432), server["POSTGRES_PASSWORD_FILE"]) == ((parts.hostname, parts.port), file)
        assert networks(platform, "postgres") & networks(platform, name)


def test_each_is_given_the_secrets_that_it_is_told_of_and_no_other(planned: Platform) -> None:
    for name in (*SERVICES, "init"):
        facts = planned.service(name)
        words = f"{facts.get('environment')} {facts.get('command')} {facts.get('healthcheck')}"
        given = secrets(planned, name) - {"admin-password"}
        assert given == {secret for secret in planned.config["secrets"] if f"/run/secrets/{secret}" in words}, name
    assert ["init"] == [name for name in (*SERVICES, "init") if "admin-password" in secrets(planned, name)]


def test_a_worker_cannot_reach_the_database(planned: Platform) -> None:
    assert not networks(planned, "worker") & networks(planned, "postgres")
    assert "SQL_ALCHEMY" not in str(planned.service("worker"))


def test_every_arrow_of_the_picture_can_be_gone(planned: Platform) -> None:
    calls = list(picture.calls())

    assert ("worker", "execution", "HTTP") in calls
    assert [] == [(one, two) for one, two, _ in calls if not networks(planned, one) & networks(planned, two)]


def test_only_this_host_reaches_a_port(planned: Platform) -> None:
    ports = {name: planned.service(name).get("ports", []) for name in (*SERVICES, "init")}

    assert {"api-server": [8080], "flower": [5555]} == {
        name: [port["target"] for port in published] for name, published in ports.items() if published
    }
    assert {LOOPBACK} == {port["host_ip"] for published in ports.values() for port in published}


def test_metrics_are_for_this_host_and_who_sends_them_reaches_them(planned: Platform) -> None:
    config = json.loads(planned.compose("--profile", "metrics", "config", "--format", "json").said)
    facts = config["services"]["metrics"]

    assert [(LOOPBACK, 8428)] == [(port["host_ip"], port["target"]) for port in facts["ports"]]
    assert [] == [name for name in AIRFLOWS if not networks(planned, name) & set(facts["networks"])]
    assert "metrics" not in planned.config["services"], "it is not there unless it is asked for"


def test_nothing_runs_with_a_password_that_was_not_drawn(tmp_path: Path) -> None:
    one, two = (make(tmp_path / name, "tidemark-test") for name in ("one", "two"))

    assert 7 == len(set(one.secrets)) == len(set(two.secrets))
    assert not set(one.secrets) & set(two.secrets)
    assert min(map(len, one.secrets)) >= 20
    (tmp_path / "one" / ".env").write_text(f"TIDEMARK_COMPOSE={tmp_path}\n")
    refusal = one.compose("config", check=False)
    assert refusal.code != 0
    assert "TIDEMARK_SPECS is missing a value: the folder with <source>/source.yaml" in refusal.said


def test_every_service_that_stays_has_a_health_check(planned: Platform) -> None:
    assert {*SERVICES, "init"} == set(planned.config["services"])
    assert all(planned.health_command(name)[0] for name in SERVICES)


def test_the_settings_are_kept_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    place = tmp_path / "place"
    file = prepare.prepare(place)
    drawn = prepare.read(file)
    file.write_text(file.read_text() + "TIDEMARK_AIRFLOW_PORT='9090'\n")
    file.chmod(0o644)

    prepare.prepare(place, tmp_path)

    again = prepare.read(file)
    assert {**drawn, "TIDEMARK_SPECS": str(tmp_path), "TIDEMARK_AIRFLOW_PORT": "9090"} == again
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


def test_the_lines_of_the_page_are_read_by_all_and_the_workers_by_the_worker_alone(planned: Platform) -> None:
    sections = picture.PAGE.read_text().split("\n## ")
    told_of = [
        section for section in sections if section.startswith(("Results and logs on S3\n", "Secrets\n", "Metrics\n"))
    ]
    lines = "".join(section.split("```bash\n")[1].split("```")[0] for section in told_of)
    assert (3, 15) == (len(told_of), len(lines.splitlines()))
    (planned.home / "airflow.env").write_text(lines)
    (planned.home / "worker.env").write_text("TIDEMARK_LAKE=s3://lake/prefix\n")
    told = {name: planned.service(name)["environment"] for name in (*AIRFLOWS, "init")}

    for name, _, value in (line.partition("=") for line in lines.splitlines()):
        assert {value} == {facts.get(name) for facts in told.values()}
    assert ["worker"] == [name for name, facts in told.items() if "TIDEMARK_LAKE" in facts]


def test_a_new_fernet_key_stands_before_the_old_one_until_that_is_dropped(tmp_path: Path) -> None:
    """Each step may be done again: what was cut off goes on."""
    file = prepare.prepare(tmp_path / "place")
    old = prepare.read(file)
    for _ in range(2):
        prepare.rotate(file, "add")
    midst = prepare.read(file)
    both = midst["TIDEMARK_FERNET_KEY"].split(",")
    for _ in range(2):
        prepare.rotate(file, "drop")
    new = prepare.read(file)

    assert (2, old["TIDEMARK_FERNET_KEY"]) == (len(both), both[1])
    assert both[0] == new["TIDEMARK_FERNET_KEY"]
    assert 3 == len({settings[prepare.DIGEST] for settings in (old, midst, new)}), "a container would keep its old key"
    changed = ("TIDEMARK_FERNET_KEY", prepare.DIGEST)
    assert {n: v for n, v in old.items() if n not in changed} == {n: v for n, v in new.items() if n not in changed}
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


def test_two_folders_are_two_projects_and_one_stays_what_it_is(tmp_path: Path) -> None:
    files = [prepare.prepare(tmp_path / name) for name in ("one", "two", "one")]

    one, two, again = (
        json.loads(
            subprocess.run(
                [COMPOSE, "--env-file", str(file), "-f", str(FILE), "config", "--format", "json"],
                capture_output=True,
                check=True,
            ).stdout
        )["name"]
        for file in files
    )
    assert one == again != two
    assert one.startswith("tidemark-")


def test_specs_that_are_not_there_are_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="nowhere is no folder: TIDEMARK_SPECS has to be the one with"):
        prepare.prepare(tmp_path / "place", tmp_path / "nowhere")


def test_without_a_source_nothing_is_started(tmp_path: Path) -> None:
    """Init would end with it, and Compose say no more than that."""
    words = [sys.executable, str(Path(prepare.__file__)), str(tmp_path / "place")]

    refused = subprocess.run(words, capture_output=True, text=True, check=False)
    make(tmp_path / "place", "tidemark-test")
    taken = subprocess.run(words, capture_output=True, text=True, check=False)

    assert (1, 0) == (refused.returncode, taken.returncode)
    assert "no <source>/source.yaml in" in refused.stderr


def test_the_page_shows_the_services_as_they_are() -> None:
    assert picture.render() == picture.PAGE.read_text(encoding="utf-8")
