package io.tidemark.flink.pgoutput.source.reader;

import io.tidemark.flink.pgoutput.protocol.Lsn;
import io.tidemark.flink.pgoutput.protocol.PermanentException;
import io.tidemark.flink.pgoutput.protocol.Reason;
import io.tidemark.flink.pgoutput.protocol.Relation;
import io.tidemark.flink.pgoutput.protocol.ReplicationHandler;
import io.tidemark.flink.pgoutput.protocol.Tuple;
import io.tidemark.flink.pgoutput.source.split.PgOutputSplitState;

import org.apache.flink.table.data.RowData;

import java.util.List;

/**
 * Turns one connection's stream into records, from the exact place where the last one stopped.
 *
 * <p>The server can start at a transaction, not inside one: of the transaction that the position
 * stands in, the changes that were emitted before are counted and left out. It must come back with
 * the commit LSN and at least the changes it had, or the stream ends here.
 */
final class RecordCollector implements ReplicationHandler {
    private final PgOutputSplitState decoded;
    private final RowConverter rows;
    private List<SourceRecord> records;

    private boolean inTransaction;
    private long commitLsn;
    private long commitMicros;
    private long xid;
    private long ordinal;
    private long skip;

    /**
     * Goes on at {@code decoded} and moves it along.
     *
     * @param decoded position of the last decoded record: ahead of the last emitted one
     */
    RecordCollector(PgOutputSplitState decoded, RowConverter rows) {
        this.decoded = decoded;
        this.rows = rows;
    }

    void into(List<SourceRecord> batch) {
        records = batch;
    }

    @Override
    public void begin(long newCommitLsn, long newCommitMicros, long newXid) {
        boolean otherTransaction =
                decoded.isInTransaction() && decoded.txCommitLsn() != newCommitLsn;
        if (otherTransaction || Lsn.isBefore(newCommitLsn, decoded.endLsn())) {
            throw new PermanentException(
                    Reason.TRANSACTION_DIFFERS,
                    "the stream should go on at "
                            + decoded.position()
                            + ", it has transaction "
                            + newXid
                            + " at "
                            + Lsn.format(newCommitLsn));
        }
        commitLsn = newCommitLsn;
        commitMicros = newCommitMicros;
        xid = newXid;
        ordinal = 0;
        skip = decoded.txOrdinal();
        inTransaction = true;
        rows.begin(newCommitLsn, newCommitMicros, newXid);
    }

    /**
     * Below {@code skip} the change after it was emitted, so its schema row was too: a table
     * altered inside the transaction would else come back with its old shape.
     */
    @Override
    public void relation(Relation relation) {
        rows.describe(relation);
        if (ordinal >= skip) {
            records.add(
                    new SourceRecord.Schema(
                            rows.schema(ordinal, relation),
                            relation.oid(),
                            relation.fingerprint()));
        }
    }

    @Override
    public void change(
            Change kind, Relation relation, Tuple before, boolean beforeIsKey, Tuple after) {
        if (ordinal < skip) {
            ordinal++;
        } else {
            add(rows.change(kind, ordinal, relation, before, beforeIsKey, after));
        }
    }

    @Override
    public void truncate(Relation relation) {
        if (ordinal < skip) {
            ordinal++;
        } else {
            add(rows.truncate(ordinal, relation));
        }
    }

    private void add(RowData row) {
        records.add(new SourceRecord.Change(row, commitLsn, ordinal, commitMicros));
        decoded.changeEmitted(commitLsn, ordinal);
        ordinal++;
    }

    @Override
    public void commit(long endLsn) {
        if (ordinal < skip) {
            throw new PermanentException(
                    Reason.TRANSACTION_DIFFERS,
                    "transaction "
                            + xid
                            + " came back with "
                            + ordinal
                            + " changes, "
                            + skip
                            + " were emitted before");
        }
        inTransaction = false;
        skip = 0;
        progress(endLsn);
    }

    /**
     * Moves the position of an idle stream. The walsender decodes in commit order: a transaction it
     * is still working on commits at or after {@code walEnd}.
     */
    @Override
    public void keepalive(long walEnd) {
        boolean idle = !inTransaction && !decoded.isInTransaction();
        if (idle && Lsn.isBefore(decoded.endLsn(), walEnd)) {
            progress(walEnd);
        }
    }

    private void progress(long endLsn) {
        decoded.completeTo(endLsn);
        int last = records.size() - 1;
        if (last >= 0 && records.get(last) instanceof SourceRecord.Progress) {
            records.remove(last);
        }
        records.add(new SourceRecord.Progress(endLsn));
    }
}
