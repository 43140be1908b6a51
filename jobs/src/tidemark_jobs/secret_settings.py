"""The settings that are secrets, for a job whose environment others may read: on EMR, or in a pod.

TIDEMARK_SECRETS names a secret of AWS Secrets Manager, by name or ARN, whose text is a JSON object of settings; or, as
`file:///folder`, a folder with one file a setting, as Kubernetes mounts a Secret.
"""

import json
import re
from collections.abc import Mapping

from tidemark_contract.errors import PlatformUnavailable, SettingsError
from tidemark_contract.secret_files import SCHEME, refuse_others, secret_files
from tidemark_contract.settings import SECRETS

_PASSING = re.compile(r"Throttling\w*|TooManyRequests\w*|InternalServiceError|ServiceUnavailable\w*|5..")


def secret_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Give the settings that TIDEMARK_SECRETS leads to, none when it is not set; SettingsError."""
    if not (place := environment.get(SECRETS)):
        return {}
    if place.startswith(SCHEME):
        return secret_files(environment)
    found = _of_secrets_manager(place, environment)
    refuse_others(place, found)
    return found


def _of_secrets_manager(name: str, environment: Mapping[str, str]) -> dict[str, str]:
    from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError
    from botocore.session import get_session

    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    try:
        text = get_session().create_client("secretsmanager", region).get_secret_value(SecretId=name)["SecretString"]
    except ClientError as error:
        code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        kind = PlatformUnavailable if status >= 500 or _PASSING.fullmatch(code) else SettingsError
        raise kind(
            f"{SECRETS} is {name!r}: Secrets Manager says {code}: {error.response['Error']['Message']}"
        ) from error
    except (ConnectionError, HTTPClientError) as error:
        raise PlatformUnavailable(f"{SECRETS} is {name!r}: Secrets Manager does not answer: {error}") from error
    except BotoCoreError as error:
        raise SettingsError(f"{SECRETS} is {name!r}: Secrets Manager cannot be asked: {error}") from error
    return _object(name, text)


def _object(name: str, text: str) -> dict[str, str]:
    """Read the secret's text; no word of it gets into a message."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise SettingsError(f"{SECRETS} is {name!r}: its text has to be a JSON object of settings and their values")
    return found
