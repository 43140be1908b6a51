package io.tidemark.flink.pgoutput.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/** A TCP proxy that can fall silent after so many more bytes, with the connection left open. */
public final class StallingProxy implements AutoCloseable {
    private final ServerSocket listener = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
    private final int target;
    private final int chunk;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final AtomicLong allowance = new AtomicLong(Long.MAX_VALUE);

    /** Forwards at most {@code chunk} bytes at a time. */
    public StallingProxy(int target, int chunk) throws IOException {
        this.target = target;
        this.chunk = chunk;
        daemon(this::accept);
    }

    public int port() {
        return listener.getLocalPort();
    }

    /** The server's bytes after the next {@code bytes} go nowhere, on connections of now. */
    public void stallAfter(long bytes) {
        allowance.set(bytes);
    }

    private void accept() throws IOException {
        while (true) {
            Socket client = listener.accept();
            Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
            client.setTcpNoDelay(true); // small pieces are to arrive as such, and soon
            server.setTcpNoDelay(true);
            sockets.addAll(List.of(client, server));
            if (allowance.get() <= 0) {
                allowance.set(Long.MAX_VALUE); // the stalled connection was given up: be well again
            }
            daemon(() -> copy(client, server, new AtomicLong(Long.MAX_VALUE)));
            daemon(() -> copy(server, client, allowance));
        }
    }

    private void copy(Socket from, Socket to, AtomicLong allowed) throws IOException {
        byte[] buffer = new byte[chunk];
        InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream();
        boolean silent = false;
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            silent |= allowed.get() <= 0;
            if (!silent) {
                out.write(buffer, 0, (int) Math.min(n, allowed.getAndAdd(-n)));
            }
        }
        to.close();
    }

    private static void daemon(Work work) {
        Thread thread =
                new Thread(
                        () -> {
                            try {
                                work.run();
                            } catch (IOException e) {
                                // an end closed: that is how connections end here
                            }
                        });
        thread.setDaemon(true);
        thread.start();
    }

    private interface Work {
        void run() throws IOException;
    }

    @Override
    public void close() throws IOException {
        listener.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
