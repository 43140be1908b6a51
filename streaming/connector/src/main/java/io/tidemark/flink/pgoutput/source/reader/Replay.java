package io.tidemark.flink.pgoutput.source.reader;

import io.tidemark.flink.pgoutput.protocol.Lsn;
import io.tidemark.flink.pgoutput.protocol.PermanentException;
import io.tidemark.flink.pgoutput.protocol.Reason;
import io.tidemark.flink.pgoutput.source.split.StreamPosition;
import io.tidemark.flink.pgoutput.source.split.Transaction;

/**
 * Compares what the server sends again with what was read before.
 *
 * <p>A data directory that was put back from a copy has the system id and the timeline that it had,
 * and a log that soon is as long as it was: positions in it look valid and mean other transactions.
 * But its slot stands where it stood when the copy was taken. So the server is asked for everything
 * from there, and up to our position it has to have what we have read: the last transaction of
 * which a change was emitted, and none with changes after it.
 */
final class Replay {
    private final StreamPosition position;
    private final Transaction last;
    private final boolean known;
    private boolean awaited;
    private boolean unknown;
    private volatile boolean proven;

    /**
     * Begins where the server was asked to send from.
     *
     * @param position what was read; of a position without a system nothing was
     * @param from the slot's own position: what committed from there on is sent
     */
    Replay(StreamPosition position, long from) {
        this.position = position;
        this.last = position.last();
        this.known = !last.equals(Transaction.UNKNOWN);
        this.awaited = known && !Lsn.isBefore(last.commitLsn(), from);
        this.proven = position.systemId().isEmpty();
    }

    /** Whether the log is the one that was read before: until then nothing is confirmed to it. */
    boolean isProven() {
        return proven;
    }

    void begin(Transaction transaction) {
        if (proven) {
            return;
        }
        unknown = false;
        if (transaction.equals(last)) {
            awaited = false;
        } else {
            unknown = known && !Lsn.isBefore(transaction.commitLsn(), last.commitLsn());
        }
        if (!Lsn.isBefore(transaction.commitLsn(), position.endLsn())) {
            reached();
        }
    }

    /** Of a transaction that was read before, or passed because it had none. */
    void change() {
        if (unknown) {
            throw differs();
        }
    }

    /** All that committed before {@code walEnd} was sent. */
    void keepalive(long walEnd) {
        if (!proven
                && !Lsn.isBefore(walEnd, position.endLsn())
                && Lsn.isBefore(last.commitLsn(), walEnd)) {
            reached();
        }
    }

    private void reached() {
        if (awaited) {
            throw differs();
        }
        proven = true;
    }

    private PermanentException differs() {
        return new PermanentException(
                Reason.HISTORY_CHANGED,
                "the stream was read up to "
                        + position
                        + ", last transaction "
                        + last
                        + "; the server's log has another history there: it was restored from a"
                        + " backup, or failed over to a server that had less");
    }
}
