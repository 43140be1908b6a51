package io.tidemark.flink.pgoutput.source.reader;

import io.tidemark.flink.pgoutput.protocol.Lsn;

import java.util.Map;
import java.util.TreeMap;

/**
 * How far the stream is durable: what the newest completed checkpoint holds, and nothing else.
 *
 * <p>Written by the task thread, read by the thread that gives feedback to the server.
 */
final class CheckpointedLsn {
    private final TreeMap<Long, Long> pending = new TreeMap<>(); // checkpoint -> end LSN
    private volatile long durable;

    /** The server may discard everything below; 0 before the first checkpoint. */
    long durable() {
        return durable;
    }

    void taken(long checkpointId, long endLsn) {
        pending.put(checkpointId, endLsn);
    }

    /** Completes the checkpoint and all before it: a later one contains an earlier one. */
    void completed(long checkpointId) {
        Map.Entry<Long, Long> newest = pending.floorEntry(checkpointId);
        if (newest != null) {
            durable = Lsn.max(durable, newest.getValue());
            pending.headMap(checkpointId, true).clear();
        }
    }
}
