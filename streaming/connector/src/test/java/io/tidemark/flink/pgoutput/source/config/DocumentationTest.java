package io.tidemark.flink.pgoutput.source.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.flink.pgoutput.protocol.Reason;

import org.apache.flink.configuration.ConfigOption;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * docs/connector.md says what the code says.
 *
 * <p>{@code mvn test -Dtest=DocumentationTest -Dconnector.docs.update=true} writes the tables anew.
 */
class DocumentationTest {
    private static final Path PAGE = Path.of(System.getProperty("connector.docs"));

    @Test
    void everyOptionIsInTheTable() throws IOException {
        assertTable(
                "options",
                "| option | default | what it is |\n|---|---|---|\n",
                PgOutputSourceOptions.all().stream().map(DocumentationTest::row));
    }

    @Test
    void everyReasonToStopIsInTheTable() throws IOException {
        assertTable(
                "reasons",
                "| reason | what cures it |\n|---|---|\n",
                Arrays.stream(Reason.values())
                        .map(reason -> "| `" + reason + "` | " + reason.cure() + " |"));
    }

    private static String row(ConfigOption<?> option) {
        assertThat(option.description()).as(option.key()).isNotNull();
        String text =
                new org.apache.flink.configuration.description.HtmlFormatter()
                        .format(option.description())
                        .replace("&#45;", "-");
        String value = option.hasDefaultValue() ? "`" + option.defaultValue() + "`" : "";
        return "| `" + option.key() + "` | " + value + " | " + text + " |";
    }

    private static void assertTable(String name, String head, Stream<String> rows)
            throws IOException {
        String table = head + rows.collect(Collectors.joining("\n")) + "\n";
        String begin = "<!-- " + name + ": written by DocumentationTest -->\n";
        String end = "<!-- end of " + name + " -->";
        String page = Files.readString(PAGE);
        int from = page.indexOf(begin) + begin.length();
        int to = page.indexOf(end);
        assertThat(from).as("the marker of " + name).isGreaterThanOrEqualTo(begin.length());
        if (Boolean.getBoolean("connector.docs.update")) {
            Files.writeString(PAGE, page.substring(0, from) + table + page.substring(to));
        } else {
            assertThat(page.substring(from, to)).isEqualTo(table);
        }
    }
}
