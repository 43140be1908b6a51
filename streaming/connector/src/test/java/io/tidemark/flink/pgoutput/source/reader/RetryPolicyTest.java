package io.tidemark.flink.pgoutput.source.reader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.flink.pgoutput.protocol.PermanentException;
import io.tidemark.flink.pgoutput.protocol.Reason;
import io.tidemark.flink.pgoutput.source.split.StreamPosition;
import io.tidemark.flink.pgoutput.source.split.Transaction;

import org.junit.jupiter.api.Test;
import org.postgresql.util.PSQLException;
import org.postgresql.util.PSQLState;

import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;

class RetryPolicyTest {
    private final IOException lost = new IOException("lost");
    private final SQLException active = new SQLException("slot is active", "55006");

    private long clock = Long.MAX_VALUE - 5; // nanoTime may overflow at any time
    private final RetryPolicy policy =
            new RetryPolicy(Duration.ofSeconds(2), Duration.ofSeconds(60), () -> clock);

    private static StreamPosition at(long lsn) {
        return new StreamPosition("1", 1, 1, lsn, 0, 0, Transaction.NONE, Map.of());
    }

    private void pass(long millis) {
        clock += TimeUnit.MILLISECONDS.toNanos(millis);
    }

    @Test
    void theFirstConnectDoesNotWait() {
        assertThat(policy.mayConnect()).isTrue();
    }

    @Test
    void pausesGrowUntilThePositionMoves() throws IOException {
        assertThat(policy.failed(lost, at(1))).isEqualTo(100);
        assertThat(policy.mayConnect()).isFalse();
        pass(100);
        assertThat(policy.mayConnect()).isTrue();
        assertThat(policy.failed(lost, at(1))).isEqualTo(200);
        assertThat(policy.failed(lost, at(1))).isEqualTo(400);
        assertThat(policy.failed(lost, at(2))).isEqualTo(100);
    }

    @Test
    void withoutProgressItGivesUpAndFlinkDecides() throws IOException {
        policy.failed(lost, at(1));
        pass(60_000);
        policy.failed(lost, at(1));
        pass(1);
        assertThatThrownBy(() -> policy.failed(lost, at(1)))
                .isInstanceOf(IOException.class)
                .hasCause(lost);
    }

    @Test
    void aSlotThatStaysActiveIsPermanentSooner() throws IOException {
        policy.failed(active, at(1));
        pass(2_001);
        assertThatThrownBy(() -> policy.failed(active, at(1)))
                .isInstanceOfSatisfying(
                        PermanentException.class,
                        e -> assertThat(e.reason()).isEqualTo(Reason.SLOT_ACTIVE));
    }

    /** pgjdbc has 55000 for a state of its own; the server's 55000 says that the slot is lost. */
    @Test
    void whatTheServerDidNotSayIsNotPermanent() throws IOException {
        PSQLException ofTheDriver = new PSQLException("closed", PSQLState.OBJECT_NOT_IN_STATE);
        assertThat(ofTheDriver.getSQLState()).isEqualTo("55000");
        assertThat(policy.failed(ofTheDriver, at(1))).isEqualTo(100);
    }
}
