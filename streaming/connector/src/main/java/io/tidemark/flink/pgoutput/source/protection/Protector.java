package io.tidemark.flink.pgoutput.source.protection;

import io.tidemark.flink.pgoutput.protocol.Relation;
import io.tidemark.flink.pgoutput.protocol.ReplicationOptions;
import io.tidemark.flink.pgoutput.protocol.TableName;
import io.tidemark.flink.pgoutput.protocol.TableRoots;
import io.tidemark.flink.pgoutput.protocol.Tuple;

import org.apache.flink.core.memory.MemorySegment;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.SQLException;

/** Applies protections to the relations and values of a stream; not thread-safe. */
public final class Protector implements AutoCloseable {
    private static final StringData MASKED = StringData.fromString("***");

    private final Protections protections;
    private final KeyedHash hash;
    private final TableRoots roots;

    /**
     * Begins with the key that is in the file now; it stays the same for as long as this is used,
     * as the labels of the tables name it.
     */
    public Protector(Protections protections, String keyFile, ReplicationOptions options) {
        this.protections = protections;
        this.hash = protections.needsKey() ? KeyedHash.inFile(keyFile) : null;
        this.roots = new TableRoots(options);
    }

    /**
     * How a relation is protected: as the table that it is, or whose partition it is.
     *
     * @throws UncheckedIOException when the server does not say whose partition it is
     */
    public TableProtection of(Relation relation) {
        if (protections.isEmpty()) {
            return TableProtection.NONE;
        }
        TableProtection own =
                protections.tables().get(new TableName(relation.schema(), relation.table()));
        return (own == null ? ofRoot(relation.oid()) : own).of(relation);
    }

    private TableProtection ofRoot(long oid) {
        try {
            return protections.tables().getOrDefault(roots.of(oid), TableProtection.CLOSED);
        } catch (SQLException e) {
            throw new UncheckedIOException(new IOException(e));
        }
    }

    /**
     * What is emitted of a column's value; null for NULL.
     *
     * @param message the tuple's bytes, which all of its plain values share
     */
    public StringData value(
            Tuple tuple, int column, Protection protection, MemorySegment[] message) {
        if (tuple.isNull(column)) {
            return null;
        }
        int offset = tuple.offset(column);
        int length = tuple.length(column);
        return switch (protection) {
            case PLAIN -> new BinaryStringData(message, offset, length);
            case HASH -> StringData.fromBytes(hash.of(tuple.bytes(), offset, length));
            case MASK -> MASKED;
            case DROP -> throw new IllegalStateException("a value that is in no row");
        };
    }

    @Override
    public void close() throws SQLException {
        roots.close();
    }
}
