package io.tidemark.flink.pgoutput.source.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import io.tidemark.flink.pgoutput.protocol.TableName;
import io.tidemark.flink.pgoutput.source.PgOutputSource;
import io.tidemark.flink.pgoutput.source.protection.Protection;
import io.tidemark.flink.pgoutput.source.protection.TableProtection;

import org.apache.flink.util.InstantiationUtil;
import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

class PgOutputSourceConfigTest {

    private static Map<String, String> options(String... more) {
        Map<String, String> options = new HashMap<>();
        options.put("database", "shop");
        options.put("user", "streamer");
        options.put("slot", "tidemark_shop");
        options.put("publications", "tidemark_shop");
        for (int i = 0; i < more.length; i += 2) {
            options.put(more[i], more[i + 1]);
        }
        return options;
    }

    @Test
    void whatIsNotGivenHasADefault() {
        PgOutputSourceConfig config = PgOutputSourceConfig.of(options());

        assertThat(config.replication().host()).isEqualTo("localhost");
        assertThat(config.replication().port()).isEqualTo(5432);
        assertThat(config.batchRows()).isEqualTo(2048);
        assertThat(config.reconnectMax()).isEqualTo(Duration.ofMinutes(5));
        assertThat(config.replication().allowTimelineChange()).isFalse();
    }

    @Test
    void publicationsAreAList() {
        Map<String, String> options = options("publications", " a , b,a,");
        assertThat(PgOutputSourceConfig.of(options).replication().publications())
                .isEqualTo(List.of("a", "b"));
    }

    @Test
    void pythonsTrueIsTrue() {
        Map<String, String> options = options("allow.timeline.change", "True");
        assertThat(PgOutputSourceConfig.of(options).replication().allowTimelineChange()).isTrue();
    }

    @Test
    void allProblemsAreToldAtOnce() {
        Map<String, String> options =
                options(
                        "sslmode", "require",
                        "port", "65536",
                        "batch.rows", "many",
                        "ssl.mode", "verify-full",
                        "password", "a",
                        "password.file", "b",
                        "allow.timeline.change", "perhaps",
                        "slot", "Tide-mark",
                        "publications", " , ");
        options.remove("database");

        assertThatThrownBy(() -> PgOutputSource.of(options))
                .isInstanceOf(IllegalArgumentException.class)
                .message()
                .contains("'sslmode' is not an option; options are ", "ssl.mode")
                .contains("'port' must be between 1 and 65535, not 65536")
                .contains("'batch.rows' must be a whole number, not 'many'")
                .contains("'ssl.mode' verify-full needs 'ssl.root.cert'")
                .contains("'password' and 'password.file' are both given")
                .contains("'allow.timeline.change' must be true or false, not 'perhaps'")
                .contains("'slot' may have a-z, 0-9 and _ only")
                .contains("'publications' names nothing")
                .contains("'database' is missing")
                .satisfies(message -> assertThat(message.lines()).hasSize(10));
    }

    @Test
    void protectionsAreReadInTheirOrderAndNeedAKeyToHash() {
        String table =
                "{'schema': 's', 'table': 't', 'label': 'L', 'columns': {'b': 'hash', 'a': 'mask'}}";
        String protect = ("[" + table + "]").replace('\'', '"');
        Map<String, String> options = options("protect", protect, "hash.key.file", "/key");

        TableProtection read =
                PgOutputSourceConfig.of(options)
                        .protections()
                        .tables()
                        .get(new TableName("s", "t"));
        assertThat(read.columns())
                .containsExactly(entry("b", Protection.HASH), entry("a", Protection.MASK));
        assertThat(PgOutputSourceConfig.of(options()).protections().isEmpty()).isTrue();
        assertThatThrownBy(() -> PgOutputSource.of(options("protect", protect)))
                .hasMessageContaining("hashed columns, which need 'hash.key.file'");
        for (String bad : List.of("[", "[{}]", protect.replace("mask", "blur"))) {
            assertThatThrownBy(() -> PgOutputSource.of(options("protect", bad)))
                    .hasMessageContaining("'protect' cannot be read");
        }
    }

    @Test
    void aPasswordIsNeverShown() throws Exception {
        PgOutputSource source = PgOutputSource.of(options("password", "see no evil"));
        PgOutputSourceConfig config = PgOutputSourceConfig.of(options("password", "see no evil"));

        assertThat(
                        source.toString()
                                + config
                                + config.replication()
                                + config.replication().password())
                .contains("tidemark_shop")
                .doesNotContain("evil");
        assertThat(InstantiationUtil.clone(source).toString()).isEqualTo(source.toString());
    }
}
