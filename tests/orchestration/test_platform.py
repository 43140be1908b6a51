"""What the services of an Airflow are started with, without any of them."""

import subprocess
import sys


def test_the_celery_executor_can_be_loaded() -> None:
    """The provider names what it needs of Celery too widely: a newer one had moved what it imports."""
    words = "import airflow.providers.celery.executors.celery_executor"

    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-2000:]
