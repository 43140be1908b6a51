"""AWS as a launcher sees it: how long it is asked again, and what its refusals mean to an operator."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from tidemark_contract.errors import PlatformRefused, PlatformUnavailable

# A call that fails, or is one too many for now, is made again for about a minute.
PATIENT = Config(retries={"mode": "standard", "max_attempts": 8}, connect_timeout=5, read_timeout=30)
# What would be done twice when only its answer was lost is asked once; the next try of the task looks first.
ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=5, read_timeout=60)
_BUSY = re.compile(r"Throttl\w*|TooManyRequests\w*|RequestLimitExceeded|LimitExceeded\w*|SlowDown|Internal\w*")


def region_of(environment: Mapping[str, str]) -> str | None:
    """Give the region of all that is asked; without one, that of the connection aws_default."""
    return environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or None


@contextmanager
def aws_told(what: str) -> Iterator[None]:
    """Turn what AWS says into an error that is tried again, or one that names what a person has to change."""
    try:
        yield
    except ClientError as error:
        said, status = error.response["Error"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        code, message = said.get("Code", ""), said.get("Message", "")
        if status >= 500 or _BUSY.fullmatch(code):
            raise PlatformUnavailable(f"{what}: AWS has too much to do: {code}: {message}") from error
        raise PlatformRefused(f"{what}: AWS refuses: {code}: {message}") from error
    except (ConnectionError, HTTPClientError) as error:
        raise PlatformUnavailable(f"{what}: AWS does not answer: {error}") from error
    except BotoCoreError as error:
        raise PlatformRefused(f"{what}: AWS cannot be asked: {error}") from error
