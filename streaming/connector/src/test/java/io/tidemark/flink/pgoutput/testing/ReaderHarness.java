package io.tidemark.flink.pgoutput.testing;

import io.tidemark.flink.pgoutput.source.PgOutputSource;
import io.tidemark.flink.pgoutput.source.split.PgOutputSplit;
import io.tidemark.flink.pgoutput.source.split.PgOutputSplitSerializer;
import io.tidemark.flink.pgoutput.source.split.StreamPosition;

import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.SourceOutput;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.source.reader.SourceReaderOptions;
import org.apache.flink.table.data.RowData;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Drives a reader as a Flink task does, one record at a time, with checkpoints where a test wants.
 */
public final class ReaderHarness implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final PgOutputSplitSerializer serializer = new PgOutputSplitSerializer();
    private final SourceReader<RowData, PgOutputSplit> reader;
    private final TestMetrics metrics = new TestMetrics();
    private final Output output = new Output();
    private boolean stopped;

    /** Starts without state, where the slot stands. */
    public static ReaderHarness start(Map<String, String> options) throws Exception {
        return restore(options, new PgOutputSplit(options.get("slot"), StreamPosition.start()));
    }

    public static ReaderHarness restore(Map<String, String> options, PgOutputSplit split)
            throws Exception {
        return new ReaderHarness(options, split);
    }

    private ReaderHarness(Map<String, String> options, PgOutputSplit split) throws Exception {
        reader = PgOutputSource.of(options).createReader(context());
        reader.start();
        reader.addSplits(List.of(split));
    }

    private SourceReaderContext context() {
        return (SourceReaderContext)
                Proxy.newProxyInstance(
                        getClass().getClassLoader(),
                        new Class<?>[] {SourceReaderContext.class},
                        (proxy, method, arguments) ->
                                switch (method.getName()) {
                                    case "metricGroup" -> metrics.group();
                                    case "getConfiguration" -> patient();
                                    case "getIndexOfSubtask" -> 0;
                                    default -> null;
                                });
    }

    /** By default a close gives up after half a minute, and leaves the slot to whom it left. */
    private static Configuration patient() {
        return new Configuration()
                .set(SourceReaderOptions.SOURCE_READER_CLOSE_TIMEOUT, 5 * PATIENCE.toMillis());
    }

    /** Reads until a condition holds, and fails when it does not within two minutes. */
    public void readUntil(Condition condition) throws Exception {
        until(condition, this::readOne);
    }

    /** Waits for a condition and reads nothing meanwhile, as a task under back-pressure. */
    public void restUntil(Condition condition) throws Exception {
        until(condition, () -> Thread.sleep(20));
    }

    private void until(Condition condition, Step meanwhile) throws Exception {
        long giveUp = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.holds()) {
            if (System.nanoTime() > giveUp) {
                throw new AssertionError(
                        "after " + PATIENCE + " there are " + output.events.size() + " rows");
            }
            meanwhile.take();
        }
    }

    private void readOne() throws Exception {
        reader.pollNext(output);
        try {
            reader.isAvailable().get(20, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            // look at the condition again
        }
    }

    /** The rows so far, when there are so many, and not one more by then. */
    public List<Event> read(int changes) throws Exception {
        readUntil(() -> output.changes >= changes);
        return changes();
    }

    /** All rows: with those that describe relations. */
    public List<Event> events() {
        return List.copyOf(output.events);
    }

    public List<Event> changes() {
        return output.events.stream().filter(event -> !event.isSchema()).toList();
    }

    /** Takes a checkpoint, and what it holds through the bytes that Flink would store. */
    public PgOutputSplit checkpoint(long id) throws IOException {
        PgOutputSplit split = reader.snapshotState(id).get(0);
        return serializer.deserialize(serializer.getVersion(), serializer.serialize(split));
    }

    public void complete(long id) throws Exception {
        reader.notifyCheckpointComplete(id);
    }

    public long metric(String name) {
        return metrics.value(name);
    }

    @Override
    public void close() {
        if (!stopped) {
            stop();
        }
    }

    public void stop() {
        stopped = true;
        try {
            reader.close();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** Something to wait for. */
    public interface Condition {
        boolean holds() throws Exception;
    }

    private interface Step {
        void take() throws Exception;
    }

    private static final class Output implements ReaderOutput<RowData> {
        private final List<Event> events = new ArrayList<>();
        private int changes;

        @Override
        public void collect(RowData row) {
            Event event = Event.of(row);
            events.add(event);
            changes += event.isSchema() ? 0 : 1;
        }

        @Override
        public void collect(RowData row, long timestamp) {
            collect(row);
        }

        @Override
        public SourceOutput<RowData> createOutputForSplit(String splitId) {
            return this;
        }

        @Override
        public void releaseOutputForSplit(String splitId) {}

        @Override
        public void emitWatermark(Watermark watermark) {}

        @Override
        public void markIdle() {}

        @Override
        public void markActive() {}
    }
}
