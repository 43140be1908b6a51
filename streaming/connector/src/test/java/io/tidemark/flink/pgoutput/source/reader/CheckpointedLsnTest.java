package io.tidemark.flink.pgoutput.source.reader;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CheckpointedLsnTest {
    private final CheckpointedLsn lsn = new CheckpointedLsn();

    @Test
    void aCheckpointThatWasNotCompletedCountsForNothing() {
        lsn.taken(1, 100);
        assertThat(lsn.durable()).isZero();
    }

    @Test
    void aLaterCheckpointCompletesTheEarlierOnes() {
        lsn.taken(1, 100);
        lsn.taken(2, 200);
        lsn.taken(3, 300);
        lsn.completed(2);
        assertThat(lsn.durable()).isEqualTo(200);
    }

    @Test
    void itNeverGoesBack() {
        lsn.taken(2, 1L << 63);
        lsn.completed(2);
        lsn.taken(3, 100);
        lsn.completed(3);
        lsn.completed(7); // of a time before this reader
        assertThat(lsn.durable()).isEqualTo(1L << 63);
    }
}
