package io.tidemark.flink.pgoutput.source.split;

import io.tidemark.flink.pgoutput.protocol.Lsn;
import io.tidemark.flink.pgoutput.protocol.ServerIdentity;

import java.util.HashMap;
import java.util.Map;

/** A position that moves: with each row emitted, so that a checkpoint between any two is exact. */
public final class PgOutputSplitState {
    private final String slot;
    private String systemId;
    private int timeline;
    private long databaseOid;
    private long endLsn;
    private long txCommitLsn;
    private long txOrdinal;
    private Transaction last;
    private final Map<Long, Long> relations;

    public PgOutputSplitState(PgOutputSplit split) {
        StreamPosition position = split.position();
        slot = split.slot();
        systemId = position.systemId();
        timeline = position.timeline();
        databaseOid = position.databaseOid();
        endLsn = position.endLsn();
        txCommitLsn = position.txCommitLsn();
        txOrdinal = position.txOrdinal();
        last = position.last();
        relations = new HashMap<>(position.relations());
    }

    public StreamPosition position() {
        return new StreamPosition(
                systemId, timeline, databaseOid, endLsn, txCommitLsn, txOrdinal, last, relations);
    }

    public PgOutputSplit toSplit() {
        return new PgOutputSplit(slot, position());
    }

    public void connected(ServerIdentity server, long startLsn) {
        systemId = server.systemId();
        timeline = server.timeline();
        databaseOid = server.databaseOid();
        endLsn = startLsn;
    }

    public void changeEmitted(Transaction transaction, long ordinal) {
        txCommitLsn = transaction.commitLsn();
        txOrdinal = ordinal + 1;
        last = transaction;
    }

    /** Everything that committed before {@code lsn} is emitted. */
    public void completeTo(long lsn) {
        endLsn = lsn;
        txCommitLsn = Lsn.NONE;
        txOrdinal = 0;
    }

    /** Whether the schema row is news; from then on it is not. */
    public boolean isNewSchema(long relationOid, long fingerprint) {
        Long before = relations.put(relationOid, fingerprint);
        return before == null || before != fingerprint;
    }

    public boolean isConnected() {
        return !systemId.isEmpty();
    }

    public boolean isInTransaction() {
        return txCommitLsn != Lsn.NONE;
    }

    public long endLsn() {
        return endLsn;
    }

    public long txCommitLsn() {
        return txCommitLsn;
    }

    public long txOrdinal() {
        return txOrdinal;
    }
}
