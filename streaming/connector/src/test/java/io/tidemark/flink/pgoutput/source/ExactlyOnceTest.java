package io.tidemark.flink.pgoutput.source;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.flink.pgoutput.protocol.Lsn;
import io.tidemark.flink.pgoutput.source.split.PgOutputSplit;
import io.tidemark.flink.pgoutput.testing.Event;
import io.tidemark.flink.pgoutput.testing.PostgresServer;
import io.tidemark.flink.pgoutput.testing.ReaderHarness;
import io.tidemark.flink.pgoutput.testing.TestDatabase;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Nothing is lost and nothing comes twice, whatever breaks, wherever. */
class ExactlyOnceTest {
    private static final String VERSIONS =
            "io.tidemark.flink.pgoutput.testing.PostgresServer#versions";
    private static final String TABLE = "CREATE TABLE t (id int PRIMARY KEY, v text)";
    private static final int LARGE = 20_000;
    private static final String LARGE_TRANSACTION =
            "INSERT INTO t SELECT i, repeat('v', 300) FROM generate_series(1, " + LARGE + ") i";

    private static TestDatabase database(String version, String... statements) throws Exception {
        return new TestDatabase(PostgresServer.shared(version), statements);
    }

    private static List<Integer> ids(Stream<Event> changes) {
        return changes.map(event -> Integer.parseInt(event.value("id"))).toList();
    }

    private static List<Integer> upTo(int last) {
        return Stream.iterate(1, i -> i <= last, i -> i + 1).toList();
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void aConnectionLostInsideALargeTransactionCostsNothing(String version) throws Exception {
        try (TestDatabase db = database(version, TABLE);
                ReaderHarness reader = ReaderHarness.start(db.options("batch.rows", "500"))) {
            db.execute(LARGE_TRANSACTION);
            for (int at : List.of(100, 5_000, 12_000)) {
                reader.read(at);
                db.terminateWalsender();
            }
            db.execute("INSERT INTO t VALUES (" + (LARGE + 1) + ")");

            List<Event> changes = reader.read(LARGE + 1);

            assertThat(ids(changes.stream())).isEqualTo(upTo(LARGE + 1));
            assertThat(changes.stream().map(Event::identity)).doesNotHaveDuplicates();
            assertThat(reader.metric("reconnects")).isBetween(1L, 3L);
            assertThat(reader.metric("changes")).isEqualTo(LARGE + 1);
            assertThat(reader.events().stream().filter(Event::isSchema)).hasSize(1);
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void aReaderRestoredInsideATransactionGoesOnAtTheNextChange(String version) throws Exception {
        try (TestDatabase db = database(version, TABLE)) {
            List<Event> all = new ArrayList<>();
            PgOutputSplit state;
            try (ReaderHarness reader = ReaderHarness.start(db.options())) {
                db.execute(LARGE_TRANSACTION);
                reader.read(7_777);
                all.addAll(reader.events());
                state = reader.checkpoint(1);
                reader.complete(1);
                reader.read(9_000); // emitted after the checkpoint, so lost with the task
            }
            assertThat(state.position().txOrdinal()).isEqualTo(7_777);
            try (ReaderHarness reader = ReaderHarness.restore(db.options(), state)) {
                reader.read(LARGE - 7_777);
                all.addAll(reader.events());
            }

            List<Event> changes = all.stream().filter(event -> !event.isSchema()).toList();
            assertThat(ids(changes.stream())).isEqualTo(upTo(LARGE));
            assertThat(changes.stream().map(Event::identity)).doesNotHaveDuplicates();
            assertThat(all.stream().filter(Event::isSchema)).hasSize(1);
        }
    }

    /** Its old shape must not come back: the server starts with it again, from the beginning. */
    @ParameterizedTest
    @MethodSource(VERSIONS)
    void aTableAlteredInsideTheTransactionIsNotDescribedTwice(String version) throws Exception {
        try (TestDatabase db = database(version, TABLE)) {
            db.execute(
                    "BEGIN; INSERT INTO t VALUES (1); ALTER TABLE t ADD w int;"
                            + " INSERT INTO t VALUES (2); INSERT INTO t VALUES (3); COMMIT");
            List<String> ops = new ArrayList<>();
            PgOutputSplit state;
            try (ReaderHarness reader = ReaderHarness.start(db.options())) {
                reader.read(2);
                reader.events().forEach(event -> ops.add(event.op()));
                state = reader.checkpoint(1);
            }
            try (ReaderHarness reader = ReaderHarness.restore(db.options(), state)) {
                reader.read(1);
                reader.events().forEach(event -> ops.add(event.op()));
                assertThat(reader.changes().get(0).after()).containsKey("w");
            }

            assertThat(ops).containsExactly("s", "c", "s", "c", "c");
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void theSlotIsConfirmedWhenACheckpointIsCompleteAndNotBefore(String version) throws Exception {
        try (TestDatabase db = database(version, TABLE);
                ReaderHarness reader = ReaderHarness.start(db.options())) {
            String atFirst = db.confirmed();
            db.execute("INSERT INTO t VALUES (1)");
            reader.readUntil(() -> reader.metric("transactions") == 1);
            long held = reader.checkpoint(1).position().endLsn();
            db.execute("INSERT INTO t VALUES (2)");
            reader.readUntil(() -> reader.metric("transactions") == 2);
            reader.checkpoint(2);
            Thread.sleep(300); // feedback goes out every 50 ms
            assertThat(db.confirmed()).isEqualTo(atFirst);

            reader.complete(1);
            reader.readUntil(() -> !db.confirmed().equals(atFirst));

            assertThat(Lsn.parse(db.confirmed())).isEqualTo(held);
            assertThat(reader.metric("durableLsn")).isEqualTo(held);
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void anIdleStreamMovesWithTheServersLog(String version) throws Exception {
        try (TestDatabase db = database(version, TABLE);
                ReaderHarness reader = ReaderHarness.start(db.options())) {
            String atFirst = db.confirmed();
            db.server().execute("postgres", "CREATE TABLE x AS SELECT generate_series(1, 9999)");
            long elsewhere = Lsn.parse(db.query("SELECT pg_current_wal_flush_lsn()"));
            db.server().execute("postgres", "DROP TABLE x");

            reader.readUntil(
                    () -> !Lsn.isBefore(reader.checkpoint(1).position().endLsn(), elsewhere));
            assertThat(db.confirmed()).isEqualTo(atFirst);
            reader.complete(1);
            reader.readUntil(() -> !Lsn.isBefore(Lsn.parse(db.confirmed()), elsewhere));

            assertThat(reader.events()).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void aServerThatCrashesAndRecoversIsReadOn(String version) throws Exception {
        try (PostgresServer server = PostgresServer.start(version)) {
            TestDatabase db = new TestDatabase(server, TABLE);
            try (ReaderHarness reader = ReaderHarness.start(db.options())) {
                db.execute(LARGE_TRANSACTION, "INSERT INTO t VALUES (20001)", "CHECKPOINT");
                reader.read(10_000);
                PgOutputSplit state = reader.checkpoint(1);
                reader.complete(1);
                server.crash();
                server.start();
                db.execute("INSERT INTO t VALUES (20002)");

                assertThat(ids(reader.read(LARGE + 2).stream())).isEqualTo(upTo(LARGE + 2));
                assertThat(state.position().txOrdinal()).isEqualTo(10_000);
            }
        }
    }
}
