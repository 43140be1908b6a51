package io.tidemark.flink.pgoutput.source;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.flink.pgoutput.testing.Event;
import io.tidemark.flink.pgoutput.testing.PostgresServer;
import io.tidemark.flink.pgoutput.testing.ReaderHarness;
import io.tidemark.flink.pgoutput.testing.TestDatabase;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.postgresql.PGConnection;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Values are what COPY writes, byte for byte, whatever role, database or server prefer. */
class TextValuesTest {

    /** Columns as type, then values. */
    private static final Map<String, List<String>> VALUES = values();

    private static Map<String, List<String>> values() {
        Map<String, List<String>> v = new LinkedHashMap<>();
        v.put("boolean", List.of("true", "false"));
        v.put("smallint", List.of("-32768"));
        v.put("bigint", List.of("-9223372036854775808"));
        v.put("real", List.of("'NaN'", "'-Infinity'", "0.1", "1e-40", "-0.0"));
        v.put("double precision", List.of("'NaN'", "'Infinity'", "0.1", "1e-310", "-0.0"));
        v.put("numeric", List.of("'NaN'", "'Infinity'", "1e50", "0.10", "-1e-20"));
        v.put("numeric(12,2)", List.of("1234567890.10"));
        v.put("money", List.of("1234567.89", "-0.01"));
        v.put(
                "text",
                List.of("''", "E'tab\\tline\\nback\\\\slash'", "'\\N'", "'\u6c34 \ud83c\udf0a'"));
        v.put("varchar(10)", List.of("'ab  '"));
        v.put("char(5)", List.of("'ab'"));
        v.put("\"char\"", List.of("'x'"));
        v.put("name", List.of("'a name'"));
        v.put("bytea", List.of("'\\x00ff27'", "''"));
        v.put("date", List.of("'infinity'", "'0044-03-15 BC'", "'12345-01-02'", "'2026-02-01'"));
        v.put("time", List.of("'24:00:00'", "'12:34:56.000001'"));
        v.put("timetz", List.of("'24:00:00-15:59'", "'01:02:03.5+05:30'"));
        v.put("timestamp", List.of("'-infinity'", "'0001-01-01 00:00:00 BC'"));
        v.put("timestamptz", List.of("'infinity'", "'2026-07-01 12:00:00.123456+02'"));
        v.put("interval", List.of("'1 year -2 mons 3 days -04:05:06.789'", "'0'"));
        v.put("uuid", List.of("'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"));
        v.put("json", List.of("'{\"b\" : 1,  \"a\": [null, 1.0]}'"));
        v.put("jsonb", List.of("'{\"b\" : 1,  \"a\": [null, 1.0]}'"));
        v.put("jsonpath", List.of("'$.a[*] ? (@ > 1)'"));
        v.put("inet", List.of("'192.168.0.1/24'", "'::1'"));
        v.put("cidr", List.of("'10.0.0.0/8'"));
        v.put("macaddr", List.of("'08:00:2b:01:02:03'"));
        v.put("macaddr8", List.of("'08:00:2b:01:02:03:04:05'"));
        v.put("bit(3)", List.of("B'101'"));
        v.put("bit varying", List.of("B''", "B'10'"));
        v.put("point", List.of("'(0.1,-2)'"));
        v.put("line", List.of("'{1,2,3}'"));
        v.put("lseg", List.of("'[(0,0),(1,1)]'"));
        v.put("box", List.of("'(1,1),(0,0)'"));
        v.put("path", List.of("'((0,0),(1,1))'", "'[(0,0),(1,1)]'"));
        v.put("polygon", List.of("'((0,0),(1,1),(1,0))'"));
        v.put("circle", List.of("'<(0.1,0),1>'"));
        v.put("tsvector", List.of("'a:1A fat:2 cat'"));
        v.put("tsquery", List.of("'fat & (rat | !cat)'"));
        v.put("int4range", List.of("'[1,5)'", "'empty'", "'(,)'"));
        v.put("numrange", List.of("'(0.10,]'"));
        v.put("tstzrange", List.of("'[2026-01-01 00:00+05:30,infinity)'"));
        v.put("datemultirange", List.of("'{[2026-01-01,2026-02-01),[2026-03-01,)}'"));
        v.put("integer[]", List.of("'{}'", "'{{1,NULL},{3,4}}'", "'[0:1]={1,2}'"));
        v.put("text[]", List.of("ARRAY['a,b', '\"', '', NULL, 'NULL']"));
        v.put("timestamptz[]", List.of("ARRAY['2026-01-01 00:00+05:30'::timestamptz]"));
        v.put("interval[]", List.of("ARRAY['1 year 2 hours'::interval]"));
        v.put("bytea[]", List.of("ARRAY['\\x00'::bytea]"));
        v.put("mood", List.of("'so so'"));
        v.put("pair", List.of("ROW('1, (\"2', '2026-01-02 03:04:05+06')"));
        v.put("positive", List.of("7"));
        v.put("regclass", List.of("'pg_catalog.pg_class'", "'public.shadowed'"));
        v.put("regtype", List.of("'integer'", "'public.mood'"));
        v.put("oid", List.of("4294967295"));
        v.put("xid", List.of("'4294967295'"));
        v.put("pg_lsn", List.of("'16/B374D848'"));
        return v;
    }

