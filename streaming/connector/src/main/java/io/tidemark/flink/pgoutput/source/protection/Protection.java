package io.tidemark.flink.pgoutput.source.protection;

/** What becomes of a column's values before anything of them is emitted. NULL stays NULL. */
public enum Protection {
    /** They are emitted as they are. */
    PLAIN,
    /** The column is in no row. */
    DROP,
    /** They become {@code <key id>:<hex of HMAC-SHA256>}. */
    HASH,
    /** They become {@code ***}. */
    MASK
}
