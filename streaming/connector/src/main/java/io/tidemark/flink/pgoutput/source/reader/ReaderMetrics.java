package io.tidemark.flink.pgoutput.source.reader;

import io.tidemark.flink.pgoutput.protocol.Lsn;

import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.groups.SourceReaderMetricGroup;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** What the reader tells of itself. Written by the task and the fetcher, read by reporters. */
final class ReaderMetrics {
    private final Counter changes;
    private final Counter transactions;
    private final Counter reconnects;
    private final LongSupplier clockMillis;
    private volatile LongSupplier walEnd = () -> Lsn.NONE;
    private volatile long emittedLsn;
    private volatile long upToDateMillis;
    private volatile long commitMillis;

    ReaderMetrics(
            SourceReaderMetricGroup group, CheckpointedLsn checkpointed, LongSupplier clockMillis) {
        this.clockMillis = clockMillis;
        upToDateMillis = clockMillis.getAsLong();
        changes = group.counter("changes");
        transactions = group.counter("transactions");
        reconnects = group.counter("reconnects");
        group.gauge("lagBytes", (Gauge<Long>) this::lagBytes);
        group.gauge("lagSeconds", (Gauge<Long>) this::lagSeconds);
        group.gauge("durableLsn", (Gauge<Long>) checkpointed::durable);
        group.setPendingBytesGauge(this::lagBytes); // Flink's own name for the same
    }

    /** Says where the end of the server's log can be read. */
    void walEnd(LongSupplier supplier) {
        walEnd = supplier;
    }

    void reconnected() {
        reconnects.inc();
    }

    void changeEmitted(long commitMicros) {
        changes.inc();
        commitMillis = commitMicros / 1000;
    }

    void transactionEmitted() {
        transactions.inc();
    }

    void completeTo(long endLsn) {
        emittedLsn = endLsn;
        if (lagBytes() == 0) {
            upToDateMillis = clockMillis.getAsLong();
        }
    }

    long lagBytes() {
        long emitted = emittedLsn;
        return emitted == Lsn.NONE ? 0 : Lsn.distance(emitted, walEnd.getAsLong());
    }

    /**
     * Age of the last change that was emitted, counted from when the reader was last up to date if
     * that is later: a change after a quiet night is not a night late.
     */
    long lagSeconds() {
        if (lagBytes() == 0) {
            return 0;
        }
        long since = Math.max(commitMillis, upToDateMillis);
        return TimeUnit.MILLISECONDS.toSeconds(Math.max(0, clockMillis.getAsLong() - since));
    }
}
