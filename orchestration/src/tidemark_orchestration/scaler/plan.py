"""What is to be done about the workers that are there, for the work that there is; no engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Bounds:
    """How many tasks a worker runs at once, and how many workers there may be."""

    concurrency: int
    least: int
    most: int

    def wanted(self, tasks: int) -> int:
        """Give the number of workers for so many tasks, queued and running ones."""
        return min(self.most, max(self.least, -(-tasks // self.concurrency)))


@dataclass(frozen=True)
class Workers:
    """The workers there are: those that take tasks and those that take no more, each with the tasks that it has."""

    serving: Mapping[str, int] = field(default_factory=dict)
    draining: Mapping[str, int] = field(default_factory=dict)
    starting: int = 0  # asked for, and not heard of yet


@dataclass(frozen=True)
class Steps:
    """What is to be done now."""

    start: int = 0
    enlist: Sequence[str] = ()  # those that drain take tasks again: quicker than a new one
    drain: Sequence[str] = ()
    end: Sequence[str] = ()  # they take no task and have none


def plan(bounds: Bounds, tasks: int, workers: Workers) -> Steps:
    """Choose the steps. One that drains is ended at the next look, not at the one that let it drain."""
    wanted = bounds.wanted(tasks)
    lacking = wanted - len(workers.serving) - workers.starting
    if lacking > 0:
        enlisted = tuple(sorted(workers.draining, key=lambda name: -workers.draining[name])[:lacking])
        free = workers.starting + sum(map(len, (workers.serving, workers.draining)))
        return Steps(max(0, min(lacking - len(enlisted), bounds.most - free)), enlisted, (), _idle(workers, enlisted))
    surplus = min(-lacking, len(workers.serving))
    drained = tuple(sorted(workers.serving, key=lambda name: (workers.serving[name], name))[:surplus])
    return Steps(0, (), drained, _idle(workers))


def _idle(workers: Workers, but: Sequence[str] = ()) -> tuple[str, ...]:
    return tuple(name for name, tasks in workers.draining.items() if not tasks and name not in but)
