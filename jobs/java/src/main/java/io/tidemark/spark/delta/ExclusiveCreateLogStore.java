package io.tidemark.spark.delta;

import io.delta.storage.HadoopFileSystemLogStore;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.Writer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Iterator;
import java.util.UUID;

/**
 * Commits to a Delta log on a local disk so that exactly one of several processes wins a version.
 *
 * <p>Delta's own LocalLogStore looks whether the file exists and then renames, under a lock of its
 * own JVM: two JVMs both look, both rename, and rename(2) replaces the first commit. Here the
 * commit is written and synced under a temporary name and then given its real name by link(2),
 * which fails when that name is taken.
 *
 * <p>Chosen by {@code spark.delta.logStore.file.impl}. The file system has to know hard links.
 */
public final class ExclusiveCreateLogStore extends HadoopFileSystemLogStore {

    /** Creates the store; Delta calls this by reflection. */
    public ExclusiveCreateLogStore(Configuration hadoopConf) {
        super(hadoopConf);
    }

    /**
     * Writes {@code actions}, one a line, whole or not at all.
     *
     * @throws FileAlreadyExistsException if {@code overwrite} is false and {@code path} exists
     */
    @Override
    public void write(
            Path path, Iterator<String> actions, Boolean overwrite, Configuration hadoopConf)
            throws IOException {
        java.nio.file.Path target =
                java.nio.file.Path.of(
                        resolvePathOnPhysicalStorage(path, hadoopConf).toUri().getPath());
        Files.createDirectories(target.getParent());
        java.nio.file.Path temporary = sibling(target, UUID.randomUUID() + ".tmp");
        try {
            writeAndSync(temporary, actions);
            if (overwrite) {
                // Hadoop's checksum of the replaced file would condemn the new one.
                Files.deleteIfExists(sibling(target, "crc"));
                Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
            } else {
                link(temporary, target);
            }
            sync(target.getParent());
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    /**
     * Says yes: other files of the log, such as checkpoints, are written in place and are to be
     * renamed.
     */
    @Override
    public Boolean isPartialWriteVisible(Path path, Configuration hadoopConf) {
        return true;
    }

    private static void writeAndSync(java.nio.file.Path file, Iterator<String> actions)
            throws IOException {
        try (FileChannel channel =
                        FileChannel.open(
                                file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
                Writer writer =
                        new BufferedWriter(Channels.newWriter(channel, StandardCharsets.UTF_8))) {
            while (actions.hasNext()) {
                writer.write(actions.next());
                writer.write('\n');
            }
            writer.flush();
            channel.force(true);
        }
    }

    private static void link(java.nio.file.Path temporary, java.nio.file.Path target)
            throws IOException {
        try {
            Files.createLink(target, temporary);
        } catch (FileAlreadyExistsException e) {
            // NFS repeats a request whose answer was lost, and then finds the name taken by
            // ourselves.
            if (!Files.isSameFile(temporary, target)) {
                throw e;
            }
        } catch (UnsupportedOperationException e) {
            throw noHardLinks(target, e);
        }
    }

    private static IOException noHardLinks(java.nio.file.Path target, Exception cause) {
        FileSystemException refusal =
                new FileSystemException(
                        target.toString(),
                        null,
                        "this file system has no hard links; put the lake on one that has, or on S3");
        refusal.initCause(cause);
        return refusal;
    }

    private static void sync(java.nio.file.Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static java.nio.file.Path sibling(java.nio.file.Path target, String suffix) {
        return target.resolveSibling("." + target.getFileName() + "." + suffix);
    }
}
