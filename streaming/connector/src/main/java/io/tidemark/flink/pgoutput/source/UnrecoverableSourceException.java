package io.tidemark.flink.pgoutput.source;

import io.tidemark.flink.pgoutput.protocol.PermanentException;
import io.tidemark.flink.pgoutput.protocol.Reason;

import org.apache.flink.runtime.throwable.ThrowableAnnotation;
import org.apache.flink.runtime.throwable.ThrowableType;

/**
 * Ends the job at once, whatever its restart strategy: a restart would meet the same condition.
 *
 * <p>The message starts with the reason's name, which is stable, and ends with what would cure it.
 */
@ThrowableAnnotation(ThrowableType.NonRecoverableError)
public final class UnrecoverableSourceException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final Reason reason;

    public UnrecoverableSourceException(PermanentException cause) {
        super(
                "["
                        + cause.reason()
                        + "] "
                        + cause.getMessage()
                        + " ("
                        + cause.reason().cure()
                        + ")",
                cause);
        this.reason = cause.reason();
    }

    public Reason reason() {
        return reason;
    }
}
