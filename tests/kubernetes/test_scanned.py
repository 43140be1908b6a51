"""A scanner finds nothing in what the charts render but what is meant to be so."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.kubernetes.charts import ROOT, render
from tests.kubernetes.test_charts import VARIANTS

SCANNER = ROOT / ".tidemark/venv/scan/bin/checkov"
# By the check's id, since 2026-11-27: a reason that holds no more is taken away, and the test says so.
MEANT = {
    "CKV_K8S_9": "nobody reaches a scheduler, a worker or a job, so whether one is ready nobody asks",
    "CKV_K8S_11": "a limit of CPU slows down what could run; memory has one",
    "CKV_K8S_15": "a tag is a commit, and the registry's tags are immutable: what is there is what is meant",
    "CKV_K8S_21": "a chart's namespace is its release's",
    "CKV_K8S_35": "keys of S3, only where no role gives any: S3A, Flink and delta-rs look for them in the environment",
    "CKV_K8S_38": "JobManager, TaskManager, driver, scheduler and workers talk to the API server",
    "CKV_K8S_40": "the images run as any uid, and say theirs; a cluster may give others (OpenShift does)",
    "CKV_K8S_43": "as of CKV_K8S_15: a commit says what runs, a digest would not",
}


@pytest.mark.slow
def test_a_scanner_finds_nothing_but_what_is_meant(tmp_path: Path) -> None:
    for number, (chart, values) in enumerate(VARIANTS):
        (tmp_path / f"{chart}-{number}.yaml").write_text(yaml.safe_dump_all(render(chart, values).documents))
    words = ["--framework", "kubernetes", "--skip-download", "--quiet", "--compact", "--output", "json"]

    done = subprocess.run([SCANNER, *words, "--directory", tmp_path], capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)

    assert report["summary"]["passed"] > 1000
    found = {f"{each['check_id']}": each["resource"] for each in report["results"]["failed_checks"]}
    assert {} == {check: resource for check, resource in found.items() if check not in MEANT}
    assert set() == set(MEANT) - set(found), "these are meant no more"
