package io.tidemark.flink.pgoutput.source;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.flink.pgoutput.testing.PostgresServer;
import io.tidemark.flink.pgoutput.testing.ReaderHarness;
import io.tidemark.flink.pgoutput.testing.TestDatabase;

import org.junit.jupiter.api.Test;

class MetricsTest {

    @Test
    void lagIsWhatTheServerHasAndTheReaderHasNotEmitted() throws Exception {
        PostgresServer server = PostgresServer.shared(PostgresServer.newest());
        try (TestDatabase db = new TestDatabase(server, "CREATE TABLE t (id int PRIMARY KEY)");
                ReaderHarness reader =
                        ReaderHarness.start(db.options("wal.end.interval.ms", "50"))) {
            db.execute("INSERT INTO t SELECT generate_series(1, 10)");
            reader.read(10);
            reader.readUntil(() -> reader.metric("lagBytes") == 0);
            assertThat(reader.metric("lagSeconds")).isZero();

            db.execute("INSERT INTO t SELECT generate_series(11, 30000)");
            Thread.sleep(1_500); // nobody polls the reader: this is back-pressure
            assertThat(reader.metric("lagBytes")).isGreaterThan(1_000_000);
            assertThat(reader.metric("lagSeconds")).isPositive();

            reader.readUntil(() -> reader.metric("lagBytes") == 0);
            assertThat(reader.metric("lagSeconds")).isZero();
            assertThat(reader.metric("changes")).isEqualTo(30_000);
            assertThat(reader.metric("transactions")).isEqualTo(2);
            assertThat(reader.metric("reconnects")).isZero();
        }
    }
}
