package io.tidemark.flink.pgoutput.protocol;

import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.sql.SQLException;

/** Tells errors that trying again may heal from those that it cannot. */
public final class ServerErrors {

    /** SQLSTATE while another session holds the slot. */
    public static final String OBJECT_IN_USE = "55006";

    private ServerErrors() {}

    public static boolean isSlotActive(Exception e) {
        return e instanceof SQLException s && OBJECT_IN_USE.equals(s.getSQLState());
    }

    /** The permanent condition behind an error, or null when it is worth another try. */
    public static PermanentException permanent(Exception error) {
        for (Throwable t = error; t != null; t = t.getCause()) {
            if (t instanceof PermanentException known) {
                return known;
            }
            if (t instanceof CertificateException || t instanceof CertPathValidatorException) {
                return new PermanentException(Reason.TLS_UNTRUSTED, t.getMessage(), error);
            }
        }
        Reason reason = error instanceof PSQLException e ? reason(e) : null;
        return reason == null ? null : new PermanentException(reason, error.getMessage(), error);
    }

    /**
     * Only what the server said can be permanent: pgjdbc uses the same codes (55000!) for states of
     * its own.
     */
    private static Reason reason(PSQLException error) {
        ServerErrorMessage server = error.getServerErrorMessage();
        if (server == null || server.getSQLState() == null) {
            return null;
        }
        String text =
                server.getMessage() + " " + server.getRoutine(); // routines are not translated
        return switch (server.getSQLState()) {
            case "28000", "28P01", "42501" -> Reason.ACCESS_DENIED;
            case "3D000" -> Reason.DATABASE_MISSING;
            case "58P01" -> Reason.SLOT_LOST; // a requested WAL segment has been removed
            case "42704" ->
                    text.contains("publication") ? Reason.PUBLICATION_MISSING : Reason.SLOT_MISSING;
            case "55000" -> text.contains("wal_level") ? Reason.WAL_LEVEL : Reason.SLOT_LOST;
            case "0A000", "22023", "42601" -> Reason.PROTOCOL;
            default -> null;
        };
    }
}
