package io.tidemark.spark.text;

import java.math.BigInteger;

/**
 * The decimal number {@code digits} * 10^{@code exponent} that PostgreSQL writes for a binary
 * floating-point number: of those with the fewest digits strictly between the midpoints to its
 * neighbours, the nearest.
 *
 * <p>Found by Schubfach (Raffaello Giulietti, "The Schubfach way to render doubles"), with two
 * differences from the form in Java and in Jackson. Both are PostgreSQL's (src/common/d2s.c): a
 * midpoint itself is no answer, because not every reader rounds it to even (2.7252328820096168e+16,
 * in Java 2.725232882009617E16); and one digit is enough (5e-324, in Java 4.9E-324).
 *
 * @param digits the significant digits as a positive integer, without zeros at the end
 * @param exponent the power of ten
 */
record ShortestDecimal(long digits, int exponent) {
    private static final int MIN_POWER_OF_TEN = -292;
    private static final int MAX_POWER_OF_TEN = 324;
    private static final long LOW_63 = Long.MAX_VALUE;

    /** Holds the powers of ten as integers of 126 bits, rounded up, in two halves. */
    private static final long[] HIGH = new long[MAX_POWER_OF_TEN - MIN_POWER_OF_TEN + 1];

    private static final long[] LOW = new long[HIGH.length];

    static {
        for (int i = 0; i < HIGH.length; i++) {
            BigInteger power = powerOfTen(i + MIN_POWER_OF_TEN);
            HIGH[i] = power.shiftRight(63).longValueExact();
            LOW[i] = power.longValue() & LOW_63;
        }
    }

    /**
     * Finds the decimal for {@code mantissa} * 2^{@code power}.
     *
     * @param mantissa from 1 to 2^53 - 1
     * @param power from -1074 to 971
     * @param closerBelow whether the neighbour below is half as far away as the one above
     */
    static ShortestDecimal of(long mantissa, int power, boolean closerBelow) {
        // All is counted in quarters of 10^k, the largest power of ten that is no wider than the
        // interval.
        int k = closerBelow ? floorLog10ThreeQuartersPow2(power) : floorLog10Pow2(power);
        int shift = power + floorLog2Pow10(-k) + 2;
        long quarters = mantissa << 2;
        long value = scaled(quarters << shift, -k);
        long below = scaled((quarters - (closerBelow ? 1 : 2)) << shift, -k);
        long above = scaled((quarters + 2) << shift, -k);

        long floor = value >> 2;
        if (floor >= 10) {
            long tens = floor / 10 * 10; // one digit fewer, when it fits
            if (below < tens << 2) {
                return stripped(tens, k);
            }
            if ((tens + 10) << 2 < above) {
                return stripped(tens + 10, k);
            }
        }
        boolean floorFits = below < floor << 2;
        boolean ceilingFits = (floor + 1) << 2 < above;
        long past = value - ((2 * floor + 1) << 1);
        boolean floorIsNearer = past < 0 || (past == 0 && (floor & 1) == 0);
        boolean takeFloor = floorFits && (!ceilingFits || floorIsNearer);
        return stripped(takeFloor ? floor : floor + 1, k);
    }

    private static ShortestDecimal stripped(long digits, int exponent) {
        long rest = digits;
        int power = exponent;
        for (long tenth = rest / 10; tenth * 10 == rest; tenth = rest / 10) {
            rest = tenth;
            power++;
        }
        return new ShortestDecimal(rest, power);
    }

    /**
     * Multiplies by 10^{@code k}, rounded to odd: the last bit says whether anything was cut off.
     */
    private static long scaled(long factor, int k) {
        long high = HIGH[k - MIN_POWER_OF_TEN];
        long carried =
                Math.multiplyHigh(LOW[k - MIN_POWER_OF_TEN], factor) + ((high * factor) >>> 1);
        long whole = Math.multiplyHigh(high, factor) + (carried >>> 63);
        return whole | (((carried & LOW_63) + LOW_63) >>> 63);
    }

    private static BigInteger powerOfTen(int k) {
        int shift = 125 - floorLog2Pow10(k);
        BigInteger power = BigInteger.TEN.pow(Math.abs(k));
        BigInteger floor =
                k < 0
                        ? BigInteger.ONE.shiftLeft(shift).divide(power)
                        : shift < 0 ? power.shiftRight(-shift) : power.shiftLeft(shift);
        return floor.add(BigInteger.ONE);
    }

    // The logarithms in fixed point, exact over the range of powers that occur.
    private static int floorLog10Pow2(int power) {
        return (int) ((power * 661_971_961_083L) >> 41);
    }

    private static int floorLog10ThreeQuartersPow2(int power) {
        return (int) ((power * 661_971_961_083L - 274_743_187_321L) >> 41);
    }

    private static int floorLog2Pow10(int power) {
        return (int) ((power * 913_124_641_741L) >> 38);
    }
}
