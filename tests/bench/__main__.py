"""`python -m tests.bench [stream] [copy] [sync] [verify] [small] [parse]`: some of the benchmarks, by default all."""

import os
import subprocess
import sys

from tests.bench import copying, proving, small, stream, syncing
from tests.bench.world import NarrowWorld, session, world
from tests.e2e.world import LOCAL

ALL = ("stream", "copy", "sync", "verify", "small", "parse")


def main(chosen: list[str]) -> None:
    """Run them one after the other; the machine should do nothing else."""
    if unknown := set(chosen) - set(ALL):
        sys.exit(f"bench: {', '.join(sorted(unknown))} is none of {', '.join(ALL)}")
    wanted = chosen or list(ALL)
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the start", flush=True)
    if "stream" in wanted:
        with world(NarrowWorld) as made:
            stream.bench(made, "4 columns", 1.4)
    if set(wanted) & {"stream", "copy", "sync", "verify"}:
        with world() as made:
            if "stream" in wanted:
                stream.bench(made, "13 columns", 1)
            if "verify" in wanted:
                proving.bench(made)
            if set(wanted) & {"copy", "sync"}:
                with session(large=True) as spark:
                    if "copy" in wanted:
                        copying.bench(made, spark)
                    if "sync" in wanted:
                        syncing.bench(made, spark)
    if "small" in wanted:
        with session(large=False) as spark:
            small.bench(spark)
    if "parse" in wanted:
        python = LOCAL / "venv" / "airflow" / "bin" / "python"
        subprocess.run([str(python), "-W", "ignore", "-m", "tests.bench.parsing"], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)  # Arrow's threads would abort the interpreter's own end
