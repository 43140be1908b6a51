"""The steps, each by itself and all in order. Each may be done again: what is as it should be is left alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from infra.deploy import cluster, dags, images, prepare, sources, submit
from infra.deploy.charts import Releases, Unreachable
from infra.deploy.environment import Environment, NotDeployable
from infra.deploy.releases import Planned
from infra.deploy.stack import Stack
from infra.deploy.terraform import REGISTRIES, Terraform
from infra.deploy.told import tell

# Images before what names them, DAG files before whoever reads them, a source before its stream.
IN_ORDER = ("images", "infrastructure", "dags", "cluster", "init", "stream", "airflow", "verify")
# They are destroyed without a question.
FOR_TRYING_OUT = ("dev",)


@dataclass(frozen=True)
class Deployment:
    """One environment, and what was asked for."""

    environment: Environment
    source: str | None
    confirmed: str
    patience_s: int
    words: tuple[str, ...]

    def do(self, step: str) -> None:
        """Do one step; NotDeployable."""
        if step == "destroy":
            self._check_confirmed()
        self._terraform.init()
        STEPS[step](self)

    def deploy(self) -> None:
        """Do all of them."""
        for step in IN_ORDER:
            STEPS[step](self)
        tell(f"{self.environment.name} is deployed as {self.environment.release}")

    def plan(self) -> None:
        """Say what all of them would change."""
        self._terraform.plan()
        stack, registries = self._terraform.stack(), self._terraform.registries()
        wanted = images.missing(registries, self.environment.release) if registries else images.IMAGES
        tell(f"images: {', '.join(wanted) if wanted else 'nothing'} to build and push as {self.environment.release}")
        if stack is None:
            tell("charts: all of them, once there is a stack")
            return
        for change in self._changes(stack):
            tell(f"charts: {change}")
        tell(f"dags: publish orchestration/dags and {self.environment.specs}, and promote them")

    def _changes(self, stack: Stack) -> list[str]:
        try:
            with self._reached(stack) as releases:
                planned = self._planned(stack).all()
                return [change for release in planned if (change := releases.changes(release))] or ["nothing to change"]
        except Unreachable as error:
            return [f"not compared, for the cluster does not answer: {error}"]

    def images(self) -> None:
        """The registries, and what they lack."""
        if self._terraform.registries() is None:
            self._terraform.apply(REGISTRIES)
        self._push(*images.IMAGES)

    def infrastructure(self) -> None:
        """All that is AWS's."""
        self._terraform.apply()

    def dags(self) -> None:
        """DAG files and specs."""
        dags.publish(self._stack(), self.environment)

    def cluster(self) -> None:
        """What the other charts need; before it, whether the sources' settings are there at all."""
        stack = self._stack()
        for source in self._sources(stack):
            sources.check_secret(stack, source)
        planned = self._planned(stack)
        with self._reached(stack) as releases:
            cluster.check(releases.kubeconfig)
            releases.install(planned.cluster())
            for source in self._sources(stack):
                for job in planned.jobs(source):
                    releases.install(job)

    def init(self) -> None:
        """Sources that a person has given the owner's role of."""
        stack = self._stack()
        planned = self._planned(stack)
        with self._reached(stack) as releases:
            for source in self._sources(stack):
                sources.init(stack, planned, releases.kubeconfig, source)

    def stream(self) -> None:
        """Flink: an upgrade goes on from the last state, and is taken back when no checkpoint of it completes."""
        stack = self._stack()
        planned = self._planned(stack)
        self._push("flink")
        with self._reached(stack) as releases:
            for source in self._sources(stack):
                releases.install(planned.stream(source))

    def airflow(self) -> None:
        """Airflow, where it is a chart; where it is Terraform's, what its services wait for."""
        stack = self._stack()
        if stack.platform != "eks":
            tell(f"airflow: it is Terraform's on {stack.platform}")
            prepare.run(stack, self.patience_s)
            return
        with self._reached(stack) as releases:
            releases.install(self._planned(stack).airflow())

    def verify(self) -> None:
        """A proof of all tables."""
        stack = self._stack()
        planned = self._planned(stack)
        with self._reached(stack) as releases:
            for source in self._sources(stack):
                sources.prove(stack, planned, releases.kubeconfig, source)

    def submit(self) -> None:
        """One job on EMR Serverless."""
        submit.submit(self._stack(), self.environment, list(self.words))

    def destroy(self) -> None:
        """Charts first: what a cluster has made outside of it goes with them."""
        if stack := self._terraform.stack():
            with self._reached(stack) as releases:
                for release in reversed(self._planned(stack).all()):
                    releases.remove(release)
        self._terraform.destroy()
        tell(f"{self.environment.name} is gone; keys of KMS stay for a week, in which they can be taken back")

    def _check_confirmed(self) -> None:
        name = self.environment.name
        if name not in FOR_TRYING_OUT and self.confirmed != name:
            raise NotDeployable(f"all of {name} would be gone: CONFIRM={name} says that it may be")

    @property
    def _terraform(self) -> Terraform:
        return Terraform(self.environment)

    def _stack(self) -> Stack:
        stack = self._terraform.stack()
        if stack is None:
            raise NotDeployable(f"{self.environment.name} was not made yet: make deploy ENV={self.environment.name}")
        return stack

    def _sources(self, stack: Stack) -> tuple[str, ...]:
        if self.source and self.source not in stack.sources:
            raise NotDeployable(f"there is no source {self.source!r}: SOURCE= can be {', '.join(stack.sources)}")
        return (self.source,) if self.source else stack.sources

    def _planned(self, stack: Stack) -> Planned:
        return Planned(stack, self.environment)

    def _push(self, *names: str) -> None:
        if registries := self._terraform.registries():
            images.publish(registries, self.environment.release, *names)

    @contextmanager
    def _reached(self, stack: Stack) -> Iterator[Releases]:
        with cluster.reached(stack, self.environment) as kubeconfig:
            yield Releases(kubeconfig, self.patience_s)


STEPS: dict[str, Callable[[Deployment], None]] = {
    "plan": Deployment.plan,
    "deploy": Deployment.deploy,
    "images": Deployment.images,
    "infrastructure": Deployment.infrastructure,
    "dags": Deployment.dags,
    "cluster": Deployment.cluster,
    "init": Deployment.init,
    "stream": Deployment.stream,
    "airflow": Deployment.airflow,
    "verify": Deployment.verify,
    "submit": Deployment.submit,
    "destroy": Deployment.destroy,
}
