import argparse

import pytest

from tidemark_streaming.deployment import Deployment, incarnation_of

DEPLOYED = Deployment("shop", 12, "s3://state/flink", "500ms")


def test_the_words_of_a_pod_are_those_of_its_program() -> None:
    parser = argparse.ArgumentParser()
    Deployment.add_to(parser)

    assert DEPLOYED == Deployment.of(parser.parse_args(DEPLOYED.words()))


@pytest.mark.parametrize("wrong", ["10", "0s", "1h", "s", ""])
def test_an_interval_that_is_none_is_refused(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    Deployment.add_to(parser)

    with pytest.raises(SystemExit):
        parser.parse_args([*DEPLOYED.words(), "--checkpoint-interval", wrong])
    assert "is no interval; write 500ms, 10s or 1min" in capsys.readouterr().err


def test_the_incarnation_is_read_from_the_name_of_the_job() -> None:
    assert 12 == incarnation_of(DEPLOYED.job_name)
    assert incarnation_of("tidemark shop") is None


def test_each_incarnation_has_an_id_and_a_folder_of_its_own() -> None:
    assert 32 * "0" == DEPLOYED.job[:-1] + "0"
    assert "s3://state/flink/shop/000012" == DEPLOYED.checkpoints_of(12)
