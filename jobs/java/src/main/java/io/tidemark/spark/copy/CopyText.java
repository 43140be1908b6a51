package io.tidemark.spark.copy;

import org.apache.spark.unsafe.types.UTF8String;

/**
 * Reads rows of COPY's text format.
 *
 * @see <a href="https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS">The
 *     format</a>
 */
final class CopyText {
    private CopyText() {}

    /**
     * Splits one row, line end included, into {@code values}: null or a UTF8String each.
     *
     * <p>The strings lie in {@code line} itself, escapes being undone in place, so nothing may
     * write to it again.
     *
     * @return how many columns the row has; those beyond {@code values} are counted only
     */
    static int split(byte[] line, Object[] values) {
        int end = line.length - 1;
        if (end == 0 && values.length == 0) {
            return 0; // a row without columns looks like one with an empty string
        }
        int column = 0;
        int start = 0;
        boolean escaped = false;
        for (int at = 0; at <= end; at++) {
            byte b = line[at];
            if (b == '\t' || at == end) {
                if (column < values.length) {
                    values[column] = value(line, start, at, escaped);
                }
                column++;
                start = at + 1;
                escaped = false;
            } else if (b == '\\') {
                escaped = true;
                at++;
            }
        }
        return column;
    }

    private static UTF8String value(byte[] line, int start, int end, boolean escaped) {
        if (!escaped) {
            return UTF8String.fromBytes(line, start, end - start);
        }
        if (end - start == 2 && line[start + 1] == 'N') {
            return null;
        }
        int to = start;
        for (int from = start; from < end; from++) {
            line[to++] = line[from] == '\\' ? unescaped(line[++from]) : line[from];
        }
        return UTF8String.fromBytes(line, start, to - start);
    }

    private static byte unescaped(byte letter) {
        return switch (letter) {
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'v' -> 0x0b;
            default -> letter;
        };
    }
}
