package io.tidemark.flink.pgoutput.protocol;

import java.io.Serializable;

/** A table's schema and name, as the catalog holds them. */
public record TableName(String schema, String table) implements Serializable {}
