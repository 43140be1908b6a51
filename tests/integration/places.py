"""Where a source and its S3 server run: in containers where there are any; where not, as processes of ours."""

import random
from typing import Any

import pytest

from tests.integration.containers import POSTGRES, unavailable
from tests.variants import ALL

EMBEDDED = "embedded"


def _places() -> list[Any]:
    why = unavailable()
    marks = [pytest.mark.integration, *([pytest.mark.skip(reason=why)] if why else [])]
    return [pytest.param(image, marks=marks) for image in POSTGRES] + [EMBEDDED] * bool(why)


PLACES = _places() if ALL else [random.choice(_places())]
