package io.tidemark.flink.pgoutput.source;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.flink.pgoutput.testing.PostgresServer;
import io.tidemark.flink.pgoutput.testing.ReaderHarness;
import io.tidemark.flink.pgoutput.testing.TestDatabase;

import org.junit.jupiter.api.Test;

import java.util.Collections;

/** How much a reader holds while nobody takes its rows. */
class MemoryTest {
    private static final int COLUMNS = 1500;
    private static final long BATCHES = 4 * (4 << 20); // as by default

    private static long used() throws InterruptedException {
        System.gc();
        Thread.sleep(200);
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    private static String each(String text) {
        return String.join(", ", Collections.nCopies(COLUMNS, text));
    }

    private static String columns() {
        StringBuilder columns = new StringBuilder();
        for (int i = 0; i < COLUMNS; i++) {
            columns.append(", c").append(i).append(" boolean");
        }
        return columns.toString();
    }

    /** A value of one byte is six in the stream, and two objects here. */
    @Test
    void narrowValuesDoNotTakeManyTimesTheirBytes() throws Exception {
        PostgresServer server = PostgresServer.shared(PostgresServer.newest());
        try (TestDatabase db =
                        new TestDatabase(
                                server, "CREATE TABLE t (id int PRIMARY KEY" + columns() + ")");
                ReaderHarness reader = ReaderHarness.start(db.options())) {
            long before = used();
            db.execute(
                    "INSERT INTO t SELECT i, " + each("true") + " FROM generate_series(1, 4000) i");
            reader.read(1);
            Thread.sleep(3_000); // as many batches as may wait are there

            assertThat(used() - before).isBetween(BATCHES / 2, 12 * BATCHES);
            assertThat(reader.read(4000).get(3999).value("c" + (COLUMNS - 1))).isEqualTo("t");
        }
    }
}
