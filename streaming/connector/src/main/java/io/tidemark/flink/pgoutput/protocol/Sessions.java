package io.tidemark.flink.pgoutput.protocol;

import org.postgresql.Driver;
import org.postgresql.core.BaseConnection;
import org.postgresql.ssl.DefaultJavaSSLFactory;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;

/** Opens sessions whose settings make values look the same whoever reads them, wherever. */
final class Sessions {
    private static final String SYSTEM_TRUST = "system";
    private static final int WITH_TRANSACTION_TIMEOUT = 170000;

    /**
     * Everything that decides how a value looks as text. A role or a database may have its own
     * defaults for all of them. lc_monetary is left alone: it decides the scale of money.
     */
    private static final Map<String, String> TEXT_SETTINGS = textSettings();

    private Sessions() {}

    private static Map<String, String> textSettings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("client_encoding", "UTF8");
        settings.put("DateStyle", "ISO, MDY");
        settings.put("TimeZone", "UTC");
        settings.put("IntervalStyle", "postgres");
        settings.put("extra_float_digits", "3");
        settings.put("bytea_output", "hex");
        settings.put("quote_all_identifiers", "off");
        settings.put("search_path", "");
        settings.put("statement_timeout", "0");
        return settings;
    }

    static BaseConnection replication(ReplicationOptions options) throws SQLException {
        Properties properties = properties(options);
        properties.setProperty("replication", "database");
        properties.setProperty("preferQueryMode", "simple"); // all that a walsender understands
        BaseConnection connection = open(options, properties);
        try {
            pinSettings(connection);
        } catch (SQLException | RuntimeException e) {
            closeAfter(e, connection);
            throw e;
        }
        return connection;
    }

    /** A session beside the stream, for questions. */
    static BaseConnection plain(ReplicationOptions options) throws SQLException {
        return open(options, properties(options));
    }

    private static BaseConnection open(ReplicationOptions options, Properties properties)
            throws SQLException {
        String host = options.host().contains(":") ? "[" + options.host() + "]" : options.host();
        String database = URLEncoder.encode(options.database(), StandardCharsets.UTF_8);
        String url = "jdbc:postgresql://" + host + ":" + options.port() + "/" + database;
        return (BaseConnection) new Driver().connect(url, properties);
    }

    private static Properties properties(ReplicationOptions options) {
        Properties p = new Properties();
        p.setProperty("user", options.user());
        p.setProperty("password", options.password().read());
        p.setProperty("sslmode", options.sslMode());
        p.setProperty("sslhostnameverifier", StrictHostnameVerifier.class.getName());
        if (SYSTEM_TRUST.equals(options.sslRootCert())) {
            p.setProperty("sslfactory", DefaultJavaSSLFactory.class.getName());
        } else if (options.sslRootCert() != null) {
            p.setProperty("sslrootcert", options.sslRootCert());
        }
        p.setProperty("assumeMinServerVersion", "13");
        p.setProperty("ApplicationName", "tidemark " + options.slot());
        p.setProperty("tcpKeepAlive", "true");
        p.setProperty("connectTimeout", "10");
        p.setProperty("loginTimeout", "20");
        p.setProperty("socketTimeout", Long.toString(seconds(options)));
        return p;
    }

    /** pgjdbc counts in whole seconds, and takes 0 as for ever. */
    private static long seconds(ReplicationOptions options) {
        return Math.max(1, (options.socketTimeout().toMillis() + 999) / 1000);
    }

    /**
     * SET, and not the start-up parameter 'options': pgjdbc sends its own DateStyle and TimeZone
     * (that of the JVM) as start-up parameters, and those win over 'options'. SET wins over all.
     */
    private static void pinSettings(BaseConnection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (Map.Entry<String, String> setting : TEXT_SETTINGS.entrySet()) {
                pin(statement, setting.getKey(), setting.getValue());
            }
            // What is decoded is decoded in a transaction, for as long as it is read.
            if (connection.haveMinimumServerVersion(WITH_TRANSACTION_TIMEOUT)) {
                pin(statement, "transaction_timeout", "0");
            }
        }
    }

    private static void pin(Statement statement, String name, String value) throws SQLException {
        statement.execute("SET " + name + " = " + literal(value));
        String expected = name.equals("search_path") ? "\"\"" : value;
        String actual = one(statement, "SHOW " + name);
        PermanentException.require(
                actual.equals(expected),
                Reason.PROTOCOL,
                "the server keeps " + name + " at " + actual + ", needed is " + expected);
    }

    static String one(Statement statement, String sql) throws SQLException {
        try (ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return result.getString(1);
        }
    }

    static String literal(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    static String identifier(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    /** Closes without hiding the error that made it necessary. */
    static void closeAfter(Exception cause, AutoCloseable resource) {
        try {
            resource.close();
        } catch (Exception e) {
            cause.addSuppressed(e);
        }
    }
}
