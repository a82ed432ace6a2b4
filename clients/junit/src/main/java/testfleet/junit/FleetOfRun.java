package testfleet.junit;

import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.extension.ExtensionContext.Store.CloseableResource;

/** A fleet in a store of JUnit, which closes it after the last test of its scope. */
final class FleetOfRun implements CloseableResource {
    private final Fleet options;
    private final String scope;
    private RunningFleet fleet;
    private FleetProperties properties;
    private RuntimeException failure;
    private boolean isOwn;

    /** {@code scope} is the name of the class for which the fleet is made. */
    FleetOfRun(Fleet options, String scope) {
        this.options = options;
        this.scope = scope;
    }

    /** Starts or joins the fleet. Each test of a fleet that cannot start fails in the same way. */
    synchronized RunningFleet open() {
        if (failure != null) throw failure;
        if (fleet != null) return fleet;
        try {
            boolean isShared = options.per() == Fleet.Per.RUN;
            long self = ProcessHandle.current().pid();
            long holder = isShared ? Holder.find() : self;
            String inherited = System.getenv().getOrDefault("TESTFLEET_SESSION", "");
            isOwn = holder == self && !(isShared && !inherited.isEmpty());
            Command command = new Command(Path.of(""), options.value(), isShared, System.getenv());
            String session = options.per() == Fleet.Per.CLASS ? nameSession(scope) : "";
            fleet = new RunningFleet(command, holder, session, List.of(options.servers()));
            properties = new FleetProperties(fleet.environment());
            return fleet;
        } catch (RuntimeException error) {
            failure = error;
            throw error;
        }
    }

    /** The fleet if it has started, or null. */
    synchronized RunningFleet running() {
        return fleet;
    }

    @Override
    public synchronized void close() {
        if (fleet == null) return;
        properties.reset();
        if (!isOwn) return;
        isOwn = false;
        try {
            fleet.down();
        } catch (TestfleetException error) {
            System.err.println("error: " + error.getMessage() + "\nThe servers are removed after the end of this JVM.");
        }
    }

    /** Returns the name of a new session: at most 48 lower-case letters, digits and dashes. */
    static String nameSession(String scope) {
        String word = scope.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
        String end = word.substring(Math.max(0, word.length() - 30)).replaceAll("^-+|-+$", "");
        byte[] suffix = new byte[3];
        new Random().nextBytes(suffix);
        return (end.isEmpty() ? "junit" : end) + "-" + HexFormat.of().formatHex(suffix);
    }
}
