"""The roles, as code: what each may do on the whole. Who has which is a person's decision, or the login's.

| role | may |
|---|---|
| Admin | everything, people and roles too |
| Op | everything but people, roles and the audit log |
| Engineer | see what runs the DAGs; with the role of an owner, see that owner's DAGs, run, clear and pause them |
| Analyst | what Viewer may, and run and pause the marts' DAGs |
| Viewer | see all DAGs, their runs, logs and results, change nothing |

Admin, Op and Viewer are FAB's own. A role that is none of these, nor FAB's, nor in Airflow's `[fab] custom_roles`, is
taken away: one by hand would outlive the reason for it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from airflow.providers.fab.auth_manager.security_manager.override import FabAirflowSecurityManagerOverride
from airflow.providers.fab.www.security import permissions as fab

from tidemark_orchestration.access import ANALYST, owner_role

ENGINEER = "Engineer"
Right = tuple[str, str]

_VIEWER = frozenset[Right](FabAirflowSecurityManagerOverride.VIEWER_PERMISSIONS)
_ALL_DAGS = frozenset((action, fab.RESOURCE_DAG) for action in fab.DAG_ACTIONS)
_WORK = frozenset(
    (action, resource)
    for resource in (fab.RESOURCE_DAG_RUN, fab.RESOURCE_TASK_INSTANCE)
    for action in (fab.ACTION_CAN_CREATE, fab.ACTION_CAN_EDIT, fab.ACTION_CAN_DELETE)
)
# FAB gives it to every role that is not its own.
_PAGES: frozenset[Right] = frozenset({(fab.ACTION_CAN_READ, fab.RESOURCE_WEBSITE)})


def roles(owners: Iterable[str]) -> dict[str, frozenset[Right]]:
    """Give what each role may do on the whole; Admin, who may do everything, is not among them."""
    builtin = {
        str(role["role"]): frozenset[Right](role["perms"])
        for role in FabAirflowSecurityManagerOverride.ROLE_CONFIGS
        if role["role"] != "Admin"
    }
    ours = {ENGINEER: (_VIEWER - _ALL_DAGS) | _WORK, ANALYST: _VIEWER}
    return {**builtin, **ours, **{owner_role(owner): _PAGES for owner in owners if owner}}


def apply(manager: Any, wanted: Mapping[str, frozenset[Right]]) -> None:
    """Make the roles what they have to be. What DAGs give by their `access_control` is theirs, and stays."""
    manager.sync_roles()
    # Declared to Airflow itself, which has made them just now.
    declared = manager._get_custom_roles_config()
    for role in manager.get_all_roles():
        if role.name not in {"Admin", *wanted, *declared}:
            manager.delete_role(role.name)
    for name, rights in wanted.items():
        _set(manager, manager.find_role(name) or manager.add_role(name), rights)


def _set(manager: Any, role: Any, rights: frozenset[Right]) -> None:
    had = {(right.action.name, right.resource.name): right for right in role.permissions}
    for right, found in had.items():
        if right not in rights and not right[1].startswith(tuple(fab.PREFIX_LIST)):
            manager.remove_permission_from_role(role, found)
    for action, resource in sorted(rights - had.keys()):
        manager.add_permission_to_role(role, manager.create_permission(action, resource))
