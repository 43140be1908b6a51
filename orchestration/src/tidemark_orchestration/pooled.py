"""What Airflow's asynchronous connections are told where PgBouncer stands before its database.

AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS_ASYNC=tidemark_orchestration.pooled.CONNECT_ARGS, for asyncpg.
"""

from typing import Any
from uuid import uuid4

# What is prepared under a name stays with one connection to the database, and the next transaction may have another:
# so nothing is kept, and no two have the same name.
CONNECT_ARGS: dict[str, Any] = {
    "statement_cache_size": 0,
    "prepared_statement_name_func": lambda: f"__asyncpg_{uuid4()}__",
}
