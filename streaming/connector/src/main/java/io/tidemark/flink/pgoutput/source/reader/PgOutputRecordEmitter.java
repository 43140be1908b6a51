package io.tidemark.flink.pgoutput.source.reader;

import io.tidemark.flink.pgoutput.source.split.PgOutputSplitState;

import org.apache.flink.api.connector.source.SourceOutput;
import org.apache.flink.connector.base.source.reader.RecordEmitter;
import org.apache.flink.table.data.RowData;

/** Emits rows and moves the position with each of them, on the task thread. */
final class PgOutputRecordEmitter
        implements RecordEmitter<SourceRecord, RowData, PgOutputSplitState> {
    private final ReaderMetrics metrics;

    PgOutputRecordEmitter(ReaderMetrics metrics) {
        this.metrics = metrics;
    }

    @Override
    public void emitRecord(
            SourceRecord element, SourceOutput<RowData> output, PgOutputSplitState state) {
        if (element instanceof SourceRecord.Change change) {
            output.collect(change.row());
            state.changeEmitted(change.transaction(), change.ordinal());
            metrics.changeEmitted(change.transaction().commitMicros());
        } else if (element instanceof SourceRecord.Progress progress) {
            if (state.isInTransaction()) {
                metrics.transactionEmitted();
            }
            state.completeTo(progress.endLsn());
            metrics.completeTo(progress.endLsn());
        } else if (element instanceof SourceRecord.Schema schema) {
            if (state.isNewSchema(schema.relationOid(), schema.fingerprint())) {
                output.collect(schema.row());
            }
        } else if (element instanceof SourceRecord.Connected connected) {
            state.connected(connected.server(), connected.startLsn());
            metrics.completeTo(connected.startLsn());
        }
    }
}
