package testfleet.junit;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** The program of this client for tests/e2e/wire.test.ts; docs/wire.md says what it prints. */
public final class WireClient {
    private WireClient() {}

    public static void main(String[] words) throws Exception {
        try {
            play(words[0], Long.parseLong(words[1]));
        } catch (TestfleetException error) {
            System.out.println("failure " + error.code());
            System.err.println("error: " + error.getMessage());
            System.exit(1);
        }
    }

    private static void play(String script, long process) throws Exception {
        RunningFleet fleet = RunningFleet.open("", process);
        Server notes = fleet.server("notes");
        System.out.println("session " + fleet.session());
        System.out.println("export " + notes.export("NOTES_AT"));
        System.out.println("endpoint " + notes.endpoint(5000));
        System.out.println("variable " + fleet.environment().get("NOTES_AT"));
        try (LeasedServer lease = fleet.lease("notes")) {
            System.out.println("lease " + lease.copy() + " " + lease.export("NOTES_AT"));
            if (script.equals("hold")) {
                System.out.println("held");
                Thread.sleep(600_000);
            }
            System.out.println("empty " + write(lease, "mine"));
            System.out.println("written " + write(lease, "mine"));
        }
        try (LeasedServer lease = fleet.lease("notes")) {
            System.out.println("pristine " + write(lease, ""));
        }
        try {
            fleet.lease("nobody");
        } catch (TestfleetException error) {
            System.out.println("unknown " + error.code());
        }
    }

    /** Sends a line to a server of notes, and returns what was written before. */
    private static String write(Server server, String text) throws IOException {
        try (Socket socket = new Socket(server.host(), server.port())) {
            socket.getOutputStream().write((text + "\n").getBytes(StandardCharsets.UTF_8));
            return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8)).readLine();
        }
    }
}
