"""Each health check, run as Docker runs it where its service runs: well, stopped, gone on, killed, and back."""

import time
from collections.abc import Sequence
from typing import Any

import pytest

from tests.compose.conftest import wait_until_well
from tests.compose.platform import AIRFLOWS, SERVICES, Platform
from tests.variants import any_of

PATIENCE_S = 300.0
pytestmark = [pytest.mark.slow, pytest.mark.drawn(2), pytest.mark.integration, pytest.mark.timeout(1200)]


@any_of("stopped", [AIRFLOWS[1:], ("api-server", "redis", "postgres")])
def test_each_that_is_stopped_is_unhealthy_and_well_again_when_it_goes_on(
    platform: Platform, stopped: Sequence[str]
) -> None:
    """Stopped by SIGSTOP: it is there, its ports are open, and it does nothing."""
    for name in stopped:
        platform.signal(name, "STOP")
    try:
        said = {name: wait_until_unwell(platform, name) for name in (*stopped, "api-server")}
    finally:
        for name in reversed(stopped):
            platform.signal(name, "CONT")

    # With status 200 it says who else is not well.
    behind = [name.replace("-", "_") for name in ("scheduler", "triggerer", "dag-processor") if name in stopped]
    assert [] == [name for name in behind if f"{name} is unhealthy" not in said["api-server"]]
    wait_until_well(platform)


@any_of("killed", [AIRFLOWS[:3], AIRFLOWS[3:]])
def test_each_that_is_killed_is_unhealthy_and_comes_back_by_itself(platform: Platform, killed: Sequence[str]) -> None:
    """From inside: Docker does not start again what it has killed itself."""
    started = {name: state(platform, name)["StartedAt"] for name in killed}

    for name in killed:
        platform.run_in(name, ["sh", "-c", "kill -KILL -1"])

    assert [] == [name for name in killed if wait_for_another(platform, name, started[name]) == "healthy"]
    wait_until_well(platform)


@any_of("name", ["postgres", "redis"])
def test_what_all_of_it_needs_may_be_killed(platform: Platform, name: str) -> None:
    with platform.container(name) as container:
        container.kill()
    assert platform.check(name).code != 0

    platform.compose("start", name)

    wait_until_well(platform)


@pytest.mark.parametrize(
    ("name", "port", "wrong"), [("api-server", 8080, 8081), ("execution", 8080, 8081), ("scheduler", 8974, 8975)]
)
def test_a_wrong_port_is_no_health(platform: Platform, name: str, port: int, wrong: int) -> None:
    words, timeout = platform.health_command(name)
    changed = [word.replace(f":{port}/", f":{wrong}/") for word in words]

    assert changed != words
    assert 0 == platform.run_in(name, words, timeout).code
    assert 1 == platform.run_in(name, changed, timeout).code


def test_docker_comes_to_the_same_end(platform: Platform) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while unsure := [name for name in SERVICES if health(platform, name) != "healthy"]:
        assert time.monotonic() < deadline, {name: health(platform, name) for name in unsure}
        time.sleep(1)


def wait_until_unwell(platform: Platform, name: str) -> str:
    """Give what its health check says then."""
    deadline = time.monotonic() + PATIENCE_S
    while (outcome := platform.check(name)).code == 0:
        assert time.monotonic() < deadline, f"{name} is stopped, and still said to be healthy: {outcome.said}"
        time.sleep(1)
    return outcome.said


def wait_for_another(platform: Platform, name: str, started: str) -> str:
    """Wait until a service has been started anew; give how it is then."""
    deadline = time.monotonic() + PATIENCE_S
    while (now := state(platform, name))["StartedAt"] == started:
        assert time.monotonic() < deadline, f"{name} was killed, and has not been started again"
        time.sleep(0.2)
    return str(now["Health"]["Status"])


def state(platform: Platform, name: str) -> dict[str, Any]:
    """Give what Docker knows of a service's container."""
    with platform.container(name) as container:
        return dict(container.attrs["State"])


def health(platform: Platform, name: str) -> str:
    return str(state(platform, name)["Health"]["Status"])
