package io.tidemark.flink.pgoutput.source.reader;

import org.apache.flink.connector.base.source.reader.RecordsWithSplitIds;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** What one fetch brought. The split never finishes. */
final class RecordBatch implements RecordsWithSplitIds<SourceRecord> {
    private final List<SourceRecord> records = new ArrayList<>();
    private String splitId;
    private int next;

    RecordBatch(String splitId) {
        this.splitId = splitId;
    }

    List<SourceRecord> records() {
        return records;
    }

    @Override
    public String nextSplit() {
        String split = splitId;
        splitId = null;
        return split;
    }

    @Override
    public SourceRecord nextRecordFromSplit() {
        return next < records.size() ? records.get(next++) : null;
    }

    @Override
    public Set<String> finishedSplits() {
        return Set.of();
    }
}
