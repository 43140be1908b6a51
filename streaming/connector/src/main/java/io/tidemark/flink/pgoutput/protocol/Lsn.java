package io.tidemark.flink.pgoutput.protocol;

/**
 * Write-ahead log positions: unsigned 64-bit numbers in a Java long.
 *
 * <p>Never compare them with {@code <}: from 2^63 on they are negative as a long.
 */
public final class Lsn {

    /** PostgreSQL's InvalidXLogRecPtr: no record ever starts here. */
    public static final long NONE = 0;

    private Lsn() {}

    /** PostgreSQL's own notation, as pg_lsn prints it. */
    public static String format(long lsn) {
        return String.format("%X/%X", lsn >>> 32, lsn & 0xffffffffL);
    }

    public static long parse(String text) {
        int slash = text.indexOf('/');
        if (slash < 1) {
            throw new NumberFormatException("not an LSN: " + text);
        }
        return (half(text.substring(0, slash)) << 32) | half(text.substring(slash + 1));
    }

    private static long half(String hex) {
        return Integer.parseUnsignedInt(hex, 16) & 0xffffffffL;
    }

    public static boolean isBefore(long a, long b) {
        return Long.compareUnsigned(a, b) < 0;
    }

    public static long max(long a, long b) {
        return isBefore(a, b) ? b : a;
    }

    /** How many bytes of log lie between the two, 0 when {@code to} is not after {@code from}. */
    public static long distance(long from, long to) {
        return isBefore(from, to) ? to - from : 0;
    }
}
