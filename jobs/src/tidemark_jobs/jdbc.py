"""The source's libpq URL in the words of pgjdbc."""

from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

from tidemark_contract.protection import HashKey
from tidemark_source.protection import startup_options

_SAME_IN_BOTH = ("sslmode", "sslrootcert", "sslcert", "sslkey")
# In seconds. A range is some thousand blocks: a server that reads it is never silent for so long.
_BOUNDS = {"connectTimeout": "10", "loginTimeout": "20", "socketTimeout": "60"}


def jdbc_options(url: str, key: HashKey | None = None) -> dict[str, str]:
    """Give `url`, `user` and `password` for Spark's readers, and `secretOptions` with the key of hashed columns.

    Spark redacts what is called so. A role that comes with a certificate, or is trusted, has an empty password.
    """
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    query = _BOUNDS | {name: parts[name] for name in _SAME_IN_BOTH if name in parts}
    place = f"{parts.get('host', 'localhost')}:{parts.get('port', '5432')}/{quote(parts.get('dbname', ''), safe='')}"
    options = {"url": f"jdbc:postgresql://{place}?{urlencode(query)}"}
    options |= {"secretOptions": startup_options(key)} if key else {}
    return options | {"user": parts.get("user", ""), "password": parts.get("password", "")}
