package io.tidemark.flink.pgoutput.source.reader;

import io.tidemark.flink.pgoutput.protocol.Lsn;
import io.tidemark.flink.pgoutput.protocol.PermanentException;
import io.tidemark.flink.pgoutput.protocol.ReplicationStream;
import io.tidemark.flink.pgoutput.protocol.ResumePoint;
import io.tidemark.flink.pgoutput.protocol.WalEndProbe;
import io.tidemark.flink.pgoutput.source.UnrecoverableSourceException;
import io.tidemark.flink.pgoutput.source.config.PgOutputSourceConfig;
import io.tidemark.flink.pgoutput.source.protection.Protector;
import io.tidemark.flink.pgoutput.source.split.PgOutputSplit;
import io.tidemark.flink.pgoutput.source.split.PgOutputSplitState;
import io.tidemark.flink.pgoutput.source.split.StreamPosition;

import org.apache.flink.connector.base.source.reader.RecordsWithSplitIds;
import org.apache.flink.connector.base.source.reader.splitreader.SplitReader;
import org.apache.flink.connector.base.source.reader.splitreader.SplitsChange;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * Fetches batches, bounded in rows and bytes, on Flink's fetcher thread.
 *
 * <p>Back-pressure is Flink's queue of two batches, and then TCP: however large a transaction is,
 * about four batches are in memory. A lost connection is opened anew at the last decoded position;
 * the task does not notice.
 */
final class PgOutputSplitReader implements SplitReader<SourceRecord, PgOutputSplit> {
    private static final Logger LOG = LoggerFactory.getLogger(PgOutputSplitReader.class);
    private static final Duration EMPTY_FETCH = Duration.ofMillis(100);
    private static final Duration BACK_PRESSURE = Duration.ofSeconds(1);
    private static final Duration POLL = Duration.ofMillis(1);
    private static final Duration IDLE_POLL = Duration.ofMillis(10);
    private static final Duration CONNECT_POLL = Duration.ofMillis(20);

    private final PgOutputSourceConfig config;
    private final LongSupplier durableLsn;
    private final ReaderMetrics metrics;
    private final RetryPolicy retry;
    private final WalEndProbe probe;
    private String splitId;
    private PgOutputSplitState decoded;
    private ReplicationStream stream;
    private RecordCollector collector;
    private volatile Replay replay;
    private Protector protector;
    private boolean connectedBefore;
    private volatile boolean wakeUp;
    private long lastMessage; // nanoTime
    private long lastFetchEnd; // nanoTime

    PgOutputSplitReader(
            PgOutputSourceConfig config, LongSupplier durableLsn, ReaderMetrics metrics) {
        this.config = config;
        this.durableLsn = durableLsn;
        this.metrics = metrics;
        this.retry =
                new RetryPolicy(config.slotActiveWait(), config.reconnectMax(), System::nanoTime);
        this.probe = new WalEndProbe(config.replication());
    }

    @Override
    public void handleSplitsChanges(SplitsChange<PgOutputSplit> change) {
        if (decoded != null || change.splits().size() != 1) {
            throw new IllegalStateException("there is one split, not " + change.splits());
        }
        PgOutputSplit split = change.splits().get(0);
        splitId = split.splitId();
        decoded = new PgOutputSplitState(split);
    }

    @Override
    public RecordsWithSplitIds<SourceRecord> fetch() throws IOException {
        RecordBatch batch = new RecordBatch(splitId);
        try {
            fetchInto(batch.records());
        } catch (PermanentException e) {
            throw new UnrecoverableSourceException(e);
        } finally {
            wakeUp = false;
        }
        return batch;
    }

    private void fetchInto(List<SourceRecord> batch) throws IOException {
        try {
            if (stream != null || (awaitRetry() && connect(batch))) {
                fill(batch);
            }
        } catch (SQLException | IOException e) {
            failed(e); // what the batch holds already is good, and goes out
        } catch (UncheckedIOException e) {
            failed(e.getCause());
        }
    }

    /** False when woken up before the time has come. */
    private boolean awaitRetry() {
        while (!retry.mayConnect()) {
            if (wakeUp) {
                return false;
            }
            LockSupport.parkNanos(CONNECT_POLL.toNanos());
        }
        return true;
    }

    private boolean connect(List<SourceRecord> batch) throws SQLException {
        if (protector == null) {
            protector =
                    new Protector(config.protections(), config.hashKeyFile(), config.replication());
        }
        StreamPosition at = decoded.position();
        ResumePoint resume =
                new ResumePoint(at.systemId(), at.timeline(), at.databaseOid(), at.endLsn());
        replay = null;
        ReplicationStream opened =
                ReplicationStream.open(config.replication(), resume, this::confirmable);
        stream = opened;
        Replay begun = new Replay(at, opened.sentFrom());
        replay = begun;
        decoded.connected(opened.identity(), opened.startLsn());
        collector =
                new RecordCollector(decoded, new RowConverter(opened.identity(), protector), begun);
        batch.add(new SourceRecord.Connected(opened.identity(), opened.startLsn()));
        metrics.walEnd(() -> Lsn.max(opened.serverLsn(), probe.walEnd()));
        if (connectedBefore) {
            metrics.reconnected();
        }
        connectedBefore = true;
        lastMessage = System.nanoTime();
        lastFetchEnd = lastMessage;
        return true;
    }

    /** A slot that was restored with its server must not be moved: it tells what was lost. */
    private long confirmable() {
        Replay begun = replay;
        return begun != null && begun.isProven() ? durableLsn.getAsLong() : Lsn.NONE;
    }

    private void fill(List<SourceRecord> batch) throws SQLException, IOException {
        collector.into(batch);
        long start = System.nanoTime();
        if (start - lastFetchEnd > BACK_PRESSURE.toNanos()) {
            lastMessage = start; // it was us who did not read
        }
        long giveUp = start + EMPTY_FETCH.toNanos();
        int bytes = 0;
        boolean lingering = false;
        while (batch.size() < config.batchRows() && bytes < config.batchBytes() && !wakeUp) {
            int size = stream.poll(collector);
            if (size > 0) {
                bytes += size;
                lastMessage = 0;
                continue;
            }
            long now = System.nanoTime();
            checkSilence(now);
            if (!lingering && !batch.isEmpty()) {
                lingering = true;
                giveUp = now + config.batchLinger().toNanos();
            }
            if (now - giveUp >= 0) {
                break;
            }
            pause(now);
        }
        lastFetchEnd = System.nanoTime();
    }

    /** The clock is read only when nothing has arrived: 0 says that a message came since. */
    private void checkSilence(long now) throws IOException {
        if (lastMessage == 0) {
            lastMessage = now;
        }
        if (now - lastMessage > config.serverSilence().toNanos()) {
            throw new IOException("no message from the server for " + config.serverSilence());
        }
    }

    private void pause(long now) {
        boolean idle = now - lastMessage > BACK_PRESSURE.toNanos();
        LockSupport.parkNanos((idle ? IDLE_POLL : POLL).toNanos());
    }

    private void failed(Exception error) throws IOException {
        closeStream();
        StreamPosition at = decoded.position();
        long pause = retry.failed(error, at);
        LOG.warn("{}: lost or refused at {}, next try in {} ms", config, at, pause, error);
    }

    private void closeStream() {
        if (stream != null) {
            stream.close();
            stream = null;
        }
    }

    @Override
    public void wakeUp() {
        wakeUp = true;
    }

    @Override
    public void close() throws SQLException {
        closeStream();
        probe.close();
        if (protector != null) {
            protector.close();
        }
    }
}
