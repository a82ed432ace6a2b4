package testfleet.junit;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.extension.ExtensionContext.Store.CloseableResource;

/** The time of one test, or of one class: its leases, one for each server. */
final class TestScope implements CloseableResource {
    final Instant since = Instant.now();
    private final Map<String, LeasedServer> leases = new LinkedHashMap<>();
    private boolean isOver;

    synchronized LeasedServer lease(RunningFleet fleet, Lease wanted) {
        if (isOver) {
            throw new TestfleetException(
                    "USAGE",
                    "the lease of " + wanted.value() + " was asked for outside of a test",
                    "Use `RunningFleet.lease`, and close the lease yourself.");
        }
        LeasedServer lease = leases.get(wanted.value());
        if (lease == null) {
            lease = fleet.lease(wanted.value(), wanted.timeoutSeconds() * 1000L);
            leases.put(wanted.value(), lease);
        }
        return lease;
    }

    /** Leases that have not been given back. */
    synchronized List<LeasedServer> leases() {
        return leases.values().stream().filter(lease -> !lease.isReleased()).toList();
    }

    /** Gives back every lease, then fails as the first one that failed. */
    @Override
    public synchronized void close() {
        isOver = true;
        List<RuntimeException> failures = new ArrayList<>();
        for (LeasedServer lease : leases.values()) {
            try {
                lease.close();
            } catch (RuntimeException error) {
                failures.add(error);
            }
        }
        leases.clear();
        if (!failures.isEmpty()) throw failures.get(0);
    }
}
