package io.tidemark.spark.copy;

import org.postgresql.Driver;
import org.postgresql.jdbc.PgConnection;

import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;

/**
 * How to open a connection that stands in the snapshot. A class, not a record, whose text would
 * hold the password.
 */
final class CopySession implements Serializable {
    private static final long serialVersionUID = 1;

    /**
     * Holds everything that decides how a value looks, which rows are seen, or when the server ends
     * a session by itself. Set after connecting: pgjdbc's own start-up parameters, ALTER ROLE … SET
     * and ALTER DATABASE … SET win over the server's defaults. lc_monetary is left as the database
     * has it: the stream is decoded under it too. A server that has lost us lets go of our locks
     * within minutes: its own defaults are hours and never.
     */
    private static final String PINS =
            """
            SET statement_timeout = 0;
            SET ROLE NONE;
            SET search_path = '';
            SET DateStyle = 'ISO, MDY';
            SET TimeZone = 'UTC';
            SET IntervalStyle = 'postgres';
            SET extra_float_digits = 3;
            SET bytea_output = 'hex';
            SET xmlbinary = 'base64';
            SET quote_all_identifiers = off;
            SET standard_conforming_strings = on;
            SET transform_null_equals = off;
            SET row_security = off;
            SET lock_timeout = '10s';
            SET idle_in_transaction_session_timeout = '5min';
            SET tcp_keepalives_idle = 30;
            SET tcp_keepalives_interval = 10;
            SET tcp_keepalives_count = 3;
            SET tcp_user_timeout = '60s';
            """;

    private static final int WITH_TRANSACTION_TIMEOUT = 17;

    private final String url;
    private final String user;
    private final String password;
    private final String passwordFile;
    private final String secretOptions;
    private final String snapshot;

    CopySession(
            String url,
            String user,
            String password,
            String passwordFile,
            String secretOptions,
            String snapshot) {
        this.url = url;
        this.user = user;
        this.password = password;
        this.passwordFile = passwordFile;
        this.secretOptions = secretOptions;
        this.snapshot = snapshot;
    }

    /** Opens a connection, in a transaction that sees what the snapshot sees. */
    PgConnection open() throws SQLException, IOException {
        PgConnection connection = (PgConnection) new Driver().connect(url, properties());
        try (Statement statement = connection.createStatement()) {
            statement.execute(PINS);
            if (connection.getMetaData().getDatabaseMajorVersion() >= WITH_TRANSACTION_TIMEOUT) {
                statement.execute("SET transaction_timeout = 0");
            }
            statement.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
            statement.execute("SET TRANSACTION SNAPSHOT '" + snapshot + "'");
            return connection;
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
    }

    private Properties properties() throws IOException {
        Properties properties = new Properties();
        properties.setProperty("user", user);
        properties.setProperty(
                "password",
                passwordFile == null ? password : Files.readString(Path.of(passwordFile)).strip());
        if (secretOptions != null) {
            properties.setProperty("options", secretOptions);
        }
        properties.setProperty("ApplicationName", "tidemark copy");
        properties.setProperty("tcpKeepAlive", "true");
        properties.setProperty("preferQueryMode", "simple");
        // The detail of an error may quote a row.
        properties.setProperty("logServerErrorDetail", "false");
        return properties;
    }
}
