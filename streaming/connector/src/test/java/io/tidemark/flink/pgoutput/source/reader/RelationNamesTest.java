package io.tidemark.flink.pgoutput.source.reader;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.flink.pgoutput.protocol.Relation;
import io.tidemark.flink.pgoutput.source.protection.TableProtection;

import org.apache.flink.table.data.ArrayData;
import org.junit.jupiter.api.Test;

import java.lang.ref.WeakReference;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;

class RelationNamesTest {
    private static RelationNames names(int columns) {
        List<Relation.Column> described =
                IntStream.range(0, columns)
                        .mapToObj(i -> new Relation.Column("c" + i, false, 25, -1, null))
                        .toList();
        Relation relation = new Relation(1, "public", "t", 'd', described, 0);
        return new RelationNames(relation, TableProtection.NONE);
    }

    private static BitSet columns(long bits) {
        return BitSet.valueOf(new long[] {bits});
    }

    @Test
    void rowsWithTheSameColumnsShareTheirNames() {
        RelationNames names = names(3);
        ArrayData some = names.only(columns(0b101));

        assertThat(names.only(columns(0b101))).isSameAs(some);
        assertThat(some.size()).isEqualTo(2);
        assertThat(some.getString(1)).hasToString("c2");
    }

    /**
     * Which columns of a row are stored apart depends on its values: each may have a set of its
     * own.
     */
    @Test
    void ofRowsThatAllDifferNotAllIsKept() throws InterruptedException {
        RelationNames names = names(20);
        WeakReference<ArrayData> first = new WeakReference<>(names.only(columns(1)));
        for (long bits = 2; bits < 100_000; bits++) {
            names.only(columns(bits));
        }
        System.gc();

        assertThat(first.get()).isNull();
        assertThat(names.only(columns(1)).getString(0)).hasToString("c0");
    }
}
