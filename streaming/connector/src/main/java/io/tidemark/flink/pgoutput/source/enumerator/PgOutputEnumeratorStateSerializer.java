package io.tidemark.flink.pgoutput.source.enumerator;

import io.tidemark.flink.pgoutput.source.split.PgOutputSplit;
import io.tidemark.flink.pgoutput.source.split.PgOutputSplitSerializer;

import org.apache.flink.core.io.SimpleVersionedSerializer;

import java.io.IOException;
import java.util.List;

/** No bytes for no split, else the split: the versions are those of the split's serializer. */
public final class PgOutputEnumeratorStateSerializer
        implements SimpleVersionedSerializer<PgOutputEnumeratorState> {
    private final PgOutputSplitSerializer splits = new PgOutputSplitSerializer();

    @Override
    public int getVersion() {
        return splits.getVersion();
    }

    @Override
    public byte[] serialize(PgOutputEnumeratorState state) throws IOException {
        List<PgOutputSplit> unassigned = state.unassigned();
        return unassigned.isEmpty() ? new byte[0] : splits.serialize(unassigned.get(0));
    }

    @Override
    public PgOutputEnumeratorState deserialize(int version, byte[] bytes) throws IOException {
        List<PgOutputSplit> unassigned =
                bytes.length == 0 ? List.of() : List.of(splits.deserialize(version, bytes));
        return new PgOutputEnumeratorState(unassigned);
    }
}
