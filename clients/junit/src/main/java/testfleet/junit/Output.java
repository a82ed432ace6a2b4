package testfleet.junit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** What a program prints to one of its streams. */
final class Output {
    /** A longer line comes in parts. */
    static final int MAX_LINE_BYTES = 64 * 1024;
    /** Time for what is still in a pipe when the program has ended. What it has started may keep the pipe open for ever. */
    private static final long DRAIN_MS = 2000;

    private final CompletableFuture<Void> end;

    private Output(CompletableFuture<Void> end) {
        this.end = end;
    }

    interface Reader {
        void read(InputStream stream) throws IOException;
    }

    /** Reads a stream in a thread. */
    static Output read(InputStream stream, Reader reader) {
        CompletableFuture<Void> end = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try (stream) {
                reader.read(stream);
            } catch (IOException | RuntimeException error) {
                // The call has ended.
            }
            end.complete(null);
        }, "testfleet");
        thread.setDaemon(true);
        thread.start();
        return new Output(end);
    }

    /** Gives each line of a stream to {@code take}. */
    static void readLines(InputStream stream, Consumer<String> take) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        byte[] part = new byte[MAX_LINE_BYTES];
        for (int count = stream.read(part); count >= 0; count = stream.read(part)) {
            for (int at = 0; at < count; at++) {
                if (part[at] != '\n') line.write(part[at]);
                if (part[at] == '\n' || line.size() == MAX_LINE_BYTES) take(line, take);
            }
        }
        if (line.size() > 0) take(line, take);
    }

    private static void take(ByteArrayOutputStream line, Consumer<String> take) {
        take.accept(line.toString(StandardCharsets.UTF_8));
        line.reset();
    }

    /** Waits until everything is read, or until the time after the end of the program is over. */
    void drain() throws InterruptedException {
        try {
            end.get(DRAIN_MS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException error) {
            // The thread ends with the program that has the pipe.
        }
    }
}
