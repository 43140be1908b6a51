package io.tidemark.flink.pgoutput.source.reader;

import io.tidemark.flink.pgoutput.protocol.Lsn;
import io.tidemark.flink.pgoutput.protocol.PermanentException;
import io.tidemark.flink.pgoutput.protocol.Reason;
import io.tidemark.flink.pgoutput.protocol.Relation;
import io.tidemark.flink.pgoutput.protocol.ReplicationHandler;
import io.tidemark.flink.pgoutput.protocol.Tuple;
import io.tidemark.flink.pgoutput.source.split.PgOutputSplitState;
import io.tidemark.flink.pgoutput.source.split.Transaction;

import org.apache.flink.table.data.RowData;

import java.util.List;

/**
 * Turns one connection's stream into records, from the exact place where the last one stopped.
 *
 * <p>The server can start at a transaction, not inside one: of the transaction that the position
 * stands in, the changes that were emitted before are counted and left out. It must come back with
 * the commit LSN and at least the changes it had, or the stream ends here. Transactions that were
 * read before are left out whole: {@link Replay} looks whether they are the ones that they were.
 */
final class RecordCollector implements ReplicationHandler {
    private final PgOutputSplitState decoded;
    private final RowConverter rows;
    private final Replay replay;
    private List<SourceRecord> records;

    private boolean inTransaction;
    private boolean again;
    private Transaction transaction = Transaction.NONE;
    private long ordinal;
    private long skip;

    /**
     * Goes on at {@code decoded} and moves it along.
     *
     * @param decoded position of the last decoded record: ahead of the last emitted one
     */
    RecordCollector(PgOutputSplitState decoded, RowConverter rows, Replay replay) {
        this.decoded = decoded;
        this.rows = rows;
        this.replay = replay;
    }

    void into(List<SourceRecord> batch) {
        records = batch;
    }

    @Override
    public void begin(long newCommitLsn, long newCommitMicros, long newXid) {
        transaction = new Transaction(newCommitLsn, newXid, newCommitMicros);
        replay.begin(transaction);
        again = Lsn.isBefore(newCommitLsn, decoded.endLsn());
        boolean otherTransaction =
                decoded.isInTransaction() && decoded.txCommitLsn() != newCommitLsn;
        if (otherTransaction && !again) {
            throw new PermanentException(
                    Reason.TRANSACTION_DIFFERS,
                    "the stream should go on at "
                            + decoded.position()
                            + ", it has transaction "
                            + transaction);
        }
        ordinal = 0;
        skip = again ? Long.MAX_VALUE : decoded.txOrdinal();
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
            leaveOut();
        } else {
            add(rows.change(kind, ordinal, relation, before, beforeIsKey, after));
        }
    }

    @Override
    public void truncate(Relation relation) {
        if (ordinal < skip) {
            leaveOut();
        } else {
            add(rows.truncate(ordinal, relation));
        }
    }

    private void leaveOut() {
        replay.change();
        ordinal++;
    }

    private void add(RowData row) {
        records.add(new SourceRecord.Change(row, transaction, ordinal));
        decoded.changeEmitted(transaction, ordinal);
        ordinal++;
    }

    @Override
    public void commit(long endLsn) {
        if (ordinal < skip && !again) {
            throw new PermanentException(
                    Reason.TRANSACTION_DIFFERS,
                    "transaction "
                            + transaction
                            + " came back with "
                            + ordinal
                            + " changes, "
                            + skip
                            + " were emitted before");
        }
        inTransaction = false;
        skip = 0;
        if (!again) {
            progress(endLsn);
        }
    }

    /**
     * Moves the position of an idle stream. The walsender decodes in commit order: a transaction it
     * is still working on commits at or after {@code walEnd}.
     */
    @Override
    public void keepalive(long walEnd) {
        if (!inTransaction) {
            replay.keepalive(walEnd);
        }
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
