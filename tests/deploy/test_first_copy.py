"""Whether a source is copied before its proof: when no copy of it was ever finished."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.infra.emulators import KEYS, REGION, moto
from tests.infra.test_apply import client
from tests.kubernetes.cluster import ROOT
from tidemark_contract.layout import Layout
from tidemark_jobs.copy import write_manifest

PYTHON = ROOT / ".tidemark/venv/deploy/bin/python"
LAKE = "s3://lake/mirror"


def test_a_first_copy_that_was_cut_off_is_begun_again_and_one_that_was_finished_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy makes the silver table, and writes beside it, long before it counts."""
    with moto(tmp_path) as endpoint:
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": endpoint, "AWS_REGION": REGION}.items():
            monkeypatch.setenv(name, value)
        lake = client(endpoint, "s3")
        lake.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": REGION})
        assert not was_copied("shop")

        lake.put_object(Bucket="lake", Key="mirror/silver/shop/public.orders/_delta_log/00000000000000000000.json")
        assert not was_copied("shop")

        write_manifest(Layout(LAKE, "shop"), 1, [])
        assert was_copied("shop")
        assert not was_copied("sho")


def was_copied(source: str) -> bool:
    asking = (
        "import json, sys; from types import SimpleNamespace; from infra.deploy.sources import was_copied; "
        f"print(json.dumps(was_copied(SimpleNamespace(lake={LAKE!r}, region={REGION!r}), sys.argv[1])))"
    )
    done = subprocess.run([str(PYTHON), "-c", asking, source], cwd=ROOT, capture_output=True, text=True, check=True)
    return bool(json.loads(done.stdout))
