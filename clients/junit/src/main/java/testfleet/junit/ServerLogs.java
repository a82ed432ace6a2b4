package testfleet.junit;

import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the servers logged while a test ran. */
final class ServerLogs {
    /** Of a longer log, the end is shown, for each server. */
    static final int MAX_CHARACTERS = 64 * 1024;
    private static final int MAX_LINES = 1000;
    private static final Duration TIMEOUT = Duration.ofSeconds(20);
    /** A line reaches the engine a little later than the answer that goes with it. */
    private static final long SETTLE_MS = 100;
    private static final Pattern LINE = Pattern.compile("(\\S+) \\| ((\\S+) ?.*)");

    private ServerLogs() {}

    /** Returns what the servers logged since then, leased copies included, and which servers do not run. */
    static String describe(RunningFleet fleet, List<LeasedServer> leases, Instant begin) {
        Instant since = begin.isBefore(fleet.readyAt()) ? fleet.readyAt() : begin;
        settle();
        StringBuilder text = new StringBuilder();
        addStopped(fleet, text);
        addLogs(fleet, fleet.session(), List.of(), since, text);
        for (LeasedServer lease : leases) {
            // A leased database is in the session's own server.
            if (lease.session().equals(fleet.session())) continue;
            addLogs(fleet, lease.session(), List.of(lease.copy()), since, text);
        }
        String session = " during this test (session " + fleet.session() + ")";
        return text.isEmpty() ? "servers logged nothing" + session : "servers" + session + ":\n" + text;
    }

    private static void settle() {
        try {
            Thread.sleep(SETTLE_MS);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
    }

    private static void addLogs(RunningFleet fleet, String session, List<String> servers, Instant since, StringBuilder text) {
        Map<String, End> logs = new LinkedHashMap<>();
        List<String> words = new ArrayList<>(List.of("logs", "--session", session, "--timestamps"));
        // The command takes whole seconds.
        words.addAll(List.of("--since", since.truncatedTo(ChronoUnit.SECONDS).toString(), "--tail", String.valueOf(MAX_LINES)));
        words.addAll(servers);
        boolean isWhole = fleet.command().lines(words, line -> {
            Matcher found = LINE.matcher(line);
            // A long line comes in parts, which have no time.
            if (!found.matches() || !isSince(found.group(3), since)) return;
            logs.computeIfAbsent(found.group(1), server -> new End()).add(found.group(2));
        }, TIMEOUT);
        if (!isWhole) logs.computeIfAbsent(session, name -> new End()).add("The logs could not be read to their end.");
        logs.forEach((server, log) -> {
            text.append(server).append(log.isCut ? ": (its end)\n" : ":\n");
            log.lines.forEach(line -> text.append("  ").append(line).append('\n'));
        });
    }

    private static boolean isSince(String time, Instant since) {
        try {
            return !OffsetDateTime.parse(time).toInstant().isBefore(since);
        } catch (DateTimeParseException error) {
            return false;
        }
    }

    private static void addStopped(RunningFleet fleet, StringBuilder text) {
        Map<String, Object> document;
        try {
            document = fleet.command().json(List.of("ps", "--session", fleet.session()), TIMEOUT);
        } catch (TestfleetException error) {
            text.append(error.getMessage()).append('\n');
            return;
        }
        Json.object(document.get("servers")).forEach((name, value) -> {
            Map<String, Object> server = Json.object(value);
            if (List.of("ready", "completed").contains(String.valueOf(server.get("state")))) return;
            text.append(name).append(" is ").append(server.get("state"));
            if (server.get("exitCode") instanceof Double code) text.append(", with code ").append(code.intValue());
            if (Boolean.TRUE.equals(server.get("outOfMemory"))) text.append(", killed for memory");
            text.append('\n');
        });
    }

    /** The end of a log. */
    private static final class End {
        private final Deque<String> lines = new ArrayDeque<>();
        private int length;
        private boolean isCut;

        void add(String line) {
            lines.add(line);
            length += line.length() + 1;
            while (length > MAX_CHARACTERS && lines.size() > 1) {
                length -= lines.remove().length() + 1;
                isCut = true;
            }
        }
    }
}
