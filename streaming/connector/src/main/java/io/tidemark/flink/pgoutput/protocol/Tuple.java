package io.tidemark.flink.pgoutput.protocol;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The column values of one row, as slices of the message they came in.
 *
 * <p>The instance is reused for the next row; the bytes are not, so slices of {@link #bytes()} may
 * be kept. Values are PostgreSQL's text in UTF-8 and are never made into a String here.
 */
public final class Tuple {
    private static final int NULL = -1;
    private static final int UNCHANGED = -2;

    private byte[] bytes = {};
    private int size;
    private int[] offsets = new int[16];
    private int[] lengths = new int[16];
    private int unchanged;

    @SuppressWarnings("ByteBufferBackingArray") // readColumn adds arrayOffset()
    void read(ByteBuffer message) {
        bytes = message.array();
        size = message.getShort() & 0xffff;
        unchanged = 0;
        if (size > offsets.length) {
            offsets = new int[size];
            lengths = new int[size];
        }
        for (int i = 0; i < size; i++) {
            readColumn(message, i);
        }
    }

    private void readColumn(ByteBuffer message, int i) {
        byte kind = message.get();
        switch (kind) {
            case 't' -> {
                lengths[i] = message.getInt();
                offsets[i] = message.arrayOffset() + message.position();
                message.position(message.position() + lengths[i]);
            }
            case 'n' -> lengths[i] = NULL;
            case 'u' -> {
                lengths[i] = UNCHANGED;
                unchanged++;
            }
            default ->
                    throw new PermanentException(
                            Reason.PROTOCOL,
                            "a column value of kind '" + (char) kind + "', not text");
        }
    }

    public int size() {
        return size;
    }

    /** How many columns hold a stored (TOAST) value that was neither changed nor sent. */
    public int unchangedCount() {
        return unchanged;
    }

    public boolean isUnchanged(int column) {
        return lengths[column] == UNCHANGED;
    }

    public boolean isNull(int column) {
        return lengths[column] == NULL;
    }

    /** The message that holds the values; only the slices of this tuple mean anything. */
    public byte[] bytes() {
        return bytes;
    }

    public int offset(int column) {
        return offsets[column];
    }

    public int length(int column) {
        return lengths[column];
    }

    @Override
    public String toString() { // never the values: they are somebody's data
        return "Tuple of " + size + " columns " + Arrays.toString(Arrays.copyOf(lengths, size));
    }
}
