package io.tidemark.flink.pgoutput.source.config;

import io.tidemark.flink.pgoutput.protocol.Password;
import io.tidemark.flink.pgoutput.protocol.ReplicationOptions;
import io.tidemark.flink.pgoutput.source.protection.Protections;

import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * All options, read once and checked as far as they can be without a server.
 *
 * @param replication the connection and the stream
 * @param protections which columns are protected, and how
 * @param hashKeyFile the file with the key of hashes, or null
 * @param serverSilence a connection without a message for so long is given up
 * @param slotActiveWait how long another consumer may hold the slot
 * @param reconnectMax how long to reconnect without progress
 */
public record PgOutputSourceConfig(
        ReplicationOptions replication,
        Protections protections,
        String hashKeyFile,
        int batchRows,
        int batchBytes,
        Duration batchLinger,
        Duration serverSilence,
        Duration slotActiveWait,
        Duration reconnectMax)
        implements Serializable {

    private static final List<String> SSL_MODES =
            List.of("disable", "allow", "prefer", "require", "verify-ca", "verify-full");
    private static final int NAME_BYTES = 63; // NAMEDATALEN - 1

    /**
     * Reads the options from strings.
     *
     * @throws IllegalArgumentException with all problems in one message
     */
    public static PgOutputSourceConfig of(Map<String, String> options) {
        OptionParser parser = new OptionParser(options);
        PgOutputSourceConfig config =
                new PgOutputSourceConfig(
                        replication(parser),
                        protections(parser),
                        parser.optional(PgOutputSourceOptions.HASH_KEY_FILE),
                        parser.integer(PgOutputSourceOptions.BATCH_ROWS, 1, 1 << 20),
                        parser.integer(PgOutputSourceOptions.BATCH_BYTES, 1, 1 << 30),
                        parser.millis(PgOutputSourceOptions.BATCH_LINGER_MS, 0),
                        parser.millis(PgOutputSourceOptions.SERVER_SILENCE_MS, 1),
                        parser.millis(PgOutputSourceOptions.SLOT_ACTIVE_WAIT_MS, 0),
                        parser.millis(PgOutputSourceOptions.RECONNECT_MAX_MS, 0));
        parser.finish();
        return config;
    }

    private static ReplicationOptions replication(OptionParser parser) {
        return new ReplicationOptions(
                parser.required(PgOutputSourceOptions.HOST),
                parser.integer(PgOutputSourceOptions.PORT, 1, 65535),
                parser.required(PgOutputSourceOptions.DATABASE),
                parser.required(PgOutputSourceOptions.USER),
                password(parser),
                sslMode(parser),
                parser.optional(PgOutputSourceOptions.SSL_ROOT_CERT),
                slot(parser),
                parser.list(PgOutputSourceOptions.PUBLICATIONS),
                parser.millis(PgOutputSourceOptions.SOCKET_TIMEOUT_MS, 1),
                parser.millis(PgOutputSourceOptions.STATUS_INTERVAL_MS, 1),
                parser.millis(PgOutputSourceOptions.WAL_END_INTERVAL_MS, 0),
                parser.bool(PgOutputSourceOptions.ALLOW_TIMELINE_CHANGE));
    }

    private static Protections protections(OptionParser parser) {
        if (!parser.has(PgOutputSourceOptions.PROTECT)) {
            return Protections.none();
        }
        try {
            Protections protections =
                    Protections.parse(parser.optional(PgOutputSourceOptions.PROTECT));
            if (protections.needsKey() && !parser.has(PgOutputSourceOptions.HASH_KEY_FILE)) {
                parser.problem("'protect' has hashed columns, which need 'hash.key.file'");
            }
            return protections;
        } catch (IllegalArgumentException e) {
            parser.problem("'protect' cannot be read: " + e.getMessage());
            return Protections.none();
        }
    }

    private static Password password(OptionParser parser) {
        boolean inFile = parser.has(PgOutputSourceOptions.PASSWORD_FILE);
        if (!parser.has(PgOutputSourceOptions.PASSWORD)) {
            return inFile
                    ? Password.inFile(parser.optional(PgOutputSourceOptions.PASSWORD_FILE))
                    : Password.none();
        }
        if (inFile) {
            parser.problem("'password' and 'password.file' are both given");
        }
        return Password.of(parser.optional(PgOutputSourceOptions.PASSWORD));
    }

    private static String sslMode(OptionParser parser) {
        String mode = parser.oneOf(PgOutputSourceOptions.SSL_MODE, SSL_MODES);
        if (mode.startsWith("verify") && !parser.has(PgOutputSourceOptions.SSL_ROOT_CERT)) {
            parser.problem("'ssl.mode' " + mode + " needs 'ssl.root.cert'");
        }
        return mode;
    }

    private static String slot(OptionParser parser) {
        String slot = parser.required(PgOutputSourceOptions.SLOT);
        if (!slot.isEmpty() && !slot.matches("[a-z0-9_]{1," + NAME_BYTES + "}")) {
            parser.problem(
                    "'slot' may have a-z, 0-9 and _ only, 63 at most, and is '" + slot + "'");
        }
        return slot;
    }

    @Override
    public String toString() {
        return replication.toString();
    }
}
