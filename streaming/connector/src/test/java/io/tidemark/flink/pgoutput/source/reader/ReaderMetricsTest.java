package io.tidemark.flink.pgoutput.source.reader;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.flink.pgoutput.testing.TestMetrics;

import org.junit.jupiter.api.Test;

class ReaderMetricsTest {
    private static final long NIGHT = 1_000_000_000_000L;

    private final TestMetrics metrics = new TestMetrics();
    private long clock = NIGHT;
    private long walEnd = 1000;
    private final ReaderMetrics reader =
            new ReaderMetrics(metrics.group(), new CheckpointedLsn(), () -> clock);

    ReaderMetricsTest() {
        reader.walEnd(() -> walEnd);
    }

    private void emit(long commitMillis, long endLsn) {
        reader.changeEmitted(commitMillis * 1000);
        reader.completeTo(endLsn);
    }

    @Test
    void lagInBytesIsTheLogThatIsNotEmitted() {
        assertThat(metrics.value("lagBytes")).as("before the first position").isZero();
        emit(NIGHT, 400);
        assertThat(metrics.value("lagBytes")).isEqualTo(600);
        assertThat(metrics.value("pendingBytes")).isEqualTo(600);
        emit(NIGHT, 1000);
        assertThat(metrics.value("lagBytes")).isZero();
    }

    @Test
    void lagInSecondsIsTheAgeOfTheLastChangeEmitted() {
        emit(NIGHT - 30_000, 400);
        clock += 5_000;
        emit(NIGHT + 1_000, 500);
        assertThat(metrics.value("lagSeconds")).isEqualTo(4);
    }

    @Test
    void aChangeAfterAQuietNightIsNotANightLate() {
        emit(NIGHT, 1000);
        clock += 8 * 3_600_000;
        reader.completeTo(1000); // a keepalive
        assertThat(metrics.value("lagSeconds")).isZero();
        walEnd = 1200;
        clock += 2_000;
        assertThat(metrics.value("lagSeconds")).isEqualTo(2);
    }
}
