"""A lake on S3: one reading of the environment for every engine, and errors that say what to do."""

import pytest

from tidemark_contract import s3
from tidemark_contract.errors import LakeRefused, LakeUnavailable, SettingsError
from tidemark_contract.s3 import S3Access, lake_error
from tidemark_contract.settings import Settings


def test_every_engine_is_told_the_same_place() -> None:
    access = S3Access.read({"AWS_ENDPOINT_URL": "http://127.0.0.1:9000", "AWS_DEFAULT_REGION": "eu-central-1"})

    hadoop, object_store = access.hadoop(), access.object_store()
    assert "http://127.0.0.1:9000" == hadoop["fs.s3a.endpoint"] == object_store["AWS_ENDPOINT_URL"]
    assert "eu-central-1" == hadoop["fs.s3a.endpoint.region"] == object_store["AWS_REGION"]
    assert ("true", "false") == (hadoop["fs.s3a.path.style.access"], hadoop["fs.s3a.connection.ssl.enabled"])
    assert access.plain_http


def test_the_endpoint_for_s3_goes_before_the_one_for_all_services() -> None:
    both = {"AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_S3": "https://s3"}

    assert S3Access("https://s3", "us-east-1") == S3Access.read(both)


def test_amazon_itself_wants_a_region() -> None:
    assert S3Access("", "eu-west-1") == S3Access.read({"AWS_REGION": "eu-west-1"})
    assert "fs.s3a.endpoint" not in S3Access("", "eu-west-1").hadoop()
    with pytest.raises(SettingsError, match="AWS_REGION is not set"):
        S3Access.read({})


@pytest.mark.parametrize(
    ("answer", "cure"),
    [
        ("404 Not Found: <Code>NoSuchBucket</Code>", "does not exist"),
        ("403 Forbidden: <Code>AccessDenied</Code>", "PutObject"),
        ("403 Forbidden: <Code>SignatureDoesNotMatch</Code>", "AWS_SECRET_ACCESS_KEY"),
        ("301 Moved Permanently: <Code>PermanentRedirect</Code>", "AWS_REGION"),
        ("Error performing PUT http://169.254.169.254/latest/api/token", "no credentials"),
    ],
)
def test_what_a_person_has_to_change_is_said(answer: str, cure: str) -> None:
    error = lake_error("s3://lake/x", answer)

    assert isinstance(error, LakeRefused)
    assert str(error).startswith("s3://lake/x: ")
    assert cure in str(error)


def test_all_else_may_pass_and_is_told_in_one_line() -> None:
    error = lake_error("s3://lake/x", "Generic S3 error\n \x1b[31m↳\x1b[0m timeout\nDebug source:\nGeneric {\n}")

    assert isinstance(error, LakeUnavailable)
    assert str(error).endswith("Generic S3 error ↳ timeout")


@pytest.mark.parametrize("lake", ["s3://lake", "s3://lake/", "s3://my.lake-1/team=a/mirror_2"])
def test_a_lake_on_s3_is_a_bucket_and_a_plain_prefix(lake: str) -> None:
    settings = Settings.read({"TIDEMARK_SPECS": "s", "TIDEMARK_STATE": "t", "TIDEMARK_LAKE": lake})

    assert lake.rstrip("/") == settings.lake


@pytest.mark.parametrize(
    "lake", ["s3://", "s3:///prefix", "s3://lake/a b", "s3://lake/a%20b", "s3://lake//a", "s3://l"]
)
def test_a_lake_that_engines_would_read_differently_is_refused(lake: str) -> None:
    with pytest.raises(SettingsError, match="TIDEMARK_LAKE is"):
        Settings.read({"TIDEMARK_SPECS": "s", "TIDEMARK_STATE": "t", "TIDEMARK_LAKE": lake})


def test_what_the_store_does_not_answer_is_asked_again_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(s3, "PATIENCE_S", 0.05)
    asked: list[int] = []

    def answer(after: int) -> str:
        asked.append(after)
        if len(asked) <= after:
            raise LakeUnavailable("not now")
        return "here"

    assert ("here", 3) == (s3.insist(lambda: answer(2)), len(asked))
    with pytest.raises(LakeUnavailable, match="not now"):
        s3.insist(lambda: answer(1000))
    with pytest.raises(LakeRefused):
        s3.insist(refuse)


def refuse() -> None:
    raise LakeRefused("never")
