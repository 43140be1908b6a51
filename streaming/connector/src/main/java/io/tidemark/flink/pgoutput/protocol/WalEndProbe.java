package io.tidemark.flink.pgoutput.protocol;

import org.postgresql.core.BaseConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.sql.SQLException;
import java.sql.Statement;

/**
 * Asks the server now and then, in a session of its own, where its log ends.
 *
 * <p>The stream cannot tell: it speaks of the position that the walsender has decoded, which is far
 * behind just when the lag is large. Only a metric depends on the answer, so a failure is logged
 * and the next interval tries again.
 */
public final class WalEndProbe implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WalEndProbe.class);
    private static final String WAL_END =
            "SELECT CASE WHEN pg_catalog.pg_is_in_recovery()"
                    + " THEN pg_catalog.pg_last_wal_replay_lsn()"
                    + " ELSE pg_catalog.pg_current_wal_flush_lsn() END";

    private final ReplicationOptions options;
    private final DaemonTimer timer;
    private BaseConnection connection;
    private volatile long walEnd;

    public WalEndProbe(ReplicationOptions options) {
        this.options = options;
        this.timer = new DaemonTimer("pgoutput-wal-end-" + options.slot());
        if (!options.walEndInterval().isZero()) {
            timer.repeat(this::ask, options.walEndInterval());
        }
    }

    /** The last answer, or 0 before the first. */
    public long walEnd() {
        return walEnd;
    }

    private void ask() {
        try {
            if (connection == null) {
                connection = Sessions.plain(options);
            }
            try (Statement statement = connection.createStatement()) {
                walEnd = Lsn.parse(Sessions.one(statement, WAL_END));
            }
        } catch (SQLException | RuntimeException e) {
            LOG.debug("{}: the end of the log is not known", options, e);
            disconnect();
        }
    }

    private void disconnect() {
        BaseConnection old = connection;
        connection = null;
        if (old != null) {
            try {
                old.abort(Runnable::run);
            } catch (SQLException e) {
                LOG.debug("closing the session of the probe", e);
            }
        }
    }

    @Override
    public void close() {
        timer.stop(this::disconnect); // on the thread that owns the connection
    }
}
