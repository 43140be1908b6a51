"""`python -m infra.deploy STEP --env dev --specs specs`: what `make plan`, `make deploy` and `make destroy` do.

plan            say what deploy would change, and change nothing
deploy          all of the steps below, in this order
images          build what the registry lacks, and push it
infrastructure  terraform apply
dags            publish DAG files and specs, and promote them
cluster         namespaces, specs, secrets, and the accounts of jobs
init            prepare sources whose TIDEMARK_SOURCE_<NAME>_ADMIN_URL is set
stream          Flink of each source, or of --source
airflow         in the cluster where the stack has it there; on ECS its database
verify          copy what never was, and prove all equal
submit          run one job on EMR Serverless: its words follow --
destroy         take all of it away
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from infra.deploy.charts import PATIENCE_S
from infra.deploy.environment import Environment
from infra.deploy.steps import STEPS, Deployment
from tidemark_contract.errors import EXIT_OK, EXIT_TRY_AGAIN, TidemarkError


def parser() -> argparse.ArgumentParser:
    """Describe the words."""
    made = argparse.ArgumentParser(
        prog="infra.deploy", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("step", choices=STEPS)
    made.add_argument("--env", required=True, help="a folder of infra/terraform/environments")
    made.add_argument("--specs", type=Path, default=Path("specs"), help="the folder with <source>/source.yaml")
    made.add_argument("--release", help="what images are tagged with; by default the commit that is checked out")
    made.add_argument("--kubeconfig", type=Path, help="another way into the cluster than EKS gives")
    made.add_argument("--source", help="only this one")
    made.add_argument("--confirm", default="", help="of destroy: the environment's name once more")
    made.add_argument("--patience", type=int, default=PATIENCE_S, help="seconds until pods have to be ready")
    return made


def main(words: Sequence[str]) -> int:
    """Do it; give the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):  # the first is ignored by what a shell runs behind it
        signal.signal(number, signal.default_int_handler)
    ours, job = _parted(list(words))
    asked = parser().parse_args(ours)
    try:
        environment = Environment.read(asked.env, asked.specs, asked.release, asked.kubeconfig)
        Deployment(environment, asked.source, asked.confirm, asked.patience, tuple(job)).do(asked.step)
    except TidemarkError as error:
        print(f"deploy: {asked.step}: {error}", file=sys.stderr)
        return error.exit_code
    except (BotoCoreError, ClientError) as error:
        print(f"deploy: {asked.step}: AWS says: {error}", file=sys.stderr)
        return EXIT_TRY_AGAIN
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return EXIT_OK


def _parted(words: list[str]) -> tuple[list[str], list[str]]:
    """Give what stands before -- and after it: argparse takes what is behind options for nothing of its own."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


if __name__ == "__main__":
    os.environ.setdefault("TF_IN_AUTOMATION", "1")
    sys.exit(main(sys.argv[1:]))
