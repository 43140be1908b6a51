"""What a node of EMR does before it takes work, run by a shell."""

import os
import subprocess
import tarfile
import zipfile
from pathlib import Path

from tests.infra.terraform import REPOSITORY

UNPACK = REPOSITORY / "infra/terraform/modules/emr-cluster/unpack.sh"


def test_a_node_has_the_environment_and_the_specs_before_it_takes_work(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").write_text("home = /usr")
    with tarfile.open(tmp_path / "venv.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "pyvenv.cfg", "pyvenv.cfg")
    with zipfile.ZipFile(tmp_path / "specs.zip", "w") as specs:
        specs.writestr("shop/source.yaml", "source: shop")
    at = tmp_path / "opt/tidemark"

    done = unpack(tmp_path, f"s3://code/venv.tar.gz#{at}", f"s3://code/specs.zip#{at}/specs")

    assert 0 == done.returncode, done.stderr
    assert "home = /usr" == (at / "pyvenv.cfg").read_text()
    assert "source: shop" == (at / "specs/shop/source.yaml").read_text()


def test_a_node_that_lacks_an_archive_takes_no_work(tmp_path: Path) -> None:
    """EMR ends a cluster whose bootstrap action has failed."""
    assert 0 != unpack(tmp_path, f"s3://code/none.tar.gz#{tmp_path}/opt").returncode


def unpack(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run it where `aws s3 cp` takes from a folder, and sudo is whoever runs the test."""
    shims = {"aws": f'#!/bin/sh\ncp "{place}/${{4##*/}}" "$5"\n', "sudo": '#!/bin/sh\nexec "$@"\n'}
    (place / "bin").mkdir()
    for name, text in shims.items():
        (place / "bin" / name).write_text(text)
        (place / "bin" / name).chmod(0o755)
    environment = {"PATH": f"{place}/bin:{os.environ['PATH']}"}
    return subprocess.run(["bash", UNPACK, *words], env=environment, capture_output=True, text=True, check=False)
