package io.tidemark.spark.delta;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.delta.storage.CloseableIterator;

import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

class ExclusiveCreateLogStoreTest {
    private static final int WRITERS = 3;
    private static final int COMMITS = 60;

    private final Configuration conf = new Configuration(false);
    private final ExclusiveCreateLogStore store = new ExclusiveCreateLogStore(conf);

    @TempDir private Path log;

    @Test
    void everyCommitThatOneOfSeveralProcessesWonIsInTheLogOnce() throws Exception {
        List<Process> writers = new ArrayList<>();
        for (int writer = 0; writer < WRITERS; writer++) {
            writers.add(start(writer));
        }
        for (Process writer : writers) {
            assertEquals("ready", writer.inputReader().readLine());
        }
        for (Process writer : writers) {
            writer.outputWriter().append('\n').flush();
        }
        Map<Long, String> won = new TreeMap<>();
        int acknowledged = 0;
        for (Process writer : writers) {
            acknowledged += collect(writer.inputReader(), won);
            assertEquals(0, writer.waitFor());
        }

        assertEquals(WRITERS * COMMITS, acknowledged);
        assertEquals(won, commits(), "a version has two winners, or a commit was replaced");
    }

    @Test
    void aTakenVersionIsRefusedAndKeepsItsContent() throws IOException {
        write("00000000000000000000.json", "first", false);

        assertThrows(
                FileAlreadyExistsException.class,
                () -> write("00000000000000000000.json", "second", false));
        assertEquals(List.of("first"), read("00000000000000000000.json"));
    }

    @Test
    void overwritingReplacesAFileThatHadoopWroteWithAChecksum() throws IOException {
        org.apache.hadoop.fs.Path file = hadoop("_last_checkpoint");
        try (var out = file.getFileSystem(conf).create(file)) {
            out.write("by Hadoop\n".getBytes(UTF_8));
        }

        write("_last_checkpoint", "by us", true);

        assertEquals(List.of("by us"), read("_last_checkpoint"));
    }

    @Test
    void aCommitLeavesNothingElseBehind() throws IOException {
        write("a.json", "ü", false);
        assertThrows(FileAlreadyExistsException.class, () -> write("a.json", "ü", false));

        try (Stream<Path> files = Files.list(log)) {
            assertEquals(
                    List.of("a.json"), files.map(file -> file.getFileName().toString()).toList());
        }
    }

    private Process start(int writer) throws IOException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        return new ProcessBuilder(
                        java,
                        "-Xmx128m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        CommittingProcess.class.getName(),
                        log.toUri().toString(),
                        String.valueOf(writer),
                        String.valueOf(COMMITS))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static int collect(BufferedReader lines, Map<Long, String> won) throws IOException {
        int count = 0;
        for (String line = lines.readLine(); line != null; line = lines.readLine(), count++) {
            String[] parts = line.split(" ", 2);
            won.merge(Long.valueOf(parts[0]), parts[1], (one, other) -> one + " and " + other);
        }
        return count;
    }

    private Map<Long, String> commits() throws IOException {
        Map<Long, String> commits = new TreeMap<>();
        for (long version = 0; version < WRITERS * COMMITS; version++) {
            commits.put(version, String.join("\n", read(String.format("%020d.json", version))));
        }
        return commits;
    }

    private void write(String name, String line, boolean overwrite) throws IOException {
        store.write(hadoop(name), List.of(line).iterator(), overwrite, conf);
    }

    private List<String> read(String name) throws IOException {
        List<String> lines = new ArrayList<>();
        try (CloseableIterator<String> found = store.read(hadoop(name), conf)) {
            found.forEachRemaining(lines::add);
        }
        return lines;
    }

    private org.apache.hadoop.fs.Path hadoop(String name) {
        return new org.apache.hadoop.fs.Path(log.resolve(name).toUri());
    }
}
