package io.tidemark.flink.pgoutput.protocol;

/**
 * What a replication stream says, in the order in which it says it.
 *
 * <p>Transactions come whole, one after the other, in commit order. The server repeats relations on
 * each connection and whenever its cache was invalidated.
 */
public interface ReplicationHandler {

    /** The kinds of row changes. */
    enum Change {
        INSERT,
        UPDATE,
        DELETE
    }

    /**
     * A transaction begins.
     *
     * @param commitLsn where its commit record starts: names the transaction within a timeline
     * @param commitMicros microseconds since 1970-01-01 UTC, by the server's clock
     * @param xid 32 bits, top-level
     */
    void begin(long commitLsn, long commitMicros, long xid);

    /** A table's shape from here on. */
    void relation(Relation relation);

    /**
     * A row changed. The tuples are reused after the call.
     *
     * @param before the old key or row, or null when the server sent none
     * @param beforeIsKey whether only the key columns of {@code before} hold values
     * @param after the new row, null for a delete
     */
    void change(Change kind, Relation relation, Tuple before, boolean beforeIsKey, Tuple after);

    /** A table was truncated; called once for each table of the statement. */
    void truncate(Relation relation);

    /**
     * The transaction is complete.
     *
     * @param endLsn first position after its commit record
     */
    void commit(long endLsn);

    /** All transactions that committed before {@code walEnd} have been sent. */
    void keepalive(long walEnd);
}
