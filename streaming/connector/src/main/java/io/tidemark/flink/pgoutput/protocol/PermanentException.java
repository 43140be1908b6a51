package io.tidemark.flink.pgoutput.protocol;

/** A condition of the server or the stream that trying again cannot heal. */
public final class PermanentException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final Reason reason;

    public PermanentException(Reason reason, String message) {
        this(reason, message, null);
    }

    public PermanentException(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }

    static void require(boolean condition, Reason reason, String message) {
        if (!condition) {
            throw new PermanentException(reason, message);
        }
    }
}
