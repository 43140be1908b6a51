package io.tidemark.spark.copy;

import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.connector.read.PartitionReader;
import org.postgresql.copy.CopyOut;
import org.postgresql.jdbc.PgConnection;

import java.io.IOException;
import java.sql.SQLException;

/**
 * Streams the rows of one query. The row it gives is the same object each time, as Spark allows.
 */
final class CopyReader implements PartitionReader<InternalRow> {
    private final CopySession session;
    private final CopyScan.Partition partition;
    private final Object[] values;
    private final InternalRow row;
    private PgConnection connection;
    private CopyOut copy;
    private long rows;

    CopyReader(CopySession session, CopyScan.Partition partition, int columns) {
        this.session = session;
        this.partition = partition;
        this.values = new Object[columns];
        this.row = new GenericInternalRow(values);
    }

    /**
     * Reads the next row.
     *
     * @throws CopyFailedException if PostgreSQL refuses, or the connection is lost
     */
    @Override
    public boolean next() throws IOException {
        byte[] line = line();
        if (line == null) {
            return false;
        }
        int found = CopyText.split(line, values);
        if (found != values.length) {
            throw new CopyFailedException(
                    partition.index(),
                    rows,
                    "a row has " + found + " columns and the schema " + values.length);
        }
        rows++;
        return true;
    }

    private byte[] line() throws IOException {
        try {
            if (connection == null) {
                connection = session.open();
                copy =
                        connection
                                .getCopyAPI()
                                .copyOut("COPY (" + partition.query() + ") TO STDOUT");
            }
            return copy.readFromCopy();
        } catch (SQLException e) {
            throw new CopyFailedException(partition.index(), rows, e);
        }
    }

    @Override
    public InternalRow get() {
        return row;
    }

    /** Ends the transaction; a COPY that is under way, as after LIMIT, is cancelled. */
    @Override
    public void close() throws IOException {
        try (PgConnection open = connection) {
            if (open != null && copy != null && copy.isActive()) {
                copy.cancelCopy();
            }
        } catch (SQLException e) {
            throw new CopyFailedException(partition.index(), rows, e);
        }
    }
}
