package testfleet.junit;

import java.util.HashMap;
import java.util.Map;

/** The variables of a fleet as system properties. */
final class FleetProperties {
    private final Map<String, String> values;
    /** Earlier values; null for a property that was not set. */
    private final Map<String, String> before = new HashMap<>();

    FleetProperties(Map<String, String> values) {
        this.values = values;
        values.forEach((name, value) -> before.put(name, System.setProperty(name, value)));
    }

    /** Sets the earlier values again. A property that has another value by now belongs to another fleet. */
    void reset() {
        before.forEach((name, value) -> {
            if (!values.get(name).equals(System.getProperty(name))) return;
            if (value == null) System.clearProperty(name);
            else System.setProperty(name, value);
        });
        before.clear();
    }
}
