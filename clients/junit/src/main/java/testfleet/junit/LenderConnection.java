package testfleet.junit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A connection to the process that lends servers: JSON, one object a line, as docs/leases.md says. */
final class LenderConnection implements AutoCloseable {
    /** Longest answer of the lender. */
    static final int MAX_ANSWER_BYTES = 4 * 1024 * 1024;
    /** Time for the connection, and how much later than promised an answer may come. */
    private static final long GRACE_MS = 30_000;

    private final SocketChannel socket;

    /** No lender answers. */
    static final class LenderGone extends TestfleetException {
        private static final long serialVersionUID = 1;

        LenderGone(String message) {
            super("LENDER_LOST", message, "Lease again: the next lease starts a new lender.");
        }
    }

    private LenderConnection(SocketChannel socket) {
        this.socket = socket;
    }

    static LenderConnection open(String path) {
        return open(path, GRACE_MS);
    }

    /** A lender that hangs accepts no connections, and the system waits for it without a limit. */
    static LenderConnection open(String path, long limitMs) {
        try {
            SocketChannel socket = SocketChannel.open(StandardProtocolFamily.UNIX);
            try {
                CompletableFuture<Void> connected = new CompletableFuture<>();
                connected.orTimeout(limitMs, TimeUnit.MILLISECONDS).whenComplete((none, late) -> {
                    if (late != null) close(socket);
                });
                try {
                    socket.connect(UnixDomainSocketAddress.of(path));
                } finally {
                    if (!connected.complete(null)) throw new LenderGone("the lender accepts no connection");
                }
                socket.configureBlocking(false);
                return new LenderConnection(socket);
            } catch (IOException | RuntimeException error) {
                socket.close();
                throw error;
            }
        } catch (IOException | UnsupportedOperationException | IllegalArgumentException error) {
            throw new LenderGone("the lender cannot be reached: " + error.getMessage());
        }
    }

    /** Returns the answer to a request. {@code waitMs} is how long the lender itself may wait. */
    Map<String, Object> ask(String fields, long waitMs) {
        Object answer;
        try {
            long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMs + GRACE_MS);
            send(ByteBuffer.wrap(("{\"id\":1," + fields + "}\n").getBytes(StandardCharsets.UTF_8)), deadline);
            answer = Json.read(readLine(deadline));
        } catch (IOException | IllegalArgumentException error) {
            throw new LenderGone("the lender has ended");
        }
        if (!(answer instanceof Map<?, ?>)) throw new LenderGone("the lender has ended");
        Map<String, Object> object = Json.object(answer);
        if (object.containsKey("error")) throw TestfleetException.from(object.get("error"), "");
        return object;
    }

    private void send(ByteBuffer request, long deadline) throws IOException {
        try (Selector selector = Selector.open()) {
            socket.register(selector, SelectionKey.OP_WRITE);
            while (request.hasRemaining()) {
                if (socket.write(request) == 0) waitFor(selector, deadline);
            }
        }
    }

    private String readLine(long deadline) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        ByteBuffer part = ByteBuffer.allocate(64 * 1024);
        try (Selector selector = Selector.open()) {
            socket.register(selector, SelectionKey.OP_READ);
            while (true) {
                waitFor(selector, deadline);
                int count = socket.read(part.clear());
                if (count < 0 || line.size() + count > MAX_ANSWER_BYTES) throw new IOException("no answer");
                line.write(part.array(), 0, count);
                if (count > 0 && part.array()[count - 1] == '\n') return line.toString(StandardCharsets.UTF_8);
            }
        }
    }

    /** {@code @Timeout} of JUnit interrupts a test. */
    private void waitFor(Selector selector, long deadline) throws IOException {
        long leftMs = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (leftMs > 0) selector.select(leftMs);
        if (Thread.currentThread().isInterrupted()) {
            throw new TestfleetException("CANCELLED", "the wait for a lease was interrupted", null);
        }
        if (leftMs <= 0) throw new TestfleetException("TIMED_OUT", "the lender has not answered in time", null);
        selector.selectedKeys().clear();
    }

    @Override
    public void close() {
        close(socket);
    }

    private static void close(SocketChannel socket) {
        try {
            socket.close();
        } catch (IOException error) {
            // It is closed even so, and the lender sees that.
        }
    }
}
