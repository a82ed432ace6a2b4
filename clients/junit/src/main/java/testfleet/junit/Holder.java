package testfleet.junit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Finds the process that holds the session of a run. */
final class Holder {
    private static final String MAVEN = "org.codehaus.plexus.classworlds.launcher.Launcher";
    /** Between Maven and a fork there may be a shell. */
    private static final int MAX_ANCESTORS = 3;

    private Holder() {}

    /**
     * Returns the Maven that has started this JVM, so that its forks share a fleet, else this JVM. A daemon, such as that of
     * Gradle, or an IDE lives on after the tests, so it holds nothing.
     */
    static long find() {
        ProcessHandle self = ProcessHandle.current();
        if (System.getProperty("surefire.test.class.path") == null && System.getProperty("surefire.real.class.path") == null) {
            return self.pid();
        }
        Optional<ProcessHandle> ancestor = self.parent();
        for (int level = 0; level < MAX_ANCESTORS && ancestor.isPresent(); level++) {
            if (isMaven(commandLine(ancestor.get()))) return ancestor.get().pid();
            ancestor = ancestor.get().parent();
        }
        return self.pid();
    }

    static boolean isMaven(String commandLine) {
        return commandLine.contains(MAVEN) && !commandLine.contains("mvnd");
    }

    private static String commandLine(ProcessHandle process) {
        try {
            // Of a long one, the JDK gives nothing.
            return new String(Files.readAllBytes(Path.of("/proc/" + process.pid() + "/cmdline"))).replace('\0', ' ');
        } catch (IOException error) {
            return process.info().commandLine().orElse("");
        }
    }
}
