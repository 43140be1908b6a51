package io.tidemark.flink.pgoutput.source.split;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.flink.pgoutput.source.enumerator.PgOutputEnumeratorState;
import io.tidemark.flink.pgoutput.source.enumerator.PgOutputEnumeratorStateSerializer;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

class PgOutputSplitSerializerTest {
    private static final Map<Long, Long> RELATIONS = Map.of(16385L, -2L, 4294967295L, 77L);

    /** Bytes as version 1 stored them: state of the field must stay readable. */
    private static final String VERSION_1 =
            "000d746964656d61726b5f73686f700013373330313233343536373839303132"
                    + "333435360000000300000016b374d84800000016b374d900000000000000002a"
                    + "0000000200004001fffffffffffffffeffffffff000000000000004d";

    private final PgOutputSplitSerializer serializer = new PgOutputSplitSerializer();

    private static PgOutputSplit split(long databaseOid) {
        return split(databaseOid, Transaction.UNKNOWN);
    }

    private static PgOutputSplit split(long databaseOid, Transaction last) {
        return new PgOutputSplit(
                "tidemark_shop",
                new StreamPosition(
                        "7301234567890123456",
                        3,
                        databaseOid,
                        0x16_B374D848L,
                        0x16_B374D900L,
                        42,
                        last,
                        RELATIONS));
    }

    @Test
    void stateOfVersion1IsRead() throws IOException {
        byte[] stored = HexFormat.of().parseHex(VERSION_1);

        assertThat(serializer.deserialize(1, stored)).isEqualTo(split(0));
        assertThat(new PgOutputEnumeratorStateSerializer().deserialize(1, stored).unassigned())
                .containsExactly(split(0));
    }

    @Test
    void whatIsWrittenIsReadBack() throws IOException {
        PgOutputSplit split = split(4294967294L, new Transaction(-9, 4294967293L, 7));
        assertThat(serializer.deserialize(3, serializer.serialize(split))).isEqualTo(split);
        assertThat(serializer.getVersion()).isEqualTo(3);
    }

    @Test
    void theEnumeratorHoldsOneSplitOrNone() throws IOException {
        PgOutputEnumeratorStateSerializer states = new PgOutputEnumeratorStateSerializer();
        for (List<PgOutputSplit> splits : List.of(List.<PgOutputSplit>of(), List.of(split(5)))) {
            PgOutputEnumeratorState state = new PgOutputEnumeratorState(splits);
            assertThat(states.deserialize(states.getVersion(), states.serialize(state)))
                    .isEqualTo(state);
        }
    }

    @Test
    void stateOfALaterVersionIsRefused() {
        assertThatThrownBy(() -> serializer.deserialize(4, new byte[0]))
                .hasMessageContaining("version 4, known are 1 to 3");
    }
}
