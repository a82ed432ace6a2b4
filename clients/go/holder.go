package testfleet

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// findHolder returns the process that holds the session of a run: the `go` that has started the tests of several packages.
// A test that was started by something else, such as a shell or a debugger, holds its own.
func findHolder() int {
	if parent := os.Getppid(); nameOf(parent) == "go" {
		return parent
	}
	return os.Getpid()
}

// nameOf returns the name of the program of a process, or nothing.
func nameOf(process int) string {
	if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", process)); err == nil {
		return strings.TrimSpace(string(text))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	text, err := exec.CommandContext(ctx, "ps", "-o", "comm=", "-p", fmt.Sprint(process)).Output()
	if err != nil {
		return ""
	}
	return filepath.Base(strings.TrimSpace(string(text)))
}
