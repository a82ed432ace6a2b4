package testfleet

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

const (
	// callTimeout is later than the command gives up, which is after 30 minutes.
	callTimeout = 31 * time.Minute
	// cleanUpTime is how long an interrupted call may take to remove what it has started.
	cleanUpTime = time.Minute
	lateHint    = "Run `testfleet doctor`, which checks the engine."
)

// command is the command testfleet in a folder, with the variables of its calls.
type command struct {
	path, folder, file string
	environment        []string
}

// json reads the document that a call prints. Progress goes to standard error.
func (c *command) json(ctx context.Context, words []string, document any) error {
	var answer answerBuffer
	var told toldWriter
	err := c.run(ctx, append(words, "--json"), &answer, &told)
	told.flush()
	var failure *Error
	if errors.As(err, &failure) {
		return failure
	}
	var found struct{ Error json.RawMessage }
	if json.Unmarshal(answer.Bytes(), &found) == nil && found.Error != nil {
		return readError(found.Error, told.failure.String())
	}
	if err == nil && json.Unmarshal(answer.Bytes(), document) == nil {
		return nil
	}
	return &Error{
		Message: fmt.Sprintf("testfleet %s ended without an answer (%s)", words[0], endOf(err)),
		text:    strings.TrimPrefix(told.failure.String(), "error: "),
	}
}

func endOf(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// lines gives each line that a call prints to `take`.
func (c *command) lines(ctx context.Context, words []string, take func(string)) error {
	reader, writer := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := c.run(ctx, append(words, "--quiet"), writer, io.Discard)
		writer.Close()
		done <- err
	}()
	// A longer line comes in parts.
	for lines := bufio.NewReaderSize(reader, maxOutputLineBytes); ; {
		line, _, err := lines.ReadLine()
		if err != nil {
			return <-done
		}
		take(string(line))
	}
}

// run calls the command to its end. When the context ends, the command removes what it has started.
func (c *command) run(ctx context.Context, words []string, stdout, stderr io.Writer) error {
	if c.file != "" {
		words = append([]string{words[0], "--file", c.file}, words[1:]...)
	}
	call := exec.Command(c.path, words...)
	call.Dir, call.Env = c.folder, c.environment
	output, err := openPipe(stdout)
	if err != nil {
		return err
	}
	defer output.drain()
	defer output.started()
	messages, err := openPipe(stderr)
	if err != nil {
		return err
	}
	defer messages.drain()
	defer messages.started()
	call.Stdout, call.Stderr = output.to, messages.to
	if err := call.Start(); err != nil {
		return &Error{
			Code:    "COMMAND_MISSING",
			Message: fmt.Sprintf("%s cannot be started: %v", c.path, err),
			Hint:    "Install testfleet again, or set TESTFLEET_BIN to the path of the command.",
		}
	}
	output.started()
	messages.started()
	ended := make(chan struct{})
	go endWith(ctx, call.Process, ended)
	err = call.Wait()
	close(ended)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &Error{Code: "TIMED_OUT", Message: "testfleet " + words[0] + " took too long", Hint: lateHint}
	case ctx.Err() != nil && err != nil:
		return &Error{Code: "CANCELLED", Message: "testfleet " + words[0] + " was cancelled"}
	}
	return err
}

func endWith(ctx context.Context, process *os.Process, ended <-chan struct{}) {
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	if runtime.GOOS != "windows" {
		_ = process.Signal(terminate)
		select {
		case <-ended:
			return
		case <-time.After(cleanUpTime):
		}
	}
	// Its keeper cleans up.
	_ = process.Kill()
}
