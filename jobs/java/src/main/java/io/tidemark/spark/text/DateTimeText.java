package io.tidemark.spark.text;

import org.apache.spark.unsafe.types.UTF8String;

import java.time.DateTimeException;
import java.time.LocalDate;

/**
 * Between PostgreSQL's text of dates and timestamps ({@code DateStyle} ISO, {@code TimeZone} UTC)
 * and Spark's numbers: days, and microseconds, since 1970.
 *
 * <p>What is read is exactly what would be written again, in the years 1 to 9999. Everything else,
 * {@code infinity} and years BC among it, is no value here but null.
 */
public final class DateTimeText {
    private static final int DATE = 10; // 2026-01-31
    private static final int SECONDS = 19; // 2026-01-31 23:59:59
    private static final int MICROSECONDS = 26; // 2026-01-31 23:59:59.123456
    private static final long DAY = 86_400_000_000L;
    private static final long SECOND = 1_000_000L;
    private static final byte[] UTC = {'+', '0', '0'};
    private static final byte[] NOTHING = {};

    private DateTimeText() {}

    /** Reads a date; gives days, or null. */
    public static Integer readDate(UTF8String text) {
        return text.numBytes() == DATE ? days(text) : null;
    }

    /** Reads a timestamp without time zone; gives microseconds, or null. */
    public static Long readTimestamp(UTF8String text) {
        return readTime(text, text.numBytes());
    }

    /** Reads a timestamp with time zone; gives microseconds, or null. */
    public static Long readTimestamptz(UTF8String text) {
        int end = text.numBytes() - UTC.length;
        for (int i = 0; i < UTC.length; i++) {
            if (end < SECONDS || text.getByte(end + i) != UTC[i]) {
                return null;
            }
        }
        return readTime(text, end);
    }

    private static Long readTime(UTF8String text, int end) {
        if (end < SECONDS
                || end > MICROSECONDS
                || text.getByte(DATE) != ' '
                || text.getByte(13) != ':'
                || text.getByte(16) != ':') {
            return null;
        }
        Integer days = days(text);
        int hours = digits(text, 11, 13);
        int minutes = digits(text, 14, 16);
        int seconds = digits(text, 17, SECONDS);
        int fraction = fraction(text, end);
        if (days == null || (hours | minutes | seconds | fraction) < 0) {
            return null;
        }
        if (hours > 23 || minutes > 59 || seconds > 59) {
            return null;
        }
        return days * DAY + ((hours * 60L + minutes) * 60L + seconds) * SECOND + fraction;
    }

    /** Gives the microseconds behind the point; PostgreSQL writes no zeros at their end. */
    private static int fraction(UTF8String text, int end) {
        if (end == SECONDS) {
            return 0;
        }
        int given = end - SECONDS - 1;
        if (text.getByte(SECONDS) != '.' || given == 0 || text.getByte(end - 1) == '0') {
            return -1;
        }
        int micros = digits(text, SECONDS + 1, end);
        for (int place = given; micros > 0 && place < 6; place++) {
            micros *= 10;
        }
        return micros;
    }

    private static Integer days(UTF8String text) {
        int year = digits(text, 0, 4);
        int month = digits(text, 5, 7);
        int day = digits(text, 8, DATE);
        if (year < 1 || month < 1 || day < 1 || text.getByte(4) != '-' || text.getByte(7) != '-') {
            return null;
        }
        try {
            return (int) LocalDate.of(year, month, day).toEpochDay();
        } catch (DateTimeException e) {
            return null; // 31 February
        }
    }

    /** Gives the number that stands there; -1 if something else does. */
    private static int digits(UTF8String text, int from, int to) {
        int number = 0;
        for (int at = from; at < to; at++) {
            int digit = text.getByte(at) - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            number = number * 10 + digit;
        }
        return number;
    }

    /** Writes a date of the years 1 to 9999; of others, which it never reads, as ISO 8601 does. */
    public static UTF8String writeDate(int days) {
        LocalDate date = LocalDate.ofEpochDay(days);
        if (date.getYear() < 1 || date.getYear() > 9999) {
            return UTF8String.fromString(date.toString());
        }
        byte[] text = new byte[DATE];
        write(text, date);
        return UTF8String.fromBytes(text);
    }

    /** Writes a timestamp without time zone, of the years that a date may have. */
    public static UTF8String writeTimestamp(long micros) {
        return writeTime(micros, NOTHING);
    }

    /** Writes a timestamp with time zone, of the years that a date may have. */
    public static UTF8String writeTimestamptz(long micros) {
        return writeTime(micros, UTC);
    }

    private static UTF8String writeTime(long micros, byte[] zone) {
        LocalDate date = LocalDate.ofEpochDay(Math.floorDiv(micros, DAY));
        if (date.getYear() < 1 || date.getYear() > 9999) {
            return UTF8String.fromString(date.toString());
        }
        long rest = Math.floorMod(micros, DAY);
        int seconds = (int) (rest / SECOND);
        byte[] text = new byte[MICROSECONDS + zone.length];
        write(text, date);
        text[DATE] = ' ';
        write(text, 11, 13, seconds / 3600);
        text[13] = ':';
        write(text, 14, 16, seconds / 60 % 60);
        text[16] = ':';
        write(text, 17, SECONDS, seconds % 60);
        int end = writeFraction(text, (int) (rest % SECOND));
        System.arraycopy(zone, 0, text, end, zone.length);
        return UTF8String.fromBytes(text, 0, end + zone.length);
    }

    private static int writeFraction(byte[] text, int micros) {
        if (micros == 0) {
            return SECONDS;
        }
        text[SECONDS] = '.';
        write(text, SECONDS + 1, MICROSECONDS, micros);
        int end = MICROSECONDS;
        while (text[end - 1] == '0') {
            end--;
        }
        return end;
    }

    private static void write(byte[] text, LocalDate date) {
        write(text, 0, 4, date.getYear());
        text[4] = '-';
        write(text, 5, 7, date.getMonthValue());
        text[7] = '-';
        write(text, 8, DATE, date.getDayOfMonth());
    }

    private static void write(byte[] text, int from, int to, int number) {
        int rest = number;
        for (int at = to - 1; at >= from; at--) {
            text[at] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
    }
}
