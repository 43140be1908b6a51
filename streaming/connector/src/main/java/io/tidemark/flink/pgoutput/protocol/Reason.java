package io.tidemark.flink.pgoutput.protocol;

/** Why a stream cannot go on, for all that no retry and no restart can heal. */
public enum Reason {
    /** Wrong user or password, no REPLICATION right, no entry in pg_hba.conf. */
    ACCESS_DENIED("correct the user, its password or pg_hba.conf"),

    /** The server's certificate is not the one that ssl.mode and ssl.root.cert ask for. */
    TLS_UNTRUSTED("correct ssl.root.cert, ssl.mode or host; or somebody is in between"),

    /** The database does not exist. */
    DATABASE_MISSING("correct the option 'database'"),

    /** wal_level is not logical. */
    WAL_LEVEL("set wal_level = logical and restart the server"),

    /** The key of hashes is not where it should be, or is none. */
    HASH_KEY("correct the file that the option 'hash.key.file' names"),

    /** The slot does not exist. */
    SLOT_MISSING("create the slot, after the publication, and take a new copy"),

    /** Not logical, not pgoutput, of another database, or two_phase. */
    SLOT_UNUSABLE("use a pgoutput slot of this database, without two_phase"),

    /** The log that the slot needs is gone, or the server invalidated the slot. */
    SLOT_LOST("drop and create the slot and take a new copy"),

    /** Another consumer held the slot for longer than slot.active.wait.ms. */
    SLOT_ACTIVE("stop the other consumer of the slot"),

    /** One of the publications does not exist. */
    PUBLICATION_MISSING("create the publication, then a new slot, and take a new copy"),

    /** The slot is confirmed beyond the restored state: what lies between would be lost. */
    STATE_BEHIND_SLOT("restore the newest checkpoint, or start without state and take a new copy"),

    /**
     * The restored state lies beyond the end of the server's log: an older backup, or another
     * server.
     */
    STATE_AHEAD_OF_SERVER("start without state on a new slot and take a new copy"),

    /** The state belongs to another cluster. */
    SYSTEM_CHANGED("connect to the old server, or start without state and take a new copy"),

    /**
     * The state belongs to another database of the same cluster: its log positions look valid, its
     * rows are not.
     */
    DATABASE_CHANGED("connect to the old database, or start without state and take a new copy"),

    /** The server was promoted or restored to a point in time. */
    TIMELINE_CHANGED(
            "after a failover with a synchronised slot set allow.timeline.change; else take a new copy"),

    /** What was read before did not come back as it was: a restored backup, or another server. */
    HISTORY_CHANGED("start without state and take a new copy"),

    /** The transaction in which the state stopped did not come back as it was. */
    TRANSACTION_DIFFERS("start without state on a new slot and take a new copy"),

    /** The server sent, or refused, something that this connector does not know. */
    PROTOCOL("report it: this server and this connector do not understand each other");

    private final String cure;

    Reason(String cure) {
        this.cure = cure;
    }

    /** What an operator can do about it. */
    public String cure() {
        return cure;
    }
}
