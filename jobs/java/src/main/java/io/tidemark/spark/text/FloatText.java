package io.tidemark.spark.text;

import org.apache.spark.unsafe.types.UTF8String;

/**
 * Writes floating-point numbers as PostgreSQL does ({@code extra_float_digits} of 1 or more): the
 * shortest text that reads back as the same number, such as {@code 0.1}, {@code 1e+20}, {@code -0},
 * {@code NaN}, {@code -Infinity}.
 *
 * <p>The text of Spark's cast differs in form (1.0E20) and, more rarely, in digits.
 */
public final class FloatText {
    private static final UTF8String NAN = UTF8String.fromString("NaN");
    private static final UTF8String INFINITY = UTF8String.fromString("Infinity");
    private static final UTF8String MINUS_INFINITY = UTF8String.fromString("-Infinity");
    private static final UTF8String ZERO = UTF8String.fromString("0");
    private static final UTF8String MINUS_ZERO = UTF8String.fromString("-0");
    private static final int MIN_FIXED =
            -4; // the least power of ten of a first digit that is written without e-
    private static final int FIXED_BELOW_8 =
            15; // that of the first that is written with e+, as float8
    private static final int FIXED_BELOW_4 = 6; // and as float4
    private static final int MAX_LENGTH =
            25; // -1.7976931348623157e+308, and -0.000123… with 17 digits

    private FloatText() {}

    /** Writes a float8. */
    public static UTF8String float8(double value) {
        long bits = Double.doubleToRawLongBits(value);
        int biased = (int) (bits >>> 52) & 0x7ff;
        long fraction = bits & ((1L << 52) - 1);
        if (biased == 0x7ff || (biased == 0 && fraction == 0)) {
            return special(bits < 0, biased != 0, fraction != 0);
        }
        long mantissa = biased == 0 ? fraction : fraction | (1L << 52);
        boolean closerBelow = fraction == 0 && biased > 1;
        ShortestDecimal decimal =
                ShortestDecimal.of(mantissa, Math.max(biased, 1) - 1075, closerBelow);
        return write(bits < 0, decimal, FIXED_BELOW_8);
    }

    /** Writes a float4. */
    public static UTF8String float4(float value) {
        int bits = Float.floatToRawIntBits(value);
        int biased = (bits >>> 23) & 0xff;
        int fraction = bits & ((1 << 23) - 1);
        if (biased == 0xff || (biased == 0 && fraction == 0)) {
            return special(bits < 0, biased != 0, fraction != 0);
        }
        int mantissa = biased == 0 ? fraction : fraction | (1 << 23);
        boolean closerBelow = fraction == 0 && biased > 1;
        ShortestDecimal decimal =
                ShortestDecimal.of(mantissa, Math.max(biased, 1) - 150, closerBelow);
        return write(bits < 0, decimal, FIXED_BELOW_4);
    }

    private static UTF8String special(boolean negative, boolean notFinite, boolean notANumber) {
        if (!notFinite) {
            return negative ? MINUS_ZERO : ZERO;
        }
        if (notANumber) {
            return NAN;
        }
        return negative ? MINUS_INFINITY : INFINITY;
    }

    private static UTF8String write(boolean negative, ShortestDecimal decimal, int fixedBelow) {
        byte[] text = new byte[MAX_LENGTH];
        int start = negative ? 1 : 0;
        text[0] = '-';
        int length = length(decimal.digits());
        int first = decimal.exponent() + length - 1;
        int end =
                first >= MIN_FIXED && first < fixedBelow
                        ? fixed(text, start, decimal, length)
                        : scientific(text, start, decimal.digits(), length, first);
        return UTF8String.fromBytes(text, 0, end);
    }

    private static int fixed(byte[] text, int start, ShortestDecimal decimal, int length) {
        int whole = decimal.exponent() + length; // digits before the point
        if (whole <= 0) {
            zeros(text, start, 2 - whole);
            text[start + 1] = '.';
            return digits(text, start + 2 - whole, decimal.digits(), length);
        }
        if (decimal.exponent() >= 0) {
            digits(text, start, decimal.digits(), length);
            return zeros(text, start + length, decimal.exponent());
        }
        digits(text, start + 1, decimal.digits(), length);
        System.arraycopy(text, start + 1, text, start, whole);
        text[start + whole] = '.';
        return start + length + 1;
    }

    private static int scientific(byte[] text, int start, long digits, int length, int exponent) {
        int end = digits(text, start + 1, digits, length);
        text[start] = text[start + 1];
        text[start + 1] = '.';
        end = length == 1 ? start + 1 : end;
        text[end++] = 'e';
        text[end++] = (byte) (exponent < 0 ? '-' : '+');
        int power = Math.abs(exponent);
        return digits(text, end, power, power < 100 ? 2 : 3);
    }

    private static int zeros(byte[] text, int at, int count) {
        for (int i = at; i < at + count; i++) {
            text[i] = '0';
        }
        return at + count;
    }

    private static int digits(byte[] text, int at, long digits, int length) {
        long rest = digits;
        for (int i = at + length - 1; i >= at; i--) {
            text[i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
        return at + length;
    }

    private static int length(long digits) {
        int length = 1;
        for (long limit = 10; digits >= limit; limit *= 10) {
            length++;
        }
        return length;
    }
}
