package io.tidemark.flink.pgoutput.source;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.flink.pgoutput.testing.Event;
import io.tidemark.flink.pgoutput.testing.PostgresServer;
import io.tidemark.flink.pgoutput.testing.ReaderHarness;
import io.tidemark.flink.pgoutput.testing.TestDatabase;

import org.junit.jupiter.api.Test;

import java.util.List;

/** What a role's and a database's own settings do to a stream: nothing. */
class SessionSettingsTest {
    private static final String TABLE = "CREATE TABLE t (id int PRIMARY KEY, v text)";

    private static TestDatabase database() throws Exception {
        return new TestDatabase(PostgresServer.shared(PostgresServer.newest()), TABLE);
    }

    /** The server decodes a transaction in one of its own, for as long as it is read. */
    @Test
    void aTransactionMayTakeLongerThanTheTimeoutOfTransactions() throws Exception {
        try (TestDatabase db = database()) {
            db.execute("ALTER DATABASE " + db.name() + " SET transaction_timeout = '1s'");
            db.execute(
                    "INSERT INTO t SELECT i, repeat('x', 30000) FROM generate_series(1, 1000) i");
            try (ReaderHarness reader = ReaderHarness.start(db.options("batch.bytes", "30000"))) {
                reader.read(10);
                Thread.sleep(2_500); // more than any buffer holds is still to be sent

                List<Event> changes = reader.read(1000);

                assertThat(changes.stream().map(Event::identity)).doesNotHaveDuplicates();
                assertThat(reader.metric("reconnects")).isZero();
            }
        }
    }
}
