"""Who is told when a task has failed for good, or a run is late: TIDEMARK_NOTIFY, a list of where to, parted by commas.

- `sns:<topic ARN>`: an SNS topic, with the worker's own AWS credentials
- `webhook:<connection>`: the HTTP connection's URL, as a card for Teams with its text for everyone else
- `email:<address>`: by the connection `smtp_default`
"""

import os
from collections.abc import Mapping

from airflow.sdk.bases.notifier import BaseNotifier

from tidemark_contract.errors import SettingsError

VARIABLE = "TIDEMARK_NOTIFY"
_FAILED = "{{ dag.dag_id }}: {{ ti.task_id }} failed"
_REASON = "{{ exception }}\n\nrun {{ run_id }}, try {{ ti.try_number }}: {{ ti.log_url }}"
_KINDS = "sns:<topic ARN>, webhook:<connection>, email:<address>"


def on_failure(environment: Mapping[str, str] = os.environ) -> list[BaseNotifier]:
    """Give the callbacks of a task that fails: one for each place. Nothing is connected to yet."""
    return _notifiers(_FAILED, _REASON, environment)


def tell_of_delay(name: str, after: str) -> None:
    """Tell every place that a run of a DAG has not ended in its time; a deadline's callback."""
    tell(f"{name} is late", f"A run of it has not ended after {after}.")


def tell(subject: str, text: str) -> None:
    """Tell every place, now."""
    for notifier in _notifiers(subject, text, os.environ):
        notifier({})


def _notifiers(subject: str, text: str, environment: Mapping[str, str]) -> list[BaseNotifier]:
    """Give one notifier for each place; SettingsError names what is none."""
    places = [place.strip() for place in environment.get(VARIABLE, "").split(",")]
    return [_notifier(*place.partition(":")[::2], subject, text) for place in places if place]


def _notifier(kind: str, place: str, subject: str, text: str) -> BaseNotifier:
    # Imported here: each brings a provider, which parsing a DAG file need not pay for.
    if kind == "sns" and place.startswith("arn:"):
        from airflow.providers.amazon.aws.notifications.sns import SnsNotifier

        region = place.split(":")[3]
        return SnsNotifier(aws_conn_id=None, target_arn=place, subject=subject, message=text, region_name=region)
    if kind == "webhook" and place:
        from airflow.providers.http.notifications.http import HttpNotifier

        return HttpNotifier(http_conn_id=place, json=_card(subject, text))
    if kind == "email" and "@" in place:
        from airflow.providers.smtp.notifications.smtp import SmtpNotifier

        return SmtpNotifier(to=place, subject=subject, html_content=text.replace("\n", "<br>"))
    raise SettingsError(f"{VARIABLE}: {kind}:{place} is none of {_KINDS}")


def _card(subject: str, text: str) -> dict[str, object]:
    """Give what Teams shows, and beside it the text that other services take."""
    lines = [{"type": "TextBlock", "text": line, "wrap": True} for line in (subject, *text.split("\n\n"))]
    card = {"type": "AdaptiveCard", "version": "1.4", "body": lines}
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "text": f"{subject}\n\n{text}", "attachments": [attachment]}
