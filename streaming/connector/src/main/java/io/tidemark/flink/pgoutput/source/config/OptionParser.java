package io.tidemark.flink.pgoutput.source.config;

import org.apache.flink.configuration.ConfigOption;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Reads options from strings and collects every problem instead of stopping at the first. */
final class OptionParser {
    private final Map<String, String> values;
    private final List<String> problems = new ArrayList<>();

    OptionParser(Map<String, String> values) {
        this.values = values;
        Set<String> known =
                PgOutputSourceOptions.all().stream()
                        .map(ConfigOption::key)
                        .collect(Collectors.toCollection(TreeSet::new));
        new TreeSet<>(values.keySet())
                .stream()
                        .filter(key -> !known.contains(key))
                        .forEach(
                                key ->
                                        problem(
                                                "'"
                                                        + key
                                                        + "' is not an option; options are "
                                                        + String.join(", ", known)));
    }

    void problem(String problem) {
        problems.add(problem);
    }

    void finish() {
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException(
                    "pgoutput source options:\n  - " + String.join("\n  - ", problems));
        }
    }

    boolean has(ConfigOption<?> option) {
        return values.get(option.key()) != null;
    }

    /** Null when there is neither a value nor a default. */
    String optional(ConfigOption<String> option) {
        return values.getOrDefault(option.key(), option.defaultValue());
    }

    String required(ConfigOption<String> option) {
        String value = optional(option);
        if (value == null || value.isBlank()) {
            problem("'" + option.key() + "' is missing");
            return "";
        }
        return value;
    }

    List<String> list(ConfigOption<String> option) {
        List<String> names =
                Arrays.stream(required(option).split(","))
                        .map(String::trim)
                        .filter(name -> !name.isEmpty())
                        .distinct()
                        .toList();
        if (names.isEmpty() && has(option) && !values.get(option.key()).isBlank()) {
            problem("'" + option.key() + "' names nothing");
        }
        return names;
    }

    String oneOf(ConfigOption<String> option, List<String> allowed) {
        String value = required(option);
        if (!allowed.contains(value)) {
            problem("'" + option.key() + "' must be one of " + allowed + ", not '" + value + "'");
        }
        return value;
    }

    int integer(ConfigOption<Integer> option, int from, int to) {
        return (int) number(option.key(), option.defaultValue(), from, to);
    }

    Duration millis(ConfigOption<Long> option, long from) {
        return Duration.ofMillis(
                number(option.key(), option.defaultValue(), from, Integer.MAX_VALUE));
    }

    private long number(String key, long byDefault, long from, long to) {
        long value = parse(key, byDefault, Long::valueOf, "a whole number");
        if (value < from || value > to) {
            problem("'" + key + "' must be between " + from + " and " + to + ", not " + value);
        }
        return value;
    }

    boolean bool(ConfigOption<Boolean> option) {
        return parse(
                option.key(), option.defaultValue(), OptionParser::parseBoolean, "true or false");
    }

    private static Boolean parseBoolean(String text) {
        return switch (text) { // Python says True
            case "true", "True" -> true;
            case "false", "False" -> false;
            default -> throw new IllegalArgumentException(text);
        };
    }

    private <T> T parse(String key, T byDefault, Function<String, T> parser, String expected) {
        String text = values.get(key);
        if (text == null) {
            return byDefault;
        }
        try {
            return parser.apply(text.trim());
        } catch (IllegalArgumentException e) {
            problem("'" + key + "' must be " + expected + ", not '" + text + "'");
            return byDefault;
        }
    }
}
