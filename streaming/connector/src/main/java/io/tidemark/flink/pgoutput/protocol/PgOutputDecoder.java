package io.tidemark.flink.pgoutput.protocol;

import io.tidemark.flink.pgoutput.protocol.ReplicationHandler.Change;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Decodes pgoutput messages, protocol version 1, values as text.
 *
 * <p>One instance per connection: the server sends each relation anew on each. Not thread-safe.
 *
 * @see <a
 *     href="https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html">The
 *     formats</a>
 */
public final class PgOutputDecoder {
    private static final long PG_EPOCH_MICROS = 946_684_800_000_000L; // 2000-01-01 since 1970-01-01
    private static final long FNV_OFFSET = 0xcbf29ce484222325L;
    private static final long FNV_PRIME = 0x100000001b3L;

    private final Map<Integer, Relation> relations = new HashMap<>();
    private final Map<Integer, String> typeNames = new HashMap<>();
    private final Tuple before = new Tuple();
    private final Tuple after = new Tuple();

    /** Decodes one message, which must be backed by an array that is not written to again. */
    public void decode(ByteBuffer message, ReplicationHandler handler) {
        byte kind = message.get();
        switch (kind) {
            case 'B' ->
                    handler.begin(
                            message.getLong(),
                            message.getLong() + PG_EPOCH_MICROS,
                            unsigned(message));
            case 'I' -> insert(message, handler);
            case 'U' -> update(message, handler);
            case 'D' -> delete(message, handler);
            case 'T' -> truncate(message, handler);
            case 'C' -> commit(message, handler);
            case 'R' -> relation(message, handler);
            case 'Y' -> typeNames.put(message.getInt(), string(message) + "." + string(message));
            case 'O', 'M' -> {} // origin and logical messages carry no rows
            default ->
                    throw new PermanentException(
                            Reason.PROTOCOL, "unexpected pgoutput message '" + (char) kind + "'");
        }
    }

    private void insert(ByteBuffer message, ReplicationHandler handler) {
        Relation relation = known(message.getInt());
        message.get(); // always 'N'
        after.read(message);
        handler.change(Change.INSERT, relation, null, false, after);
    }

    private void update(ByteBuffer message, ReplicationHandler handler) {
        Relation relation = known(message.getInt());
        byte part = message.get(); // 'K' old key, 'O' old row, 'N' new row
        boolean hasBefore = part != 'N';
        if (hasBefore) {
            before.read(message);
            message.get(); // always 'N'
        }
        after.read(message);
        handler.change(Change.UPDATE, relation, hasBefore ? before : null, part == 'K', after);
    }

    private void delete(ByteBuffer message, ReplicationHandler handler) {
        Relation relation = known(message.getInt());
        byte part = message.get();
        before.read(message);
        handler.change(Change.DELETE, relation, before, part == 'K', null);
    }

    private void truncate(ByteBuffer message, ReplicationHandler handler) {
        int count = message.getInt();
        message.get(); // 1 = CASCADE, 2 = RESTART IDENTITY
        for (int i = 0; i < count; i++) {
            handler.truncate(known(message.getInt()));
        }
    }

    private static void commit(ByteBuffer message, ReplicationHandler handler) {
        message.get(); // flags, unused
        message.getLong(); // the commit LSN that begin said
        handler.commit(message.getLong());
    }

    private void relation(ByteBuffer message, ReplicationHandler handler) {
        long fingerprint = fingerprint(message);
        int oid = message.getInt();
        String schema = string(message);
        String table = string(message);
        char replicaIdentity = (char) message.get();
        int count = message.getShort();
        List<Relation.Column> columns = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            columns.add(column(message));
        }
        Relation relation =
                new Relation(
                        oid & 0xffffffffL,
                        schema.isEmpty() ? "pg_catalog" : schema,
                        table,
                        replicaIdentity,
                        List.copyOf(columns),
                        fingerprint);
        relations.put(oid, relation);
        handler.relation(relation);
    }

    private Relation.Column column(ByteBuffer message) {
        boolean key = (message.get() & 1) != 0;
        String name = string(message);
        int type = message.getInt();
        int typmod = message.getInt();
        return new Relation.Column(name, key, type & 0xffffffffL, typmod, typeNames.get(type));
    }

    private Relation known(int oid) {
        Relation relation = relations.get(oid);
        if (relation == null) {
            throw new PermanentException(
                    Reason.PROTOCOL, "a change of relation " + oid + " before its description");
        }
        return relation;
    }

    /** FNV-1a; part of checkpointed state, so it must not change. */
    private static long fingerprint(ByteBuffer message) {
        long hash = FNV_OFFSET;
        for (int i = message.position(); i < message.limit(); i++) {
            hash = (hash ^ (message.get(i) & 0xff)) * FNV_PRIME;
        }
        return hash;
    }

    private static long unsigned(ByteBuffer message) {
        return message.getInt() & 0xffffffffL;
    }

    private static String string(ByteBuffer message) {
        int from = message.position();
        int length = 0;
        while (message.get() != 0) {
            length++;
        }
        return new String(
                message.array(), message.arrayOffset() + from, length, StandardCharsets.UTF_8);
    }
}
