package testfleet.junit;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A running fleet. It is removed after the end of the process that holds it, or by {@link #down}. */
public final class RunningFleet {
    private static final Duration DOWN_TIMEOUT = Duration.ofMinutes(5);
    private static final long LEASE_TIMEOUT_MS = 60_000;

    private final Command command;
    private final List<String> words = new ArrayList<>();
    /** A lender that is started later does not change it. */
    private final Instant readyAt;
    private volatile State state;

    private record State(
            String session, String domain, Map<String, Server> servers, Map<String, String> environment) {}

    RunningFleet(Command command, long process, String session, List<String> servers) {
        this.command = command;
        words.addAll(List.of("share", "--pid", String.valueOf(process)));
        if (!session.isEmpty()) words.addAll(List.of("--session", session));
        words.addAll(servers);
        state = read(command.json(words, Command.CALL_TIMEOUT));
        readyAt = Instant.now();
    }

    /** Starts or joins the fleet of a fleet file outside of JUnit. With an empty name, the command looks for the file. */
    public static RunningFleet open(String file) {
        return open(file, ProcessHandle.current().pid());
    }

    /** As {@link #open(String)}; {@code process} is the process that holds the session. */
    public static RunningFleet open(String file, long process) {
        Command command = new Command(Path.of(""), file, true, System.getenv());
        return new RunningFleet(command, process, "", List.of());
    }

    private static State read(Map<String, Object> document) {
        Map<String, Server> servers = new LinkedHashMap<>();
        Server.members(document, "servers").forEach((name, fields) -> servers.put(name, new Server(name, Json.object(fields))));
        return new State(
                Server.text(document, "session"),
                Server.text(document, "domain"),
                servers,
                Server.variables(document, "environment"));
    }

    /** Returns a server. */
    public Server server(String name) {
        Server server = state.servers.get(name);
        if (server != null) return server;
        String known = Server.list(state.servers.keySet());
        throw new TestfleetException("UNKNOWN_SERVER", "the fleet has no server \"" + name + "\"; it has: " + known, null);
    }

    /** All servers by name. */
    public Map<String, Server> servers() {
        return Map.copyOf(state.servers);
    }

    /** Name of the session, for {@code testfleet logs --session}. */
    public String session() {
        return state.session;
    }

    /** Domain of the servers, such as {@code shop.test}. */
    public String domain() {
        return state.domain;
    }

    /** Variables for programs that use the fleet. */
    public Map<String, String> environment() {
        return state.environment;
    }

    /** Returns a pristine copy of a server, which the caller closes. Waits for at most a minute until one is free. */
    public LeasedServer lease(String name) {
        return lease(name, LEASE_TIMEOUT_MS);
    }

    /** As {@link #lease(String)}, with another limit for the wait. */
    public LeasedServer lease(String name, long timeoutMs) {
        server(name);
        try {
            return LeasedServer.take(name, lender(), timeoutMs);
        } catch (LenderConnection.LenderGone error) {
            // It starts with the first lease, and ends when nobody has leased for a while.
            List<String> again = new ArrayList<>(words);
            again.add("--lender");
            state = read(command.json(again, Command.CALL_TIMEOUT));
            return LeasedServer.take(name, lender(), timeoutMs);
        }
    }

    private String lender() {
        return state.environment.getOrDefault("TESTFLEET_LENDER", "");
    }

    /** Removes the servers, even if others still use them. */
    public void down() {
        command.json(List.of("down", "--session", session(), "--force", "--quiet"), DOWN_TIMEOUT);
    }

    Command command() {
        return command;
    }

    Instant readyAt() {
        return readyAt;
    }
}
