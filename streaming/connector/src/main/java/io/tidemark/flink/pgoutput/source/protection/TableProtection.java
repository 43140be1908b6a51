package io.tidemark.flink.pgoutput.source.protection;

import io.tidemark.flink.pgoutput.protocol.Relation;
import io.tidemark.flink.pgoutput.protocol.Relation.Column;

import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.List;

/**
 * How the columns of one table are protected.
 *
 * @param label what its rows say in {@code protection}; null of a table without protected columns
 * @param columns all of its columns, in their order; empty of a table without protected ones
 */
public record TableProtection(String label, LinkedHashMap<String, Protection> columns)
        implements Serializable {

    /** A table whose rows are emitted as they are. */
    public static final TableProtection NONE = new TableProtection(null, new LinkedHashMap<>());

    /** A table of which no value is emitted: what its columns hold is not known. */
    public static final TableProtection CLOSED =
            new TableProtection("closed", new LinkedHashMap<>());

    /**
     * Itself, or closed for a relation that has other columns or another order. A name alone does
     * not tell what a column holds: it may be the one that a protected column gave away.
     */
    TableProtection of(Relation relation) {
        List<String> names = relation.columns().stream().map(Column::name).toList();
        return label == null || names.equals(List.copyOf(columns.keySet())) ? this : CLOSED;
    }

    /** How a column of a relation that this was given for is protected. */
    public Protection of(Column column) {
        return label == null
                ? Protection.PLAIN
                : columns.getOrDefault(column.name(), Protection.DROP);
    }
}
