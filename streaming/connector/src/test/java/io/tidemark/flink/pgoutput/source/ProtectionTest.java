package io.tidemark.flink.pgoutput.source;

import static io.tidemark.flink.pgoutput.testing.Refusals.assertRefused;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import io.tidemark.flink.pgoutput.protocol.Reason;
import io.tidemark.flink.pgoutput.testing.Event;
import io.tidemark.flink.pgoutput.testing.PostgresServer;
import io.tidemark.flink.pgoutput.testing.ReaderHarness;
import io.tidemark.flink.pgoutput.testing.TestDatabase;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What a protected column holds is in no row, whatever is done to its table. */
class ProtectionTest {
    private static final String PROTECT =
            """
            [{"schema": "public", "table": "t", "label": "L",
              "columns": {"id": "hash", "v": "plain", "s": "hash", "m": "mask", "d": "drop"}},
             {"schema": "public", "table": "parts", "label": "P",
              "columns": {"id": "plain", "s": "hash"}},
             {"schema": "public", "table": "open"}]
            """;
    private static final String TABLE =
            "CREATE TABLE t (id text PRIMARY KEY, v int, s text, m text, d text)";
    private static final String SECRET = "canary";
    private static final String KEY =
            "k1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    /** HMAC-SHA256 of {@link #SECRET}, as Python's hmac and openssl have it. */
    private static final String HASHED =
            "k1:abc6f2e490369b66bc96ce2c137b97fc9764ce85ad07aa5c77d3ccc84eec207a";

    @TempDir private Path directory;
    private Path key;

    @BeforeEach
    void writeKey() throws IOException {
        key = Files.writeString(directory.resolve("key"), KEY + "\n");
    }

    private static TestDatabase database(String... statements) throws Exception {
        return new TestDatabase(PostgresServer.shared(PostgresServer.newest()), statements);
    }

    private ReaderHarness reader(TestDatabase db) throws Exception {
        return ReaderHarness.start(db.options("protect", PROTECT, "hash.key.file", key.toString()));
    }

    @Test
    void everySideOfEveryChangeIsProtected() throws Exception {
        try (TestDatabase db =
                        database(
                                TABLE,
                                "ALTER TABLE t REPLICA IDENTITY FULL",
                                "ALTER TABLE t ALTER d SET STORAGE EXTERNAL",
                                "ALTER TABLE t ALTER s SET STORAGE EXTERNAL");
                ReaderHarness reader = reader(db)) {
            db.execute(
                    "INSERT INTO t VALUES ('canary', 1, 'canary', 'canary', repeat('canary', 999))",
                    "UPDATE t SET v = 2, s = repeat('canary', 999)",
                    "UPDATE t SET id = 'other', m = NULL",
                    "DELETE FROM t",
                    "TRUNCATE t");

            List<Event> changes = reader.read(5);

            assertThat(reader.events().toString()).doesNotContain(SECRET);
            assertThat(changes.get(0).after())
                    .containsExactly(
                            entry("id", HASHED),
                            entry("v", "1"),
                            entry("s", HASHED),
                            entry("m", "***"));
            assertThat(changes.get(1).before()).isEqualTo(changes.get(0).after());
            assertThat(changes.get(2).after()).containsEntry("m", null);
            assertThat(changes.get(3).before()).containsKeys("id", "v", "s", "m").hasSize(4);
            assertThat(changes).extracting(Event::protection).containsOnly("L");
        }
    }

    @Test
    void aColumnThatIsInNoRowIsNotUnchangedEither() throws Exception {
        try (TestDatabase db =
                        database(
                                TABLE,
                                "ALTER TABLE t ALTER d SET STORAGE EXTERNAL",
                                "ALTER TABLE t ALTER s SET STORAGE EXTERNAL",
                                "INSERT INTO t VALUES ('1', 1, repeat('s', 9999), 'm', 'd')",
                                "INSERT INTO t VALUES ('2', 1, 's', 'm', repeat('d', 9999))");
                ReaderHarness reader = reader(db)) {
            db.execute("UPDATE t SET v = 2");

            List<Event> changes = reader.read(2);

            assertThat(changes).extracting(Event::unchanged).containsExactly(List.of("s"), null);
            assertThat(changes.get(0).after()).containsOnlyKeys("id", "v", "m");
        }
    }

    @Test
    void nothingIsEmittedOfColumnsThatMayHoldWhatAnotherHeld() throws Exception {
        try (TestDatabase db = database(TABLE);
                ReaderHarness reader = reader(db)) {
            String row = "INSERT INTO t VALUES (gen_random_uuid(), 1, 'canary', 'canary', 'canary'";
            db.execute(
                    "ALTER TABLE t RENAME s TO was",
                    row + ")",
                    "ALTER TABLE t RENAME was TO s",
                    "ALTER TABLE t ADD more text DEFAULT 'canary'",
                    row + ")",
                    "ALTER TABLE t DROP more",
                    row + ")",
                    "ALTER TABLE t DROP v",
                    "ALTER TABLE t RENAME s TO v",
                    "ALTER TABLE t ADD s text",
                    "INSERT INTO t VALUES (gen_random_uuid(), 'canary', 'canary', 'canary')",
                    "ALTER TABLE t RENAME TO open2",
                    "INSERT INTO open2 VALUES ('1', 'canary', 'canary', 'canary')");

            List<Event> changes = reader.read(5);

            assertThat(reader.events().toString()).doesNotContain(SECRET);
            assertThat(changes)
                    .extracting(Event::protection)
                    .containsExactly("closed", "closed", "L", "closed", "closed");
            assertThat(changes.get(0).after()).isEmpty();
        }
    }

    @Test
    void aPartitionIsProtectedAsItsRoot() throws Exception {
        try (TestDatabase db =
                        database(
                                "CREATE TABLE parts (id int, s text) PARTITION BY RANGE (id)",
                                "CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (10)"
                                        + " PARTITION BY RANGE (id)",
                                "CREATE TABLE l PARTITION OF low FOR VALUES FROM (0) TO (10)",
                                "CREATE TABLE stranger (id int, s text)",
                                "CREATE TABLE open (id int, s text)");
                ReaderHarness reader = reader(db)) {
            db.execute(
                    "CREATE TABLE high PARTITION OF parts FOR VALUES FROM (10) TO (20)",
                    "INSERT INTO parts VALUES (1, 'canary'), (11, 'canary')",
                    "INSERT INTO stranger VALUES (1, 'canary')",
                    "INSERT INTO open VALUES (1, 'plain')");

            List<Event> changes = reader.read(4);

            assertThat(reader.events().toString()).doesNotContain(SECRET);
            assertThat(changes)
                    .extracting(Event::protection)
                    .containsExactly("P", "P", "closed", null);
            assertThat(changes.get(1).after()).containsEntry("s", HASHED);
            assertThat(changes.get(3).after()).containsEntry("s", "plain");
        }
    }

    @Test
    void withoutItsKeyTheStreamDoesNotBegin() throws Exception {
        try (TestDatabase db = database(TABLE)) {
            Map<String, String> options =
                    db.options("protect", PROTECT, "hash.key.file", key.toString());
            for (String bad : List.of("", "k1", "k1:00ff", KEY.substring(3), KEY + "g")) {
                Files.writeString(key, bad);
                assertRefused(Reason.HASH_KEY, options);
            }
            Files.delete(key);
            assertRefused(Reason.HASH_KEY, options);
        }
    }
}
