package io.tidemark.flink.pgoutput.source;

import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.IntType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.MapType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.VarCharType;

/**
 * The row that the source emits: names, types and order of its columns.
 *
 * <p>An event is named for ever by (system_id, timeline, commit_lsn, ordinal), except schema rows
 * ({@code s}): such a row has the ordinal of the change that follows it, and comes before it. LSNs
 * are unsigned 64-bit numbers in a BIGINT: from 2^63 on they are negative.
 */
public final class ChangeRow {
    public static final int SYSTEM_ID = 0;
    public static final int TIMELINE = 1;
    public static final int COMMIT_LSN = 2;
    public static final int ORDINAL = 3;
    public static final int XID = 4;
    public static final int COMMIT_TS = 5;
    public static final int OP = 6;
    public static final int SCHEMA_NAME = 7;
    public static final int TABLE_NAME = 8;
    public static final int RELATION_ID = 9;
    public static final int BEFORE = 10;
    public static final int AFTER = 11;
    public static final int UNCHANGED = 12;
    public static final int PROTECTION = 13;

    private static final LogicalType BIGINT = new BigIntType(false);
    private static final LogicalType NAME = VarCharType.STRING_TYPE.copy(false);
    private static final LogicalType VALUES = new MapType(NAME, VarCharType.STRING_TYPE);

    private static final RowType TYPE =
            RowType.of(
                    new LogicalType[] {
                        NAME,
                        new IntType(false),
                        BIGINT,
                        BIGINT,
                        BIGINT,
                        BIGINT,
                        NAME,
                        NAME,
                        NAME,
                        BIGINT,
                        VALUES,
                        VALUES,
                        new ArrayType(VarCharType.STRING_TYPE),
                        VarCharType.STRING_TYPE
                    },
                    new String[] {
                        "system_id",
                        "timeline",
                        "commit_lsn",
                        "ordinal",
                        "xid",
                        "commit_ts",
                        "op",
                        "schema_name",
                        "table_name",
                        "relation_id",
                        "before",
                        "after",
                        "unchanged",
                        "protection"
                    });

    public static final int ARITY = TYPE.getFieldCount();

    private ChangeRow() {}

    public static RowType type() {
        return TYPE;
    }

    public static TypeInformation<RowData> typeInformation() {
        return InternalTypeInfo.of(TYPE);
    }
}
