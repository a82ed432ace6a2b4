package testfleet.junit;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Finds the command and the fleet file. */
final class Paths {
    private static final boolean IS_WINDOWS = File.separatorChar == '\\';

    private Paths() {}

    /**
     * Returns the absolute path of the command: TESTFLEET_BIN, else {@code testfleet} on the PATH, else that of the npm
     * package in the folder or above.
     */
    static String findCommand(Path folder, Map<String, String> environment) {
        String path = environment.getOrDefault("PATH", "");
        String named = environment.getOrDefault("TESTFLEET_BIN", "");
        if (!named.isEmpty()) {
            String found = findProgram(named, path);
            if (found != null) return found;
            throw new TestfleetException(
                    "COMMAND_MISSING",
                    "TESTFLEET_BIN is not a program: " + named,
                    "Set TESTFLEET_BIN to the path of the command, or unset it.");
        }
        String found = findProgram("testfleet", path);
        for (Path at = folder.toAbsolutePath(); at != null && found == null; at = at.getParent()) {
            found = findProgram("testfleet", at.resolve("node_modules/.bin").toString());
        }
        if (found != null) return found;
        throw new TestfleetException(
                "COMMAND_MISSING",
                "testfleet is not installed: it is not on the PATH, and not in node_modules of " + folder + " or above",
                "Install it, or set TESTFLEET_BIN to the path of the command.");
    }

    private static String findProgram(String name, String path) {
        List<String> folders = name.indexOf('/') >= 0 || new File(name).isAbsolute()
                ? List.of("")
                : Stream.of(path.split(File.pathSeparator)).filter(folder -> !folder.isEmpty()).toList();
        for (String folder : folders) {
            for (String ending : IS_WINDOWS ? List.of(".cmd", ".exe", "") : List.of("")) {
                Path program = Path.of(folder, name + ending);
                if (Files.isRegularFile(program) && Files.isExecutable(program)) return program.toAbsolutePath().toString();
            }
        }
        return null;
    }

    /** Returns the path of a fleet file that is in a folder or above. */
    static String findFleetFile(Path folder, String file) {
        for (Path at = folder.toAbsolutePath(); at != null; at = at.getParent()) {
            if (Files.isRegularFile(at.resolve(file))) return at.resolve(file).toString();
        }
        // The command says what is wrong with it.
        if (Path.of(file).isAbsolute()) return file;
        throw new TestfleetException(
                "FLEET_FILE_NOT_FOUND",
                "the fleet file " + file + " is not in " + folder + " or above",
                "Give its path from the working folder of the tests.");
    }

    /** A file without content. */
    static File nothing() {
        return new File(IS_WINDOWS ? "NUL" : "/dev/null");
    }
}
