package io.tidemark.flink.pgoutput.source.protection;

import io.tidemark.flink.pgoutput.protocol.TableName;

import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

import java.io.Serializable;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * How the captured tables are protected. Empty, every table is emitted as it is; else one that is
 * not among them is closed.
 */
public record Protections(HashMap<TableName, TableProtection> tables) implements Serializable {

    /** All tables are emitted as they are. */
    public static Protections none() {
        return new Protections(new HashMap<>());
    }

    /**
     * Reads {@code [{"schema": …, "table": …, "label": …, "columns": {"id": "plain", "ssn":
     * "hash"}}, …]}, where a table without protected columns has neither label nor columns.
     *
     * @throws IllegalArgumentException if it is anything else
     */
    public static Protections parse(String json) {
        HashMap<TableName, TableProtection> tables = new HashMap<>();
        try {
            for (JsonNode table : new ObjectMapper().readTree(json)) {
                tables.put(name(table), protection(table));
            }
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("it is not JSON", e);
        }
        return new Protections(tables);
    }

    private static TableName name(JsonNode table) {
        return new TableName(table.required("schema").asText(), table.required("table").asText());
    }

    private static TableProtection protection(JsonNode table) {
        if (!table.has("label")) {
            return TableProtection.NONE;
        }
        LinkedHashMap<String, Protection> columns = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> column : table.required("columns").properties()) {
            String word = column.getValue().asText().toUpperCase(Locale.ROOT);
            columns.put(column.getKey(), Protection.valueOf(word));
        }
        return new TableProtection(table.get("label").asText(), columns);
    }

    public boolean isEmpty() {
        return tables.isEmpty();
    }

    /** Whether some column is hashed, which needs a key. */
    public boolean needsKey() {
        return tables.values().stream()
                .anyMatch(table -> table.columns().containsValue(Protection.HASH));
    }
}
