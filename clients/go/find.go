package testfleet

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
)

// findCommand returns the absolute path of the command: TESTFLEET_BIN, else `testfleet` on the PATH, else that of the npm
// package in the folder or above.
func findCommand(folder string) (string, error) {
	if named := os.Getenv("TESTFLEET_BIN"); named != "" {
		if path, ok := program(named); ok {
			return path, nil
		}
		return "", &Error{
			Code:    "COMMAND_MISSING",
			Message: "TESTFLEET_BIN is not a program: " + named,
			Hint:    "Set TESTFLEET_BIN to the path of the command, or unset it.",
		}
	}
	if path, ok := program("testfleet"); ok {
		return path, nil
	}
	if path, ok := findAbove(folder, filepath.Join("node_modules", ".bin", "testfleet")); ok {
		return path, nil
	}
	return "", &Error{
		Code:    "COMMAND_MISSING",
		Message: "testfleet is not installed: it is not on the PATH, and not in node_modules of " + folder + " or above",
		Hint:    "Install it, or set TESTFLEET_BIN to the path of the command.",
	}
}

func program(name string) (string, bool) {
	path, err := exec.LookPath(name)
	// The user has put a relative folder on the PATH.
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return "", false
	}
	path, err = filepath.Abs(path)
	return path, err == nil
}

// findFleetFile returns the absolute path of a fleet file that is in a folder, which is that of the package, or above.
func findFleetFile(folder, file string) (string, error) {
	if file == "" || filepath.IsAbs(file) {
		return file, nil
	}
	path, found := findAbove(folder, file)
	if !found {
		return "", &Error{
			Code:    "FLEET_FILE_NOT_FOUND",
			Message: "the fleet file " + file + " is not in " + folder + " or above",
			Hint:    "Give its path from the folder of the package.",
		}
	}
	// `go test` notes the files that a test opens, and runs the test again when one has changed.
	if opened, err := os.Open(path); err == nil {
		opened.Close()
	}
	return path, nil
}

func findAbove(folder, name string) (string, bool) {
	for {
		path := filepath.Join(folder, name)
		if found, err := os.Stat(path); err == nil && !found.IsDir() {
			return path, true
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", false
		}
		folder = parent
	}
}
