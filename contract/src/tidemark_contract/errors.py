"""What can go wrong, sorted by what the operator does next."""

from collections.abc import Sequence

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_TRY_AGAIN = 75  # sysexits.h EX_TEMPFAIL
EXIT_CONFIGURATION = 78  # sysexits.h EX_CONFIG


class TidemarkError(Exception):
    """Anything tidemark refuses to go on with; the message says what, where and the cure."""

    retryable = False
    exit_code = EXIT_FAILED


class ConfigurationError(TidemarkError):
    """A person has to change something before another try can succeed."""

    exit_code = EXIT_CONFIGURATION


class RetryableError(TidemarkError):
    """The same call may succeed later."""

    retryable = True
    exit_code = EXIT_TRY_AGAIN


class SpecError(ConfigurationError):
    """A spec is wrong; every problem of the file at once."""

    def __init__(self, file: str, problems: Sequence[str]) -> None:
        self.file = file
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{file}: {problem}" for problem in problems))


class SettingsError(ConfigurationError):
    """A TIDEMARK_* setting is missing or malformed."""


class SourceRefused(ConfigurationError):
    """The source database is not fit to be mirrored, or its role lacks a privilege."""


class SourceUnavailable(RetryableError):
    """The source database does not answer."""


class SourceChanged(ConfigurationError):
    """The chain of marks is broken: this is not the database the lake was filled from."""


class SnapshotGivenUp(RetryableError):
    """A held snapshot was let go because somebody waited for a lock on its tables."""


class LakeUnavailable(RetryableError):
    """The lake does not answer or cannot be written."""


class LakeRefused(ConfigurationError):
    """The lake does not exist, does not let us in, or cannot do what an exact mirror needs."""


class LakeDamaged(ConfigurationError):
    """A table is there and cannot be read: a file of it was lost, cut off, or written by something else."""


class PlatformUnavailable(RetryableError):
    """What runs the jobs (EMR, Kubernetes) does not answer, or has too much to do."""


class PlatformRefused(ConfigurationError):
    """What runs the jobs does not know what it is asked for, or does not let us."""


class LeaseTaken(RetryableError):
    """Another run holds the lease for this source."""


class MarkTimeout(RetryableError):
    """A mark did not arrive in the lake in time: the stream is down or behind."""


class StreamDown(RetryableError):
    """Nobody reads the slot, though nobody has stopped the stream."""


class LimitExceeded(TidemarkError):
    """What a stream costs its source, or how far it is behind, is beyond a limit."""


class NotEqual(TidemarkError):
    """A proof found differences between the source and the lake."""


class NotErased(TidemarkError):
    """The proof of an erasure has found something that is left."""
