package io.tidemark.flink.pgoutput.testing;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A real server of our own, from the binaries that Maven copied to target/.
 *
 * <p>PostgreSQL refuses to run as root: then it runs as nobody, in a directory that nobody can
 * reach.
 */
public final class PostgresServer implements AutoCloseable {
    private static final Map<String, PostgresServer> SHARED = new ConcurrentHashMap<>();
    private static final boolean ROOT = "root".equals(System.getProperty("user.name"));

    private final Path programs;
    private final Path data;
    private final int port = freePort();
    private Process process;

    /**
     * The versions that a promise is tested on: all where TIDEMARK_ALL says so, else one, drawn for
     * each test, whose name tells it.
     */
    public static List<String> versions() {
        if (System.getenv("TIDEMARK_ALL") != null) {
            return all();
        }
        return List.of(all().get(ThreadLocalRandom.current().nextInt(all().size())));
    }

    public static String newest() {
        return all().get(all().size() - 1);
    }

    private static List<String> all() {
        return List.of(System.getProperty("postgres.versions").split(","));
    }

    /** One server for all tests of this JVM; each test has a database of its own in it. */
    public static PostgresServer shared(String version) {
        return SHARED.computeIfAbsent(
                version,
                v -> {
                    PostgresServer server = start(v);
                    Runtime.getRuntime().addShutdownHook(new Thread(server::close));
                    return server;
                });
    }

