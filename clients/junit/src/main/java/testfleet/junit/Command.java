package testfleet.junit;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The command testfleet in a folder, as docs/wire.md says. */
final class Command {
    /** The command gives up before, after 30 minutes. */
    static final Duration CALL_TIMEOUT = Duration.ofMinutes(31);
    /** Longest answer that is read. */
    private static final int MAX_ANSWER_BYTES = 16 * 1024 * 1024;
    /** After an interruption, the command removes what it has started. */
    private static final long CLEAN_UP_S = 60;
    private static final String LATE_HINT = "Run `testfleet doctor`, which checks the engine.";

    private final String path;
    private final Path folder;
    private final List<String> fileOption;
    private final boolean isShared;

    /** {@code isShared}: whether the session that TESTFLEET_SESSION names is joined. */
    Command(Path folder, String file, boolean isShared, Map<String, String> environment) {
        this.folder = folder.toAbsolutePath();
        this.isShared = isShared;
        path = Paths.findCommand(this.folder, environment);
        fileOption = file.isEmpty() ? List.of() : List.of("--file", Paths.findFleetFile(this.folder, file));
    }

    /** Returns the document that a call prints. Progress goes to standard error. */
    Map<String, Object> json(List<String> words, Duration timeout) {
        List<String> told = Collections.synchronizedList(new ArrayList<>());
        Answer answer = new Answer();
        int exitCode = call(words, "--json", timeout, answer::read, error -> readLines(error, line -> {
            if (!told.isEmpty() || line.startsWith("error: ")) told.add(line);
            else System.err.println(line);
        }));
        String text = String.join("\n", told);
        Map<String, Object> document = answer.document();
        if (document.containsKey("error")) throw TestfleetException.from(document.get("error"), text);
        if (exitCode == 0 && answer.isDocument) return document;
        String message = "testfleet " + words.get(0) + " ended with exit code " + exitCode + " and no answer";
        throw TestfleetException.from(Map.of("message", message), text);
    }

    /** Gives each line that a call prints to {@code take}. Returns whether the call succeeded in time. */
    boolean lines(List<String> words, Consumer<String> take, Duration timeout) {
        try {
            return call(words, "--quiet", timeout, output -> readLines(output, take), error -> readLines(error, line -> {})) == 0;
        } catch (TestfleetException error) {
            return false;
        }
    }

    private interface Reader {
        void read(InputStream stream) throws IOException;
    }

    private int call(List<String> words, String last, Duration timeout, Reader output, Reader error) {
        List<String> line = new ArrayList<>(List.of(path));
        line.addAll(words);
        line.addAll(fileOption);
        line.add(last);
        ProcessBuilder builder = new ProcessBuilder(line).directory(folder.toFile());
        if (!isShared) builder.environment().remove("TESTFLEET_SESSION");
        builder.redirectInput(ProcessBuilder.Redirect.from(Paths.nothing()));
        Process process;
        try {
            process = builder.start();
        } catch (IOException failure) {
            throw new TestfleetException(
                    "COMMAND_MISSING",
                    path + " cannot be started: " + failure.getMessage(),
                    "Install testfleet again, or set TESTFLEET_BIN to the path of the command.");
        }
        // A JVM that is ended while it waits.
        Thread hook = new Thread(() -> end(process));
        addHook(hook);
        try {
            CompletableFuture<Void> read = read(process.getInputStream(), output);
            CompletableFuture<Void> told = read(process.getErrorStream(), error);
            if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
                throw new TestfleetException("TIMED_OUT", "testfleet " + words.get(0) + " took too long", LATE_HINT);
            }
            CompletableFuture.allOf(read, told).join();
            return process.exitValue();
        } catch (InterruptedException interruption) {
            end(process);
            Thread.currentThread().interrupt();
            throw new TestfleetException("CANCELLED", "testfleet " + words.get(0) + " was interrupted", null);
        } finally {
            removeHook(hook);
        }
    }

    private static CompletableFuture<Void> read(InputStream stream, Reader reader) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try (stream) {
                reader.read(stream);
            } catch (IOException | RuntimeException error) {
                // The call has ended.
            }
            done.complete(null);
        }, "testfleet");
        thread.setDaemon(true);
        thread.start();
        return done;
    }

    private static void readLines(InputStream stream, Consumer<String> take) throws IOException {
        BufferedReader lines = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) take.accept(line);
    }

    private static void addHook(Thread hook) {
        try {
            Runtime.getRuntime().addShutdownHook(hook);
        } catch (IllegalStateException error) {
            // This JVM already ends.
        }
    }

    private static void removeHook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException error) {
            // This JVM already ends.
        }
    }

    /** Sends SIGTERM, and waits until the command has removed what it has started. */
    private static void end(Process process) {
        process.destroy();
        boolean wasInterrupted = Thread.interrupted();
        try {
            if (!process.waitFor(CLEAN_UP_S, TimeUnit.SECONDS)) process.destroyForcibly();
        } catch (InterruptedException error) {
            process.destroyForcibly();
        }
        if (wasInterrupted) Thread.currentThread().interrupt();
    }

    /** The document on standard output. */
    private static final class Answer {
        private volatile byte[] bytes = {};
        private boolean isDocument;

        void read(InputStream stream) throws IOException {
            bytes = stream.readNBytes(MAX_ANSWER_BYTES + 1);
        }

        Map<String, Object> document() {
            if (bytes.length > MAX_ANSWER_BYTES) return Map.of();
            try {
                Object value = Json.read(new String(bytes, StandardCharsets.UTF_8));
                isDocument = value instanceof Map<?, ?>;
                return Json.object(value);
            } catch (IllegalArgumentException error) {
                return Map.of();
            }
        }
    }
}
