package io.tidemark.flink.pgoutput.protocol;

import org.postgresql.copy.CopyDual;
import org.postgresql.core.BaseConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * One replication connection: reads the stream and tells the server how far it is durable.
 *
 * <p>It confirms what {@code durableLsn} says and nothing else, ever. This is why it talks CopyDual
 * and not pgjdbc's PGReplicationStream: that one hides keepalives and confirms their positions by
 * itself, which would move the slot past what a checkpoint holds.
 *
 * <p>{@link #poll} belongs to one thread; feedback has its own, because it must go on while
 * back-pressure keeps the reader from reading: else the server drops the connection after
 * wal_sender_timeout.
 */
public final class ReplicationStream implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ReplicationStream.class);
    private static final Duration QUIET = Duration.ofSeconds(5);
    private static final long PG_EPOCH_MILLIS = 946_684_800_000L;
    private static final int XLOG_DATA_HEADER = 25; // 'w', start, end, clock
    private static final int STATUS_LENGTH = 34;
    private static final int CLOSE_MILLIS = 100;

    private final ServerIdentity identity;
    private final long startLsn;
    private final long sentFrom;
    private final long walEnd;
    private final BaseConnection connection;
    private final CopyDual copy;
    private final PgOutputDecoder decoder = new PgOutputDecoder();
    private final LongSupplier durableLsn;
    private final DaemonTimer feedback;
    private volatile long receivedLsn;
    private volatile long lastMessageNanos = System.nanoTime();

    /** Connects, checks, and starts the stream at {@code resume}. */
    public static ReplicationStream open(
            ReplicationOptions options, ResumePoint resume, LongSupplier durableLsn)
            throws SQLException {
        BaseConnection connection = Sessions.replication(options);
        try (Statement statement = connection.createStatement()) {
            StartupChecks.Result server = new StartupChecks(statement, options, resume).run();
            String start = startReplication(options, server.sentFrom());
            CopyDual copy = connection.getCopyAPI().copyDual(start);
            LOG.info("{}: reading {} from {}", options, server, Lsn.format(server.startLsn()));
            return new ReplicationStream(options, server, connection, copy, durableLsn);
        } catch (SQLException | RuntimeException e) {
            Sessions.closeAfter(e, connection);
            throw e;
        }
    }

    private ReplicationStream(
            ReplicationOptions options,
            StartupChecks.Result server,
            BaseConnection connection,
            CopyDual copy,
            LongSupplier durableLsn) {
        this.identity = server.identity();
        this.startLsn = server.startLsn();
        this.sentFrom = server.sentFrom();
        this.walEnd = server.walEnd();
        this.connection = connection;
        this.copy = copy;
        this.durableLsn = durableLsn;
        this.feedback = new DaemonTimer("pgoutput-feedback-" + options.slot());
        feedback.repeat(this::tick, options.statusInterval());
    }

    private static String startReplication(ReplicationOptions options, long startLsn) {
        String publications =
                options.publications().stream()
                        .map(Sessions::identifier)
                        .collect(Collectors.joining(","));
        return "START_REPLICATION SLOT "
                + Sessions.identifier(options.slot())
                + " LOGICAL "
                + Lsn.format(startLsn)
                + " (proto_version '1', publication_names "
                + Sessions.literal(publications)
                + ")";
    }

    public ServerIdentity identity() {
        return identity;
    }

    /** Where the stream goes on. */
    public long startLsn() {
        return startLsn;
    }

    /** What has committed since then is sent: also what was read before, down from the slot. */
    public long sentFrom() {
        return sentFrom;
    }

    /** The furthest position of the server's log that it has spoken of. */
    public long serverLsn() {
        return Lsn.max(walEnd, receivedLsn);
    }

    /**
     * Hands the next message to the handler, if one is there.
     *
     * @return its size, or 0 when nothing has arrived
     */
    public int poll(ReplicationHandler handler) throws SQLException, IOException {
        byte[] message = copy.readFromCopy(false);
        if (message != null) {
            lastMessageNanos = System.nanoTime();
            handle(ByteBuffer.wrap(message), handler);
            return message.length;
        }
        if (!copy.isActive()) {
            throw new IOException("the server ended the stream");
        }
        return 0;
    }

    private void handle(ByteBuffer message, ReplicationHandler handler) throws SQLException {
        byte kind = message.get();
        long lsn = message.getLong();
        switch (kind) {
            case 'w' -> {
                advance(lsn);
                decoder.decode(message.position(XLOG_DATA_HEADER), handler);
            }
            case 'k' -> {
                advance(lsn);
                message.getLong(); // the server's clock
                if (message.get() != 0) {
                    sendStatus(false);
                }
                handler.keepalive(lsn);
            }
            default ->
                    throw new PermanentException(
                            Reason.PROTOCOL,
                            "unexpected replication message '" + (char) kind + "'");
        }
    }

    private void advance(long lsn) {
        if (Lsn.isBefore(receivedLsn, lsn)) {
            receivedLsn = lsn;
        }
    }

    private void tick() {
        try {
            // A quiet server is asked to answer: that tells that it lives, and how far it has read.
            sendStatus(System.nanoTime() - lastMessageNanos > QUIET.toNanos());
        } catch (SQLException | RuntimeException e) {
            LOG.debug("feedback failed; the reader will notice", e);
        }
    }

    private void sendStatus(boolean askForReply) throws SQLException {
        long durable = durableLsn.getAsLong();
        ByteBuffer status = ByteBuffer.allocate(STATUS_LENGTH).put((byte) 'r');
        status.putLong(Lsn.max(receivedLsn, durable)).putLong(durable).putLong(durable);
        status.putLong((System.currentTimeMillis() - PG_EPOCH_MILLIS) * 1000);
        status.put((byte) (askForReply ? 1 : 0));
        copy.writeToCopy(status.array(), 0, STATUS_LENGTH);
        copy.flushCopy();
    }

    /**
     * Cuts the connection. No CopyDone: the server could first have gigabytes to send. And no
     * patience with TLS: its close waits for the peer's answer as long as a read may, also if the
     * peer is dead.
     */
    @Override
    public void close() {
        feedback.stop();
        try {
            connection.setNetworkTimeout(Runnable::run, CLOSE_MILLIS);
            connection.abort(Runnable::run);
        } catch (SQLException e) {
            LOG.debug("closing a replication connection", e);
        }
    }
}
