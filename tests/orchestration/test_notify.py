"""Who has to know is told: a real HTTP server, a real SMTP server, and SNS as moto's server plays it."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from tests.ports import free_port
from tidemark_contract.errors import SettingsError
from tidemark_orchestration.notify import on_failure, tell_of_delay

CONTEXT = {
    "ti": SimpleNamespace(task_id="sync", try_number=3, log_url="http://airflow/log"),
    "run_id": "scheduled__1",
    "exception": "sync of shop: wal_level is replica",
}


def fail() -> None:
    from airflow.sdk import DAG

    for notifier in on_failure():
        notifier({**CONTEXT, "dag": DAG("sync_shop", schedule=None)})


def test_a_webhook_gets_a_card_and_its_text(webhook: list[dict[str, Any]]) -> None:
    fail()

    [told] = webhook
    for words in ("sync_shop: sync failed", "wal_level is replica", "try 3", "http://airflow/log"):
        assert words in told["text"]
        assert words in json.dumps(told["attachments"][0]["content"]["body"])


def test_a_run_that_is_late_is_told(webhook: list[dict[str, Any]]) -> None:
    tell_of_delay("sync_shop", "0:30:00")

    assert ["sync_shop is late\n\nA run of it has not ended after 0:30:00."] == [told["text"] for told in webhook]


def test_a_topic_gets_subject_and_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    try:
        _, port = server.get_host_and_port()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "eu-west-1",
        }.items():
            monkeypatch.setenv(name, value)
        topic = boto3.client("sns", "eu-west-1").create_topic(Name="pages")["TopicArn"]
        sqs = boto3.client("sqs", "eu-west-1")
        queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        boto3.client("sns", "eu-west-1").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        monkeypatch.setenv("TIDEMARK_NOTIFY", f"sns:{topic}")

        fail()

        [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    finally:
        server.stop()
    told = json.loads(message["Body"])
    assert "sync_shop: sync failed" == told["Subject"]
    assert "wal_level is replica" in told["Message"]


def test_an_address_gets_a_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    from aiosmtpd.controller import Controller

    got: list[Any] = []

    class Inbox:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            got.append(envelope)
            await asyncio.sleep(0)
            return "250 taken"

    port = free_port()
    inbox = Controller(Inbox(), hostname="127.0.0.1", port=port, ready_timeout=120)
    inbox.start()
    try:
        extra = json.dumps({"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.com"})
        connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
        monkeypatch.setenv("TIDEMARK_NOTIFY", "email:ops@example.com")

        fail()
    finally:
        inbox.stop()
    [mail] = got
    assert ["ops@example.com"] == mail.rcpt_tos
    assert b"sync_shop: sync failed" in mail.content


def test_a_place_that_is_none_is_told_with_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [] == on_failure({})
    with pytest.raises(SettingsError, match=r"pager:me is none of sns:<topic ARN>, webhook:<connection>"):
        on_failure({"TIDEMARK_NOTIFY": "pager:me"})
