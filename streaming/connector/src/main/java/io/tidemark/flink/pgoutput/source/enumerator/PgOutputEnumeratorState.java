package io.tidemark.flink.pgoutput.source.enumerator;

import io.tidemark.flink.pgoutput.source.split.PgOutputSplit;

import java.util.List;

/** The split while no reader has it; empty from then on. */
public record PgOutputEnumeratorState(List<PgOutputSplit> unassigned) {

    public PgOutputEnumeratorState {
        unassigned = List.copyOf(unassigned);
    }
}
