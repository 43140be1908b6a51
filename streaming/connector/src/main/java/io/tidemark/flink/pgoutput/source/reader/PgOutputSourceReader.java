package io.tidemark.flink.pgoutput.source.reader;

import io.tidemark.flink.pgoutput.source.config.PgOutputSourceConfig;
import io.tidemark.flink.pgoutput.source.split.PgOutputSplit;
import io.tidemark.flink.pgoutput.source.split.PgOutputSplitState;

import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.connector.base.source.reader.SingleThreadMultiplexSourceReaderBase;
import org.apache.flink.table.data.RowData;

import java.util.List;
import java.util.Map;

/**
 * The task's side: emits rows, hands its position to checkpoints, confirms completed ones.
 *
 * <p>The slot moves in {@link #notifyCheckpointComplete} and nowhere else. Savepoints without stop
 * do not get there, by Flink's rules; so the newest savepoint may be older than the slot, and then
 * a restore from it is refused.
 */
@SuppressWarnings("try") // Flink declares close() with any Exception
public final class PgOutputSourceReader
        extends SingleThreadMultiplexSourceReaderBase<
                SourceRecord, RowData, PgOutputSplit, PgOutputSplitState> {
    private final CheckpointedLsn checkpointed;

    public static PgOutputSourceReader create(
            PgOutputSourceConfig config, SourceReaderContext context) {
        CheckpointedLsn checkpointed = new CheckpointedLsn();
        ReaderMetrics metrics =
                new ReaderMetrics(context.metricGroup(), checkpointed, System::currentTimeMillis);
        return new PgOutputSourceReader(config, context, checkpointed, metrics);
    }

    private PgOutputSourceReader(
            PgOutputSourceConfig config,
            SourceReaderContext context,
            CheckpointedLsn checkpointed,
            ReaderMetrics metrics) {
        super(
                () -> new PgOutputSplitReader(config, checkpointed::durable, metrics),
                new PgOutputRecordEmitter(metrics),
                context.getConfiguration(),
                context);
        this.checkpointed = checkpointed;
    }

    @Override
    public List<PgOutputSplit> snapshotState(long checkpointId) {
        List<PgOutputSplit> splits = super.snapshotState(checkpointId);
        splits.stream()
                .map(PgOutputSplit::position)
                .filter(position -> !position.systemId().isEmpty())
                .forEach(position -> checkpointed.taken(checkpointId, position.endLsn()));
        return splits;
    }

    @Override
    public void notifyCheckpointComplete(long checkpointId) throws Exception {
        super.notifyCheckpointComplete(checkpointId);
        checkpointed.completed(checkpointId);
    }

    @Override
    protected PgOutputSplitState initializedState(PgOutputSplit split) {
        return new PgOutputSplitState(split);
    }

    @Override
    protected PgOutputSplit toSplitType(String splitId, PgOutputSplitState state) {
        return state.toSplit();
    }

    @Override
    protected void onSplitFinished(Map<String, PgOutputSplitState> finished) {
        throw new IllegalStateException("a stream without an end has ended: " + finished.keySet());
    }
}
