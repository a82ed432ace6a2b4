package testfleet.junit;

import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/** A pristine copy of a server that nobody else has until it is closed. */
public final class LeasedServer extends Server implements AutoCloseable {
    private final LenderConnection connection;
    private final String lease;
    private final AtomicBoolean isReleased = new AtomicBoolean();
    private final String copy;
    private final String session;
    private final String isolation;
    private final String database;

    private LeasedServer(String name, Map<String, Object> answer, LenderConnection connection) {
        super(name, answer);
        this.connection = connection;
        lease = text(answer, "lease");
        copy = text(answer, "copy");
        session = text(answer, "session");
        isolation = text(answer, "isolation");
        database = answer.get("database") instanceof String text ? text : null;
    }

    /** Leases a server over a new connection: its end gives the lease back, and other threads need not wait for it. */
    static LeasedServer take(String name, String lender, long timeoutMs) {
        LenderConnection connection = LenderConnection.open(lender);
        try {
            String request = "\"lease\":" + Json.quote(name) + ",\"timeoutMs\":" + Math.max(1, timeoutMs);
            Map<String, Object> answer = connection.ask(request, timeoutMs);
            LeasedServer leased = new LeasedServer(name, answer, connection);
            if (answer.get("warning") instanceof String warning) System.err.println("warning: " + warning);
            return leased;
        } catch (RuntimeException error) {
            connection.close();
            throw error;
        }
    }

    /** Name of the copy in its session, such as {@code db-2}. */
    public String copy() {
        return copy;
    }

    /** Session of the copy, for {@code testfleet logs --session}. */
    public String session() {
        return session;
    }

    /** {@code container}, {@code reset} or {@code database}. */
    public String isolation() {
        return isolation;
    }

    /** Name of its database for {@code isolation: database}, or null. */
    public String database() {
        return database;
    }

    boolean isReleased() {
        return isReleased.get();
    }

    /** Gives the server back. A second call does nothing. */
    @Override
    public void close() {
        if (isReleased.getAndSet(true)) return;
        try (connection) {
            connection.ask("\"release\":" + Json.quote(lease), 0);
        } catch (LenderConnection.LenderGone error) {
            // With the lender, the lease has ended, too.
        }
    }
}
