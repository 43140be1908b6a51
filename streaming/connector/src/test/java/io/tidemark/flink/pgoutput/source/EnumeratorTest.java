package io.tidemark.flink.pgoutput.source;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.flink.pgoutput.source.enumerator.PgOutputEnumerator;
import io.tidemark.flink.pgoutput.source.enumerator.PgOutputEnumeratorState;
import io.tidemark.flink.pgoutput.source.split.PgOutputSplit;
import io.tidemark.flink.pgoutput.source.split.StreamPosition;

import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.junit.jupiter.api.Test;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;

class EnumeratorTest {
    private static final PgOutputSplit SPLIT = new PgOutputSplit("s", StreamPosition.start());

    private final List<Object> assigned = new ArrayList<>();
    private final PgOutputEnumerator enumerator =
            new PgOutputEnumerator(context(), new PgOutputEnumeratorState(List.of(SPLIT)));

    @SuppressWarnings("unchecked")
    private SplitEnumeratorContext<PgOutputSplit> context() {
        return (SplitEnumeratorContext<PgOutputSplit>)
                Proxy.newProxyInstance(
                        getClass().getClassLoader(),
                        new Class<?>[] {SplitEnumeratorContext.class},
                        (proxy, method, arguments) -> {
                            assertThat(method.getName()).isEqualTo("assignSplit");
                            return assigned.add(arguments[1]);
                        });
    }

    @Test
    void theFirstReaderGetsTheSplitAndTheOthersNothing() {
        enumerator.addReader(1);
        enumerator.addReader(0);

        assertThat(assigned).containsExactly(1);
        assertThat(enumerator.snapshotState(1).unassigned()).isEmpty();
    }

    @Test
    void aSplitThatAFailedReaderHadWaitsForTheNext() {
        enumerator.addReader(0);
        enumerator.addSplitsBack(List.of(SPLIT), 0);

        assertThat(enumerator.snapshotState(1).unassigned()).containsExactly(SPLIT);
        enumerator.addReader(0);
        assertThat(assigned).containsExactly(0, 0);
    }
}
