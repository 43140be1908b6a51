package io.tidemark.flink.pgoutput.source;

import static io.tidemark.flink.pgoutput.testing.Refusals.assertRefused;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.flink.pgoutput.protocol.Lsn;
import io.tidemark.flink.pgoutput.protocol.Reason;
import io.tidemark.flink.pgoutput.source.split.PgOutputSplit;
import io.tidemark.flink.pgoutput.source.split.StreamPosition;
import io.tidemark.flink.pgoutput.testing.PostgresServer;
import io.tidemark.flink.pgoutput.testing.ReaderHarness;
import io.tidemark.flink.pgoutput.testing.Refusals;
import io.tidemark.flink.pgoutput.testing.TestDatabase;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Where going on would lose or double rows, the source stops and says why. */
class RefusalTest {
    private static final String TABLE = "CREATE TABLE t (id int PRIMARY KEY, v text)";

    private TestDatabase db;

    @BeforeEach
    void createDatabase() throws SQLException {
        db = new TestDatabase(PostgresServer.shared(PostgresServer.newest()), TABLE);
    }

    @AfterEach
    void dropDatabase() throws SQLException {
        db.close();
    }

    /** State of a reader that has read one transaction. */
    private StreamPosition position() throws Exception {
        StreamPosition position;
        try (ReaderHarness reader = ReaderHarness.start(db.options())) {
            db.execute("INSERT INTO t VALUES (1)");
            reader.readUntil(() -> reader.metric("transactions") == 1);
            position = reader.checkpoint(1).position();
        }
        db.terminateWalsender(); // that its reader is gone, it sees in a while
        return position;
    }

    private PgOutputSplit split(StreamPosition position) {
        return new PgOutputSplit(db.slot(), position);
    }

    @Test
    void aMissingSlot() throws Exception {
        assertRefused(Reason.SLOT_MISSING, db.options("slot", "nowhere"));
    }

    @Test
    void aSlotOfAnotherDatabase() throws Exception {
        assertRefused(Reason.SLOT_UNUSABLE, db.options("database", "postgres"));
    }

    @Test
    void aSlotThatSendsPreparedTransactionsEarly() throws Exception {
        String slot = db.slot() + "_2pc";
        db.query(
                "SELECT pg_create_logical_replication_slot('"
                        + slot
                        + "', 'pgoutput', false, true)");
        assertRefused(Reason.SLOT_UNUSABLE, db.options("slot", slot));
        db.query("SELECT pg_drop_replication_slot('" + slot + "')");
    }

    @Test
    void aSlotThatAnotherConsumerKeeps() throws Exception {
        try (ReaderHarness holder = ReaderHarness.start(db.options())) {
            db.execute("INSERT INTO t VALUES (1)");
            holder.read(1);
            assertRefused(Reason.SLOT_ACTIVE, db.options("slot.active.wait.ms", "300"));
        }
    }

    @Test
    void aSlotThatIsHeldForAMomentIsWaitedFor() throws Exception {
        try (ReaderHarness holder = ReaderHarness.start(db.options())) {
            db.execute("INSERT INTO t VALUES (1)");
            holder.read(1);
            try (ReaderHarness waiting = ReaderHarness.start(db.options())) {
                long soon = System.nanoTime() + 500_000_000L;
                waiting.readUntil(() -> System.nanoTime() > soon);
                assertThat(waiting.events()).isEmpty();
                holder.stop();
                assertThat(waiting.read(1)).hasSize(1);
            }
        }
    }

    /** The creation waits for transactions that run: there is no position yet, and nothing lost. */
    @Test
    void aSlotThatIsBeingCreatedIsWaitedFor() throws Exception {
        String slot = db.slot() + "_new";
        String named = " pg_replication_slots WHERE slot_name = '" + slot + "'";
        try (Connection running = db.connect();
                Statement statement = running.createStatement()) {
            running.setAutoCommit(false);
            statement.execute("INSERT INTO t VALUES (1)");
            CompletableFuture<Void> created = CompletableFuture.runAsync(() -> create(slot));
            while (db.query("SELECT count(*) FROM" + named).equals("0")) {
                assertThat(created).isNotDone();
            }
            try (ReaderHarness reader = ReaderHarness.start(db.options("slot", slot))) {
                long soon = System.nanoTime() + 500_000_000L;
                reader.readUntil(() -> System.nanoTime() > soon);
                running.commit();
                created.get(30, TimeUnit.SECONDS);
                db.execute("INSERT INTO t VALUES (2)");

                assertThat(reader.read(1).get(0).value("id")).isEqualTo("2");
            }
        }
        db.query("SELECT pg_terminate_backend(active_pid, 5000) FROM" + named);
        db.query("SELECT pg_drop_replication_slot('" + slot + "')");
    }

