package io.tidemark.flink.pgoutput.source.enumerator;

import io.tidemark.flink.pgoutput.source.split.PgOutputSplit;

import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;

import java.util.ArrayList;
import java.util.List;

/**
 * Gives the single split to the first reader that registers.
 *
 * <p>One slot is one ordered stream: a parallelism above 1 leaves the other readers idle.
 */
public final class PgOutputEnumerator
        implements SplitEnumerator<PgOutputSplit, PgOutputEnumeratorState> {
    private final SplitEnumeratorContext<PgOutputSplit> context;
    private final List<PgOutputSplit> unassigned;

    public PgOutputEnumerator(
            SplitEnumeratorContext<PgOutputSplit> context, PgOutputEnumeratorState state) {
        this.context = context;
        this.unassigned = new ArrayList<>(state.unassigned());
    }

    @Override
    public void addReader(int subtask) {
        unassigned.forEach(split -> context.assignSplit(split, subtask));
        unassigned.clear();
    }

    @Override
    public void addSplitsBack(List<PgOutputSplit> splits, int subtask) {
        unassigned.addAll(splits); // the reader registers again after its failure
    }

    @Override
    public PgOutputEnumeratorState snapshotState(long checkpointId) {
        return new PgOutputEnumeratorState(unassigned);
    }

    @Override
    public void start() {}

    @Override
    public void handleSplitRequest(int subtask, String host) {}

    @Override
    public void close() {}
}
