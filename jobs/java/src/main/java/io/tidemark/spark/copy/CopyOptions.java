package io.tidemark.spark.copy;

import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * The options of a read.
 *
 * <table>
 * <caption>Options</caption>
 * <tr><td>url</td><td>{@code jdbc:postgresql://host:port/database?…}, parameters of pgjdbc included</td></tr>
 * <tr><td>user</td><td>the role</td></tr>
 * <tr><td>password</td><td>its password, or</td></tr>
 * <tr><td>passwordFile</td><td>a file that holds it, on every executor</td></tr>
 * <tr><td>secretOptions</td><td>what the server shall be told when a session starts, {@code -c name=value}, if anything; in no statement</td></tr>
 * <tr><td>snapshot</td><td>what {@code pg_export_snapshot()} gave</td></tr>
 * <tr><td>query.0, query.1, …</td><td>a SELECT for each partition; names qualified, as search_path is empty</td></tr>
 * <tr><td>column.0, column.1, …</td><td>the names of its columns, unless the reader was given a schema</td></tr>
 * </table>
 */
final class CopyOptions {
    private static final Pattern SNAPSHOT = Pattern.compile("[0-9A-F]+(-[0-9A-F]+)*");

    private final CaseInsensitiveStringMap given;
    private final List<String> queries;

    /**
     * Reads the options.
     *
     * @throws IllegalArgumentException naming all that are missing or malformed
     */
    CopyOptions(CaseInsensitiveStringMap given) {
        this.given = given;
        this.queries = numbered("query.");
        List<String> problems = new ArrayList<>();
        require(
                "url",
                "does not start with jdbc:postgresql:",
                value -> value.startsWith("jdbc:postgresql:"),
                problems);
        require("user", "is empty", value -> !value.isEmpty(), problems);
        require(
                "snapshot",
                "is not a snapshot's id",
                value -> SNAPSHOT.matcher(value).matches(),
                problems);
        if (queries.isEmpty()) {
            problems.add("query.0 is missing");
        }
        if (given.containsKey("password") == given.containsKey("passwordFile")) {
            problems.add("give either password or passwordFile");
        }
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException("options of a COPY: " + String.join("; ", problems));
        }
    }

    private void require(
            String name, String otherwise, Predicate<String> good, List<String> problems) {
        if (!given.containsKey(name)) {
            problems.add(name + " is missing");
        } else if (!good.test(given.get(name))) {
            problems.add(name + " " + otherwise);
        }
    }

    List<String> queries() {
        return queries;
    }

    StructType schema() {
        StructType schema = new StructType();
        for (String column : numbered("column.")) {
            schema = schema.add(column, DataTypes.StringType, true);
        }
        return schema;
    }

    CopySession session() {
        return new CopySession(
                given.get("url"),
                given.get("user"),
                given.get("password"),
                given.get("passwordFile"),
                given.get("secretOptions"),
                given.get("snapshot"));
    }

    private List<String> numbered(String prefix) {
        List<String> values = new ArrayList<>();
        while (given.containsKey(prefix + values.size())) {
            values.add(given.get(prefix + values.size()));
        }
        return List.copyOf(values);
    }
}
