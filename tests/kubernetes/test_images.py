"""The images of Airflow, of the stream and of the jobs: who they are, what is in them, and what is not."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.integration.containers import unavailable
from tests.kubernetes.cluster import images
from tests.variants import ALL

ROOT = Path(__file__).parents[2]
LOCKS = {"airflow": "orchestration", "flink": "streaming", "spark": "jobs"}
OURS = {
    "airflow": {"tidemark-contract", "tidemark-orchestration"},
    "flink": {"tidemark-contract", "tidemark-streaming"},
    "spark": {"tidemark-contract", "tidemark-source", "tidemark-jobs", "tidemark"},
}
# As a cluster runs them: nothing is written but in two volumes, by whoever the cluster says.
RESTRICTED = ["--read-only", "--tmpfs", "/tmp:mode=1777", "--tmpfs", "/work:mode=1777", "--cap-drop", "ALL"]
RESTRICTED += ["--security-opt", "no-new-privileges", "--user", "12345:0"]
every_image = pytest.mark.parametrize("name", sorted(LOCKS))


@pytest.fixture(scope="module")
def tags() -> dict[str, str]:
    if not ALL:
        pytest.skip("the suite is run among others: `make test-kubernetes` has the images too")
    if why := unavailable():
        pytest.skip(why)
    return dict(zip(sorted(LOCKS), images(*sorted(LOCKS)), strict=True))


def run(tag: str, *words: str, options: tuple[str, ...] = (), content: str = "") -> subprocess.CompletedProcess[str]:
    argv = ["docker", "run", "--rm", "--interactive", *RESTRICTED, *options, tag, *words]
    return subprocess.run(argv, input=content, capture_output=True, text=True, check=False, timeout=300)


def test_the_entry_points_have_their_run_bit_in_git() -> None:
    """A COPY keeps it, and the classic builder can give none."""
    files = ["build.sh", "flink/docker-entrypoint.sh", "spark/entrypoint.sh"]
    words = ["git", "ls-files", "--stage", *(f"infra/images/{name}" for name in files)]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()

    assert 3 * ["100755"] == [line.split()[0] for line in listed]


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("flink", ["status", "--source", "shop"]),
        (
            "spark",
            ["/opt/spark/bin/spark-submit", "--master", "local[1]", "/opt/tidemark/submit.py", "sync", "--source", "s"],
        ),
        ("spark", ["tidemark", "status"]),
    ],
    ids=["stream", "job", "console"],
)
def test_its_own_entry_point_runs_in_a_pod_that_may_nothing(tags: dict[str, str], name: str, words: list[str]) -> None:
    """Up to the first word that is asked of it: where things are."""
    ended = run(tags[name], *words)

    assert 78 == ended.returncode, ended.stderr
    assert "TIDEMARK_SPECS is not set" in ended.stdout + ended.stderr


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.timeout(1800)
@every_image
def test_all_of_the_lock_is_in_it_and_the_bill_of_materials_says_so(tags: dict[str, str], name: str) -> None:
    script = (ROOT / "infra" / "images" / "sbom.py").read_text()
    bill = json.loads(run(tags[name], "python", "-", content=script).stdout)
    found = {str(each["purl"]) for each in bill["components"]}
    lock = (ROOT / LOCKS[name] / "requirements.lock").read_text().splitlines()
    locked = {line.split()[0].replace("_", "-") for line in lock if line[:1].isalnum() and ";" not in line}
    sums = [file.read_text().split() for file in (ROOT / LOCKS[name] / "jars").rglob("SHA256SUMS")]
    hashes = {each["hashes"][0]["content"] for each in bill["components"] if "hashes" in each}

    assert len(locked) > 20
    assert set() == {f"pkg:pypi/{word.replace('==', '@')}" for word in locked} - found
    assert OURS[name] <= {str(each["name"]) for each in bill["components"]}
    assert {word for words in sums for word in words[::2]} <= hashes
    assert ("openjdk-17-jre-headless" in {each["name"] for each in bill["components"]}) == (name != "airflow")


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.timeout(1800)
@every_image
def test_nothing_of_the_builder_stays_in_it(tags: dict[str, str], name: str) -> None:
    """Neither where packages came from, nor a checkout, nor the tools that put them there."""
    files = "find / -xdev ( -name pip.conf -o -name uv.toml -o -name .netrc -o -name .git -o -path /build ) -print"
    argv = ["docker", "run", "--rm", "--user", "0", "--entrypoint", "", tags[name], *files.split()]
    left = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    [facts] = json.loads(subprocess.run(["docker", "inspect", tags[name]], capture_output=True, check=True).stdout)
    names = {line.partition("=")[0] for line in facts["Config"]["Env"]}

    assert "" == left
    assert not [each for each in names if each.endswith(("_INDEX_URL", "_PASSWORD", "_TOKEN", "_PROXY"))]
    assert "50000:0" == facts["Config"]["User"]
    assert facts["Config"]["Labels"]["org.opencontainers.image.revision"]
    assert 127 == run(tags[name], "mvn", options=("--entrypoint", "")).returncode
    assert 127 == run(tags[name], "gcc", options=("--entrypoint", "")).returncode
