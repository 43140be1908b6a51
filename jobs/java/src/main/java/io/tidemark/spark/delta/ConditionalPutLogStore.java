package io.tidemark.spark.delta;

import static java.net.HttpURLConnection.HTTP_CONFLICT;

import io.delta.storage.HadoopFileSystemLogStore;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.s3a.AWSServiceIOException;

import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.util.Arrays;
import java.util.Iterator;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Commits to a Delta log on S3 so that exactly one of several drivers wins a version.
 *
 * <p>Delta's own store for S3 excludes writers within one JVM only; with three drivers it lost 100
 * of 180 acknowledged commits. Here S3 decides: a commit is one PUT with {@code If-None-Match: *}.
 *
 * <p>A PUT that fails may have arrived: the answer was lost, or the client repeated the request by
 * itself and the second met the first. So every failure is settled by reading the object back. Ours
 * means success, another's means that the version is taken. No two commits are the same bytes, as
 * Delta writes a random transaction id into each.
 *
 * <p>Chosen by {@code spark.delta.logStore.s3.impl} and {@code spark.delta.logStore.s3a.impl}.
 * Needs S3A of Hadoop 3.4.2 or newer, and a store that honours conditional PUT.
 */
public final class ConditionalPutLogStore extends HadoopFileSystemLogStore {
    // Options.CREATE_CONDITIONAL_OVERWRITE; `must` refuses on an S3A that does not know it.
    private static final String ONLY_IF_ABSENT = "fs.option.create.conditional.overwrite";
    // S3 answers 409, and wants the request again, when another request for the key is under way.
    private static final int ATTEMPTS = 5;
    private static final long PAUSE_MILLIS = 200;

    /** Creates the store; Delta calls this by reflection. */
    public ConditionalPutLogStore(Configuration hadoopConf) {
        super(hadoopConf);
    }

    /**
     * Writes {@code actions}, one a line, whole or not at all.
     *
     * @throws FileAlreadyExistsException if {@code overwrite} is false and another writer's {@code
     *     path} exists
     * @throws IOException if S3 does not answer; the commit may then still arrive
     */
    @Override
    public void write(
            Path path, Iterator<String> actions, Boolean overwrite, Configuration hadoopConf)
            throws IOException {
        FileSystem s3 = path.getFileSystem(hadoopConf);
        byte[] commit = join(actions);
        if (overwrite) {
            put(s3.createFile(path).overwrite(true), commit);
        } else {
            putIfAbsent(s3, path, commit);
        }
    }

    /** Says no: an object appears when its upload is complete. */
    @Override
    public Boolean isPartialWriteVisible(Path path, Configuration hadoopConf) {
        return false;
    }

    private static void putIfAbsent(FileSystem s3, Path path, byte[] commit) throws IOException {
        for (int attempt = 1; ; attempt++) {
            try {
                put(onlyIfAbsent(s3.createFile(path).overwrite(true)), commit);
                return;
            } catch (IOException failure) {
                if (arrived(s3, path, commit, failure)) {
                    return;
                }
                if (attempt == ATTEMPTS || !isConflict(failure)) {
                    throw failure;
                }
                pause(failure);
            }
        }
    }

    private static FSDataOutputStreamBuilder<?, ?> onlyIfAbsent(
            FSDataOutputStreamBuilder<?, ?> builder) {
        builder.must(ONLY_IF_ABSENT, true);
        return builder;
    }

    private static void put(FSDataOutputStreamBuilder<?, ?> builder, byte[] commit)
            throws IOException {
        FSDataOutputStream out = builder.build();
        try {
            out.write(commit);
        } catch (IOException | RuntimeException e) {
            out.abort(); // close() would upload what has been written so far
            throw e;
        }
        out.close();
    }

    /**
     * Finds whose commit stands at {@code path}: true if ours, false if none, an exception if
     * another's.
     */
    private static boolean arrived(FileSystem s3, Path path, byte[] commit, IOException failure)
            throws IOException {
        byte[] found;
        try (InputStream in = s3.open(path)) {
            found = in.readNBytes(commit.length + 1);
        } catch (FileNotFoundException e) {
            return false;
        } catch (IOException e) {
            failure.addSuppressed(e);
            throw failure;
        }
        if (Arrays.equals(found, commit)) {
            return true;
        }
        throw (FileAlreadyExistsException)
                new FileAlreadyExistsException(path.toString()).initCause(failure);
    }

    private static boolean isConflict(IOException failure) {
        return failure instanceof AWSServiceIOException answer
                && answer.statusCode() == HTTP_CONFLICT;
    }

    private static void pause(IOException failure) throws IOException {
        try {
            Thread.sleep(ThreadLocalRandom.current().nextLong(PAUSE_MILLIS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failure;
        }
    }

    private static byte[] join(Iterator<String> actions) {
        ByteArrayOutputStream lines = new ByteArrayOutputStream();
        while (actions.hasNext()) {
            lines.writeBytes(actions.next().getBytes(StandardCharsets.UTF_8));
            lines.write('\n');
        }
        return lines.toByteArray();
    }
}
