"""DAG files in S3, version by version, on a server of moto's: whole or not there, wherever somebody was cut off."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest

from tidemark_contract.errors import ConfigurationError
from tidemark_orchestration.bundles import __main__ as command
from tidemark_orchestration.bundles.local import bring_current, materialize, tidy
from tidemark_orchestration.bundles.manifest import Manifest, digest, of_folder
from tidemark_orchestration.bundles.store import Store

BUCKET = "dags"
ONE = {"a.py": "from airflow.sdk import DAG\ndag = DAG('one')\n", "lib/b.py": "X = 1\n", "odd name ü.txt": ""}
TWO = {"a.py": "from airflow.sdk import DAG\ndag = DAG('two')\n", "c.py": "Y = 2\n"}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    running.start()
    yield "http://{}:{}".format(*running.get_host_and_port())
    running.stop()


@pytest.fixture
def store(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Store:
    for name, value in settings(server).items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return Store(f"s3://{BUCKET}/{digest(request.node.name.encode())}/", client)


def settings(server: str) -> dict[str, str]:
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
    return {**keys, "AWS_ENDPOINT_URL": server}


def folder(at: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        (at / name).write_text(text)
    return at


def there(at: Path) -> dict[str, str]:
    return {path.relative_to(at).as_posix(): path.read_text() for path in at.rglob("*") if path.is_file()}


class CutOff:
    """A client of S3 that is gone after so many requests."""

    def __init__(self, client: Any, requests: int) -> None:
        self._client, self.left = client, requests

    def __getattr__(self, name: str) -> Any:
        def call(**words: Any) -> Any:
            if not self.left:
                raise InterruptedError
            self.left -= 1
            return getattr(self._client, name)(**words)

        return call


def test_a_version_is_what_was_published_and_named_by_it(store: Store, tmp_path: Path) -> None:
    junk = {"__pycache__/a.pyc": "x", "lib/__pycache__/b.pyc": "x", ".git/config": "x"}
    first = store.publish(folder(tmp_path / "one", ONE | junk), "first")
    again = store.publish(folder(tmp_path / "same", ONE), "again")
    other = store.publish(folder(tmp_path / "two", TWO))

    assert first.version == again.version != other.version
    assert ONE == there(materialize(store, first.version, tmp_path / "versions"))
    assert TWO == there(materialize(store, other.version, tmp_path / "versions"))
    assert {first.version: "first", other.version: ""} == {there.version: there.label for there in store.versions()}


def test_what_is_published_is_not_promoted_and_what_is_promoted_can_be_taken_back(store: Store, tmp_path: Path) -> None:
    one, two = (store.publish(folder(tmp_path / name, files)).version for name, files in {"1": ONE, "2": TWO}.items())
    with pytest.raises(ConfigurationError, match="no version of the DAGs was promoted"):
        store.current()

    for version in (one, two, one):
        store.promote(version)
        assert version == store.current()
    with pytest.raises(ConfigurationError, match="has no version 'cafe'"):
        store.promote("cafe")
    with pytest.raises(ConfigurationError, match=r"has no version '../current'"):
        store.promote("../current")
    assert one == store.current()


def test_cut_off_at_any_request_the_promoted_version_stays_and_is_whole(store: Store, tmp_path: Path) -> None:
    one = store.publish(folder(tmp_path / "1", ONE)).version
    store.promote(one)
    new = folder(tmp_path / "2", TWO)

    for requests in range(20):
        client = CutOff(store.client, requests)
        cut = Store(store.url, client)
        try:
            cut.promote(cut.publish(new).version)
        except InterruptedError:
            assert one == bring_current(store, tmp_path / "disk")
            assert ONE == there(tmp_path / "disk" / "current")
            assert {one} >= {published.version for published in store.versions()} - {of_folder(new).version}
        else:
            break
    assert requests >= 5
    bring_current(store, tmp_path / "disk")
    assert TWO == there(tmp_path / "disk" / "current")


def test_a_disk_that_is_cut_off_at_any_request_keeps_what_it_has(store: Store, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    store.promote(store.publish(folder(tmp_path / "1", ONE)).version)
    bring_current(store, disk)
    store.promote(store.publish(folder(tmp_path / "2", TWO)).version)

    for requests in range(10):
        try:
            bring_current(Store(store.url, CutOff(store.client, requests)), disk)
        except InterruptedError:
            assert ONE == there(disk / "current")
        else:
            break
    assert requests > 2
    assert TWO == there(disk / "current"), "what went is gone, too"


KILLED = """
import os, signal, sys
from pathlib import Path
import boto3
from tidemark_orchestration.bundles.local import bring_current
from tidemark_orchestration.bundles.store import Store
Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
bring_current(Store(sys.argv[1], boto3.client("s3")), Path(sys.argv[2]))
"""


def test_the_link_of_one_that_was_killed_before_it_was_renamed_goes(store: Store, tmp_path: Path) -> None:
    """The next one sweeps it, but not that of one who may still be at it."""
    disk = tmp_path / "disk"
    version = store.publish(folder(tmp_path / "1", ONE)).version
    store.promote(version)
    killed = subprocess.run([sys.executable, "-c", KILLED, store.url, str(disk)], check=False)
    assert -signal.SIGKILL == killed.returncode
    [left] = disk.glob(".current-*")

    bring_current(store, disk)
    assert left.is_symlink()
    os.utime(left, times=(time.time() - 90,) * 2, follow_symlinks=False)
    bring_current(store, disk)

    assert ["current", "versions"] == sorted(path.name for path in disk.iterdir())
    assert ONE == there(disk / "current")


def test_many_at_once_have_it_whole(store: Store, tmp_path: Path) -> None:
    version = store.publish(folder(tmp_path / "1", ONE)).version
    store.promote(version)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: bring_current(store, tmp_path / "disk"), range(16)))

    assert {version} == set(found)
    assert ONE == there(tmp_path / "disk" / "current")
    assert ["current", "versions"] == sorted(path.name for path in (tmp_path / "disk").iterdir())
    assert [version] == [path.name for path in (tmp_path / "disk" / "versions").iterdir()]


def test_what_was_written_over_is_not_taken(store: Store, tmp_path: Path) -> None:
    manifest = store.publish(folder(tmp_path / "1", ONE))
    store.promote(manifest.version)
    prefix = store.url.removeprefix(f"s3://{BUCKET}/")

    store.client.put_object(Bucket=BUCKET, Key=f"{prefix}objects/{manifest.files['lib/b.py']}", Body=b"import os")
    with pytest.raises(ConfigurationError, match=r"lib/b.py of version .* is not what was published"):
        bring_current(store, tmp_path / "disk")
    store.publish(tmp_path / "1")
    assert manifest.version == bring_current(store, tmp_path / "mended")
    changed = Manifest({**manifest.files, "d.py": digest(b"")})
    store.client.put_object(
        Bucket=BUCKET, Key=f"{prefix}manifests/{manifest.version}.json", Body=changed.text().encode()
    )
    with pytest.raises(ConfigurationError, match=r"the manifest of version .* is not what was published"):
        bring_current(store, tmp_path / "disk")
    assert not (tmp_path / "disk" / "current").exists()


@pytest.mark.parametrize("path", ["../a.py", "/etc/cron.d/a", "a/../../b", ""])
def test_no_manifest_writes_outside_of_its_folder(path: str) -> None:
    with pytest.raises(ConfigurationError, match="outside of the folder"):
        Manifest.parse(Manifest({path: digest(b"")}).text())


def test_old_versions_leave_the_disk_and_the_newest_ones_stay(tmp_path: Path) -> None:
    for age, name in enumerate(["newest", "newer", "old", "older", ".fetching-now", ".fetching-long-ago"]):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, times=(time.time() - 800 * age,) * 2)

    tidy(tmp_path)

    assert {"newest", "newer", "old", ".fetching-now"} == {path.name for path in tmp_path.iterdir()}


def test_what_others_have_fetched_and_taken_away_meanwhile_hinders_no_tidying(tmp_path: Path) -> None:
    def fetch_and_take_away(number: int) -> None:
        for name in (f".fetching-{number}", f"version-{number}"):
            for _ in range(300):
                (tmp_path / name).mkdir()
                with suppress(FileNotFoundError):  # by who tidies
                    (tmp_path / name).rmdir()

    with ThreadPoolExecutor(4) as pool:
        others = [pool.submit(fetch_and_take_away, number) for number in range(4)]
        while not all(other.done() for other in others):
            tidy(tmp_path)
    assert [None] * 4 == [other.result() for other in others]


def test_by_the_command_a_version_that_cannot_be_imported_is_not_promoted(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> tuple[int, str, str]:
        code = command.main(["--url", store.url, *words])
        said = capsys.readouterr()
        return code, said.out.strip(), said.err.strip()

    _, one, _ = run("publish", str(folder(tmp_path / "1", ONE)), "--label", "v1")
    _, broken, _ = run("publish", str(folder(tmp_path / "2", {"a.py": "from airflow.sdk import DAG, Nonsense\n"})))
    _, empty, _ = run("publish", str(folder(tmp_path / "3", {"lib.py": "X = 1\n"})))

    assert (0, "", "") == run("promote", one)
    code, _, said = run("promote", broken)
    assert (78, True, True) == (code, "a.py: " in said, "Nonsense" in said)
    assert (78, "", "not promoted: there is no DAG in it") == run("promote", empty)
    listed = run("list")[1].splitlines()
    assert (3, [f"* {one}"]) == (len(listed), [line[: len(one) + 2] for line in listed if line.endswith("  v1")])
    assert (0, one, "") == run("carry", str(tmp_path / "disk"))
    assert 78 == run("publish", str(tmp_path / "nothing"))[0]
    assert 78 == command.main(["--url", "/dags", "list"])


def test_who_carries_it_for_ever_goes_on_when_s3_was_away(store: Store, server: str, tmp_path: Path) -> None:
    """And when it was killed: the next one takes it up."""
    disk = tmp_path / "disk"
    words = [sys.executable, "-m", "tidemark_orchestration.bundles", "--url", store.url, "carry", str(disk)]

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen([*words, "--every", "0.1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    with start() as carrier:
        assert carrier.stderr
        assert "no version of the DAGs was promoted" in carrier.stderr.readline()
        one, two = (store.publish(folder(tmp_path / str(len(files)), files)).version for files in (ONE, TWO))
        for version, files in ((one, ONE), (two, TWO)):
            store.promote(version)
            wait_for(disk / "current", files)
        carrier.send_signal(signal.SIGKILL)
    store.promote(one)
    with start() as carrier:
        wait_for(disk / "current", ONE)
        carrier.terminate()


def wait_for(at: Path, files: Mapping[str, str]) -> None:
    """The link is followed once: a walk along it would lose its way when it leads elsewhere meanwhile."""
    deadline = time.monotonic() + 300
    while (found := there(at.resolve())) != files:
        assert time.monotonic() < deadline, json.dumps(found)
        time.sleep(0.05)
