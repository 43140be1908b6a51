package io.tidemark.flink.pgoutput.protocol;

import static io.tidemark.flink.pgoutput.protocol.PermanentException.require;
import static io.tidemark.flink.pgoutput.protocol.Sessions.literal;
import static io.tidemark.flink.pgoutput.protocol.Sessions.one;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What must hold before the first byte is read: else rows would be lost, doubled, or read from
 * another server, and nobody would notice.
 */
final class StartupChecks {
    private final Statement statement;
    private final ReplicationOptions options;
    private final ResumePoint resume;

    StartupChecks(Statement statement, ReplicationOptions options, ResumePoint resume) {
        this.statement = statement;
        this.options = options;
        this.resume = resume;
    }

    /**
     * Who the server is, and where the stream can start.
     *
     * @param startLsn where the stream goes on
     * @param sentFrom where the slot stands: what has committed since then is sent, again if need
     *     be
     * @param walEnd the end of the server's log by now
     */
    record Result(ServerIdentity identity, long startLsn, long sentFrom, long walEnd) {}

    Result run() throws SQLException {
        Result server = identify();
        checkSameServer(server);
        String level = one(statement, "SHOW wal_level");
        require(level.equals("logical"), Reason.WAL_LEVEL, "wal_level is " + level);
        long confirmed = confirmedLsn();
        require(
                resume.isFresh() || !Lsn.isBefore(resume.endLsn(), confirmed),
                Reason.STATE_BEHIND_SLOT,
                "the state is at "
                        + resume
                        + ", slot "
                        + options.slot()
                        + " was confirmed up to "
                        + Lsn.format(confirmed));
        checkPublications();
        long start = resume.isFresh() ? confirmed : resume.endLsn();
        return new Result(server.identity(), start, confirmed, server.walEnd());
    }

    private Result identify() throws SQLException {
        long database =
                Long.parseLong(
                        one(
                                statement,
                                "SELECT oid FROM pg_catalog.pg_database"
                                        + " WHERE datname = pg_catalog.current_database()"));
        try (ResultSet r = statement.executeQuery("IDENTIFY_SYSTEM")) {
            r.next();
            ServerIdentity identity = new ServerIdentity(r.getString(1), r.getInt(2), database);
            return new Result(identity, Lsn.NONE, Lsn.NONE, Lsn.parse(r.getString(3)));
        }
    }

    private void checkSameServer(Result server) {
        if (resume.isFresh()) {
            return;
        }
        ServerIdentity now = server.identity();
        require(
                resume.systemId().equals(now.systemId()),
                Reason.SYSTEM_CHANGED,
                "the state belongs to system " + resume.systemId() + ", this is " + now.systemId());
        require(
                resume.databaseOid() == 0 || resume.databaseOid() == now.databaseOid(),
                Reason.DATABASE_CHANGED,
                "the state belongs to the database with oid "
                        + resume.databaseOid()
                        + ", "
                        + options.database()
                        + " has "
                        + now.databaseOid());
        require(
                resume.timeline() == now.timeline() || options.allowTimelineChange(),
                Reason.TIMELINE_CHANGED,
                "the state belongs to timeline "
                        + resume.timeline()
                        + ", this is "
                        + now.timeline());
        require(
                !Lsn.isBefore(server.walEnd(), resume.endLsn()),
                Reason.STATE_AHEAD_OF_SERVER,
                "the state is at "
                        + resume
                        + ", the server's log ends at "
                        + Lsn.format(server.walEnd()));
    }

    /** to_jsonb, because PostgreSQL 13 to 18 differ in the columns that the view has. */
    private long confirmedLsn() throws SQLException {
        String sql =
                "SELECT j->>'plugin', j->>'database', j->>'two_phase', j->>'wal_status',"
                        + " j->>'invalidation_reason', j->>'confirmed_flush_lsn', j->>'active_pid'"
                        + " FROM (SELECT pg_catalog.to_jsonb(s) AS j"
                        + " FROM pg_catalog.pg_replication_slots s WHERE slot_name = "
                        + literal(options.slot())
                        + ") x";
        try (ResultSet r = statement.executeQuery(sql)) {
            require(
                    r.next(),
                    Reason.SLOT_MISSING,
                    "replication slot " + options.slot() + " does not exist");
            checkSlot(r);
            String pid = r.getString(7);
            if (pid != null) { // the words and the code that START_REPLICATION would use
                throw new SQLException(
                        "replication slot " + options.slot() + " is active for PID " + pid,
                        ServerErrors.OBJECT_IN_USE);
            }
            return Lsn.parse(r.getString(6));
        }
    }

    private void checkSlot(ResultSet r) throws SQLException {
        boolean usable =
                "pgoutput".equals(r.getString(1))
                        && options.database().equals(r.getString(2))
                        && !"true".equals(r.getString(3));
        require(
                usable,
                Reason.SLOT_UNUSABLE,
                "slot "
                        + options.slot()
                        + " has plugin "
                        + r.getString(1)
                        + ", database "
                        + r.getString(2)
                        + ", two_phase "
                        + r.getString(3));
        // While somebody creates it, it has no position yet.
        boolean positioned = r.getString(6) != null || r.getString(7) != null;
        boolean alive = !"lost".equals(r.getString(4)) && r.getString(5) == null && positioned;
        require(
                alive,
                Reason.SLOT_LOST,
                "slot "
                        + options.slot()
                        + " has wal_status "
                        + r.getString(4)
                        + ", invalidation_reason "
                        + r.getString(5));
    }

    private void checkPublications() throws SQLException {
        TreeSet<String> missing = new TreeSet<>(options.publications());
        String list =
                options.publications().stream()
                        .map(Sessions::literal)
                        .collect(Collectors.joining(", "));
        String sql =
                "SELECT pubname FROM pg_catalog.pg_publication WHERE pubname IN (" + list + ")";
        try (ResultSet r = statement.executeQuery(sql)) {
            while (r.next()) {
                missing.remove(r.getString(1));
            }
        }
        require(
                missing.isEmpty(),
                Reason.PUBLICATION_MISSING,
                "not in " + options.database() + ": publications " + missing);
    }
}
