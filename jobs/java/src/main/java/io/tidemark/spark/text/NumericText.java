package io.tidemark.spark.text;

import org.apache.spark.sql.types.Decimal;
import org.apache.spark.unsafe.types.UTF8String;

import java.math.BigDecimal;

/**
 * Between PostgreSQL's text of {@code numeric(p,s)} and Spark's decimals.
 *
 * <p>What is read is exactly what would be written again: {@code s} digits behind the point, no
 * needless zeros, at most {@code p} digits. Everything else, {@code NaN} among it, is no value here
 * but null: nothing is ever rounded.
 */
public final class NumericText {
    private NumericText() {}

    /** Reads a number of so many digits, {@code scale} of them behind the point, or gives null. */
    public static Decimal read(UTF8String text, int precision, int scale) {
        int start = text.numBytes() > 0 && text.getByte(0) == '-' ? 1 : 0;
        int whole = text.numBytes() - start - (scale == 0 ? 0 : scale + 1);
        if (!isWritten(text, start, whole, precision - scale)) {
            return null;
        }
        if (precision > Decimal.MAX_LONG_DIGITS()) {
            BigDecimal number = new BigDecimal(text.toString());
            return isMinusZero(start, number.signum())
                    ? null
                    : Decimal.apply(number, precision, scale);
        }
        long unscaled = unscaled(text, start, start + whole);
        return isMinusZero(start, unscaled)
                ? null
                : Decimal.createUnsafe(start == 1 ? -unscaled : unscaled, precision, scale);
    }

    /** A numeric has no -0. */
    private static boolean isMinusZero(int signs, long number) {
        return signs == 1 && number == 0;
    }

    private static boolean isWritten(UTF8String text, int start, int whole, int places) {
        int point = start + whole;
        if (whole < 1 || (point < text.numBytes() && text.getByte(point) != '.')) {
            return false;
        }
        boolean zero = text.getByte(start) == '0';
        if (zero ? whole > 1 : whole > places) {
            return false;
        }
        for (int at = start; at < text.numBytes(); at++) {
            if (at != point && (text.getByte(at) < '0' || text.getByte(at) > '9')) {
                return false;
            }
        }
        return true;
    }

    private static long unscaled(UTF8String text, int start, int point) {
        long number = 0;
        for (int at = start; at < text.numBytes(); at++) {
            if (at != point) {
                number = number * 10 + (text.getByte(at) - '0');
            }
        }
        return number;
    }

    /** Writes a number with all digits of its scale. */
    public static UTF8String write(Decimal value) {
        if (value.precision() > Decimal.MAX_LONG_DIGITS()) {
            return UTF8String.fromString(value.toJavaBigDecimal().toPlainString());
        }
        return write(value.toUnscaledLong(), value.scale());
    }

    private static UTF8String write(long unscaled, int scale) {
        byte[] text = new byte[Decimal.MAX_LONG_DIGITS() + 3]; // sign, 0 before the point, point
        long rest = Math.abs(unscaled);
        int at = text.length;
        for (int place = 0; rest > 0 || place <= scale; place++) {
            if (place == scale && scale > 0) {
                text[--at] = '.';
            }
            text[--at] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
        if (unscaled < 0) {
            text[--at] = '-';
        }
        return UTF8String.fromBytes(text, at, text.length - at);
    }
}
