package testfleet.junit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;

/** A command in place of testfleet's, which notes its calls. tests/e2e runs the client with the real one. */
final class StandIn {
    static final String SHARED = """
            {"session":"shop-1","domain":"shop.test","servers":{"db":{"state":"ready","container":"c1","hostname":"db.shop.test",
            "endpoints":{"5432/tcp":{"host":"127.0.0.1","port":4001},"53/udp":{"host":"::1","port":4003}},
            "exports":{"DATABASE_URL":"db://shop"},"environment":{"DATABASE_URL":"db://shop"}}},
            "environment":{"DATABASE_URL":"db://shop","TESTFLEET_LENDER":"/nowhere/lender"}}
            """;
    private static final String SCRIPT = """
            #!/bin/sh
            cd "${0%/*}"
            echo "$*" >>calls
            cat "err-$1" >&2 2>/dev/null
            cat "out-$1" 2>/dev/null || echo '{}'
            exit "$(cat "exit-$1" 2>/dev/null || echo 0)"
            """;

    final Path folder;

    StandIn(Path folder) throws IOException {
        this.folder = folder;
        program(folder.resolve("testfleet"), SCRIPT);
        answer("share", SHARED, "", 0);
    }

    static String program(Path path, String text) throws IOException {
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx------"));
        return path.toString();
    }

    /** What a call prints, and its exit code. */
    void answer(String word, String out, String err, int exitCode) throws IOException {
        Files.writeString(folder.resolve("out-" + word), out);
        Files.writeString(folder.resolve("err-" + word), err);
        Files.writeString(folder.resolve("exit-" + word), String.valueOf(exitCode));
    }

    List<String> calls() throws IOException {
        return Files.readAllLines(folder.resolve("calls"));
    }

    Command command() {
        return new Command(folder, "", true, Map.of("TESTFLEET_BIN", folder.resolve("testfleet").toString()));
    }

    RunningFleet open(String... servers) {
        return new RunningFleet(command(), 7, "", List.of(servers));
    }
}
