package io.tidemark.flink.pgoutput.testing;

import io.tidemark.flink.pgoutput.source.ChangeRow;

import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.data.RowData;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A row of the source, as a test wants to see it. */
public record Event(
        String systemId,
        int timeline,
        long commitLsn,
        long ordinal,
        long xid,
        long commitTs,
        String op,
        String table,
        long relationId,
        Map<String, String> before,
        Map<String, String> after,
        List<String> unchanged,
        String protection) {

    public static Event of(RowData row) {
        return new Event(
                row.getString(ChangeRow.SYSTEM_ID).toString(),
                row.getInt(ChangeRow.TIMELINE),
                row.getLong(ChangeRow.COMMIT_LSN),
                row.getLong(ChangeRow.ORDINAL),
                row.getLong(ChangeRow.XID),
                row.getLong(ChangeRow.COMMIT_TS),
                row.getString(ChangeRow.OP).toString(),
                row.getString(ChangeRow.SCHEMA_NAME) + "." + row.getString(ChangeRow.TABLE_NAME),
                row.getLong(ChangeRow.RELATION_ID),
                map(row, ChangeRow.BEFORE),
                map(row, ChangeRow.AFTER),
                row.isNullAt(ChangeRow.UNCHANGED) ? null : list(row.getArray(ChangeRow.UNCHANGED)),
                row.isNullAt(ChangeRow.PROTECTION)
                        ? null
                        : row.getString(ChangeRow.PROTECTION).toString());
    }

    /** What names an event for ever. */
    public String identity() {
        return systemId + "/" + timeline + "/" + commitLsn + "/" + ordinal;
    }

    public boolean isSchema() {
        return op.equals("s");
    }

    /** The new value of a column. */
    public String value(String column) {
        return after.get(column);
    }

    private static Map<String, String> map(RowData row, int field) {
        if (row.isNullAt(field)) {
            return null;
        }
        MapData data = row.getMap(field);
        List<String> keys = list(data.keyArray());
        List<String> values = list(data.valueArray());
        Map<String, String> map = new LinkedHashMap<>();
        for (int i = 0; i < data.size(); i++) {
            map.put(keys.get(i), values.get(i));
        }
        return map;
    }

    private static List<String> list(ArrayData array) {
        List<String> list = new ArrayList<>();
        for (int i = 0; i < array.size(); i++) {
            list.add(array.isNullAt(i) ? null : array.getString(i).toString());
        }
        return list;
    }
}
