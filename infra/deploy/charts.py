"""Charts: which releases there are, with which values, and what an upgrade would change."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import helm_python as helm
import yaml

from infra.deploy.environment import ROOT, NotDeployable
from infra.deploy.told import tell
from tidemark_contract.errors import RetryableError

CHARTS = ROOT / "infra" / "helm"
PATIENCE_S = 1800


class Unreachable(RetryableError):
    """The cluster does not answer from here."""


@dataclass(frozen=True)
class Release:
    """One chart, installed under a name."""

    chart: str
    name: str
    namespace: str
    values: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Releases:
    """The releases of one cluster."""

    kubeconfig: Path
    patience_s: int = PATIENCE_S

    def changes(self, release: Release) -> str:
        """Say what installing it would change; nothing if nothing."""
        with self._helm(release.namespace) as config:
            now = self._manifest(config, release)
            rendered = config.render(
                helm.Chart.load(CHARTS / release.chart),
                dict(release.values),
                name=release.name,
                namespace=release.namespace,
            )
        then = _documents(rendered.values())
        changed = sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))
        told = ", ".join(f"{kind} {name}" for kind, _, name in changed)
        return f"{'upgrade' if now else 'install'} {release.name}: {told}" if changed else ""

    def install(self, release: Release) -> None:
        """Install or upgrade it, and wait until its pods are ready; what was there comes back when they are not."""
        tell(f"charts: {release.name} in {release.namespace}")
        given: dict[str, Any] = {
            "namespace": release.namespace, "timeout": self.patience_s, "wait": "watcher", "rollback_on_failure": True,
        }  # fmt: skip
        what = (CHARTS / release.chart, release.name, dict(release.values))
        with self._helm(release.namespace) as config:
            known = bool(self._manifest(config, release))
            act = config.upgrade if known else partial(config.install, create_namespace=True)
            try:
                _interruptible(lambda context: act(*what, context=context, **given))
            except helm.HelmError as error:
                raise NotDeployable(_why(release, str(error))) from error

    def remove(self, release: Release) -> None:
        """Uninstall it; nothing when it is not there."""
        tell(f"charts: remove {release.name} from {release.namespace}")
        with self._helm(release.namespace) as config:
            config.uninstall(release.name, ignore_not_found=True, wait="watcher", timeout=self.patience_s)

    @contextmanager
    def _helm(self, namespace: str) -> Iterator[helm.Config]:
        with helm.Config(kubeconfig_path=self.kubeconfig, namespace=namespace) as config:
            try:
                config.check_reachable()
            except helm.HelmKubeError as error:
                raise Unreachable(str(error)) from error
            try:
                yield config
            except helm.HelmError as error:
                raise NotDeployable(f"Helm in {namespace}: {error}") from error

    def _manifest(self, config: helm.Config, release: Release) -> dict[tuple[str, str, str], Any]:
        try:
            return _documents([str(config.status(release.name)["manifest"])])
        except helm.HelmNotFoundError:
            return {}


def _interruptible(act: Callable[[helm.HelmContext], object]) -> None:
    """Let Ctrl-C end Helm, which takes it back then: Python hears of it between its own instructions only."""
    with helm.HelmContext() as context, ThreadPoolExecutor(1) as helper:
        acting = helper.submit(act, context)
        try:
            acting.result()
        except KeyboardInterrupt:
            context.cancel()
            raise


def _why(release: Release, says: str) -> str:
    where = f"{release.name} in {release.namespace}"
    if "another operation" not in says:
        return f"{where}: {says}; it is as it was"
    cure = f"{release.name} --namespace {release.namespace}"
    return (
        f"{where}: {says}. Somebody else deploys it; or one was killed, then `helm rollback {cure}` ends that "
        f"(`helm uninstall {cure}`, where it was the first time)"
    )


def _documents(texts: Any) -> dict[tuple[str, str, str], Any]:
    """Give them by kind, namespace and name; hooks, which Helm keeps apart, are none."""
    found = [each for text in texts for each in yaml.safe_load_all(text) if each]
    hooks = "helm.sh/hook"
    return {
        (each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]): each
        for each in found
        if hooks not in (each["metadata"].get("annotations") or {})
    }


def merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Lay values over one another as Helm does: maps key by key, all else whole, and null takes a key away."""
    result: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.items():
            if value is None:
                result.pop(name, None)
            elif isinstance(value, Mapping):
                below = result.get(name)
                result[name] = merged(below if isinstance(below, Mapping) else {}, value)
            else:
                result[name] = value
    return result
