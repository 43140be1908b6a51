package io.tidemark.flink.pgoutput.source;

import static io.tidemark.flink.pgoutput.testing.Refusals.assertRefused;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.flink.pgoutput.protocol.Reason;
import io.tidemark.flink.pgoutput.testing.PostgresServer;
import io.tidemark.flink.pgoutput.testing.ReaderHarness;
import io.tidemark.flink.pgoutput.testing.StallingProxy;
import io.tidemark.flink.pgoutput.testing.TestDatabase;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** A server that asks for SCRAM over TLS, with a certificate for the name localhost. */
class SecurityTest {
    @TempDir private static Path directory;
    private static PostgresServer server;
    private static TestDatabase db;

    @BeforeAll
    static void startServer() throws Exception {
        certificate("server", "localhost");
        certificate("stranger", "localhost");
        server = PostgresServer.start(PostgresServer.newest());
        db = new TestDatabase(server, "CREATE TABLE t (id int PRIMARY KEY, v text)");
        server.stop();
        server.write("server.crt", Files.readString(directory.resolve("server.crt")));
        server.write("server.key", Files.readString(directory.resolve("server.key")));
        server.write(
                "pg_hba.conf",
                """
                host all postgres 127.0.0.1/32 trust
                hostssl all streamer 127.0.0.1/32 scram-sha-256
                """);
        server.configure("ssl=on");
        server.start();
    }

    @AfterAll
    static void stopServer() {
        server.close();
    }

    private static void certificate(String name, String host) {
        PostgresServer.output(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=" + host,
                "-addext",
                "subjectAltName=DNS:" + host,
                "-keyout",
                directory.resolve(name + ".key").toString(),
                "-out",
                directory.resolve(name + ".crt").toString());
    }

    private static String certificate(String name) {
        return directory.resolve(name + ".crt").toString();
    }

    private static void assertReads(Map<String, String> options) throws Exception {
        db.execute("TRUNCATE t", "INSERT INTO t VALUES (1)");
        try (ReaderHarness reader = ReaderHarness.start(options)) {
            reader.readUntil(
                    () -> reader.changes().stream().anyMatch(change -> change.op().equals("c")));
            assertThat(db.query("SELECT ssl FROM pg_stat_ssl JOIN pg_stat_replication USING (pid)"))
                    .isEqualTo("t");
        }
    }

    @Test
    void aPasswordInAnOptionOrAFileOpensScram() throws Exception {
        assertReads(db.options());

        Path file = Files.writeString(directory.resolve("password"), TestDatabase.PASSWORD + "\n");
        Map<String, String> options = db.options("password.file", file.toString());
        options.remove("password");
        assertReads(options);
    }

    @Test
    void aWrongPasswordIsPermanent() throws Exception {
        assertRefused(Reason.ACCESS_DENIED, db.options("password", "guess"));
    }

    @Test
    void aPasswordFileThatIsNotThereIsPermanent() throws Exception {
        Map<String, String> options = db.options("password.file", "/nowhere/password");
        options.remove("password");
        assertRefused(Reason.ACCESS_DENIED, options);
    }

    @Test
    void aServerThatWantsTlsRefusesPlainText() throws Exception {
        assertRefused(Reason.ACCESS_DENIED, db.options("ssl.mode", "disable"));
    }

    @Test
    void verifyFullReadsFromTheServerThatTheCertificateNames() throws Exception {
        assertReads(
                db.options(
                        "host", "localhost",
                        "ssl.mode", "verify-full",
                        "ssl.root.cert", certificate("server")));
    }

    @Test
    void verifyFullRefusesAServerOfAnotherName() throws Exception {
        assertRefused(
                Reason.TLS_UNTRUSTED,
                db.options("ssl.mode", "verify-full", "ssl.root.cert", certificate("server")));
    }

    @Test
    void verifyCaAsksForTheAuthorityOnly() throws Exception {
        assertReads(db.options("ssl.mode", "verify-ca", "ssl.root.cert", certificate("server")));
    }

    @Test
    void aCertificateOfAnotherAuthorityIsPermanent() throws Exception {
        assertRefused(
                Reason.TLS_UNTRUSTED,
                db.options("ssl.mode", "verify-ca", "ssl.root.cert", certificate("stranger")));
        assertRefused(
                Reason.TLS_UNTRUSTED,
                db.options("ssl.mode", "verify-ca", "ssl.root.cert", "system"));
    }

    @Test
    void aStreamOverTlsInSmallPiecesIsReadWhole() throws Exception {
        int rows = 5_000;
        db.execute("TRUNCATE t");
        try (StallingProxy proxy = new StallingProxy(server.port(), 1_009)) {
            Map<String, String> options =
                    db.options(
                            "host",
                            "localhost",
                            "port",
                            Integer.toString(proxy.port()),
                            "ssl.mode",
                            "verify-full",
                            "ssl.root.cert",
                            certificate("server"));
            try (ReaderHarness reader = ReaderHarness.start(options)) {
                db.execute(
                        "INSERT INTO t SELECT i, repeat('v', 500) FROM generate_series(1, "
                                + rows
                                + ") i");
                reader.readUntil(
                        () -> reader.metric("changes") >= rows && reader.metric("lagBytes") == 0);
                assertThat(
                                reader.changes().stream()
                                        .filter(change -> change.op().equals("c"))
                                        .filter(change -> change.value("v") != null)
                                        .map(change -> change.value("id"))
                                        .distinct())
                        .hasSize(rows);
                assertThat(reader.metric("reconnects")).isZero();
            }
        }
    }

    /** TLS says goodbye when it closes, and would wait for the answer as long as for a message. */
    @Test
    void aStalledTlsConnectionIsClosedWithoutWaitingForThePeer() throws Exception {
        try (StallingProxy proxy = new StallingProxy(server.port(), 1_009)) {
            Map<String, String> options =
                    db.options(
                            "port",
                            Integer.toString(proxy.port()),
                            "ssl.mode",
                            "require",
                            "socket.timeout.ms",
                            "300000");
            ReaderHarness reader = ReaderHarness.start(options);
            db.execute("TRUNCATE t");
            reader.readUntil(() -> reader.metric("lagBytes") == 0 && reader.metric("changes") > 0);
            proxy.stallAfter(200_500);
            db.execute("INSERT INTO t SELECT i, repeat('v', 500) FROM generate_series(1, 2000) i");
            long changes = reader.metric("changes");
            reader.readUntil(() -> reader.metric("changes") > changes + 100);

            assertThat(timeOf(reader::stop)).isLessThan(Duration.ofMinutes(2));
        }
    }

    private static Duration timeOf(Runnable work) {
        long start = System.nanoTime();
        work.run();
        return Duration.ofNanos(System.nanoTime() - start);
    }
}
