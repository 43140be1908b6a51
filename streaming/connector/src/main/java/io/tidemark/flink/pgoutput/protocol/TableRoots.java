package io.tidemark.flink.pgoutput.protocol;

import org.postgresql.core.BaseConnection;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * Asks the server, in a session of its own, which partitioned table a partition belongs to: the
 * stream does not say. Opened when it is first asked.
 */
public final class TableRoots implements AutoCloseable {
    private static final String ROOT =
            "SELECT nspname, relname FROM pg_catalog.pg_class relation"
                    + " JOIN pg_catalog.pg_namespace namespace ON namespace.oid = relnamespace"
                    + " WHERE relation.oid = pg_catalog.pg_partition_root(";

    private final ReplicationOptions options;
    private BaseConnection connection;

    public TableRoots(ReplicationOptions options) {
        this.options = options;
    }

    /** The root of a partition as it is called by now; null of what is no partition any more. */
    public TableName of(long oid) throws SQLException {
        if (connection == null) {
            connection = Sessions.plain(options);
        }
        try (Statement statement = connection.createStatement();
                ResultSet found = statement.executeQuery(ROOT + oid + ")")) {
            return found.next() ? new TableName(found.getString(1), found.getString(2)) : null;
        } catch (SQLException e) {
            close();
            throw e;
        }
    }

    @Override
    public void close() throws SQLException {
        BaseConnection old = connection;
        connection = null;
        if (old != null) {
            old.abort(Runnable::run);
        }
    }
}
