package io.tidemark.flink.pgoutput.source.reader;

import io.tidemark.flink.pgoutput.protocol.Relation;
import io.tidemark.flink.pgoutput.protocol.Relation.Column;
import io.tidemark.flink.pgoutput.source.protection.Protection;
import io.tidemark.flink.pgoutput.source.protection.TableProtection;

import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.StringData;

import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A relation's names as Flink data, made once and shared by all rows of the relation; and which of
 * its columns are emitted, and how.
 */
final class RelationNames {
    private static final int MOST_SUBSETS = 1024;

    private final StringData schema;
    private final StringData table;
    private final Long oid;
    private final StringData[] columns;
    private final BitSet keyColumns = new BitSet();
    private final Map<BitSet, ArrayData> subsets = new HashMap<>();
    private final ArrayData all;
    private final StringData label;
    private final Protection[] protections;
    private final BitSet emitted = new BitSet();

    RelationNames(Relation relation, TableProtection protection) {
        schema = StringData.fromString(relation.schema());
        table = StringData.fromString(relation.table());
        oid = relation.oid();
        List<Column> described = relation.columns();
        label = protection.label() == null ? null : StringData.fromString(protection.label());
        columns = new StringData[described.size()];
        protections = new Protection[columns.length];
        for (int i = 0; i < columns.length; i++) {
            columns[i] = StringData.fromString(described.get(i).name());
            keyColumns.set(i, described.get(i).key());
            protections[i] = protection.of(described.get(i));
            emitted.set(i, protections[i] != Protection.DROP);
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

    /** The names of all columns, of those that are not emitted too. */
    ArrayData all() {
        return all;
    }

    /** What its rows say of how they are protected; null where they are not. */
    StringData label() {
        return label;
    }

    /** The columns whose values are emitted; not to be changed. */
    BitSet emitted() {
        return emitted;
    }

    Protection protection(int column) {
        return protections[column];
    }

    /** Columns of the replica identity; not to be changed. */
    BitSet keyColumns() {
        return keyColumns;
    }

    /** The names of some columns, in column order. */
    ArrayData only(BitSet wanted) {
        ArrayData names = subsets.get(wanted);
        if (names == null) {
            if (subsets.size() == MOST_SUBSETS) {
                subsets.clear(); // of thirty stored columns there are a billion
            }
            BitSet key = (BitSet) wanted.clone();
            names = new GenericArrayData(key.stream().mapToObj(i -> columns[i]).toArray());
            subsets.put(key, names);
        }
        return names;
    }
}
