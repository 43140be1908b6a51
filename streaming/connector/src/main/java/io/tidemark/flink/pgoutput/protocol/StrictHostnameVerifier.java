package io.tidemark.flink.pgoutput.protocol;

import org.postgresql.ssl.PGjdbcHostnameVerifier;

import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.SSLSession;

/**
 * Ends the stream when the certificate names another server.
 *
 * <p>pgjdbc alone reports it as a lost connection, in the JVM's language: that would be tried again
 * and again. pgjdbc makes the instance, from the name of the class.
 */
public final class StrictHostnameVerifier implements HostnameVerifier {

    @Override
    public boolean verify(String host, SSLSession session) {
        PermanentException.require(
                PGjdbcHostnameVerifier.INSTANCE.verify(host, session),
                Reason.TLS_UNTRUSTED,
                "the server's certificate is not for " + host);
        return true;
    }
}
