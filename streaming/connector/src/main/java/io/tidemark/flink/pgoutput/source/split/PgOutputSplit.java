package io.tidemark.flink.pgoutput.source.split;

import org.apache.flink.api.connector.source.SourceSplit;

/** The one split: a replication slot, and the position in its stream. */
public record PgOutputSplit(String slot, StreamPosition position) implements SourceSplit {

    @Override
    public String splitId() {
        return slot;
    }
}
