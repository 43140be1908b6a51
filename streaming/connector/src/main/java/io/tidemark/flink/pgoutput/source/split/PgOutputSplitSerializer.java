package io.tidemark.flink.pgoutput.source.split;

import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * What is written into checkpoints and savepoints.
 *
 * <ul>
 *   <li>version 1: slot, system id, timeline, end LSN, LSN and ordinal of the open transaction,
 *       fingerprints of relations
 *   <li>version 2: the database's oid after the timeline
 *   <li>version 3: commit LSN, xid and time of the last transaction before the relations
 * </ul>
 *
 * Every version that was ever released stays readable.
 */
public final class PgOutputSplitSerializer implements SimpleVersionedSerializer<PgOutputSplit> {
    private static final int WITHOUT_DATABASE = 1;
    private static final int WITHOUT_LAST = 2;
    private static final int CURRENT = 3;

    @Override
    public int getVersion() {
        return CURRENT;
    }

    @Override
    public byte[] serialize(PgOutputSplit split) throws IOException {
        StreamPosition position = split.position();
        DataOutputSerializer out = new DataOutputSerializer(128 + 12 * position.relations().size());
        out.writeUTF(split.slot());
        out.writeUTF(position.systemId());
        out.writeInt(position.timeline());
        out.writeLong(position.databaseOid());
        out.writeLong(position.endLsn());
        out.writeLong(position.txCommitLsn());
        out.writeLong(position.txOrdinal());
        out.writeLong(position.last().commitLsn());
        out.writeLong(position.last().xid());
        out.writeLong(position.last().commitMicros());
        out.writeInt(position.relations().size());
        for (Map.Entry<Long, Long> relation : new TreeMap<>(position.relations()).entrySet()) {
            out.writeInt(relation.getKey().intValue()); // oids are unsigned 32 bit
            out.writeLong(relation.getValue());
        }
        return out.getCopyOfBuffer();
    }

    @Override
    public PgOutputSplit deserialize(int version, byte[] bytes) throws IOException {
        if (version < WITHOUT_DATABASE || version > CURRENT) {
            throw new IOException(
                    "split state has version " + version + ", known are 1 to " + CURRENT);
        }
        DataInputDeserializer in = new DataInputDeserializer(bytes);
        String slot = in.readUTF();
        StreamPosition position =
                new StreamPosition(
                        in.readUTF(),
                        in.readInt(),
                        version == WITHOUT_DATABASE ? 0 : in.readLong(),
                        in.readLong(),
                        in.readLong(),
                        in.readLong(),
                        version <= WITHOUT_LAST ? Transaction.UNKNOWN : transaction(in),
                        relations(in));
        return new PgOutputSplit(slot, position);
    }

    private static Transaction transaction(DataInputDeserializer in) throws IOException {
        return new Transaction(in.readLong(), in.readLong(), in.readLong());
    }

    private static Map<Long, Long> relations(DataInputDeserializer in) throws IOException {
        Map<Long, Long> relations = new HashMap<>();
        for (int n = in.readInt(); n > 0; n--) {
            relations.put(in.readInt() & 0xffffffffL, in.readLong());
        }
        return relations;
    }
}
