package io.tidemark.flink.pgoutput.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class LsnTest {

    @Test
    void itIsWrittenAsPostgresWritesIt() {
        assertThat(Lsn.format(0x16_B374D848L)).isEqualTo("16/B374D848");
        assertThat(Lsn.format(-1)).isEqualTo("FFFFFFFF/FFFFFFFF");
        assertThat(Lsn.parse("16/B374D848")).isEqualTo(0x16_B374D848L);
        assertThat(Lsn.parse("FFFFFFFF/FFFFFFFF")).isEqualTo(-1);
        assertThat(Lsn.parse("0/0000000A")).isEqualTo(10);
        assertThatThrownBy(() -> Lsn.parse("16")).isInstanceOf(NumberFormatException.class);
    }

    @Test
    void itIsUnsigned() {
        long high = 1L << 63;
        assertThat(Lsn.isBefore(1, high)).isTrue();
        assertThat(Lsn.isBefore(high, 1)).isFalse();
        assertThat(Lsn.max(1, high)).isEqualTo(high);
        assertThat(Lsn.distance(high - 5, high)).isEqualTo(5);
        assertThat(Lsn.distance(high, 1)).isZero();
    }
}
