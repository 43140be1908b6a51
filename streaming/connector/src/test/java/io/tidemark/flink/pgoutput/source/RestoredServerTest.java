package io.tidemark.flink.pgoutput.source;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.flink.pgoutput.protocol.Lsn;
import io.tidemark.flink.pgoutput.protocol.Reason;
import io.tidemark.flink.pgoutput.source.split.PgOutputSplit;
import io.tidemark.flink.pgoutput.testing.Event;
import io.tidemark.flink.pgoutput.testing.PostgresServer;
import io.tidemark.flink.pgoutput.testing.ReaderHarness;
import io.tidemark.flink.pgoutput.testing.Refusals;
import io.tidemark.flink.pgoutput.testing.TestDatabase;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.List;

/**
 * A server that was put back from a copy of its data directory: the same system on the same
 * timeline, whose log has another history from the copy on.
 */
class RestoredServerTest {
    private static final String VERSIONS =
            "io.tidemark.flink.pgoutput.testing.PostgresServer#versions";
    private static final String TABLE = "CREATE TABLE t (id int PRIMARY KEY, v text)";

    private PostgresServer server;
    private TestDatabase db;

    private void start(String version) throws Exception {
        server = PostgresServer.start(version);
        db = new TestDatabase(server, TABLE);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private void insert(int... ids) throws Exception {
        for (int id : ids) {
            db.execute("INSERT INTO t VALUES (" + id + ", repeat('v', 300))");
        }
    }

    private void readTo(ReaderHarness reader, int transactions) throws Exception {
        reader.readUntil(() -> reader.metric("transactions") == transactions);
    }

    /** As many transactions as were lost, and more, so that every position is in the log again. */
    private void writeAnotherHistory() throws Exception {
        server.restore();
        server.start();
        insert(11, 12, 13, 14);
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void stateFromAfterTheBackupIsRefusedEachTimeAndTheSlotLeftAlone(String version)
            throws Exception {
        start(version);
        PgOutputSplit state;
        try (ReaderHarness reader = ReaderHarness.start(db.options())) {
            insert(1);
            readTo(reader, 1);
            server.backUp();
            server.start();
            insert(2, 3);
            readTo(reader, 3);
            state = reader.checkpoint(1);
            reader.complete(1);
        }
        writeAnotherHistory();
        String restored = db.confirmed();

        for (int time = 1; time <= 2; time++) {
            try (ReaderHarness reader = ReaderHarness.restore(db.options(), state)) {
                reader.checkpoint(1);
                reader.complete(1);
                Refusals.assertStops(Reason.HISTORY_CHANGED, reader);
                assertThat(reader.events()).isEmpty();
            }
        }
        assertThat(db.confirmed()).isEqualTo(restored);
    }

    /**
     * Of the position there is nothing to compare: but what the server has there was never read.
     */
    @ParameterizedTest
    @MethodSource(VERSIONS)
    void changesThatWouldBePassedOverAreNoticed(String version) throws Exception {
        start(version);
        PgOutputSplit state;
        try (ReaderHarness reader = ReaderHarness.start(db.options())) {
            insert(1);
            readTo(reader, 1);
            server.backUp();
            server.start();
            server.execute("postgres", "CREATE TABLE x AS SELECT generate_series(1, 9999)");
            long elsewhere = Lsn.parse(db.query("SELECT pg_current_wal_flush_lsn()"));
            reader.readUntil(
                    () -> !Lsn.isBefore(reader.checkpoint(1).position().endLsn(), elsewhere));
            state = reader.checkpoint(2);
        }
        server.restore();
        server.start();
        insert(11);
        server.execute("postgres", "CREATE TABLE x AS SELECT generate_series(1, 19999)");

        Refusals.assertRefused(Reason.HISTORY_CHANGED, db.options(), state);
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void aBackupThatHeldAllThatWasReadIsReadOn(String version) throws Exception {
        start(version);
        try (ReaderHarness reader = ReaderHarness.start(db.options())) {
            insert(1, 2);
            readTo(reader, 2);
            server.backUp();
            server.restore();
            server.start();
            insert(11);

            List<Event> changes = reader.read(3);

            assertThat(changes.stream().map(event -> event.value("id")))
                    .containsExactly("1", "2", "11");
            String before = db.confirmed();
            reader.checkpoint(1);
            reader.complete(1);
            reader.readUntil(() -> !db.confirmed().equals(before));
        }
    }
}
