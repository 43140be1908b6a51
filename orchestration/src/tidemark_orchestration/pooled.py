"""What Airflow's asynchronous connections are told where PgBouncer stands before its database.

AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS_ASYNC=tidemark_orchestration.pooled.CONNECT_ARGS, with psycopg.
"""

# What is prepared under a name stays with one connection to the database, and the next transaction may have another.
CONNECT_ARGS: dict[str, None] = {"prepare_threshold": None}
