"""What of a stream is said by whoever deploys it to a cluster, as words of a command line."""

import argparse
import re
from dataclasses import dataclass

from tidemark_streaming.options import DEFAULT_INTERVAL

_INTERVAL = re.compile(r"[1-9][0-9]*(ms|s|min)")
_JOB_NAME = re.compile(r"tidemark (\S+), incarnation (\d+)")


@dataclass(frozen=True)
class Deployment:
    """`checkpoints` is the URL of the folder for the checkpoints of all sources."""

    source: str
    incarnation: int
    checkpoints: str
    checkpoint_interval: str

    @classmethod
    def add_to(cls, parser: argparse.ArgumentParser) -> None:
        """Declare the words."""
        parser.add_argument("--source", required=True)
        parser.add_argument(
            "--incarnation", type=int, required=True, help="a higher one begins anew; needs a copy after"
        )
        parser.add_argument("--checkpoints", required=True, help="folder of checkpoints, s3://bucket/prefix")
        parser.add_argument(
            "--checkpoint-interval", type=interval, default=DEFAULT_INTERVAL, help="how often files land"
        )

    @classmethod
    def of(cls, parsed: argparse.Namespace) -> "Deployment":
        """Read them."""
        return cls(parsed.source, parsed.incarnation, parsed.checkpoints.rstrip("/"), parsed.checkpoint_interval)

    def words(self) -> list[str]:
        """Give the words that `of` reads."""
        return [
            *("--source", self.source, "--incarnation", str(self.incarnation)),
            *("--checkpoints", self.checkpoints, "--checkpoint-interval", self.checkpoint_interval),
        ]

    def checkpoints_of(self, incarnation: int) -> str:
        """Give the folder of one incarnation's checkpoints and savepoints."""
        return f"{self.checkpoints}/{self.source}/{incarnation:06d}"

    @property
    def high_availability(self) -> str:
        """Give the folder that Flink keeps what its pointers lead to in."""
        return f"{self.checkpoints}/{self.source}/high-availability"

    @property
    def job(self) -> str:
        """Give the job's id: Flink's pointers are kept by it, so that one incarnation never sees another's."""
        return f"{self.incarnation:032x}"

    @property
    def job_name(self) -> str:
        """Give the job's name, by which `incarnation_of` knows it."""
        return f"tidemark {self.source}, incarnation {self.incarnation}"


def incarnation_of(job_name: str) -> int | None:
    """Read the incarnation from the name of a job."""
    found = _JOB_NAME.fullmatch(job_name)
    return int(found[2]) if found else None


def interval(text: str) -> str:
    """Check an interval, for argparse."""
    if not _INTERVAL.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no interval; write 500ms, 10s or 1min")
    return text