    /** A server for one test; settings are {@code name=value}. */
    public static PostgresServer start(String version, String... settings) {
        try {
            PostgresServer server = new PostgresServer(version, settings);
            server.start();
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private PostgresServer(String version, String... settings) throws IOException {
        programs = unpack(version).resolve("bin");
        data = temporary("tidemark-pgdata-");
        run(
                programs.resolve("initdb").toString(),
                "--pgdata=" + data.resolve("d"),
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--wal-segsize=1",
                "--no-sync");
        List<String> configuration =
                new ArrayList<>(
                        List.of(
                                "port=" + port,
                                "listen_addresses='127.0.0.1'",
                                "unix_socket_directories=''",
                                "wal_level=logical",
                                "fsync=off",
                                "shared_buffers=32MB",
                                "max_connections=60",
                                "max_wal_senders=30",
                                "max_replication_slots=60",
                                "max_prepared_transactions=5",
                                "autovacuum=off",
                                "log_min_messages=fatal"));
        configuration.addAll(List.of(settings));
        configure(configuration.toArray(String[]::new));
    }

    /** Appends to postgresql.conf; the last word on a setting wins. */
    public void configure(String... settings) throws IOException {
        write("postgresql.conf", read("postgresql.conf") + String.join("\n", settings) + "\n");
    }

    public String read(String file) throws IOException {
        return Files.readString(data.resolve("d").resolve(file));
    }

    /** Writes a file of the data directory, for the server's eyes only. */
    public void write(String file, String content) throws IOException {
        Path path = data.resolve("d").resolve(file);
        Files.writeString(path, content);
        if (ROOT) {
            run("chown", "nobody", path.toString());
        }
        run("chmod", "600", path.toString());
    }

    public int port() {
        return port;
    }

    public void start() throws IOException {
        List<String> command = asServer(programs.resolve("postgres"), "-D", data.resolve("d"));
        process =
                new ProcessBuilder(command)
                        .directory(data.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(data.resolve("log").toFile())
                        .start();
        long giveUp = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
        while (!accepts()) {
            if (!process.isAlive() || System.nanoTime() > giveUp) {
                throw new IOException("no server: " + Files.readString(data.resolve("log")));
            }
            pause();
        }
    }

    private boolean accepts() {
        try (Connection connection = connect("postgres")) {
            return connection.isValid(5);
        } catch (SQLException e) {
            return e.getMessage().contains("authentication") || e.getMessage().contains("pg_hba");
        }
    }

    /** A fast shutdown waits for walsenders whose consumer does not confirm, so: immediate. */
    public void stop() {
        signal("QUIT");
    }

    /** kill -9 of the whole server: what was not flushed is gone, and recovery follows. */
    public void crash() {
        List<ProcessHandle> children = process.descendants().toList();
        signal("KILL");
        children.forEach(ProcessHandle::destroyForcibly);
        children.forEach(child -> child.onExit().join());
    }

    /** Copies the data directory of the stopped server, as a snapshot of its volume would. */
    public void backUp() {
        stop();
        run("rm", "-rf", data.resolve("backup").toString());
        run("cp", "-a", data.resolve("d").toString(), data.resolve("backup").toString());
    }

    /** Puts the copy back: the same system, the same timeline, and what it held then. */
    public void restore() {
        stop();
        run("rm", "-rf", data.resolve("d").toString());
        run("cp", "-a", data.resolve("backup").toString(), data.resolve("d").toString());
    }

    private void signal(String name) {
        if (process.isAlive()) {
            run("kill", "-" + name, Long.toString(process.pid()));
            process.onExit().join();
        }
    }

    @Override
    public void close() {
        stop();
        delete(data);
    }

    /** A session as the superuser. */
    public Connection connect(String database) throws SQLException {
        return connect(database, "postgres", "postgres");
    }

    public Connection connect(String database, String user, String password) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", user);
        properties.setProperty("password", password);
        String url = "jdbc:postgresql://127.0.0.1:" + port + "/" + database;
        return DriverManager.getConnection(url, properties);
    }

    public void execute(String database, String... statements) throws SQLException {
        try (Connection connection = connect(database);
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    public String query(String database, String sql) throws SQLException {
        try (Connection connection = connect(database);
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            return result.next() ? result.getString(1) : null;
        }
    }

    private static synchronized Path unpack(String version) throws IOException {
        Path archives = Path.of(System.getProperty("postgres.archives"), version);
        Path target =
                ROOT // a checkout below /root would be out of nobody's reach
                        ? Path.of(
                                System.getProperty("java.io.tmpdir"), "tidemark-postgres", version)
                        : archives.resolve("unpacked");
        Path done = target.resolve("complete");
        if (!Files.exists(done)) {
            Files.createDirectories(target);
            try (Stream<Path> files = Files.list(archives)) {
                Path archive =
                        files.filter(file -> file.toString().endsWith(".txz"))
                                .findFirst()
                                .orElseThrow();
                run("tar", "-xJf", archive.toString(), "-C", target.toString());
            }
            Files.createFile(done);
        }
        return target;
    }

    private static Path temporary(String prefix) throws IOException {
        Path directory = Files.createTempDirectory(prefix);
        if (ROOT) {
            run("chown", "nobody", directory.toString());
        }
        return directory;
    }

    private static List<String> asServer(Object... command) {
        List<String> all = new ArrayList<>();
        if (ROOT) {
            String group = output("id", "-gn", "nobody");
            all.addAll(List.of("setpriv", "--reuid=nobody", "--regid=" + group, "--clear-groups"));
        }
        for (Object word : command) {
            all.add(word.toString());
        }
        return all;
    }

    private static void run(String... command) {
        boolean server = command[0].endsWith("initdb");
        output(server ? asServer((Object[]) command).toArray(String[]::new) : command);
    }

    public static String output(String... command) {
        try {
            Process process =
                    new ProcessBuilder(command)
                            .directory(new File(System.getProperty("java.io.tmpdir")))
                            .redirectErrorStream(true)
                            .start();
            String output =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                            .trim();
            if (process.waitFor() != 0) {
                throw new IOException(String.join(" ", command) + ": " + output);
            }
            return output;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * One that nobody has, and below those that the system hands out: while the server does not
     * listen yet, or is stopped for a while, nobody is given it.
     */
    private static int freePort() {
        for (int port : ThreadLocalRandom.current().ints(100, 10_000, 20_000).toArray()) {
            try (ServerSocket socket =
                    new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (IOException e) {
                // somebody has it
            }
        }
        throw new IllegalStateException("no port is free");
    }

    private static void delete(Path directory) {
        run("rm", "-rf", directory.toString());
    }

    private static void pause() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
