"""What runs jobs elsewhere, and what it says of them."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, NamedTuple

from tidemark_contract.argv import Job
from tidemark_orchestration.launchers.work import Work


class Remote(NamedTuple):
    """A job that was started: its id for the target, and the name that we gave it."""

    id: str
    name: str


class State(NamedTuple):
    """What a target calls a job's state, and what it says about it."""

    word: str
    says: str = ""


class Target(ABC):
    """What runs jobs. Every method raises PlatformUnavailable, or PlatformRefused with what a person has to change."""

    label: ClassVar[str]
    ending: ClassVar[frozenset[str]]
    over: ClassVar[frozenset[str]]

    @abstractmethod
    def find(self, owns: Callable[[str | None], bool]) -> Remote | None:
        """Find a job that is not over, by its name."""

    @abstractmethod
    def start(self, name: str, job: Job, outcome: str, work: Work) -> Remote:
        """Start a job that leaves its outcome at an address."""

    @abstractmethod
    def state(self, remote: Remote) -> State:
        """Look at a job."""

    @abstractmethod
    def end(self, remote: Remote) -> None:
        """Ask that a job end; nothing when it has."""
