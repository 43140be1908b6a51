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
            reader.readUntil(() -> isUpToDate(reader));

            db.execute("INSERT INTO t SELECT generate_series(11, 30000)");
            reader.restUntil(
                    () -> reader.metric("lagBytes") > 1_000_000 && reader.metric("lagSeconds") > 0);

            reader.read(30_000);
            reader.readUntil(() -> isUpToDate(reader));
            assertThat(reader.metric("changes")).isEqualTo(30_000);
            assertThat(reader.metric("transactions")).isEqualTo(2);
            assertThat(reader.metric("reconnects")).isZero();
        }
    }

    private static boolean isUpToDate(ReaderHarness reader) {
        return reader.metric("lagBytes") == 0 && reader.metric("lagSeconds") == 0;
    }
}
