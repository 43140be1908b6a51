package io.tidemark.flink.pgoutput.protocol;

import java.util.List;

/**
 * A table as a relation message describes it: the published columns, in order.
 *
 * @param oid unsigned, so a long
 * @param replicaIdentity {@code d} default, {@code n} nothing, {@code f} full, {@code i} index
 * @param fingerprint of the whole message: equal messages have equal fingerprints
 */
public record Relation(
        long oid,
        String schema,
        String table,
        char replicaIdentity,
        List<Column> columns,
        long fingerprint) {

    /**
     * One published column.
     *
     * @param key whether it belongs to the replica identity
     * @param typeName schema-qualified name of a type that is not built in, else null
     */
    public record Column(String name, boolean key, long typeOid, int typmod, String typeName) {}
}
