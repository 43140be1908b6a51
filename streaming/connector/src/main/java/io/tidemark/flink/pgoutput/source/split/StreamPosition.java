package io.tidemark.flink.pgoutput.source.split;

import io.tidemark.flink.pgoutput.protocol.Lsn;

import java.util.Map;

/**
 * Where the stream stands: all that a checkpoint holds of it. Immutable.
 *
 * <p>Everything with a commit record before {@code endLsn} is emitted. If {@code txCommitLsn} is
 * not 0, the transaction with that commit LSN is the next one, and its first {@code txOrdinal}
 * changes are emitted too. LSNs are unsigned.
 *
 * @param systemId empty when nothing was read yet: start where the slot stands
 * @param databaseOid 0 in state of version 1, which did not know it
 * @param last the newest transaction of which a change was emitted
 * @param relations by oid, the fingerprint of the last schema row emitted: the server repeats
 *     relations after each reconnect and each invalidation, the source does not
 */
public record StreamPosition(
        String systemId,
        int timeline,
        long databaseOid,
        long endLsn,
        long txCommitLsn,
        long txOrdinal,
        Transaction last,
        Map<Long, Long> relations) {

    public StreamPosition {
        relations = Map.copyOf(relations);
    }

    /** Before the first connect. */
    public static StreamPosition start() {
        return new StreamPosition("", 0, 0, Lsn.NONE, Lsn.NONE, 0, Transaction.NONE, Map.of());
    }

    @Override
    public String toString() {
        String inTransaction =
                " + " + txOrdinal + " changes of the transaction at " + Lsn.format(txCommitLsn);
        return Lsn.format(endLsn) + (txCommitLsn == Lsn.NONE ? "" : inTransaction);
    }
}