    private void create(String slot) {
        try {
            db.query("SELECT pg_create_logical_replication_slot('" + slot + "', 'pgoutput')");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aMissingPublication() throws Exception {
        assertRefused(
                Reason.PUBLICATION_MISSING, db.options("publications", "everything, nothing"));
    }

    @Test
    void aMissingDatabase() throws Exception {
        assertRefused(Reason.DATABASE_MISSING, db.options("database", "nowhere"));
    }

    @Test
    void aRoleThatMayNotReplicate() throws Exception {
        db.execute("CREATE ROLE reader LOGIN");
        assertRefused(Reason.ACCESS_DENIED, db.options("user", "reader"));
        db.execute("DROP ROLE reader");
    }

    @Test
    void stateThatTheSlotHasPassed() throws Exception {
        StreamPosition old = position();
        db.execute("INSERT INTO t VALUES (2)");
        db.query("SELECT pg_replication_slot_advance('" + db.slot() + "', pg_current_wal_lsn())");
        assertRefused(Reason.STATE_BEHIND_SLOT, db.options(), split(old));
    }

    @Test
    void stateFromBeyondTheServersLog() throws Exception {
        StreamPosition p = position();
        StreamPosition ahead =
                new StreamPosition(
                        p.systemId(),
                        p.timeline(),
                        p.databaseOid(),
                        1L << 63,
                        0,
                        0,
                        p.last(),
                        Map.of());
        assertRefused(Reason.STATE_AHEAD_OF_SERVER, db.options(), split(ahead));
    }

    @Test
    void stateOfAnotherSystem() throws Exception {
        StreamPosition p = position();
        StreamPosition other =
                new StreamPosition(
                        "7", p.timeline(), p.databaseOid(), p.endLsn(), 0, 0, p.last(), Map.of());
        assertRefused(Reason.SYSTEM_CHANGED, db.options(), split(other));
    }

    @Test
    void stateOfAnotherDatabaseOfTheSameSystem() throws Exception {
        StreamPosition p = position();
        try (TestDatabase other = new TestDatabase(db.server(), TABLE)) {
            StreamPosition ahead = // so that the slot has not passed it
                    new StreamPosition(
                            p.systemId(),
                            p.timeline(),
                            p.databaseOid(),
                            Lsn.parse(other.confirmed()),
                            0,
                            0,
                            p.last(),
                            Map.of());
            assertRefused(Reason.DATABASE_CHANGED, other.options(), split(ahead));
        }
    }

    @Test
    void stateOfAnotherTimelineUnlessThatIsAllowed() throws Exception {
        StreamPosition p = position();
        StreamPosition other =
                new StreamPosition(
                        p.systemId(),
                        7,
                        p.databaseOid(),
                        p.endLsn(),
                        0,
                        0,
                        p.last(),
                        p.relations());
        assertRefused(Reason.TIMELINE_CHANGED, db.options(), split(other));

        db.execute("INSERT INTO t VALUES (2)");
        Map<String, String> allowed = db.options("allow.timeline.change", "true");
        try (ReaderHarness reader = ReaderHarness.restore(allowed, split(other))) {
            assertThat(reader.read(1).get(0).value("id")).isEqualTo("2");
        }
    }

    @Test
    void aTransactionThatDoesNotComeBackAsItWas() throws Exception {
        StreamPosition p = position();
        StreamPosition elsewhere =
                new StreamPosition(
                        p.systemId(),
                        p.timeline(),
                        p.databaseOid(),
                        p.endLsn(),
                        p.endLsn() + 8,
                        3,
                        p.last(),
                        Map.of());
        db.execute("INSERT INTO t VALUES (2)");
        assertRefused(Reason.TRANSACTION_DIFFERS, db.options(), split(elsewhere));
    }

    @Test
    void aPublicationThatIsDroppedWhileItIsRead() throws Exception {
        try (ReaderHarness reader = ReaderHarness.start(db.options())) {
            db.execute("INSERT INTO t VALUES (1)");
            reader.read(1);
            db.execute("DROP PUBLICATION everything");
            db.terminateWalsender(); // it connects again by itself, and looks for the publication
            Refusals.assertStops(Reason.PUBLICATION_MISSING, reader);
        }
    }

    @ParameterizedTest
    @MethodSource("io.tidemark.flink.pgoutput.testing.PostgresServer#versions")
    void aSlotWhoseLogIsGoneAndAServerWithoutLogicalLog(String version) throws Exception {
        try (PostgresServer server =
                PostgresServer.start(
                        version,
                        "max_slot_wal_keep_size=1MB",
                        "max_wal_size=2MB",
                        "min_wal_size=2MB")) {
            TestDatabase lost = new TestDatabase(server, TABLE);
            for (int i = 0; i < 6; i++) {
                lost.query("SELECT pg_logical_emit_message(false, 'x', repeat('x', 900000))");
                lost.query("SELECT pg_switch_wal()");
            }
            lost.execute("CHECKPOINT");
            assertRefused(Reason.SLOT_LOST, lost.options());

            lost.query("SELECT pg_drop_replication_slot('" + lost.slot() + "')");
            server.stop();
            server.configure("wal_level=replica");
            server.start();
            assertRefused(Reason.WAL_LEVEL, lost.options());
        }
    }
}
