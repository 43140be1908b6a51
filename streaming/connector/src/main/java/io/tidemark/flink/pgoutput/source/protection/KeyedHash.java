package io.tidemark.flink.pgoutput.source.protection;

import io.tidemark.flink.pgoutput.protocol.PermanentException;
import io.tidemark.flink.pgoutput.protocol.Reason;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.HexFormat;

import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Hashes values with a key that a file holds; not thread-safe. The key is in no message. */
final class KeyedHash {
    private static final String ALGORITHM = "HmacSHA256";
    private static final int LEAST_BYTES = 32;
    private static final HexFormat HEX = HexFormat.of();

    private final Mac mac;
    private final byte[] prefix;

    private KeyedHash(String id, byte[] secret) throws GeneralSecurityException {
        mac = Mac.getInstance(ALGORITHM);
        mac.init(new SecretKeySpec(secret, ALGORITHM));
        prefix = (id + ":").getBytes(StandardCharsets.UTF_8);
    }

    /** Reads {@code <key id>:<hex of at least 32 bytes>}. */
    static KeyedHash inFile(String file) {
        try {
            String[] parts = Files.readString(Path.of(file)).strip().split(":", 2);
            byte[] secret = HEX.parseHex(parts[parts.length - 1]);
            if (parts.length == 2 && secret.length >= LEAST_BYTES) {
                return new KeyedHash(parts[0], secret);
            }
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            // the cause may quote what it could not read
        }
        throw new PermanentException(
                Reason.HASH_KEY,
                "the file " + file + " has no <key id>:<hex of at least 32 bytes>, or is not here");
    }

    /** Text of a value's hash, in UTF-8. */
    byte[] of(byte[] bytes, int offset, int length) {
        mac.update(bytes, offset, length);
        byte[] hex = HEX.formatHex(mac.doFinal()).getBytes(StandardCharsets.US_ASCII);
        byte[] text = Arrays.copyOf(prefix, prefix.length + hex.length);
        System.arraycopy(hex, 0, text, prefix.length, hex.length);
        return text;
    }
}
