package io.tidemark.flink.pgoutput.protocol;

import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A password, or the file that holds it.
 *
 * <p>The file is read at each connect, so that a rotated secret needs no restart. Neither form ever
 * shows its content in a message.
 */
public final class Password implements Serializable {
    private static final long serialVersionUID = 1;

    private final String value;
    private final String file;

    private Password(String value, String file) {
        this.value = value;
        this.file = file;
    }

    public static Password of(String value) {
        return new Password(value, null);
    }

    public static Password inFile(String file) {
        return new Password(null, file);
    }

    /** For trust, peer and certificate authentication. */
    public static Password none() {
        return new Password("", null);
    }

    String read() {
        if (file == null) {
            return value;
        }
        try {
            return Files.readString(Path.of(file)).replaceFirst("\\R\\z", "");
        } catch (IOException e) {
            throw new PermanentException(
                    Reason.ACCESS_DENIED, "the password file " + file + " cannot be read", e);
        }
    }

    @Override
    public String toString() {
        return file == null ? "***" : "*** in " + file;
    }
}
