"""What is not deployed, and what one is told then: before anything is made, changed or asked of AWS."""

import base64
import json
import os
import shutil
import subprocess
import urllib.request
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from tests.infra.emulators import KEYS, REGION, moto
from tests.kubernetes.cluster import ROOT

PYTHON = ROOT / ".tidemark/venv/deploy/bin/python"


def deploy(place: Path, *words: str) -> tuple[int, str]:
    """Neither Terraform nor Docker is on its PATH: what is refused is refused without them."""
    (place / "bin").mkdir(exist_ok=True)
    (place / "bin/git").symlink_to(str(shutil.which("git")))
    told = {"PATH": str(place / "bin"), "HOME": str(place), "PYTHONDONTWRITEBYTECODE": "1"}
    argv = [str(PYTHON), "-m", "infra.deploy", *words]
    done = subprocess.run(argv, cwd=place, env=told, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    place = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "--local", str(ROOT), str(place)], check=True)
    (place / "specs/shop").mkdir(parents=True)
    (place / "specs/shop/source.yaml").write_text("source: shop\n")
    return place


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["plan", "--env", "test"], "ENV= can be dev, prod"),
        (["submit", "--env", "test", "--", "sync", "--source", "shop"], "ENV= can be dev, prod"),
        (["plan", "--env", "dev", "--specs", "nowhere"], "SPECS= names the folder"),
        (["destroy", "--env", "prod"], "CONFIRM=prod says that it may be"),
        (["destroy", "--env", "prod", "--confirm", "dev"], "CONFIRM=prod says that it may be"),
    ],
)
def test_what_is_not_there_or_not_confirmed_is_told_with_the_cure(clone: Path, words: list[str], said: str) -> None:
    code, told = deploy(clone, *words)
    assert (78, True) == (code, said in told), told


def test_what_was_changed_is_no_commit_and_has_no_name(clone: Path) -> None:
    with (clone / "README.md").open("a") as readme:
        readme.write("changed\n")

    code, told = deploy(clone, "deploy", "--env", "dev")

    assert (78, True, True) == (code, "RELEASE=" in told, "README.md" in told), told


def test_a_kubeconfig_signs_in_as_whoever_deploys_and_holds_no_secret(tmp_path: Path) -> None:
    """Of a cluster as EKS describes it; what it runs is run, and the question that it signs is put to STS."""
    described = {"name": "c", "endpoint": "https://c.eks", "certificateAuthority": {"data": "Y2E="}}
    make = (
        "import json, sys, yaml; from infra.deploy.cluster import kubeconfig; "
        f"print(yaml.safe_dump(kubeconfig(json.loads(sys.argv[1]), {REGION!r})))"
    )
    made = subprocess.run(
        [str(PYTHON), "-c", make, json.dumps(described)], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    [user] = yaml.safe_load(made)["users"]
    assert "Y2E=" in made
    with moto(tmp_path) as endpoint:
        asking = user["user"]["exec"]
        told = {"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": endpoint, **KEYS}
        told |= {each["name"]: each["value"] for each in asking["env"]}
        said = subprocess.run(
            [asking["command"], *asking["args"]], env=told, capture_output=True, text=True, check=True
        ).stdout
        token = json.loads(said)["status"]["token"].removeprefix("k8s-aws-v1.")
        url = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        [signer] = parse_qs(urlsplit(url).query)["X-Amz-Credential"]
        # Whom a question is for moto reads in a header, and AWS in the URL too.
        headers = {"x-k8s-aws-id": "c", "Authorization": f"AWS4-HMAC-SHA256 Credential={signer}, SignedHeaders=host"}
        asked = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(asked, timeout=60) as answered:
            assert b"<Account>123456789012</Account>" in answered.read()
    assert "x-k8s-aws-id" in url
    assert KEYS["AWS_ACCESS_KEY_ID"] not in made
