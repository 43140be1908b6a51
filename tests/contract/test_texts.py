"""COPY text, types, argv and settings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidemark_contract.argv import JOBS, Job, parse
from tidemark_contract.copytext import decode_row, encode_row
from tidemark_contract.errors import SettingsError
from tidemark_contract.secrecy import striker
from tidemark_contract.settings import Settings
from tidemark_contract.types import silver_type

TEXTS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"])) | st.text("\\\b\f\n\r\t\vN")


@given(st.lists(st.none() | TEXTS, min_size=1))
def test_a_row_of_copy_text_reads_back(row: list[str | None]) -> None:
    line = encode_row(row)

    assert row == decode_row(line)
    assert "\n" not in line


@pytest.mark.parametrize(
    ("postgres", "spark"),
    [
        ("integer", "int"),
        ("numeric(12,2)", "decimal(12,2)"),
        ("numeric(38,0)", "decimal(38,0)"),
        ("numeric(39,0)", "string"),
        ("numeric(3,-2)", "string"),
        ("numeric(2,5)", "string"),
        ("numeric", "string"),
        ("timestamp with time zone", "timestamp"),
        ("timestamp(3) without time zone", "timestamp_ntz"),
        ("time with time zone", "string"),
        ("character(5)", "string"),
        ("integer[]", "string"),
        ("public.mood", "string"),
    ],
)
def test_every_type_has_a_silver_type(postgres: str, spark: str) -> None:
    assert spark == silver_type(postgres).spark


@given(
    st.builds(
        Job,
        st.sampled_from(sorted(JOBS)),
        st.just("shop"),
        st.lists(st.sampled_from(["public.orders", '"-x"."--y"', "--source"])).map(tuple),
        st.none() | st.integers(0, 1 << 40),
        st.just(False),
        st.integers(0, 9999),
        subject=st.sampled_from([None, "/a folder/subject.yaml", "--odd"]),
        dry_run=st.booleans(),
    )
)
def test_a_job_reads_back_from_its_command_line(job: Job) -> None:
    assert job == parse(job.argv())


def test_a_continuous_job_reads_back() -> None:
    job = Job("sync", "shop", continuous=True, pause_s=2.5)
    assert job == parse(job.argv())


def test_a_guard_is_the_consoles_and_every_other_job_that_of_the_jobs() -> None:
    assert ["-m", "tidemark", "guard", "--source", "shop", "--json"] == Job("guard", "shop").command()
    assert {"tidemark_jobs"} == {Job(name, "shop").command()[1] for name in JOBS}


def test_a_paced_job_reads_back() -> None:
    job = Job("verify", "shop", pace=0.5, limit=60)
    assert job == parse(job.argv())


def test_settings_tell_everything_that_is_missing_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        Settings.read({"TIDEMARK_LAKE": "/tmp/lake"})
    assert ["TIDEMARK_SPECS", "TIDEMARK_STATE", "TIDEMARK_LAKE"] == [
        line.split()[0] for line in str(error.value).split("\n")
    ]


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("postgresql://me:s3cret@host/db", "s3cret"),
        ("postgresql://me:s3%23cret@host/db?application_name=a@b", "s3#cret"),
        ("postgresql://me:s3#cr?t[@host/db", "s3#cr?t["),
        ("postgresql://me:s3@cret@host/db", "s3@cret"),
        ("postgresql://me@host/db?password=s3cret", "s3cret"),
    ],
)
def test_a_password_is_struck_out_wherever_libpq_takes_it(url: str, password: str) -> None:
    strike_out = striker({"TIDEMARK_SOURCE_SHOP_URL": url})

    assert "refused: ***" == strike_out(f"refused: {password}")
    assert "***" in strike_out(url)


def test_settings_do_not_print_secrets() -> None:
    environment = {"TIDEMARK_SPECS": "s", "TIDEMARK_LAKE": "file:///l", "TIDEMARK_STATE": "t"}
    secret = "postgresql://me:secret@host/db"
    settings = Settings.read({**environment, "TIDEMARK_SOURCE_SHOP_URL": secret})

    assert "secret" not in repr(settings)
    assert secret == settings.source_url("shop") == settings.admin_url("shop")
    with pytest.raises(SettingsError, match="TIDEMARK_SOURCE_OTHER_URL"):
        settings.source_url("other")
