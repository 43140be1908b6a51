"""The Celery workers of one broker, asked and told by Celery's remote control, which Redis and RabbitMQ carry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tidemark_contract.errors import SettingsError
from tidemark_orchestration.scaler.plan import Steps, Workers

_UNTOLD = 1  # a worker that does not say what it has, has something


@dataclass(frozen=True)
class CeleryWorkers:
    """The workers that take from one queue, and those that take from none any more. `app` is Celery's."""

    app: Any
    queue: str
    timeout_s: float = 5.0

    def __post_init__(self) -> None:
        """SettingsError for a broker that carries no remote control: nothing could be drained."""
        scheme = str(self.app.conf.broker_url or "").partition(":")[0]
        if scheme == "sqs":
            raise SettingsError(
                "SQS carries no remote control of Celery's, so no worker can be told to take no more tasks: "
                "scale workers on a Redis broker, or keep their number fixed"
            )

    def look(self, asked_for: int) -> Workers:
        """Ask all workers; those of `asked_for` that do not answer count as starting, so that none is started twice."""
        inspect = self.app.control.inspect(timeout=self.timeout_s)
        queues: Mapping[str, Sequence[Mapping[str, Any]]] = inspect.active_queues() or {}
        told = [inspect.active() or {}, inspect.reserved() or {}]
        tasks = {name: sum(len(has[name]) if name in has else _UNTOLD for has in told) for name in queues}
        serving = {name: tasks[name] for name, taken in queues.items() if any(q["name"] == self.queue for q in taken)}
        draining = {name: tasks[name] for name, taken in queues.items() if not taken}
        return Workers(serving, draining, max(0, asked_for - len(serving) - len(draining)))

    def tasks(self) -> int:
        """Count what is in the queue, and what workers have taken from it."""
        workers = self.look(0)
        return self._queued() + sum(workers.serving.values()) + sum(workers.draining.values())

    def _queued(self) -> int:
        with self.app.connection_for_read() as connection:
            try:
                return int(connection.default_channel.queue_declare(self.queue, passive=True).message_count)
            except connection.channel_errors:  # Redis knows no queue that is empty
                return 0

    def tell(self, steps: Steps) -> None:
        """Let workers take no more tasks, take them again, or end; the latter lets a last task end before."""
        control = self.app.control
        if steps.enlist:
            control.add_consumer(self.queue, destination=list(steps.enlist), reply=True, timeout=self.timeout_s)
        if steps.drain:
            control.cancel_consumer(self.queue, destination=list(steps.drain), reply=True, timeout=self.timeout_s)
        if steps.end:
            control.shutdown(destination=list(steps.end))
