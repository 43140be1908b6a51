package io.tidemark.flink.pgoutput.testing;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A database with a publication of all that is in it, a slot, and a role that may only replicate.
 */
public final class TestDatabase implements AutoCloseable {
    private static final AtomicInteger COUNT = new AtomicInteger();
    public static final String USER = "streamer";
    public static final String PASSWORD = "see no evil";

    private final PostgresServer server;
    private final String name = "db_" + COUNT.incrementAndGet();

    public TestDatabase(PostgresServer server, String... statements) throws SQLException {
        this.server = server;
        server.execute(
                "postgres",
                "DO $$BEGIN CREATE ROLE "
                        + USER
                        + " LOGIN REPLICATION PASSWORD '"
                        + PASSWORD
                        + "'; EXCEPTION WHEN duplicate_object THEN NULL; END$$",
                "CREATE DATABASE " + name);
        execute(statements);
        execute(
                "CREATE PUBLICATION everything FOR ALL TABLES",
                "SELECT pg_create_logical_replication_slot('" + slot() + "', 'pgoutput')");
    }

    public PostgresServer server() {
        return server;
    }

    public String name() {
        return name;
    }

    public String slot() {
        return name + "_slot";
    }

    /** Options of a source that reads this database, then {@code key, value, …} on top. */
    public Map<String, String> options(String... more) {
        Map<String, String> options = new HashMap<>();
        options.put("host", "127.0.0.1");
        options.put("port", Integer.toString(server.port()));
        options.put("database", name);
        options.put("user", USER);
        options.put("password", PASSWORD);
        options.put("slot", slot());
        options.put("publications", "everything");
        options.put("status.interval.ms", "50");
        options.put("wal.end.interval.ms", "0");
        for (int i = 0; i < more.length; i += 2) {
            options.put(more[i], more[i + 1]);
        }
        return options;
    }

    public Connection connect() throws SQLException {
        return server.connect(name);
    }

    public void execute(String... statements) throws SQLException {
        server.execute(name, statements);
    }

    public String query(String sql) throws SQLException {
        return server.query(name, sql);
    }

    public String confirmed() throws SQLException {
        return query(
                "SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '"
                        + slot()
                        + "'");
    }

    /**
     * Ends the connection that reads the slot, as an administrator or a failure would; returns when
     * the slot is free.
     */
    public void terminateWalsender() throws SQLException {
        query(
                "SELECT pg_terminate_backend(active_pid, 60000) FROM pg_replication_slots"
                        + " WHERE slot_name = '"
                        + slot()
                        + "'");
    }

    @Override
    public void close() throws SQLException {
        terminateWalsender();
        query("SELECT pg_drop_replication_slot('" + slot() + "')");
        server.execute("postgres", "DROP DATABASE " + name + " WITH (FORCE)");
    }
}
