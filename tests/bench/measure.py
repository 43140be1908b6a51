"""Wall time and CPU-seconds of a piece of work, and the lines in which they are shown."""

import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Measured:
    """What one piece of work took: seconds, and CPU-seconds of the processes that did it."""

    wall: float = 0.0
    cpu: float = 0.0


def cpu_of(pids: Sequence[int]) -> float:
    """Give the CPU-seconds that processes have used so far (Linux; elsewhere 0)."""
    return sum(_cpu(Path(f"/proc/{pid}/stat")) for pid in pids)


def _cpu(stat: Path) -> float:
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def own_cpu() -> float:
    """Give the CPU-seconds of this process and of its children that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


@contextmanager
def measured(pids: Sequence[int] = ()) -> Iterator[Measured]:
    """Measure a block: this process, its ended children, and the processes named."""
    result = Measured()
    started, before = time.monotonic(), own_cpu() + cpu_of(pids)
    yield result
    result.wall, result.cpu = time.monotonic() - started, own_cpu() + cpu_of(pids) - before


def rounds(number: int, works: dict[str, Callable[[], Measured]]) -> dict[str, list[Measured]]:
    """Do each work once a round, one after the other: what slows the machine down meets them all."""
    found: dict[str, list[Measured]] = {name: [] for name in works}
    for turn in range(1, number + 1):
        for name, work in works.items():
            found[name].append(work())
            print(
                f"  round {turn}  {name:28} {found[name][-1].wall:7.1f} s {found[name][-1].cpu:7.1f} CPU-s", flush=True
            )
    return found


def median_wall(of: Sequence[Measured]) -> float:
    """Give the median of the wall times."""
    return statistics.median(one.wall for one in of)


def show(what: str, value: str, goal: str, *, reached: bool) -> None:
    """Print one result beside its goal."""
    print(f"{what:52} {value:>16}   goal {goal:14} {'reached' if reached else 'NOT reached'}", flush=True)
