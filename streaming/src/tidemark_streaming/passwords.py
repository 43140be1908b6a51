"""Write a source's secrets into files for the connector, in a pod that Flink's operator starts: `… passwords shop`."""

import os
import sys

from tidemark_contract.errors import TidemarkError
from tidemark_contract.secret_files import secret_files
from tidemark_contract.settings import Settings
from tidemark_streaming.connector_options import ConnectorOptions


def main(source: str) -> int:
    """Write them where the program of the JobManager says that they are; say what is in the way."""
    try:
        settings = Settings.read({**os.environ, **secret_files(os.environ)})
        ConnectorOptions.of(source, settings).with_secrets_in(settings.state / "secrets")
    except TidemarkError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
