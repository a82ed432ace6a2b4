package testfleet.junit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommandTest {
    @TempDir
    Path folder;

    @Test
    void theVariableWinsThenThePathThenTheNpmPackage() throws IOException {
        Path project = Files.createDirectories(folder.resolve("project/tests"));
        String npm = StandIn.program(folder.resolve("project/node_modules/.bin/testfleet"), "");
        String onPath = StandIn.program(folder.resolve("bin/testfleet"), "");
        String named = StandIn.program(folder.resolve("own"), "");
        String path = "/nowhere:" + folder.resolve("bin");
        assertEquals(named, Paths.findCommand(project, Map.of("TESTFLEET_BIN", named, "PATH", path)));
        assertEquals(onPath, Paths.findCommand(project, Map.of("PATH", path)));
        assertEquals(onPath, Paths.findCommand(project, Map.of("TESTFLEET_BIN", "testfleet", "PATH", path)));
        assertEquals(npm, Paths.findCommand(project, Map.of("PATH", "")));
    }

    @Test
    void aMissingCommandIsAFailureWithAHint() {
        Map<Map<String, String>, String> cases = Map.of(
                Map.of("PATH", ""), "testfleet is not installed",
                Map.of("TESTFLEET_BIN", "/no/where"), "TESTFLEET_BIN is not a program: /no/where");
        cases.forEach((environment, message) -> {
            var error = assertThrows(TestfleetException.class, () -> Paths.findCommand(folder, environment));
            assertEquals("COMMAND_MISSING", error.code());
            assertTrue(error.getMessage().startsWith(message), error.getMessage());
            assertTrue(error.getMessage().contains("\nhint: ") && error.hint().contains("TESTFLEET_BIN"));
        });
    }

    @Test
    void aFleetFileIsFoundInFoldersAbove() throws IOException {
        Path inside = Files.createDirectories(folder.resolve("orders/store"));
        Path file = Files.writeString(folder.resolve("testfleet.yaml"), "");
        assertEquals(file.toString(), Paths.findFleetFile(inside, "testfleet.yaml"));
        assertEquals("/missing.yaml", Paths.findFleetFile(inside, "/missing.yaml"));
        var error = assertThrows(TestfleetException.class, () -> Paths.findFleetFile(inside, "missing.yaml"));
        assertEquals("FLEET_FILE_NOT_FOUND", error.code());
        assertTrue(error.getMessage().startsWith("the fleet file missing.yaml is not in " + inside + " or above\nhint: "));
    }

    @Test
    void aFailureHasTheFieldsOfTheDocumentAndTheTextOfTheCommand() throws IOException {
        StandIn stand = new StandIn(folder);
        String document = "{\"error\":{\"code\":\"SERVER_DIED\",\"message\":\"web ended\",\"hint\":\"read it\"}}";
        stand.answer("share", document, "error: web ended\n  | cannot bind\nhint: read it\n", 1);
        var error = assertThrows(TestfleetException.class, () -> stand.open());
        assertEquals("SERVER_DIED", error.code());
        assertEquals("read it", error.hint());
        assertEquals("web ended\n  | cannot bind\nhint: read it", error.getMessage());
    }

    @Test
    void anAnswerThatIsNoDocumentOrOfAnotherReleaseIsAFailure() throws IOException {
        StandIn stand = new StandIn(folder);
        for (String answer : List.of("no JSON", "[]", "", "{\"error\":5}")) {
            stand.answer("share", answer, "", 3);
            var error = assertThrows(TestfleetException.class, () -> stand.open());
            assertTrue(error.getMessage().contains("testfleet"), error.getMessage());
        }
        Map<String, String> missing = Map.of(
                "{}", "servers",
                "{\"session\":\"a\",\"domain\":\"b\",\"servers\":{\"db\":{}},\"environment\":{}}", "hostname",
                "{\"session\":\"a\",\"domain\":\"b\",\"servers\":{}}", "environment");
        for (var one : missing.entrySet()) {
            stand.answer("share", one.getKey(), "", 0);
            var error = assertThrows(TestfleetException.class, () -> stand.open());
            assertTrue(error.getMessage().startsWith("this testfleet is too old: the answer of `share` has no `" + one.getValue()));
        }
    }

    @Test
    void aCallThatTakesTooLongOrIsInterruptedEnds() throws Exception {
        String slow = "#!/bin/sh\ntrap 'echo done >\"${0%/*}/cleaned\"; exit 130' TERM\nwhile :; do sleep 0.02; done\n";
        Map<String, String> environment = Map.of("TESTFLEET_BIN", StandIn.program(folder.resolve("slow"), slow));
        Command command = new Command(folder, "", true, environment);
        var late = assertThrows(TestfleetException.class, () -> command.json(List.of("share"), Duration.ofMillis(50)));
        assertEquals("TIMED_OUT", late.code());
        assertTrue(late.hint().contains("testfleet doctor"), late.hint());
        assertTrue(!command.lines(List.of("logs"), line -> {}, Duration.ofMillis(50)));
        StandIn.program(folder.resolve("broken"), "#!/no/where\n");
        Command broken = new Command(folder, "", true, Map.of("TESTFLEET_BIN", folder.resolve("broken").toString()));
        var missing = assertThrows(TestfleetException.class, () -> broken.json(List.of("share"), Duration.ofMinutes(1)));
        assertEquals("COMMAND_MISSING", missing.code());
        assertTrue(missing.hint().contains("TESTFLEET_BIN"), missing.hint());
        StandIn.program(folder.resolve("slow"), slow.replace("while", "echo begun >\"${0%/*}/begun\"\nwhile"));
        Thread test = Thread.currentThread();
        Thread waiting = new Thread(() -> {
            while (!Files.exists(folder.resolve("begun"))) Thread.onSpinWait();
            test.interrupt();
        });
        waiting.start();
        var interrupted = assertThrows(TestfleetException.class, () -> command.json(List.of("share"), Duration.ofMinutes(1)));
        assertTrue(Thread.interrupted());
        assertEquals("CANCELLED", interrupted.code());
        assertTrue(Files.exists(folder.resolve("cleaned")));
    }

    @Test
    void aCallWhoseTimeIsOverCleansUpBeforeItIsKilled() throws Exception {
        // Ends by itself only once it has got SIGTERM: without that, it would be killed and write nothing.
        String slow = "#!/bin/sh\ncd \"${0%/*}\"\ntrap 'echo done >cleaned; exit 143' TERM\nwhile :; do sleep 0.02; done\n";
        Command command = new Command(folder, "", true, Map.of("TESTFLEET_BIN", StandIn.program(folder.resolve("slow"), slow)));
        // The first call may be over before the shell has read its script.
        for (long ms = 100; !Files.exists(folder.resolve("cleaned")); ms *= 2) {
            Duration timeout = Duration.ofMillis(ms);
            assertTrue(ms < 60_000);
            assertEquals("TIMED_OUT", assertThrows(TestfleetException.class, () -> command.json(List.of("share"), timeout)).code());
        }
    }

    @Test
    void aProgramThatKeepsTheOutputOpenDoesNotHoldUpItsClient() throws Exception {
        String leaving = "#!/bin/sh\nsleep 600 &\necho $! >\"${0%/*}/left\"\necho '{\"a\":1}'\n";
        Command command = new Command(folder, "", true, Map.of("TESTFLEET_BIN", StandIn.program(folder.resolve("leaving"), leaving)));
        assertEquals("1", String.valueOf(command.json(List.of("ps"), Duration.ofMinutes(10)).get("a")).replaceAll("[.]0$", ""));
        endLeft();
        List<String> lines = new ArrayList<>();
        assertTrue(command.lines(List.of("logs"), lines::add, Duration.ofMinutes(10)));
        endLeft();
        assertEquals(List.of("{\"a\":1}"), lines);
    }

    /** It still has the pipe open. */
    private void endLeft() throws IOException {
        long left = Long.parseLong(Files.readString(folder.resolve("left")).strip());
        assertTrue(ProcessHandle.of(left).orElseThrow().destroyForcibly());
    }

    @Test
    void aLineWithoutAnEndAndALongMessageAreBounded() throws Exception {
        List<String> lines = new ArrayList<>();
        byte[] text = ("x".repeat(200_000) + "\nlast").getBytes(StandardCharsets.UTF_8);
        Output.readLines(new ByteArrayInputStream(text), lines::add);
        assertEquals(List.of(65536, 65536, 65536, 3392, 4), lines.stream().map(String::length).toList());
        StandIn stand = new StandIn(folder);
        stand.answer("share", "", "error: " + "y".repeat(3_000_000), 1);
        var error = assertThrows(TestfleetException.class, () -> stand.open());
        assertTrue(error.getMessage().contains("yyy") && error.getMessage().length() <= Command.MAX_TOLD_CHARACTERS);
    }

    @Test
    void aServerHasItsEndpointsAndExports() throws IOException {
        StandIn stand = new StandIn(folder);
        RunningFleet fleet = stand.open("db", "web");
        assertEquals(List.of("share --pid 7 db web --json"), stand.calls());
        Server db = fleet.server("db");
        assertEquals("db.shop.test", db.hostname());
        assertEquals("127.0.0.1:4001", db.endpoint().toString());
        assertEquals(4001, db.port());
        assertEquals("[::1]:4003", db.endpoint(53).toString());
        assertEquals("db://shop", db.export("DATABASE_URL"));
        Map<Runnable, String> wrong = Map.of(
                () -> fleet.server("dbb"), "the fleet has no server \"dbb\"; it has: db",
                () -> db.export("DATABASE"), "db does not export DATABASE; it exports: DATABASE_URL\n",
                () -> db.endpoint(53, "tcp"), "db does not publish port 53 tcp; it publishes: 53/udp, 5432/tcp\n");
        wrong.forEach((use, message) -> {
            var error = assertThrows(TestfleetException.class, use::run);
            assertTrue(error.getMessage().startsWith(message), error.getMessage());
        });
    }

    @Test
    void propertiesAreThoseOfBeforeOnceTheFleetHasEnded() {
        System.setProperty("testfleet.a", "before");
        FleetProperties first = new FleetProperties(Map.of("testfleet.a", "1", "testfleet.b", "1", "testfleet.c", "1"));
        assertEquals("1", System.getProperty("testfleet.a"));
        FleetProperties second = new FleetProperties(Map.of("testfleet.c", "2"));
        first.reset();
        assertEquals("before", System.clearProperty("testfleet.a"));
        assertEquals(null, System.getProperty("testfleet.b"));
        // That of a fleet that still runs.
        assertEquals("2", System.getProperty("testfleet.c"));
        second.reset();
        System.clearProperty("testfleet.c");
    }

    @Test
    void aSessionOfAClassHasAShortNameAndMavenIsFound() {
        assertTrue(FleetOfRun.nameSession("OrdersTest").matches("orderstest-[0-9a-f]{6}"));
        assertTrue(FleetOfRun.nameSession("Ä$").matches("junit-[0-9a-f]{6}"));
        assertTrue(FleetOfRun.nameSession("x".repeat(99)).length() <= 48);
        String maven = "java -classpath boot.jar org.codehaus.plexus.classworlds.launcher.Launcher test";
        assertTrue(Holder.isMaven(maven));
        assertTrue(!Holder.isMaven("java org.gradle.launcher.daemon.bootstrap.GradleDaemon"));
        boolean isFork = System.getProperty("surefire.test.class.path") != null;
        assertEquals(!isFork, Holder.find() == ProcessHandle.current().pid());
    }
}
