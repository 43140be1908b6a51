package io.tidemark.flink.pgoutput.source.reader;

import io.tidemark.flink.pgoutput.protocol.ServerIdentity;
import io.tidemark.flink.pgoutput.source.split.Transaction;

import org.apache.flink.table.data.RowData;

/** What the fetcher hands to the task thread: how the position moves and, maybe, a row to emit. */
sealed interface SourceRecord {

    /** The first record after each connect. */
    record Connected(ServerIdentity server, long startLsn) implements SourceRecord {}

    /** One change; emitting it moves the position to the next ordinal. */
    record Change(RowData row, Transaction transaction, long ordinal) implements SourceRecord {}

    /** A relation's shape from here on; emitted only if it differs from the last one emitted. */
    record Schema(RowData row, long relationOid, long fingerprint) implements SourceRecord {}

    /** Everything that committed before {@code endLsn} is complete: a commit or a keepalive. */
    record Progress(long endLsn) implements SourceRecord {}
}
