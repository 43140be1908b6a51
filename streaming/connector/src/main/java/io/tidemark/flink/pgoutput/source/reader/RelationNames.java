package io.tidemark.flink.pgoutput.source.reader;

import io.tidemark.flink.pgoutput.protocol.Relation;
import io.tidemark.flink.pgoutput.protocol.Relation.Column;

import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.StringData;

import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A relation's names as Flink data, made once and shared by all rows of the relation. */
final class RelationNames {
    private final StringData schema;
    private final StringData table;
    private final Long oid;
    private final StringData[] columns;
    private final BitSet keyColumns = new BitSet();
    private final Map<BitSet, ArrayData> subsets = new HashMap<>();
    private final ArrayData all;

    RelationNames(Relation relation) {
        schema = StringData.fromString(relation.schema());
        table = StringData.fromString(relation.table());
        oid = relation.oid();
        List<Column> described = relation.columns();
        columns = new StringData[described.size()];
        for (int i = 0; i < columns.length; i++) {
            columns[i] = StringData.fromString(described.get(i).name());
            keyColumns.set(i, described.get(i).key());
        }
        all = new GenericArrayData(columns);
    }

    StringData schema() {
        return schema;
    }

    StringData table() {
        return table;
    }

    Long oid() {
        return oid;
    }

    ArrayData all() {
        return all;
    }

    /** Columns of the replica identity; not to be changed. */
    BitSet keyColumns() {
        return keyColumns;
    }

    /** The names of some columns, in column order. */
    ArrayData only(BitSet wanted) {
        ArrayData names = subsets.get(wanted);
        if (names == null) {
            BitSet key = (BitSet) wanted.clone();
            names = new GenericArrayData(key.stream().mapToObj(i -> columns[i]).toArray());
            subsets.put(key, names);
        }
        return names;
    }
}
