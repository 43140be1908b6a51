package io.tidemark.flink.pgoutput.source.reader;

import io.tidemark.flink.pgoutput.protocol.PermanentException;
import io.tidemark.flink.pgoutput.protocol.Reason;
import io.tidemark.flink.pgoutput.protocol.ServerErrors;
import io.tidemark.flink.pgoutput.source.split.StreamPosition;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * When to connect again, and when to give up.
 *
 * <p>Only a position that moved counts as success: a server that accepts the connection and fails
 * on the same transaction each time must not be tried for ever.
 */
final class RetryPolicy {
    private static final long FIRST_PAUSE_MILLIS = 100;
    private static final long LONGEST_PAUSE_MILLIS = 10_000;

    private final Duration slotActiveWait;
    private final Duration reconnectMax;
    private final LongSupplier nanoClock;
    private StreamPosition failedAt;
    private long failingSince;
    private long retryAt;
    private long pauseMillis;

    RetryPolicy(Duration slotActiveWait, Duration reconnectMax, LongSupplier nanoClock) {
        this.slotActiveWait = slotActiveWait;
        this.reconnectMax = reconnectMax;
        this.nanoClock = nanoClock;
        this.retryAt = nanoClock.getAsLong();
    }

    boolean mayConnect() {
        return nanoClock.getAsLong() - retryAt >= 0;
    }

    /**
     * Takes note of a failure at a position.
     *
     * @return how long to wait, in milliseconds
     * @throws PermanentException when a retry cannot help
     * @throws IOException when it took too long: Flink's restart strategy decides
     */
    long failed(Exception error, StreamPosition at) throws IOException {
        PermanentException permanent = ServerErrors.permanent(error);
        if (permanent != null) {
            throw permanent;
        }
        long now = nanoClock.getAsLong();
        if (!at.equals(failedAt)) {
            failedAt = at;
            failingSince = now;
            pauseMillis = 0;
        }
        Duration failing = Duration.ofNanos(now - failingSince);
        boolean slotActive = ServerErrors.isSlotActive(error);
        if (slotActive && failing.compareTo(slotActiveWait) > 0) {
            throw new PermanentException(Reason.SLOT_ACTIVE, error.getMessage(), error);
        }
        if (!slotActive && failing.compareTo(reconnectMax) > 0) {
            throw new IOException("no progress for " + failing + " at " + at, error);
        }
        pauseMillis = Math.min(LONGEST_PAUSE_MILLIS, Math.max(FIRST_PAUSE_MILLIS, pauseMillis * 2));
        retryAt = now + TimeUnit.MILLISECONDS.toNanos(pauseMillis);
        return pauseMillis;
    }
}
