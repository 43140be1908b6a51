package io.tidemark.flink.pgoutput.source.config;

import static org.apache.flink.configuration.ConfigOptions.key;

import org.apache.flink.configuration.ConfigOption;

import java.util.List;

/** Every option of the source. The table in docs/connector.md is this list, and a test says so. */
public final class PgOutputSourceOptions {

    public static final ConfigOption<String> HOST =
            key("host").stringType().defaultValue("localhost").withDescription("Server to read.");

    public static final ConfigOption<Integer> PORT =
            key("port").intType().defaultValue(5432).withDescription("Its port.");

    public static final ConfigOption<String> DATABASE =
            key("database").stringType().noDefaultValue().withDescription("Database of the slot.");

    public static final ConfigOption<String> USER =
            key("user")
                    .stringType()
                    .noDefaultValue()
                    .withDescription("Role with LOGIN and REPLICATION; it needs no other right.");

    public static final ConfigOption<String> PASSWORD =
            key("password")
                    .stringType()
                    .noDefaultValue()
                    .withDescription(
                            "Its password. It becomes part of the job graph: prefer `password.file`.");

    public static final ConfigOption<String> PASSWORD_FILE =
            key("password.file")
                    .stringType()
                    .noDefaultValue()
                    .withDescription(
                            "File with the password, on the TaskManager, read at each connect.");

    public static final ConfigOption<String> SSL_MODE =
            key("ssl.mode")
                    .stringType()
                    .defaultValue("prefer")
                    .withDescription(
                            "`disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`,"
                                    + " as in libpq. Only the last proves who answers.");

    public static final ConfigOption<String> SSL_ROOT_CERT =
            key("ssl.root.cert")
                    .stringType()
                    .noDefaultValue()
                    .withDescription(
                            "PEM file, on the TaskManager, of the authority that signed the"
                                    + " server's certificate; `system` for the JVM's trust store."
                                    + " Needed by the `verify` modes.");

    public static final ConfigOption<String> SLOT =
            key("slot")
                    .stringType()
                    .noDefaultValue()
                    .withDescription(
                            "Replication slot: pgoutput, without two_phase, created after the"
                                    + " publications. The source never creates or drops one.");

    public static final ConfigOption<String> PUBLICATIONS =
            key("publications")
                    .stringType()
                    .noDefaultValue()
                    .withDescription("Publications to read, separated by commas.");

    public static final ConfigOption<String> PROTECT =
            key("protect")
                    .stringType()
                    .noDefaultValue()
                    .withDescription(
                            "How columns are protected, as JSON (see *Protected columns*). Given,"
                                    + " of a table that it does not name no value is emitted.");

    public static final ConfigOption<String> HASH_KEY_FILE =
            key("hash.key.file")
                    .stringType()
                    .noDefaultValue()
                    .withDescription(
                            "File, on the TaskManager, with the key of hashes: `id:hex`, at least"
                                    + " 32 bytes. Needed by hashed columns.");

    public static final ConfigOption<Integer> BATCH_ROWS =
            key("batch.rows")
                    .intType()
                    .defaultValue(2048)
                    .withDescription("Largest batch handed to the task thread, in records.");

    public static final ConfigOption<Integer> BATCH_BYTES =
            key("batch.bytes")
                    .intType()
                    .defaultValue(4 << 20)
                    .withDescription(
                            "Largest batch in bytes of the stream. About four batches are in memory"
                                    + " at most, however large a transaction is.");

    public static final ConfigOption<Long> BATCH_LINGER_MS =
            key("batch.linger.ms")
                    .longType()
                    .defaultValue(5L)
                    .withDescription("How long a batch that holds something waits for more.");

    public static final ConfigOption<Long> STATUS_INTERVAL_MS =
            key("status.interval.ms")
                    .longType()
                    .defaultValue(1_000L)
                    .withDescription("How often feedback goes to the server.");

    public static final ConfigOption<Long> SERVER_SILENCE_MS =
            key("server.silence.ms")
                    .longType()
                    .defaultValue(60_000L)
                    .withDescription(
                            "A connection without any message for so long is given up and opened"
                                    + " anew. A healthy server answers every 5 s.");

    public static final ConfigOption<Long> SOCKET_TIMEOUT_MS =
            key("socket.timeout.ms")
                    .longType()
                    .defaultValue(30_000L)
                    .withDescription(
                            "How long the server may stall inside a message or an answer before the"
                                    + " connection is given up and opened anew; counted in whole"
                                    + " seconds, upwards.");

    public static final ConfigOption<Long> SLOT_ACTIVE_WAIT_MS =
            key("slot.active.wait.ms")
                    .longType()
                    .defaultValue(90_000L)
                    .withDescription(
                            "How long to wait for a slot that another connection holds, before the"
                                    + " job fails. The server needs up to wal_sender_timeout to"
                                    + " notice that a consumer is gone.");

    public static final ConfigOption<Long> RECONNECT_MAX_MS =
            key("reconnect.max.ms")
                    .longType()
                    .defaultValue(300_000L)
                    .withDescription(
                            "How long to reconnect without progress before the task fails and the"
                                    + " job's restart strategy decides.");

    public static final ConfigOption<Long> WAL_END_INTERVAL_MS =
            key("wal.end.interval.ms")
                    .longType()
                    .defaultValue(10_000L)
                    .withDescription(
                            "How often a second session asks where the server's log ends, for the"
                                    + " lag metrics; 0 opens none.");

    public static final ConfigOption<Boolean> ALLOW_TIMELINE_CHANGE =
            key("allow.timeline.change")
                    .booleanType()
                    .defaultValue(false)
                    .withDescription(
                            "Go on when the server's timeline is not the state's. Right only after"
                                    + " a failover with a synchronised slot.");

    private PgOutputSourceOptions() {}

    /** All of them, in the order in which they are documented. */
    public static List<ConfigOption<?>> all() {
        return List.of(
                HOST,
                PORT,
                DATABASE,
                USER,
                PASSWORD,
                PASSWORD_FILE,
                SSL_MODE,
                SSL_ROOT_CERT,
                SLOT,
                PUBLICATIONS,
                PROTECT,
                HASH_KEY_FILE,
                BATCH_ROWS,
                BATCH_BYTES,
                BATCH_LINGER_MS,
                STATUS_INTERVAL_MS,
                SERVER_SILENCE_MS,
                SOCKET_TIMEOUT_MS,
                SLOT_ACTIVE_WAIT_MS,
                RECONNECT_MAX_MS,
                WAL_END_INTERVAL_MS,
                ALLOW_TIMELINE_CHANGE);
    }
}
