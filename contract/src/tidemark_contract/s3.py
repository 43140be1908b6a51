"""How a lake on S3 is reached: read from AWS_* in one place, so that Flink, Spark, delta-rs and obstore agree."""

import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from tidemark_contract.errors import LakeRefused, LakeUnavailable, SettingsError, TidemarkError

SCHEME = "s3://"
# So long a request that fails, or is refused for now, is made again: then the run ends, and another one may succeed.
PATIENCE_S = 60
RETRIES = 20
CONNECT_S, ANSWER_S = 5, 60
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0
# S3A and object_store disagree on what else means: one takes it as it is, the other decodes it.
PLAIN_PREFIX = r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._=-]+)*"


@dataclass(frozen=True)
class S3Access:
    """Where S3 is; `endpoint` is empty for Amazon's own. Keys and roles are not here: each engine finds them itself."""

    endpoint: str
    region: str

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> "S3Access":
        """Read AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, AWS_REGION or AWS_DEFAULT_REGION; SettingsError."""
        endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL") or ""
        region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or ""
        if not region and not endpoint:
            # Some of the engines would ask the machine, some would take us-east-1.
            raise SettingsError("AWS_REGION is not set: the region of the lake's bucket, eu-central-1 for example")
        return cls(endpoint, region or "us-east-1")

    @property
    def plain_http(self) -> bool:
        """Say whether the endpoint is one without TLS, as servers on loopback are."""
        return self.endpoint.startswith("http://")

    def hadoop(self) -> dict[str, str]:
        """Give the settings of S3A, by which Spark and Flink reach S3."""
        # Without `keep` S3A deletes the markers of fake parent folders at each write, which not every server allows.
        settings = {"fs.s3a.directory.marker.retention": "keep", "fs.s3a.endpoint.region": self.region, **_patience()}
        if self.endpoint:
            settings |= {
                "fs.s3a.endpoint": self.endpoint,
                "fs.s3a.path.style.access": "true",
                "fs.s3a.connection.ssl.enabled": str(not self.plain_http).lower(),
            }
        return settings

    def object_store(self) -> dict[str, str]:
        """Give the options of the library under delta-rs and obstore; conditional PUT is what the fences stand on."""
        options = {"AWS_REGION": self.region, "AWS_CONDITIONAL_PUT": "etag"}
        if self.endpoint:
            options |= {"AWS_ENDPOINT_URL": self.endpoint, "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false"}
        return options

    def obstore(self) -> dict[str, Any]:
        """Give the arguments of obstore's S3Store: those options, and our patience."""
        waits = {"connect_timeout": f"{CONNECT_S}s", "timeout": f"{ANSWER_S}s"}
        return {
            "config": self.object_store(),
            "client_options": {"allow_http": self.plain_http, **waits},
            "retry_config": {"max_retries": RETRIES, "retry_timeout": timedelta(seconds=PATIENCE_S)},
        }


def _patience() -> dict[str, str]:
    """Say it in S3A's words, whose waits are each twice as long as the one before, from half a second on."""
    limit = str((2 * PATIENCE_S).bit_length())
    return {
        # In milliseconds, and without a unit: the Hadoop in Flink's plugin reads no other.
        "fs.s3a.connection.establish.timeout": str(CONNECT_S * 1000),
        "fs.s3a.connection.timeout": str(ANSWER_S * 1000),
        "fs.s3a.retry.limit": limit,
        "fs.s3a.retry.throttle.limit": limit,  # its own 20 would be days
    }


Result = TypeVar("Result")


def insist(call: Callable[[], Result]) -> Result:
    """Make a call again while it says LakeUnavailable, once and for as long as our patience; it must bear that.

    For what the clients of S3 do not repeat by themselves: a conditional PUT whose connection breaks.
    """
    deadline, pause = time.monotonic() + PATIENCE_S, FIRST_PAUSE_S
    while True:
        try:
            return call()
        except LakeUnavailable:
            if pause > FIRST_PAUSE_S and time.monotonic() > deadline:
                raise
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_S)


def lake_error(place: str, answer: str) -> TidemarkError:
    """Turn what a store, or an engine on top of it, has said into one message for the operator."""
    for signs, cure in _REFUSALS:
        if any(sign in answer for sign in signs):
            return LakeRefused(f"{place}: {cure}")
    # obstore's second half says the same again as a structure of many lines.
    line = " ".join(_COLOUR.sub("", answer).partition("Debug source:")[0].split())
    return LakeUnavailable(f"{place} does not answer, or refuses: {line[:300]}")


_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_REFUSALS = (
    # The address at which a machine with a role is asked for its keys; it is asked when none are set.
    (
        ("169.254.", "Missing AccessKeyId", "Missing SecretAccessKey"),
        "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role",
    ),
    (("NoSuchBucket",), "the bucket does not exist: create it, or correct TIDEMARK_LAKE"),
    (
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"),
        "the credentials are not valid: look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
    ),
    (
        ("PermanentRedirect", "AuthorizationHeaderMalformed", "301 Moved"),
        "the bucket is in another region: correct AWS_REGION",
    ),
    (
        ("AccessDenied", "403 Forbidden"),
        "these credentials may not: grant ListBucket, GetObject, PutObject, DeleteObject and AbortMultipartUpload",
    ),
)
