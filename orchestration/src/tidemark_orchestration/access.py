"""What a role may do on one DAG: its owner's role on all DAGs of the owner, analysts on those of the marts.

Plain words, for a DAG file is parsed without FAB; `roles` has what roles may do on the whole.
"""

from collections.abc import Collection

from tidemark_contract.errors import SettingsError

ANALYST = "Analyst"
# With a prefix an owner called Admin gets no more than other owners.
OWNER_PREFIX = "owner:"
_LONGEST = 64  # FAB's column
# Rights on tasks, logs and results are no DAG's, but a role's: they count on the DAGs that it may read, or edit.
_RUN_IT = {"DAGs": {"can_read", "can_edit"}, "DAG Runs": {"can_create"}}

Access = dict[str, dict[str, Collection[str]]]


def owner_role(owner: str) -> str:
    """Name the role that people have who answer for an owner's DAGs."""
    role = OWNER_PREFIX + owner
    if len(role) > _LONGEST:
        raise SettingsError(f"owner {owner!r} is too long for a role: {_LONGEST - len(OWNER_PREFIX)} characters fit")
    return role


def dag_access(owner: str, *, for_analysts: bool = False) -> Access:
    """Give a DAG's `access_control`. Empty is not None: it takes away what the DAG has given before."""
    roles = [*([owner_role(owner)] if owner else []), *([ANALYST] if for_analysts else [])]
    return {role: {resource: set(actions) for resource, actions in _RUN_IT.items()} for role in roles}
