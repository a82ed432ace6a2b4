package testfleet.junit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class LeaseTest {
    private static final String LEASED = "{\"id\":1,\"lease\":\"k1\",\"copy\":\"db-1\",\"isolation\":\"reset\",\"session\":\"pool-1\","
            + "\"hostname\":\"db-1.shop.test\",\"endpoints\":{\"5432/tcp\":{\"host\":\"127.0.0.1\",\"port\":4002}},"
            + "\"exports\":{\"DATABASE_URL\":\"db://copy\"},\"environment\":{}}";

    @TempDir
    Path folder;

    private StandIn stand;
    private ServerSocketChannel lender;
    /** An empty answer is the end of the connection. */
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> requests = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> ended = new LinkedBlockingQueue<>();

    @BeforeEach
    void listen() throws IOException {
        stand = new StandIn(folder);
        stand.answer("share", StandIn.SHARED.replace("/nowhere/lender", folder + "/lender"), "", 0);
        lender = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(folder + "/lender"));
        start(() -> {
            while (true) {
                SocketChannel client = lender.accept();
                start(() -> serve(client));
            }
        });
    }

    @AfterEach
    void close() throws IOException {
        lender.close();
    }

    private interface Work {
        void run() throws Exception;
    }

    private static void start(Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } catch (Exception error) {
                // The test has ended.
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    private void serve(SocketChannel client) throws Exception {
        try (client) {
            BufferedReader lines = new BufferedReader(Channels.newReader(client, StandardCharsets.UTF_8));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                requests.add(line);
                String answer = answers.take();
                if (answer.isEmpty()) break;
                client.write(ByteBuffer.wrap((answer + "\n").getBytes(StandardCharsets.UTF_8)));
            }
        } finally {
            ended.add("ended");
        }
    }

    @Test
    void aLeaseHasTheValuesOfItsCopyAndIsGivenBackOnce() throws Exception {
        answers.addAll(List.of(LEASED, "{\"id\":1}"));
        LeasedServer lease = stand.open().lease("db", 1500);
        assertEquals("db db-1 pool-1 reset", String.join(" ", lease.name(), lease.copy(), lease.session(), lease.isolation()));
        assertEquals("db://copy", lease.export("DATABASE_URL"));
        assertEquals(4002, lease.port());
        lease.close();
        lease.close();
        assertEquals("{\"id\":1,\"lease\":\"db\",\"timeoutMs\":1500}", requests.take());
        assertEquals("{\"id\":1,\"release\":\"k1\"}", requests.take());
        ended.take();
        assertTrue(requests.isEmpty());
    }

    @Test
    void aRefusedLeaseLeavesNoConnection() throws Exception {
        answers.add("{\"id\":1,\"error\":{\"code\":\"TIMED_OUT\",\"message\":\"no pristine db\",\"hint\":\"wait\"}}");
        var error = assertThrows(TestfleetException.class, () -> stand.open().lease("db"));
        assertEquals("TIMED_OUT", error.code());
        assertEquals("no pristine db\nhint: wait", error.getMessage());
        ended.take();
    }

    @Test
    void aLenderThatHasEndedIsStartedAgainOnce() throws Exception {
        answers.addAll(List.of("", LEASED, ""));
        RunningFleet fleet = stand.open();
        fleet.lease("db").close();
        assertEquals(List.of("share --pid 7 --json", "share --pid 7 --lender --json"), stand.calls());
        answers.addAll(List.of("", "no JSON"));
        assertEquals("LENDER_LOST", assertThrows(TestfleetException.class, () -> fleet.lease("db")).code());
        assertEquals("UNKNOWN_SERVER", assertThrows(TestfleetException.class, () -> fleet.lease("dbb")).code());
    }

    @Test
    void aLongAnswerAndAnInterruptionAreFailures() throws Exception {
        RunningFleet fleet = stand.open();
        String tooLong = "{\"x\":\"" + "x".repeat(LenderConnection.MAX_ANSWER_BYTES) + "\"}";
        answers.addAll(List.of(tooLong, tooLong));
        assertEquals("LENDER_LOST", assertThrows(TestfleetException.class, () -> fleet.lease("db")).code());
        requests.take();
        requests.take();
        Thread test = Thread.currentThread();
        start(() -> {
            requests.take();
            test.interrupt();
        });
        assertEquals("CANCELLED", assertThrows(TestfleetException.class, () -> fleet.lease("db")).code());
        assertTrue(Thread.interrupted());
    }

    @Test
    void aLenderThatHangsIsGivenUp() throws Exception {
        var path = folder.resolve("hanging");
        try (var hanging = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(path), 1)) {
            // It reads nothing: the rest of a long request is never sent.
            try (LenderConnection connection = LenderConnection.open(path.toString())) {
                String request = "\"x\":\"" + "x".repeat(8 * 1024 * 1024) + "\"";
                var late = assertThrows(TestfleetException.class, () -> connection.ask(request, -29_900));
                assertEquals("TIMED_OUT", late.code());
            }
            // It accepts nothing: its waiting line is soon full.
            List<LenderConnection> waiting = new ArrayList<>();
            var gone = assertThrows(LenderConnection.LenderGone.class, () -> {
                while (waiting.size() < 100) waiting.add(LenderConnection.open(path.toString(), 100));
            });
            waiting.forEach(LenderConnection::close);
            assertTrue(gone.getMessage().startsWith("the lender accepts no connection"), gone.getMessage());
            assertTrue(hanging.isOpen());
        }
    }

    @Test
    void aLenderThatStartsLaterHidesNoEarlierLine() throws Exception {
        RunningFleet fleet = stand.open();
        Instant begin = Instant.now();
        stand.answer("logs", "db | " + Instant.now() + " before the lease\n", "", 0);
        answers.addAll(List.of("", LEASED, "{}"));
        LeasedServer lease = fleet.lease("db");
        String text = ServerLogs.describe(fleet, List.of(lease), begin);
        assertTrue(text.contains("before the lease"), text);
    }

    @Test
    void logsAreThoseOfTheTimeOfATestAndOfItsLeases() throws Exception {
        answers.addAll(List.of(LEASED, "{}"));
        RunningFleet fleet = stand.open();
        LeasedServer lease = fleet.lease("db");
        stand.answer("ps", "{\"servers\":{\"db\":{\"state\":\"exited\",\"exitCode\":137,\"outOfMemory\":true},\"seed\":{\"state\":\"completed\"}}}", "", 0);
        Instant now = Instant.now();
        String line = "db | " + now.plusSeconds(60) + " " + "x".repeat(1000) + "\n";
        stand.answer("logs", "db | " + now.minusSeconds(60) + " before\nhalf of a line\n" + line.repeat(100) + line.replaceAll("x+", "last"), "", 3);
        String text = ServerLogs.describe(fleet, List.of(lease), now);
        assertTrue(text.startsWith("servers during this test (session shop-1):\ndb is exited, with code 137, killed for memory\ndb: (its end)\n"), text);
        assertTrue(text.contains(" last\nshop-1:\n  The logs could not be read to their end.\n"), text);
        assertTrue(!text.contains("before") && !text.contains("half of") && !text.contains("seed"));
        assertTrue(text.length() < 2 * ServerLogs.MAX_CHARACTERS + 4096 && text.length() > 2 * ServerLogs.MAX_CHARACTERS - 4096);
        String last = stand.calls().get(stand.calls().size() - 1);
        assertTrue(last.startsWith("logs --session pool-1 --timestamps --since 2") && last.endsWith(" --tail 1000 db-1 --quiet"), last);
        stand.answer("ps", "{}", "", 0);
        stand.answer("logs", "", "", 0);
        assertEquals("servers logged nothing during this test (session shop-1)", ServerLogs.describe(fleet, List.of(), now));
    }
}
