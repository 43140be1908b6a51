package io.tidemark.flink.pgoutput.source;

import io.tidemark.flink.pgoutput.source.config.PgOutputSourceConfig;
import io.tidemark.flink.pgoutput.source.enumerator.PgOutputEnumerator;
import io.tidemark.flink.pgoutput.source.enumerator.PgOutputEnumeratorState;
import io.tidemark.flink.pgoutput.source.enumerator.PgOutputEnumeratorStateSerializer;
import io.tidemark.flink.pgoutput.source.reader.PgOutputSourceReader;
import io.tidemark.flink.pgoutput.source.split.PgOutputSplit;
import io.tidemark.flink.pgoutput.source.split.PgOutputSplitSerializer;
import io.tidemark.flink.pgoutput.source.split.StreamPosition;

import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.java.typeutils.ResultTypeQueryable;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.table.data.RowData;

import java.util.List;
import java.util.Map;

/**
 * The changes of a PostgreSQL database, from a logical replication slot (pgoutput), as rows.
 *
 * <ul>
 *   <li><b>Order.</b> Rows come in commit order, and within a transaction in the order of its
 *       changes. The columns are those of {@link ChangeRow}.
 *   <li><b>Exactly once</b> into Flink's state: a job restored from a checkpoint goes on at the row
 *       after the last one the checkpoint holds, also inside a transaction. What a sink makes
 *       visible before its checkpoint comes twice, with the same identity.
 *   <li><b>Nothing is lost.</b> The slot is confirmed up to what a completed checkpoint holds,
 *       never further. A job without checkpoints therefore never confirms, and the server keeps its
 *       log.
 *   <li><b>It stops rather than guesses.</b> Where going on would lose or double rows the job fails
 *       with an {@link UnrecoverableSourceException} and is not restarted.
 * </ul>
 *
 * <p>The caller bears: publication and slot exist, in this order; only one job reads a slot; the
 * operator has a fixed uid. Only one of the parallel readers works, so give it a parallelism of 1.
 */
public final class PgOutputSource
        implements Source<RowData, PgOutputSplit, PgOutputEnumeratorState>,
                ResultTypeQueryable<RowData> {
    private static final long serialVersionUID = 1;

    private final PgOutputSourceConfig config;

    private PgOutputSource(PgOutputSourceConfig config) {
        this.config = config;
    }

    /**
     * Builds a source from options as strings, so that Java, Python and files can all supply them.
     *
     * @see io.tidemark.flink.pgoutput.source.config.PgOutputSourceOptions
     * @throws IllegalArgumentException with everything that is wrong with the options
     */
    public static PgOutputSource of(Map<String, String> options) {
        return new PgOutputSource(PgOutputSourceConfig.of(options));
    }

    @Override
    public TypeInformation<RowData> getProducedType() {
        return ChangeRow.typeInformation();
    }

    @Override
    public Boundedness getBoundedness() {
        return Boundedness.CONTINUOUS_UNBOUNDED;
    }

    @Override
    public SourceReader<RowData, PgOutputSplit> createReader(SourceReaderContext context) {
        return PgOutputSourceReader.create(config, context);
    }

    @Override
    public SplitEnumerator<PgOutputSplit, PgOutputEnumeratorState> createEnumerator(
            SplitEnumeratorContext<PgOutputSplit> context) {
        PgOutputSplit split =
                new PgOutputSplit(config.replication().slot(), StreamPosition.start());
        return restoreEnumerator(context, new PgOutputEnumeratorState(List.of(split)));
    }

    @Override
    public SplitEnumerator<PgOutputSplit, PgOutputEnumeratorState> restoreEnumerator(
            SplitEnumeratorContext<PgOutputSplit> context, PgOutputEnumeratorState state) {
        return new PgOutputEnumerator(context, state);
    }

    @Override
    public SimpleVersionedSerializer<PgOutputSplit> getSplitSerializer() {
        return new PgOutputSplitSerializer();
    }

    @Override
    public SimpleVersionedSerializer<PgOutputEnumeratorState> getEnumeratorCheckpointSerializer() {
        return new PgOutputEnumeratorStateSerializer();
    }

    @Override
    public String toString() {
        return "PgOutputSource " + config;
    }
}
