package io.tidemark.spark.copy;

import java.io.IOException;
import java.sql.SQLException;

/**
 * A COPY did not come to its end. The message holds the SQLSTATE as {@code [SQLSTATE 42P01]}, and
 * no values.
 */
public final class CopyFailedException extends IOException {
    private static final long serialVersionUID = 1;

    CopyFailedException(int partition, long rows, SQLException cause) {
        this(partition, rows, "[SQLSTATE " + cause.getSQLState() + "] " + cause.getMessage());
        initCause(cause);
    }

    CopyFailedException(int partition, long rows, String problem) {
        super("COPY of query." + partition + " failed after " + rows + " rows: " + problem);
    }
}
