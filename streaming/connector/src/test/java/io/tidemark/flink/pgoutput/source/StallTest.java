package io.tidemark.flink.pgoutput.source;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.flink.pgoutput.testing.Event;
import io.tidemark.flink.pgoutput.testing.PostgresServer;
import io.tidemark.flink.pgoutput.testing.ReaderHarness;
import io.tidemark.flink.pgoutput.testing.StallingProxy;
import io.tidemark.flink.pgoutput.testing.TestDatabase;

import org.junit.jupiter.api.Test;

import java.util.Map;

/** A server that falls silent with the connection open is left, and read on elsewhere. */
class StallTest {
    private static final String TABLE = "CREATE TABLE t (id int PRIMARY KEY, v text)";

    private static Map<String, String> through(
            StallingProxy proxy, TestDatabase db, String... more) {
        Map<String, String> options = db.options(more);
        options.put("port", Integer.toString(proxy.port()));
        return options;
    }

    @Test
    void insideAMessage() throws Exception {
        PostgresServer server = PostgresServer.shared(PostgresServer.newest());
        try (TestDatabase db = new TestDatabase(server, TABLE);
                StallingProxy proxy = new StallingProxy(server.port(), 8192);
                ReaderHarness reader =
                        ReaderHarness.start(through(proxy, db, "socket.timeout.ms", "1000"))) {
            db.execute("INSERT INTO t VALUES (1, 'before')");
            reader.read(1);
            proxy.stallAfter(300_000);
            db.execute("INSERT INTO t VALUES (2, repeat('x', 1000000)), (3, 'after')");

            assertThat(reader.read(3).stream().map(e -> e.value("id")))
                    .containsExactly("1", "2", "3");
            assertThat(reader.changes().get(1).value("v")).hasSize(1_000_000);
            assertThat(reader.changes().stream().map(Event::identity)).doesNotHaveDuplicates();
            assertThat(reader.metric("reconnects")).isPositive();
        }
    }

    @Test
    void betweenMessages() throws Exception {
        PostgresServer server = PostgresServer.shared(PostgresServer.newest());
        try (TestDatabase db = new TestDatabase(server, TABLE);
                StallingProxy proxy = new StallingProxy(server.port(), 8192);
                ReaderHarness reader =
                        ReaderHarness.start(through(proxy, db, "server.silence.ms", "1000"))) {
            db.execute("INSERT INTO t VALUES (1)");
            reader.read(1);
            proxy.stallAfter(0);
            db.execute("INSERT INTO t VALUES (2)");

            assertThat(reader.read(2)).hasSize(2);
            assertThat(reader.metric("reconnects")).isPositive();
        }
    }
}
