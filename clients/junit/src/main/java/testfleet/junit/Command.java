package testfleet.junit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The command testfleet in a folder, as docs/wire.md says. */
final class Command {
    /** The command gives up before, after 30 minutes. */
    static final Duration CALL_TIMEOUT = Duration.ofMinutes(31);
    /** Longest answer that is read. */
    private static final int MAX_ANSWER_BYTES = 16 * 1024 * 1024;
    /** Longest message of a failure that is kept. */
    static final int MAX_TOLD_CHARACTERS = 1024 * 1024;
    /** After SIGTERM, the command removes what it has started. */
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
        Told told = new Told();
        Answer answer = new Answer();
        int exitCode = call(words, "--json", timeout, answer::read, error -> Output.readLines(error, told::add));
        String text = told.failure();
        Map<String, Object> document = answer.document();
        if (document.containsKey("error")) throw TestfleetException.from(document.get("error"), text);
        if (exitCode == 0 && answer.isDocument) return document;
        String message = "testfleet " + words.get(0) + " ended with exit code " + exitCode + " and no answer";
        throw TestfleetException.from(Map.of("message", message), text);
    }

    /** Gives each line that a call prints to {@code take}. Returns whether the call succeeded in time. */
    boolean lines(List<String> words, Consumer<String> take, Duration timeout) {
        try {
            return call(words, "--quiet", timeout, output -> Output.readLines(output, take), error -> Output.readLines(error, line -> {})) == 0;
        } catch (TestfleetException error) {
            return false;
        }
    }

    private int call(List<String> words, String last, Duration timeout, Output.Reader output, Output.Reader error) {
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
            Output read = Output.read(process.getInputStream(), output);
            Output told = Output.read(process.getErrorStream(), error);
            if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
                end(process);
                throw new TestfleetException("TIMED_OUT", "testfleet " + words.get(0) + " took too long", LATE_HINT);
            }
            read.drain();
            told.drain();
            return process.exitValue();
        } catch (InterruptedException interruption) {
            end(process);
            Thread.currentThread().interrupt();
            throw new TestfleetException("CANCELLED", "testfleet " + words.get(0) + " was interrupted", null);
        } finally {
            removeHook(hook);
        }
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

    /** Passes progress on, and keeps the message of a failure, which is the end of what the command prints. */
    private static final class Told {
        private final StringBuilder failure = new StringBuilder();

        synchronized void add(String line) {
            if (failure.length() == 0 && !line.startsWith("error: ")) {
                System.err.println(line);
                return;
            }
            failure.append(line).append('\n');
            failure.setLength(Math.min(failure.length(), MAX_TOLD_CHARACTERS));
        }

        synchronized String failure() {
            return failure.toString().stripTrailing();
        }
    }

    /** The document on standard output. */
    private static final class Answer {
        /** What has been read: another program may keep standard output open. */
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private boolean isDocument;

        void read(InputStream stream) throws IOException {
            byte[] part = new byte[64 * 1024];
            for (int count = stream.read(part); count >= 0 && bytes.size() <= MAX_ANSWER_BYTES; count = stream.read(part)) {
                bytes.write(part, 0, count);
            }
        }

        Map<String, Object> document() {
            if (bytes.size() > MAX_ANSWER_BYTES) return Map.of();
            try {
                Object value = Json.read(bytes.toString(StandardCharsets.UTF_8));
                isDocument = value instanceof Map<?, ?>;
                return Json.object(value);
            } catch (IllegalArgumentException error) {
                return Map.of();
            }
        }
    }
}
