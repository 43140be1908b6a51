package io.tidemark.flink.pgoutput.protocol;

import java.io.Serializable;
import java.time.Duration;
import java.util.List;

/**
 * Where to connect, what to read, and how patient to be.
 *
 * @param sslRootCert PEM file, or {@code system} for the JVM's trust store, or null
 * @param socketTimeout how long one read may wait inside a message
 * @param statusInterval how often feedback goes to the server
 * @param walEndInterval how often the server is asked for the end of its log, zero for never
 */
public record ReplicationOptions(
        String host,
        int port,
        String database,
        String user,
        Password password,
        String sslMode,
        String sslRootCert,
        String slot,
        List<String> publications,
        Duration socketTimeout,
        Duration statusInterval,
        Duration walEndInterval,
        boolean allowTimelineChange)
        implements Serializable {

    @Override
    public String toString() {
        return user
                + "@"
                + host
                + ":"
                + port
                + "/"
                + database
                + " slot "
                + slot
                + " publications "
                + publications;
    }
}
