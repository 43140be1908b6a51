package io.tidemark.spark.text;

import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.unsafe.types.UTF8String;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Writes a line of COPY's text format, without the line's end.
 *
 * @see <a href="https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS">The
 *     format</a>
 */
public final class CopyLine {
    private static final byte[] NULL = "\\N".getBytes(StandardCharsets.ISO_8859_1);

    private CopyLine() {}

    /** Joins values by tabs; what has a meaning of its own in a line is escaped. */
    public static UTF8String write(ArrayData values) {
        if (values.numElements() == 1 && !values.isNullAt(0)) {
            UTF8String only = values.getUTF8String(0);
            if (isPlain(only)) {
                return only; // most keys
            }
        }
        ByteArrayOutputStream line = new ByteArrayOutputStream(64);
        for (int i = 0; i < values.numElements(); i++) {
            if (i > 0) {
                line.write('\t');
            }
            if (values.isNullAt(i)) {
                line.writeBytes(NULL);
            } else {
                write(line, values.getUTF8String(i).getBytes());
            }
        }
        return UTF8String.fromBytes(line.toByteArray());
    }

    private static boolean isPlain(UTF8String text) {
        for (int at = 0; at < text.numBytes(); at++) {
            if (escape(text.getByte(at)) != 0) {
                return false;
            }
        }
        return true;
    }

    private static void write(ByteArrayOutputStream line, byte[] text) {
        int from = 0;
        for (int at = 0; at < text.length; at++) {
            int letter = escape(text[at]);
            if (letter != 0) {
                line.write(text, from, at - from);
                line.write('\\');
                line.write(letter);
                from = at + 1;
            }
        }
        line.write(text, from, text.length - from);
    }

    /**
     * Gives the letter that stands for a byte behind a backslash; 0 if the byte stands for itself.
     */
    private static int escape(byte b) {
        return switch (b) {
            case '\\' -> '\\';
            case '\b' -> 'b';
            case '\f' -> 'f';
            case '\n' -> 'n';
            case '\r' -> 'r';
            case '\t' -> 't';
            case 0x0b -> 'v';
            default -> 0;
        };
    }
}
