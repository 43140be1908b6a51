package io.tidemark.flink.pgoutput.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import io.tidemark.flink.pgoutput.testing.Event;
import io.tidemark.flink.pgoutput.testing.PostgresServer;
import io.tidemark.flink.pgoutput.testing.ReaderHarness;
import io.tidemark.flink.pgoutput.testing.TestDatabase;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.sql.Connection;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** What rows say of changes. */
class ChangeStreamTest {
    private static final String VERSIONS =
            "io.tidemark.flink.pgoutput.testing.PostgresServer#versions";
    private static final String TABLE = "CREATE TABLE t (id int PRIMARY KEY, v text)";

    private static TestDatabase database(String version, String... statements) throws Exception {
        return new TestDatabase(PostgresServer.shared(version), statements);
    }

    private static List<String> ops(List<Event> events) {
        return events.stream().map(Event::op).toList();
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void changesComeInCommitOrderAndEachHasAnIdentityOfItsOwn(String version) throws Exception {
        try (TestDatabase db = database(version, TABLE);
                Connection early = db.connect();
                Connection late = db.connect();
                Statement begunFirst = early.createStatement();
                Statement begunSecond = late.createStatement();
                ReaderHarness reader = ReaderHarness.start(db.options())) {
            early.setAutoCommit(false);
            late.setAutoCommit(false);
            begunFirst.execute("INSERT INTO t VALUES (1, 'begun first')");
            begunSecond.execute("INSERT INTO t VALUES (2, 'begun second')");
            begunFirst.execute("UPDATE t SET v = 'committed last' WHERE id = 1");
            late.commit();
            early.commit();

            List<Event> changes = reader.read(3);

            assertThat(changes.stream().map(e -> e.value("v")))
                    .containsExactly("begun second", "begun first", "committed last");
            assertThat(ops(changes)).containsExactly("c", "c", "u");
            assertThat(changes.stream().map(Event::ordinal)).containsExactly(0L, 0L, 1L);
            assertThat(changes.stream().map(Event::identity)).doesNotHaveDuplicates();
            assertThat(changes)
                    .isSortedAccordingTo(
                            Comparator.comparingLong(Event::commitLsn)
                                    .thenComparingLong(Event::ordinal));
            assertThat(changes.get(0).systemId())
                    .isEqualTo(db.query("SELECT system_identifier FROM pg_control_system()"));
            assertThat(changes.get(0).timeline()).isEqualTo(1);
            assertThat(changes.get(0).table()).isEqualTo("public.t");
            assertThat(changes.get(0).relationId())
                    .isEqualTo(Long.parseLong(db.query("SELECT 't'::regclass::oid::bigint")));
            assertThat(changes.get(0).xid())
                    .isEqualTo(Long.parseLong(db.query("SELECT xmin FROM t WHERE id = 2")));
            assertThat(Math.abs(changes.get(0).commitTs() / 1000 - System.currentTimeMillis()))
                    .isLessThan(60_000);
            assertThat(reader.metric("changes")).isEqualTo(3);
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void aTableIsDescribedOnceAndAgainWhenItsShapeChanges(String version) throws Exception {
        try (TestDatabase db =
                        database(
                                version,
                                "CREATE TYPE mood AS ENUM ('sad', 'ok')",
                                "CREATE TABLE t (id int PRIMARY KEY, n numeric(12,2), m mood)");
                ReaderHarness reader = ReaderHarness.start(db.options())) {
            db.execute("INSERT INTO t VALUES (1, 1, 'ok')", "INSERT INTO t VALUES (2, 1, 'ok')");
            reader.read(2);
            db.terminateWalsender();
            db.execute("INSERT INTO t VALUES (3, 1, 'ok')");
            reader.read(3);
            db.execute("ALTER TABLE t ADD extra text", "UPDATE t SET extra = 'x' WHERE id = 3");
            reader.read(4);

            assertThat(ops(reader.events())).containsExactly("s", "c", "c", "c", "s", "u");
            Event schema = reader.events().get(0);
            assertThat(schema.before()).containsExactly(entry("replica_identity", "d"));
            String mood = db.query("SELECT 'mood'::regtype::oid::bigint");
            assertThat(schema.after())
                    .containsExactly(
                            entry("id", "23,-1,1"),
                            entry("n", "1700,786438,0"),
                            entry("m", mood + ",-1,0,public.mood"));
            assertThat(schema.ordinal()).isZero();
            assertThat(schema.commitLsn()).isEqualTo(reader.events().get(1).commitLsn());
            assertThat(reader.events().get(4).after()).containsKey("extra");
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void aToastedValueThatDidNotChangeIsNamedAndNotInvented(String version) throws Exception {
        try (TestDatabase db =
                        database(version, TABLE, "ALTER TABLE t ALTER v SET STORAGE EXTERNAL");
                ReaderHarness reader = ReaderHarness.start(db.options())) {
            db.execute(
                    "ALTER TABLE t ADD n int",
                    "INSERT INTO t VALUES (1, repeat('x', 100000), NULL)",
                    "UPDATE t SET n = 5");

            List<Event> changes = reader.read(2);

            assertThat(changes.get(0).value("v")).hasSize(100_000);
            assertThat(changes.get(0).unchanged()).isNull();
            assertThat(changes.get(1).after()).containsExactly(entry("id", "1"), entry("n", "5"));
            assertThat(changes.get(1).unchanged()).containsExactly("v");
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void aKeyThatChangesComesWithTheKeyItHad(String version) throws Exception {
        try (TestDatabase db = database(version, TABLE);
                ReaderHarness reader = ReaderHarness.start(db.options())) {
            db.execute(
                    "INSERT INTO t VALUES (1, NULL)",
                    "UPDATE t SET v = 'a'",
                    "UPDATE t SET id = 2",
                    "DELETE FROM t");

            List<Event> changes = reader.read(4);

            assertThat(changes.get(0).after()).containsExactly(entry("id", "1"), entry("v", null));
            assertThat(changes.get(1).before()).isNull();
            assertThat(changes.get(2).before()).containsExactly(entry("id", "1"));
            assertThat(changes.get(2).after()).containsExactly(entry("id", "2"), entry("v", "a"));
            assertThat(changes.get(3).before()).containsExactly(entry("id", "2"));
            assertThat(changes.get(3).after()).isNull();
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void aTableOfReplicaIdentityFullGivesItsOldRows(String version) throws Exception {
        try (TestDatabase db = database(version, TABLE, "ALTER TABLE t REPLICA IDENTITY FULL");
                ReaderHarness reader = ReaderHarness.start(db.options())) {
            db.execute("INSERT INTO t VALUES (1, NULL)", "UPDATE t SET v = 'a'", "DELETE FROM t");

            List<Event> changes = reader.read(3);

            assertThat(changes.get(1).before()).containsExactly(entry("id", "1"), entry("v", null));
            assertThat(changes.get(2).before()).containsExactly(entry("id", "1"), entry("v", "a"));
            assertThat(reader.events().get(0).before()).containsEntry("replica_identity", "f");
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void aTruncateOfSeveralTablesIsOneRowForEach(String version) throws Exception {
        try (TestDatabase db =
                        database(
                                version,
                                TABLE,
                                "CREATE TABLE child (id int PRIMARY KEY REFERENCES t)");
                ReaderHarness reader = ReaderHarness.start(db.options())) {
            db.execute(
                    "INSERT INTO t VALUES (1)", "TRUNCATE t CASCADE", "INSERT INTO t VALUES (2)");

            List<Event> changes = reader.read(4);

            assertThat(ops(changes)).containsExactly("c", "t", "t", "c");
            assertThat(changes.subList(1, 3).stream().map(Event::table))
                    .containsExactlyInAnyOrder("public.t", "public.child");
            assertThat(changes.get(1).commitLsn()).isEqualTo(changes.get(2).commitLsn());
            assertThat(changes.get(2).ordinal()).isEqualTo(1);
            assertThat(changes.get(1).after()).isNull();
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void whatWasRolledBackLeavesNothing(String version) throws Exception {
        try (TestDatabase db = database(version, TABLE);
                ReaderHarness reader = ReaderHarness.start(db.options())) {
            db.execute(
                    "BEGIN; INSERT INTO t VALUES (1, 'rolled back'); ROLLBACK",
                    "BEGIN; INSERT INTO t VALUES (2, 'kept'); SAVEPOINT s;"
                            + " INSERT INTO t VALUES (3, 'rolled back'); ROLLBACK TO s;"
                            + " SAVEPOINT s2; INSERT INTO t VALUES (4, 'kept'); RELEASE s2; COMMIT");

            List<Event> changes = reader.read(2);

            assertThat(changes.stream().map(e -> e.value("id"))).containsExactly("2", "4");
            assertThat(changes.stream().map(Event::ordinal)).containsExactly(0L, 1L);
            assertThat(changes.stream().map(Event::xid).distinct()).hasSize(1);
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void aPreparedTransactionArrivesWhenItIsCommitted(String version) throws Exception {
        try (TestDatabase db = database(version, TABLE);
                ReaderHarness reader = ReaderHarness.start(db.options())) {
            String gid = db.name();
            db.execute(
                    "BEGIN; INSERT INTO t VALUES (1, 'prepared'); PREPARE TRANSACTION '"
                            + gid
                            + "'",
                    "INSERT INTO t VALUES (2, 'meanwhile')");
            reader.read(1);
            db.execute("COMMIT PREPARED '" + gid + "'");

            List<Event> changes = reader.read(2);

            assertThat(changes.stream().map(e -> e.value("v")))
                    .containsExactly("meanwhile", "prepared");
            assertThat(changes.get(1).xid()).isLessThan(changes.get(0).xid());
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void namesMayHoldAnything(String version) throws Exception {
        String odd = "o'd\"\"d t\u00e4ble, \u6c34";
        try (TestDatabase db =
                        database(
                                version,
                                "CREATE TABLE \"" + odd + "\" (\"K, ey\" int PRIMARY KEY)");
                ReaderHarness reader = ReaderHarness.start(db.options())) {
            db.execute("INSERT INTO \"" + odd + "\" VALUES (1)");

            Event change = reader.read(1).get(0);

            assertThat(change.table()).isEqualTo("public." + odd.replace("\"\"", "\""));
            assertThat(change.after()).containsExactly(entry("K, ey", "1"));
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void aTransactionLargerThanManyBatchesComesWhole(String version) throws Exception {
        try (TestDatabase db = database(version, TABLE);
                ReaderHarness reader = ReaderHarness.start(db.options())) {
            db.execute("INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 20000) i");

            List<Event> changes = reader.read(20_000);

            List<String> expected = new ArrayList<>();
            for (int i = 1; i <= 20_000; i++) {
                expected.add("v" + i);
            }
            assertThat(changes.stream().map(e -> e.value("v"))).containsExactlyElementsOf(expected);
            assertThat(changes.get(19_999).ordinal()).isEqualTo(19_999);
        }
    }
}
