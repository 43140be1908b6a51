package io.tidemark.flink.pgoutput.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.flink.pgoutput.protocol.Reason;
import io.tidemark.flink.pgoutput.source.UnrecoverableSourceException;
import io.tidemark.flink.pgoutput.source.split.PgOutputSplit;

import org.apache.flink.runtime.throwable.ThrowableClassifier;
import org.apache.flink.runtime.throwable.ThrowableType;
import org.assertj.core.api.Assertions;

import java.util.Map;

/** Asserts that a source stops, for a reason, in a way that Flink does not try again. */
public final class Refusals {
    private Refusals() {}

    public static void assertRefused(Reason reason, Map<String, String> options) throws Exception {
        try (ReaderHarness reader = ReaderHarness.start(options)) {
            assertStops(reason, reader);
        }
    }

    public static void assertRefused(
            Reason reason, Map<String, String> options, PgOutputSplit state) throws Exception {
        try (ReaderHarness reader = ReaderHarness.restore(options, state)) {
            assertStops(reason, reader);
        }
    }

    public static void assertStops(Reason reason, ReaderHarness reader) {
        Throwable error = Assertions.catchThrowable(() -> reader.readUntil(() -> false));
        assertThat(error).hasStackTraceContaining("[" + reason + "]");
        assertThat(
                        ThrowableClassifier.findThrowableOfThrowableType(
                                error, ThrowableType.NonRecoverableError))
                .hasValueSatisfying(
                        cause -> {
                            assertThat(cause).isInstanceOf(UnrecoverableSourceException.class);
                            assertThat(((UnrecoverableSourceException) cause).reason())
                                    .isEqualTo(reason);
                            assertThat(cause).hasMessageContaining(reason.cure());
                        });
        assertThat(error.toString()).doesNotContain(TestDatabase.PASSWORD);
    }
}
