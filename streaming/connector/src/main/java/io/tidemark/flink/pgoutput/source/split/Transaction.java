package io.tidemark.flink.pgoutput.source.split;

import io.tidemark.flink.pgoutput.protocol.Lsn;

/**
 * A transaction of the stream, as nothing but the same transaction is: no other server, and no
 * restored one, commits at the same place of its log with the same xid in the same microsecond.
 */
public record Transaction(long commitLsn, long xid, long commitMicros) {
    /** Before the first. */
    public static final Transaction NONE = new Transaction(Lsn.NONE, 0, 0);

    /** In state of versions that did not keep it. */
    public static final Transaction UNKNOWN = new Transaction(Lsn.NONE, -1, 0);

    @Override
    public String toString() {
        return xid + " at " + Lsn.format(commitLsn);
    }
}
