"""The catalog facts that a mark carries: what `tidemark_contract.catalog.Catalog` reads.

One plain SELECT, and of the functions that answer from the system cache, ignoring the snapshot, only format_type, which
is told the column's type and knows no more than its name: pg_get_… or regclass would tell of changes that the mark
does not see.
"""

from psycopg import sql

from tidemark_contract.names import MARK_SCHEMA, MARK_TABLE, TableName, slot_name

# A table whose publication entry filters rows or columns, or whose publication leaves out operations, is as good as
# not published: it is left out here, and so taken out of the mark.
_CATALOG = sql.SQL(
    """
WITH RECURSIVE plain AS (
    SELECT relation.oid
    FROM pg_catalog.pg_class relation
    JOIN pg_catalog.pg_namespace namespace ON namespace.oid = relation.relnamespace
    WHERE {all_plain} OR (namespace.nspname, relation.relname) IN (
        SELECT * FROM unnest({plain_schemas}::text[], {plain_tables}::text[]))
), folded AS (
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
    'attributes', relation.relnatts,
    'identity', relation.relreplident,
    'key', coalesce((
        SELECT jsonb_agg(part.number ORDER BY part.position)
        FROM pg_catalog.pg_index index, unnest(index.indkey::int2[]) WITH ORDINALITY AS part(number, position)
        WHERE index.indrelid = relation.oid AND part.position <= index.indnkeyatts
          AND index.indisvalid AND index.indimmediate
          AND CASE relation.relreplident WHEN 'i' THEN index.indisreplident ELSE index.indisprimary END
    ), '[]'),
    'keys', coalesce((
        SELECT jsonb_agg(parts ORDER BY index.indexrelid)
        FROM pg_catalog.pg_index index
        CROSS JOIN LATERAL (SELECT (index.indkey::int2[])[0:index.indnkeyatts - 1]) unique_on (parts)
        WHERE index.indrelid = relation.oid AND index.indisunique AND index.indisvalid AND index.indimmediate
          AND index.indpred IS NULL AND index.indnkeyatts = (
            SELECT count(*)
            FROM pg_catalog.pg_attribute part
            WHERE part.attrelid = relation.oid AND part.attnum = ANY (parts) AND part.attnotnull
        )
    ), '[]'),
    'columns', (
        SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
            'number', attribute.attnum,
            'name', attribute.attname,
            'type', attribute.atttypid::bigint,
            'declared', format_type(attribute.atttypid, attribute.atttypmod),
            'generated', nullif(attribute.attgenerated, ''),
            'expression', CASE WHEN attribute.attgenerated <> '' THEN (
                SELECT expression.oid::bigint
                FROM pg_catalog.pg_attrdef expression
                WHERE expression.adrelid = relation.oid AND expression.adnum = attribute.attnum
            ) END,
            'missing', CASE WHEN folded.root IN (TABLE plain) THEN (attribute.attmissingval::text::text[])[1] END,
            'labels', CASE WHEN attribute.atttypid >= 16384 THEN (
                WITH RECURSIVE inside AS (
                    SELECT attribute.atttypid AS type
                    UNION
                    SELECT part.type
                    FROM inside
                    JOIN pg_catalog.pg_type outer_type ON outer_type.oid = inside.type
                    CROSS JOIN LATERAL (
                        SELECT outer_type.typelem
                        UNION ALL SELECT outer_type.typbasetype
                        UNION ALL SELECT rngsubtype FROM pg_catalog.pg_range
                            WHERE inside.type IN (rngtypid, rngmultitypid)
                        UNION ALL SELECT atttypid FROM pg_catalog.pg_attribute
                            WHERE attrelid = outer_type.typrelid AND attnum > 0 AND NOT attisdropped
                    ) part (type)
                )
                SELECT jsonb_agg(
                    CASE WHEN folded.root IN (TABLE plain) THEN label.enumlabel
                    ELSE label.oid::text || ':' || label.xmin::text END ORDER BY label.oid)
                FROM inside JOIN pg_catalog.pg_enum label ON label.enumtypid = inside.type
            ) END,
            'written_by', attribute.xmin::text::bigint
        )) ORDER BY attribute.attnum), '[]')
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


def catalog_sql(source: str, plain: frozenset[TableName] | None = None) -> sql.Composed:
    """Give the SELECT of one jsonb: every captured table and partition, by oid, with its columns by number.

    `plain` names the tables whose values may be told (None: all): a column's missing value is one, and so is an enum's
    label. Of other tables nobody needs the former; of labels their rows' identities are told, which a renaming changes.
    """
    named = sorted(plain or ())
    return _CATALOG.format(
        publication=sql.Literal(slot_name(source)),
        schema=sql.Literal(MARK_SCHEMA),
        table=sql.Literal(MARK_TABLE),
        all_plain=sql.Literal(plain is None),
        plain_schemas=sql.Literal([name.schema for name in named]),
        plain_tables=sql.Literal([name.table for name in named]),
    )
