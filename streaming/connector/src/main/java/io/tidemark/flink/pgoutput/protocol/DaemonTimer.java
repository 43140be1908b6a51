package io.tidemark.flink.pgoutput.protocol;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Repeats a task on a thread of its own, which keeps no JVM alive. */
final class DaemonTimer {
    private final ScheduledExecutorService executor;

    DaemonTimer(String threadName) {
        executor =
                Executors.newSingleThreadScheduledExecutor(
                        task -> {
                            Thread thread = new Thread(task, threadName);
                            thread.setDaemon(true);
                            return thread;
                        });
    }

    /** The task must handle its own errors: one that escapes ends the repetition. */
    @SuppressWarnings("FutureReturnValueIgnored")
    void repeat(Runnable task, Duration interval) {
        executor.scheduleWithFixedDelay(task, 0, interval.toMillis(), TimeUnit.MILLISECONDS);
    }

    void stop() {
        executor.shutdownNow();
    }

    /** Stops after a last task, which runs on the same thread as the others. */
    void stop(Runnable last) {
        executor.execute(last);
        executor.shutdown();
    }
}
