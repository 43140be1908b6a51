"""The outcome of a job, written where whoever has started it from afar looks for it."""

from collections.abc import Mapping
from dataclasses import replace

from tidemark_contract.outcome import ADDRESS, Outcome
from tidemark_contract.secrecy import striker
from tidemark_jobs.logs import log
from tidemark_jobs.storage import create


def deliver(outcome: Outcome, environment: Mapping[str, str]) -> None:
    """Write it to the address in the environment, if there is one; the first that is written there stays.

    It is the last thing that a job does: where it stands, the job has ended as it says.
    """
    if not (address := environment.get(ADDRESS)):
        return
    folder, _, name = address.rpartition("/")
    strike_out = striker(environment)
    told = replace(outcome, reason=strike_out(outcome.reason))  # before JSON writes a quote in it otherwise
    if not create(folder, name, strike_out(told.to_json()).encode()):
        log("outcome_kept", level="warning", address=address)
