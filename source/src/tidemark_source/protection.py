"""What is stored of a column, as SQL: protected values never leave the server in plain.

The key is in the session's settings, given when it is opened: in no statement's text or parameters, which other
sessions and the server's log may show. PostgreSQL has sha256() and no HMAC, so the two padded blocks are given.
"""

from psycopg import sql

from tidemark_contract.protection import MASKED, HashKey, Protect
from tidemark_contract.specs import ColumnSpec

# A sub-select is evaluated once for a statement.
_HASH = sql.SQL(
    "(SELECT current_setting('tidemark.hash_id')) || ':' || encode(sha256("
    "(SELECT decode(current_setting('tidemark.hash_outer'), 'hex')) || "
    "sha256((SELECT decode(current_setting('tidemark.hash_inner'), 'hex')) || convert_to({text}, 'UTF8'))), 'hex')"
)


def startup_options(key: HashKey) -> str:
    """Give the connection option that hands a session the key; it holds the secret."""
    inner, outer = (pad.hex() for pad in key.pads)
    return f"-c tidemark.hash_id={key.id} -c tidemark.hash_inner={inner} -c tidemark.hash_outer={outer}"


def stored_value(column: ColumnSpec) -> sql.Composable:
    """Give the expression of what is stored of a column: itself, or the text that stands for it."""
    name = sql.Identifier(column.name)
    match column.protect:
        case None:
            return name
        case Protect.HASH:
            return text_of(name, _HASH.format(text=sql.SQL("concat({})").format(name)))
        case Protect.MASK:
            return text_of(name, sql.Literal(MASKED))
        case Protect.DROP:
            raise ValueError(f"nothing is stored of {column.name}")


def text_of(name: sql.Identifier, text: sql.Composable) -> sql.Composed:
    """Give a text where a column has a value, else NULL."""
    # IS NOT NULL would be false for a composite value with a NULL in it; concat() of a NULL would be ''.
    return sql.SQL("CASE WHEN {} IS DISTINCT FROM NULL THEN {} END").format(name, text)
