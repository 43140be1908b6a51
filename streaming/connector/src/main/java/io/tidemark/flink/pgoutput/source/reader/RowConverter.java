package io.tidemark.flink.pgoutput.source.reader;

import io.tidemark.flink.pgoutput.protocol.Relation;
import io.tidemark.flink.pgoutput.protocol.Relation.Column;
import io.tidemark.flink.pgoutput.protocol.ReplicationHandler.Change;
import io.tidemark.flink.pgoutput.protocol.ServerIdentity;
import io.tidemark.flink.pgoutput.protocol.Tuple;
import io.tidemark.flink.pgoutput.source.ChangeRow;
import io.tidemark.flink.pgoutput.source.protection.Protector;

import org.apache.flink.core.memory.MemorySegment;
import org.apache.flink.core.memory.MemorySegmentFactory;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;

import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes rows of decoded changes.
 *
 * <p>Values stay the bytes that came from the wire: none becomes a java.lang.String. Names, and all
 * that is the same for a transaction, are made once and shared. What a protected column holds
 * passes through the {@link Protector} and is in no row as it was.
 */
final class RowConverter {
    private static final StringData TRUNCATE = StringData.fromString("t");
    private static final StringData SCHEMA = StringData.fromString("s");
    private static final StringData INSERT = StringData.fromString("c");
    private static final StringData UPDATE = StringData.fromString("u");
    private static final StringData DELETE = StringData.fromString("d");
    private static final ArrayData REPLICA_IDENTITY =
            new GenericArrayData(new Object[] {StringData.fromString("replica_identity")});

    private final StringData systemId;
    private final Integer timeline;
    private final Protector protector;
    private final Map<Long, RelationNames> relations = new HashMap<>();
    private Relation lastRelation;
    private RelationNames lastNames;
    private Long commitLsn;
    private Long commitMicros;
    private Long xid;

    RowConverter(ServerIdentity server, Protector protector) {
        this.protector = protector;
        systemId = StringData.fromString(server.systemId());
        timeline = server.timeline();
    }

    void begin(long newCommitLsn, long newCommitMicros, long newXid) {
        commitLsn = newCommitLsn;
        commitMicros = newCommitMicros;
        xid = newXid;
    }

    /** Must see each relation before its first change. */
    void describe(Relation relation) {
        relations.put(relation.oid(), new RelationNames(relation, protector.of(relation)));
        lastRelation = null;
    }

    RowData change(
            Change kind,
            long ordinal,
            Relation relation,
            Tuple before,
            boolean beforeIsKey,
            Tuple after) {
        RelationNames names = names(relation);
        GenericRowData row = row(op(kind), ordinal, names);
        if (before != null) {
            row.setField(ChangeRow.BEFORE, values(before, names, beforeIsKey));
        }
        if (after != null) {
            row.setField(ChangeRow.AFTER, values(after, names, false));
            if (after.unchangedCount() > 0) {
                row.setField(ChangeRow.UNCHANGED, unchanged(after, names));
            }
        }
        return row;
    }

    RowData truncate(long ordinal, Relation relation) {
        return row(TRUNCATE, ordinal, names(relation));
    }

    /** before: {replica_identity: d|n|f|i}; after: {column: "oid,typmod,1 if key[,type name]"}. */
    RowData schema(long ordinal, Relation relation) {
        RelationNames names = names(relation);
        GenericRowData row = row(SCHEMA, ordinal, names);
        StringData identity = StringData.fromString(String.valueOf(relation.replicaIdentity()));
        row.setField(
                ChangeRow.BEFORE,
                new PairMap(REPLICA_IDENTITY, new GenericArrayData(new Object[] {identity}), 1));
        List<Column> columns = relation.columns();
        Object[] described =
                columns.stream().map(c -> StringData.fromString(description(c))).toArray();
        row.setField(
                ChangeRow.AFTER,
                new PairMap(names.all(), new GenericArrayData(described), described.length));
        return row;
    }

    private static String description(Column column) {
        return column.typeOid()
                + ","
                + column.typmod()
                + ","
                + (column.key() ? 1 : 0)
                + (column.typeName() == null ? "" : "," + column.typeName());
    }

    private GenericRowData row(StringData op, long ordinal, RelationNames names) {
        GenericRowData row = new GenericRowData(ChangeRow.ARITY);
        row.setField(ChangeRow.SYSTEM_ID, systemId);
        row.setField(ChangeRow.TIMELINE, timeline);
        row.setField(ChangeRow.COMMIT_LSN, commitLsn);
        row.setField(ChangeRow.ORDINAL, ordinal);
        row.setField(ChangeRow.XID, xid);
        row.setField(ChangeRow.COMMIT_TS, commitMicros);
        row.setField(ChangeRow.OP, op);
        row.setField(ChangeRow.SCHEMA_NAME, names.schema());
        row.setField(ChangeRow.TABLE_NAME, names.table());
        row.setField(ChangeRow.RELATION_ID, names.oid());
        row.setField(ChangeRow.PROTECTION, names.label());
        return row;
    }

    @SuppressWarnings("ReferenceEquality") // the decoder keeps one instance for each description
    private RelationNames names(Relation relation) {
        if (relation != lastRelation) { // most changes follow one of the same table
            lastNames = relations.get(relation.oid());
            lastRelation = relation;
        }
        return lastNames;
    }

    private static StringData op(Change kind) {
        return switch (kind) {
            case INSERT -> INSERT;
            case UPDATE -> UPDATE;
            case DELETE -> DELETE;
        };
    }

    /**
     * The emitted columns that hold a value: without unchanged ones, and of a key only its own
     * columns.
     */
    private MapData values(Tuple tuple, RelationNames names, boolean keyOnly) {
        BitSet wanted = wanted(tuple, names, keyOnly);
        // One for each would take twice what a narrow value takes.
        MemorySegment[] message = {MemorySegmentFactory.wrap(tuple.bytes())};
        StringData[] values = new StringData[wanted.cardinality()];
        int count = 0;
        for (int i = wanted.nextSetBit(0); i >= 0; i = wanted.nextSetBit(i + 1)) {
            values[count++] = protector.value(tuple, i, names.protection(i), message);
        }
        ArrayData keys = count == tuple.size() ? names.all() : names.only(wanted);
        return new PairMap(keys, new GenericArrayData(values), count);
    }

    private static BitSet wanted(Tuple tuple, RelationNames names, boolean keyOnly) {
        if (!keyOnly && tuple.unchangedCount() == 0) {
            return names.emitted();
        }
        BitSet wanted = (BitSet) names.emitted().clone();
        if (keyOnly) {
            wanted.and(names.keyColumns());
        }
        wanted.andNot(unchanged(tuple));
        return wanted;
    }

    private static ArrayData unchanged(Tuple tuple, RelationNames names) {
        BitSet unchanged = unchanged(tuple);
        unchanged.and(names.emitted());
        return unchanged.isEmpty() ? null : names.only(unchanged);
    }

    private static BitSet unchanged(Tuple tuple) {
        BitSet unchanged = new BitSet(tuple.size());
        for (int i = 0; i < tuple.size(); i++) {
            unchanged.set(i, tuple.isUnchanged(i));
        }
        return unchanged;
    }

    /** Two arrays side by side: no hashing, and the keys are shared by all rows of a relation. */
    private record PairMap(ArrayData keyArray, ArrayData valueArray, int size) implements MapData {}
}
