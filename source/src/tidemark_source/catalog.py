"""The catalog facts that a mark carries: what `tidemark_contract.catalog.Catalog` reads.

One plain SELECT, and none of the functions that answer from the system cache (format_type, pg_get_…, regclass): those
ignore the snapshot and would tell of changes that the mark does not see.
"""

from psycopg import sql

from tidemark_contract.names import MARK_SCHEMA, MARK_TABLE, slot_name

# A table whose publication entry filters rows or columns, or whose publication leaves out operations, is as good as
# not published: it is left out here, and so taken out of the mark.
_CATALOG = sql.SQL(
    """
WITH RECURSIVE folded AS (
    SELECT entry.prrelid AS oid, entry.prrelid AS root,
           entry.oid::text || ':' || publication.xmin::text AS published
    FROM pg_catalog.pg_publication publication
    JOIN pg_catalog.pg_publication_rel entry ON entry.prpubid = publication.oid
    WHERE publication.pubname = {publication}
      AND publication.pubinsert AND publication.pubupdate AND publication.pubdelete AND publication.pubtruncate
      AND NOT publication.pubviaroot AND entry.prqual IS NULL AND entry.prattrs IS NULL
    UNION
    SELECT child.inhrelid, folded.root, folded.published
    FROM folded
    JOIN pg_catalog.pg_class parent ON parent.oid = folded.oid AND parent.relkind = 'p'
    JOIN pg_catalog.pg_inherits child ON child.inhparent = folded.oid
)
SELECT coalesce(jsonb_agg(jsonb_build_object(
    'oid', relation.oid::bigint,
    'root', folded.root::bigint,
    'published', folded.published,
    'schema', namespace.nspname,
    'table', relation.relname,
    'filenode', relation.relfilenode::bigint,
    'changed_by', relation.xmin::text::bigint,
    'identity', relation.relreplident,
    'key', coalesce((
        SELECT jsonb_agg(part.number ORDER BY part.position)
        FROM pg_catalog.pg_index index, unnest(index.indkey::int2[]) WITH ORDINALITY AS part(number, position)
        WHERE index.indrelid = relation.oid AND part.position <= index.indnkeyatts
          AND index.indisvalid AND index.indimmediate
          AND CASE relation.relreplident WHEN 'i' THEN index.indisreplident ELSE index.indisprimary END
    ), '[]'),
    'columns', (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'number', attribute.attnum,
            'name', attribute.attname,
            'type', attribute.atttypid::bigint,
            'modifier', attribute.atttypmod,
            'generated', attribute.attgenerated,
            'missing', attribute.attmissingval::text
        ) ORDER BY attribute.attnum), '[]')
        FROM pg_catalog.pg_attribute attribute
        WHERE attribute.attrelid = relation.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
    )
) ORDER BY relation.oid, folded.root), '[]')
FROM folded
JOIN pg_catalog.pg_class relation ON relation.oid = folded.oid
JOIN pg_catalog.pg_namespace namespace ON namespace.oid = relation.relnamespace
WHERE (relation.relkind <> 'p' OR relation.oid = folded.root)
  AND (namespace.nspname, relation.relname) <> ({schema}, {table})
"""
)


def catalog_sql(source: str) -> sql.Composed:
    """Give the SELECT of one jsonb: every captured table and partition, by oid, with its columns by number."""
    return _CATALOG.format(
        publication=sql.Literal(slot_name(source)), schema=sql.Literal(MARK_SCHEMA), table=sql.Literal(MARK_TABLE)
    )
