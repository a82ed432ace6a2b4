package testfleet.junit;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A running server, or a leased copy of one. */
public class Server {
    private final String name;
    private final String hostname;
    private final String container;
    private final Map<String, String> exports;
    private final Map<String, String> environment;
    private final Map<String, Endpoint> endpoints;

    Server(String name, Map<String, Object> fields) {
        this.name = name;
        hostname = text(fields, "hostname");
        container = fields.get("container") instanceof String id ? id : "";
        exports = variables(fields, "exports");
        environment = variables(fields, "environment");
        endpoints = new LinkedHashMap<>();
        members(fields, "endpoints").forEach((port, value) -> {
            Map<String, Object> endpoint = Json.object(value);
            if (!(endpoint.get("port") instanceof Double number)) throw TestfleetException.tooOld("port");
            endpoints.put(port, new Endpoint(text(endpoint, "host"), number.intValue()));
        });
    }

    /** Its name in the fleet file. */
    public String name() {
        return name;
    }

    /** Its name in the fleet's network, such as {@code db.shop.test}. */
    public String hostname() {
        return hostname;
    }

    /** Id of its container. */
    public String container() {
        return container;
    }

    /** What it exports, such as {@code DATABASE_URL}. */
    public Map<String, String> exports() {
        return exports;
    }

    /** Returns what it exports under a name. */
    public String export(String variable) {
        String value = exports.get(variable);
        if (value != null) return value;
        throw new TestfleetException(
                "USAGE",
                name + " does not export " + variable + "; it exports: " + list(exports.keySet()),
                "Declare it in `export` of the server.");
    }

    /** Its exports, {@code TESTFLEET_<SERVER>_HOST}, {@code …_PORT} and {@code …_HOSTNAME}. */
    public Map<String, String> environment() {
        return environment;
    }

    /** Its published ports by {@code <port>/<protocol>}, such as {@code 5432/tcp}. */
    public Map<String, Endpoint> endpoints() {
        return Collections.unmodifiableMap(endpoints);
    }

    /** Where its first port is reached. */
    public Endpoint endpoint() {
        return endpoints.values().stream().findFirst().orElseThrow(() -> unreachable("a port"));
    }

    /** Where a port is reached. A TCP port comes first. */
    public Endpoint endpoint(int port) {
        for (String protocol : List.of("tcp", "udp", "sctp")) {
            Endpoint endpoint = endpoints.get(port + "/" + protocol);
            if (endpoint != null) return endpoint;
        }
        throw unreachable("port " + port);
    }

    /** Where a port of a protocol is reached, such as {@code endpoint(53, "udp")}. */
    public Endpoint endpoint(int port, String protocol) {
        Endpoint endpoint = endpoints.get(port + "/" + protocol);
        if (endpoint == null) throw unreachable("port " + port + " " + protocol);
        return endpoint;
    }

    /** Host of the first port. */
    public String host() {
        return endpoint().host();
    }

    /** Number under which the first port is published. */
    public int port() {
        return endpoint().port();
    }

    @Override
    public String toString() {
        return name + " " + endpoints.values();
    }

    private TestfleetException unreachable(String port) {
        return new TestfleetException(
                "PORT_UNREACHABLE",
                name + " does not publish " + port + "; it publishes: " + list(endpoints.keySet()),
                "List the port in `ports` of the server.");
    }

    static String list(Iterable<String> names) {
        List<String> sorted = new ArrayList<>();
        names.forEach(sorted::add);
        Collections.sort(sorted);
        return sorted.isEmpty() ? "nothing" : String.join(", ", sorted);
    }

    static String text(Map<String, Object> fields, String name) {
        if (fields.get(name) instanceof String text) return text;
        throw TestfleetException.tooOld(name);
    }

    static Map<String, Object> members(Map<String, Object> fields, String name) {
        if (fields.get(name) instanceof Map<?, ?>) return Json.object(fields.get(name));
        throw TestfleetException.tooOld(name);
    }

    static Map<String, String> variables(Map<String, Object> fields, String name) {
        Map<String, String> variables = new LinkedHashMap<>();
        members(fields, name).forEach((variable, value) -> variables.put(variable, String.valueOf(value)));
        return Collections.unmodifiableMap(variables);
    }
}
