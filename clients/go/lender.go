package testfleet

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"time"
)

const (
	// maxLineBytes is the length of the longest answer of the lender.
	maxLineBytes = 4 << 20
	// grace is how much later than promised an answer may come.
	grace = 30 * time.Second
)

func lenderLost(message string) error {
	hint := "Lease again: the next lease starts a new lender."
	return &Error{Code: "LENDER_LOST", Message: message, Hint: hint, isLenderGone: true}
}

// isLenderGone says whether a new lender has to be started.
func isLenderGone(err error) bool {
	var failure *Error
	return errors.As(err, &failure) && failure.isLenderGone
}

// lenderConnection is one connection for each lease: its end gives the lease back, and leases of other goroutines need
// not wait for it.
type lenderConnection struct {
	socket net.Conn
	lines  *bufio.Reader
}

func dialLender(path string) (*lenderConnection, error) {
	socket, err := net.DialTimeout("unix", path, grace)
	if err != nil {
		return nil, lenderLost("the lender cannot be reached: " + err.Error())
	}
	return &lenderConnection{socket, bufio.NewReader(socket)}, nil
}

// ask returns the answer to a request. `wait` is how long the lender itself may wait.
func (c *lenderConnection) ask(ctx context.Context, request map[string]any, wait time.Duration, answer any) error {
	request["id"] = 1
	text, err := json.Marshal(request)
	if err != nil {
		return err
	}
	_ = c.socket.SetDeadline(time.Now().Add(wait + grace))
	stop := c.closeWith(ctx)
	_, err = c.socket.Write(append(text, '\n'))
	var line []byte
	if err == nil {
		line, err = c.readLine()
	}
	stop()
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return &Error{Code: "CANCELLED", Message: "the lease was cancelled"}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &Error{Code: "TIMED_OUT", Message: "the lender has not answered in time"}
	case err != nil:
		return lenderLost("the lender has ended")
	}
	var found struct{ Error json.RawMessage }
	if json.Unmarshal(line, &found) != nil {
		return lenderLost("the lender has ended")
	}
	if found.Error != nil {
		return readError(found.Error, "")
	}
	if json.Unmarshal(line, answer) != nil {
		return &Error{Message: "the lender has given an answer that this client cannot read"}
	}
	return nil
}

// readLine reads to the end of a line of at most maxLineBytes.
func (c *lenderConnection) readLine() ([]byte, error) {
	var line []byte
	for {
		part, err := c.lines.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLineBytes:
			return nil, io.ErrShortBuffer
		case err == nil:
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

// closeWith closes the connection when the context is cancelled before the returned function is called. At a deadline, the
// lender says itself why nothing was free in time.
func (c *lenderConnection) closeWith(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	go func() {
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				c.socket.Close()
			}
		case <-done:
		}
	}()
	return func() { close(done) }
}

func (c *lenderConnection) close() {
	c.socket.Close()
}
