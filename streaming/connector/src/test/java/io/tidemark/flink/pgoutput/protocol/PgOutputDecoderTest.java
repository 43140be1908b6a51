package io.tidemark.flink.pgoutput.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** What the server never sends, or rarely; all else is tested on servers. */
class PgOutputDecoderTest {
    private final PgOutputDecoder decoder = new PgOutputDecoder();
    private final Calls calls = new Calls();

    private void decode(Object... parts) {
        ByteBuffer message = ByteBuffer.allocate(200);
        for (Object part : parts) {
            if (part instanceof Character c) {
                message.put((byte) c.charValue());
            } else if (part instanceof Integer i) {
                message.putInt(i);
            } else if (part instanceof Short s) {
                message.putShort(s);
            } else if (part instanceof Long l) {
                message.putLong(l);
            } else {
                message.put(part.toString().getBytes(StandardCharsets.UTF_8)).put((byte) 0);
            }
        }
        decoder.decode(message.flip(), calls);
    }

    private void relation(int oid) {
        decode('R', oid, "public", "t", 'd', (short) 1, (char) 1, "id", 23, -1);
    }

    @Test
    void aRelationIsKnownByAnUnsignedOid() {
        relation(-2);
        assertThat(calls.relations.get(0).oid()).isEqualTo(4294967294L);
        assertThat(calls.relations.get(0).columns())
                .containsExactly(new Relation.Column("id", true, 23, -1, null));
    }

    @Test
    void theFingerprintOfARelationNeverChanges() {
        relation(5);
        relation(5);
        relation(6);
        assertThat(calls.relations.get(0).fingerprint())
                .isEqualTo(calls.relations.get(1).fingerprint())
                .isNotEqualTo(calls.relations.get(2).fingerprint())
                .isEqualTo(FINGERPRINT);
    }

    /** It is part of stored state: with another one, each table would be described anew. */
    private static final long FINGERPRINT = 0xd317b17042c6a08bL;

    @Test
    void aTransactionHasItsTimeSince1970() {
        decode('B', 99L, 0L, -1);
        assertThat(calls.log).containsExactly("begin 99 946684800000000 4294967295");
    }

    @Test
    void originsAndLogicalMessagesAreNoChanges() {
        decode('O', 1L, "elsewhere");
        decode('M', (char) 0, 1L, "prefix", 3);
        assertThat(calls.log).isEmpty();
    }

    @Test
    void aBinaryValueIsRefused() {
        relation(5);
        assertThatThrownBy(() -> decode('I', 5, 'N', (short) 1, 'b', 4, 7))
                .isInstanceOfSatisfying(PermanentException.class, this::isProtocol);
    }

    @Test
    void aChangeOfAnUnknownRelationIsRefused() {
        assertThatThrownBy(() -> decode('I', 5, 'N', (short) 0))
                .isInstanceOfSatisfying(PermanentException.class, this::isProtocol);
    }

    @Test
    void anUnknownMessageIsRefused() {
        assertThatThrownBy(() -> decode('S', 5))
                .isInstanceOfSatisfying(PermanentException.class, this::isProtocol)
                .hasMessageContaining("'S'");
    }

    private void isProtocol(PermanentException e) {
        assertThat(e.reason()).isEqualTo(Reason.PROTOCOL);
    }

    private static final class Calls implements ReplicationHandler {
        private final List<String> log = new ArrayList<>();
        private final List<Relation> relations = new ArrayList<>();

        @Override
        public void begin(long commitLsn, long commitMicros, long xid) {
            log.add("begin " + commitLsn + " " + commitMicros + " " + xid);
        }

        @Override
        public void relation(Relation relation) {
            relations.add(relation);
        }

        @Override
        public void change(
                Change kind, Relation relation, Tuple before, boolean beforeIsKey, Tuple after) {
            log.add(kind + " " + relation.table());
        }

        @Override
        public void truncate(Relation relation) {
            log.add("truncate " + relation.table());
        }

        @Override
        public void commit(long endLsn) {
            log.add("commit " + endLsn);
        }

        @Override
        public void keepalive(long walEnd) {
            log.add("keepalive " + walEnd);
        }
    }
}
