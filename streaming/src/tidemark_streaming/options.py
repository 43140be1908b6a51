"""What one submission of the pipeline is made of, as a JSON file. It holds no secret."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

# Name and uid of the source: its state in a savepoint, and its metrics, are found by it.
SOURCE_NAME = "postgres"
DEFAULT_INTERVAL = "10s"


@dataclass(frozen=True)
class PipelineOptions:
    """One run of the stream of one source.

    `landing` and `checkpoints` are URLs of folders, `restore` that of a checkpoint or savepoint; `connector` holds the
    source's options by name; `jobmanager` is host:port of a running cluster, or empty to run where Flink says.
    """

    source: str
    landing: str
    checkpoints: str
    connector: dict[str, str]
    checkpoint_interval: str = DEFAULT_INTERVAL
    restore: str = ""
    jobmanager: str = ""

    @classmethod
    def read(cls, file: Path) -> "PipelineOptions":
        """Read them from a file."""
        return cls(**json.loads(file.read_text(encoding="utf-8")))

    def write(self, file: Path) -> None:
        """Write them to a file."""
        file.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    def configuration(self) -> dict[str, str]:
        """Give the Flink settings of the job."""
        return _FIXED | self._checkpointing() | self._target()

    def _checkpointing(self) -> dict[str, str]:
        settings = {
            "execution.checkpointing.interval": self.checkpoint_interval,
            # However long a checkpoint takes, on a slow S3 say, the stream reads for at least as long after it.
            "execution.checkpointing.min-pause": self.checkpoint_interval,
            "execution.checkpointing.dir": self.checkpoints,
        }
        return settings | ({"execution.state-recovery.path": self.restore} if self.restore else {})

    def _target(self) -> dict[str, str]:
        if not self.jobmanager:
            return {}
        host, _, port = self.jobmanager.rpartition(":")
        return {"execution.target": "remote", "rest.address": host, "rest.port": port}


_FIXED = {
    "parallelism.default": "1",
    "pipeline.object-reuse": "true",
    # All is in Flink's lib. Else each JobManager of application mode would upload flink-python under another key, and a
    # TaskManager that outlives one may keep the job's old keys, and refuse all others for good.
    "pipeline.jars": "",
    # An operator without a uid is refused when the job is submitted, not when a savepoint doesn't fit it.
    "pipeline.auto-generate-uids": "false",
    "table.exec.uid.generation": "ALWAYS",
    # Without <id>, which counts up in the JVM that plans.
    "table.exec.uid.format": "landing-<type>-<transformation>",
    "execution.checkpointing.mode": "EXACTLY_ONCE",
    "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
    "execution.checkpointing.num-retained": "3",
    "execution.checkpointing.tolerable-failed-checkpoints": "10",
    # What a restart can heal is retried for ever; what none can heal, the connector marks, and the job ends at once.
    "restart-strategy.type": "exponential-delay",
    "restart-strategy.exponential-delay.initial-backoff": "1s",
    "restart-strategy.exponential-delay.max-backoff": "30s",
    "restart-strategy.exponential-delay.backoff-multiplier": "2.0",
    "restart-strategy.exponential-delay.reset-backoff-threshold": "2min",
    "restart-strategy.exponential-delay.jitter-factor": "0.1",
}
