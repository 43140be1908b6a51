package io.tidemark.flink.pgoutput;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Who may know whom. */
class ArchitectureTest {
    private static final Path MAIN = Path.of("src/main/java/io/tidemark/flink/pgoutput");

    private static List<String> linesWith(String folder, String word) throws IOException {
        try (Stream<Path> files = Files.walk(MAIN.resolve(folder))) {
            List<Path> sources = files.filter(file -> file.toString().endsWith(".java")).toList();
            assertThat(sources).isNotEmpty();
            return sources.stream()
                    .flatMap(ArchitectureTest::lines)
                    .filter(line -> line.startsWith("import ") && line.contains(word))
                    .toList();
        }
    }

    private static Stream<String> lines(Path file) {
        try {
            return Files.readAllLines(file).stream();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void theProtocolKnowsNoFlink() throws IOException {
        assertThat(linesWith("protocol", "org.apache.flink")).isEmpty();
        assertThat(linesWith("protocol", "pgoutput.source")).isEmpty();
    }

    @Test
    void theSourceKnowsNoDriverAndNoMessages() throws IOException {
        assertThat(linesWith("source", "org.postgresql")).isEmpty();
        assertThat(linesWith("source", "PgOutputDecoder")).isEmpty();
        assertThat(linesWith("source", "ByteBuffer")).isEmpty();
    }
}
