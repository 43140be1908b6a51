package io.tidemark.spark.delta;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.util.Iterator;
import java.util.List;

/**
 * One of several processes that commit to the same log; prints each commit that it was told it had
 * won.
 */
final class CommittingProcess {
    private CommittingProcess() {}

    /**
     * Commits {@code args[2]} times as writer {@code args[1]} to the log {@code args[0]}, once a
     * line comes in.
     */
    public static void main(String[] args) throws IOException {
        Configuration conf = new Configuration(false);
        ExclusiveCreateLogStore store = new ExclusiveCreateLogStore(conf);
        Path log = new Path(args[0]);
        System.out.println("ready");
        int started = System.in.read();
        for (int i = 0; started >= 0 && i < Integer.parseInt(args[2]); i++) {
            String commit = args[1] + ":" + i;
            System.out.println(version(store, log, commit, conf) + " " + commit);
        }
    }

    private static long version(
            ExclusiveCreateLogStore store, Path log, String commit, Configuration conf)
            throws IOException {
        for (long version = next(store, log, conf); ; version++) {
            try {
                store.write(file(log, version), List.of(commit).iterator(), false, conf);
                return version;
            } catch (FileAlreadyExistsException lost) {
                // another process has it: the next version is tried
            }
        }
    }

    private static long next(ExclusiveCreateLogStore store, Path log, Configuration conf)
            throws IOException {
        long next = 0;
        for (Iterator<FileStatus> found = store.listFrom(file(log, 0), conf); found.hasNext(); ) {
            String name = found.next().getPath().getName();
            next = name.startsWith(".") ? next : Long.parseLong(name.substring(0, 20)) + 1;
        }
        return next;
    }

    static Path file(Path log, long version) {
        return new Path(log, String.format("%020d.json", version));
    }
}
