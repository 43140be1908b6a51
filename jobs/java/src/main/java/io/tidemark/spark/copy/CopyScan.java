package io.tidemark.spark.copy;

import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.connector.read.Batch;
import org.apache.spark.sql.connector.read.InputPartition;
import org.apache.spark.sql.connector.read.PartitionReader;
import org.apache.spark.sql.connector.read.PartitionReaderFactory;
import org.apache.spark.sql.connector.read.Scan;
import org.apache.spark.sql.types.StructType;

import java.util.stream.IntStream;

/** One read: a partition for each query. */
final class CopyScan implements Scan, Batch {
    private final StructType schema;
    private final CopyOptions options;

    CopyScan(StructType schema, CopyOptions options) {
        this.schema = schema;
        this.options = options;
    }

    @Override
    public StructType readSchema() {
        return schema;
    }

    @Override
    public String description() {
        return "copy of " + schema.size() + " columns by " + options.queries().size() + " queries";
    }

    @Override
    public Batch toBatch() {
        return this;
    }

    @Override
    public InputPartition[] planInputPartitions() {
        return IntStream.range(0, options.queries().size())
                .mapToObj(index -> new Partition(index, options.queries().get(index)))
                .toArray(InputPartition[]::new);
    }

    @Override
    public PartitionReaderFactory createReaderFactory() {
        return new ReaderFactory(options.session(), schema.size());
    }

    /** The query of one task. */
    record Partition(int index, String query) implements InputPartition {}

    /** Opens the reader of one task on its executor. */
    private record ReaderFactory(CopySession session, int columns)
            implements PartitionReaderFactory {
        @Override
        public PartitionReader<InternalRow> createReader(InputPartition partition) {
            return new CopyReader(session, (Partition) partition, columns);
        }
    }
}
