package io.tidemark.flink.pgoutput.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.tidemark.flink.pgoutput.testing.Event;
import io.tidemark.flink.pgoutput.testing.PostgresServer;
import io.tidemark.flink.pgoutput.testing.TestDatabase;

import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.state.CheckpointListener;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.table.data.RowData;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/** The source in a whole Flink. */
class FlinkJobTest {
    private static final int ROWS = 10_000;
    private static final int ENOUGH = 100;
    private static final String TABLE = "CREATE TABLE t (id int PRIMARY KEY)";

    private static JobClient submit(Map<String, String> options) throws Exception {
        Configuration configuration = new Configuration();
        configuration.setString("execution.checkpointing.interval", "100 ms");
        configuration.setString("restart-strategy.type", "fixed-delay");
        configuration.setString("restart-strategy.fixed-delay.attempts", "1000000");
        configuration.setString("restart-strategy.fixed-delay.delay", "10 ms");
        StreamExecutionEnvironment environment =
                StreamExecutionEnvironment.createLocalEnvironment(1, configuration);
        environment
                .fromSource(PgOutputSource.of(options), WatermarkStrategy.noWatermarks(), "changes")
                .uid("changes")
                .map(new FailsOnceAfterACheckpoint())
                .uid("ids")
                .sinkTo(new DiscardingSink<>());
        return environment.executeAsync();
    }

    @Test
    void aJobThatFailsAfterACheckpointSeesEveryChangeOnce() throws Exception {
        PostgresServer server = PostgresServer.shared(PostgresServer.newest());
        try (TestDatabase db = new TestDatabase(server, TABLE)) {
            FailsOnceAfterACheckpoint.reset();
            db.execute("INSERT INTO t SELECT generate_series(1, " + ROWS + ")");
            JobClient job = submit(db.options());
            try {
                long giveUp = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
                while (FailsOnceAfterACheckpoint.COUNT.get() < ROWS) {
                    assertThat(System.nanoTime()).isLessThan(giveUp);
                    Thread.sleep(50);
                }
            } finally {
                job.cancel().get();
            }

            assertThat(FailsOnceAfterACheckpoint.FAILED).isTrue();
            assertThat(FailsOnceAfterACheckpoint.seen())
                    .isEqualTo(IntStream.rangeClosed(1, ROWS).boxed().toList());
        }
    }

    @Test
    void whatCannotHealEndsTheJobWhateverTheRestartStrategy() throws Exception {
        PostgresServer server = PostgresServer.shared(PostgresServer.newest());
        try (TestDatabase db = new TestDatabase(server, TABLE)) {
            JobClient job = submit(db.options("slot", "nowhere"));

            Throwable error =
                    catchThrowable(() -> job.getJobExecutionResult().get(2, TimeUnit.MINUTES));

            assertThat(error).hasStackTraceContaining("[SLOT_MISSING] replication slot nowhere");
        }
    }

    /** Keeps the ids it has seen as its state, and fails when a checkpoint holds some of them. */
    private static final class FailsOnceAfterACheckpoint
            implements MapFunction<RowData, Integer>, CheckpointedFunction, CheckpointListener {
        private static final long serialVersionUID = 1;
        private static final AtomicBoolean FAILED = new AtomicBoolean();
        private static final AtomicInteger COUNT = new AtomicInteger();
        private static volatile List<Integer> seen = List.of();

        private transient ListState<Integer> state;
        private transient List<Integer> ids;
        private transient boolean checkpointed;

        static void reset() {
            FAILED.set(false);
            COUNT.set(0);
        }

        static List<Integer> seen() {
            return List.copyOf(seen);
        }

        @Override
        public Integer map(RowData row) throws Exception {
            Event event = Event.of(row);
            if (event.isSchema()) {
                return 0;
            }
            if (!FAILED.get() && ids.size() > ENOUGH) {
                Thread.sleep(10); // until a checkpoint holds some of them: the rest waits for that
            }
            ids.add(Integer.valueOf(event.value("id")));
            if (checkpointed && FAILED.compareAndSet(false, true)) {
                throw new IllegalStateException("on purpose, after " + ids.size() + " changes");
            }
            COUNT.set(ids.size());
            return ids.size();
        }

        @Override
        public void notifyCheckpointComplete(long checkpointId) {
            checkpointed = ids.size() > ENOUGH;
        }

        @Override
        public void snapshotState(FunctionSnapshotContext context) throws Exception {
            state.update(ids);
        }

        @Override
        public void initializeState(FunctionInitializationContext context) throws Exception {
            state =
                    context.getOperatorStateStore()
                            .getListState(new ListStateDescriptor<>("ids", Integer.class));
            ids = new ArrayList<>();
            state.get().forEach(ids::add);
            seen = ids;
        }
    }
}