    @ParameterizedTest
    @MethodSource("io.tidemark.flink.pgoutput.testing.PostgresServer#versions")
    void theyEqualCopyUnderHostileDefaults(String version) throws Exception {
        String columns = "id int PRIMARY KEY";
        int number = 0;
        for (String type : VALUES.keySet()) {
            columns += ", c" + number++ + " " + type;
        }
        PostgresServer server = PostgresServer.shared(version);
        try (TestDatabase db =
                        new TestDatabase(
                                server,
                                "CREATE TYPE mood AS ENUM ('ok', 'so so')",
                                "CREATE TYPE pair AS (a text, b timestamptz)",
                                "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
                                "CREATE TABLE shadowed ()",
                                "CREATE TABLE t (" + columns + ")");
                Hostile defaults = new Hostile(db)) {
            try (ReaderHarness reader = ReaderHarness.start(db.options())) {
                int rows = insert(db);
                List<Event> changes = reader.read(rows);

                assertThat(changes.stream().map(TextValuesTest::values))
                        .containsExactlyElementsOf(defaults.copy());
                assertThat(rows).isGreaterThan(4);
            }
        }
    }

    private static List<String> values(Event event) {
        return new ArrayList<>(event.after().values());
    }

    /** Row n holds the n-th value of each type, and NULL where there is none. */
    private static int insert(TestDatabase db) throws Exception {
        int rows = VALUES.values().stream().mapToInt(List::size).max().orElseThrow() + 1;
        try (Connection connection = db.connect();
                Statement statement = connection.createStatement()) {
            for (int row = 0; row < rows; row++) {
                int n = row;
                List<String> values =
                        VALUES.values().stream()
                                .map(v -> n < v.size() ? v.get(n) : "NULL")
                                .toList();
                statement.execute(
                        "INSERT INTO t VALUES (" + row + ", " + String.join(", ", values) + ")");
            }
        }
        return rows;
    }

    /** Settings of the role and the database that would all change how values look. */
    private record Hostile(TestDatabase db) implements AutoCloseable {
        private static final String[][] SETTINGS = {
            {"DateStyle", "'German, DMY'"},
            {"TimeZone", "'Asia/Kolkata'"},
            {"IntervalStyle", "'sql_standard'"},
            {"extra_float_digits", "-15"},
            {"bytea_output", "'escape'"},
            {"quote_all_identifiers", "on"},
            {"search_path", "public"},
            {"client_encoding", "'LATIN1'"},
            {"statement_timeout", "'1min'"},
        };

        Hostile {
            try {
                for (String[] setting : SETTINGS) {
                    String set = " SET " + setting[0] + " = " + setting[1];
                    db.execute("ALTER ROLE " + TestDatabase.USER + set);
                    db.execute("ALTER DATABASE " + db.name() + set);
                }
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }

        /** What COPY writes in a session with the documented settings. */
        List<List<String>> copy() throws Exception {
            ByteArrayOutputStream copied = new ByteArrayOutputStream();
            try (Connection connection = db.connect();
                    Statement statement = connection.createStatement()) {
                statement.execute(
                        "SET DateStyle = 'ISO, MDY'; SET TimeZone = 'UTC';"
                                + " SET IntervalStyle = 'postgres'; SET extra_float_digits = 3;"
                                + " SET bytea_output = 'hex'; SET quote_all_identifiers = off;"
                                + " SET search_path = ''; SET client_encoding = 'UTF8'");
                connection
                        .unwrap(PGConnection.class)
                        .getCopyAPI()
                        .copyOut("COPY (SELECT * FROM public.t ORDER BY id) TO STDOUT", copied);
            }
            return copied.toString(StandardCharsets.UTF_8)
                    .lines()
                    .map(line -> List.of(line.split("\t", -1)))
                    .map(line -> line.stream().map(Hostile::unescape).toList())
                    .toList();
        }

        private static String unescape(String field) {
            return field.equals("\\N")
                    ? null
                    : field.replace("\\\\", "\u0000")
                            .replace("\\t", "\t")
                            .replace("\\n", "\n")
                            .replace('\u0000', '\\');
        }

        @Override
        public void close() throws SQLException {
            db.execute("ALTER ROLE " + TestDatabase.USER + " RESET ALL");
        }
    }
}
