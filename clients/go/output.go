package testfleet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

const (
	// maxAnswerBytes is the length of the longest answer that is read.
	maxAnswerBytes = 16 << 20
	// maxOutputLineBytes is the length of the longest line. A longer one comes in parts.
	maxOutputLineBytes = 64 << 10
	// maxToldBytes is the length of the longest message of a failure that is kept.
	maxToldBytes = 1 << 20
	// drainTime is for what is still in a pipe when the command has ended.
	drainTime = 2 * time.Second
)

// outputPipe passes what the command writes to `to` on to a writer. What the command has started may keep it open for ever,
// so the one who reads does not wait for its end.
type outputPipe struct {
	to, from *os.File
	done     chan struct{}
}

func openPipe(writer io.Writer) (*outputPipe, error) {
	from, to, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	pipe := &outputPipe{to, from, make(chan struct{})}
	go func() {
		defer close(pipe.done)
		// The command gets an error when nobody reads what it writes.
		defer from.Close()
		_, _ = io.Copy(writer, from)
	}()
	return pipe, nil
}

// started closes our end for writing, which the command has now.
func (p *outputPipe) started() { p.to.Close() }

// drain waits until everything is read, or until the time after the end of the command is over.
func (p *outputPipe) drain() {
	select {
	case <-p.done:
		return
	case <-time.After(drainTime):
	}
	if p.from.SetReadDeadline(time.Now()) == nil {
		<-p.done
	}
}

// answerBuffer ends a call whose answer is too long.
type answerBuffer struct{ bytes.Buffer }

func (b *answerBuffer) Write(part []byte) (int, error) {
	if b.Len()+len(part) > maxAnswerBytes {
		return 0, errors.New("its answer is too long")
	}
	return b.Buffer.Write(part)
}

// toldWriter passes progress on, and keeps the message of a failure, which is the end of what the command prints.
type toldWriter struct {
	rest    []byte
	failure strings.Builder
}

func (w *toldWriter) Write(part []byte) (int, error) {
	w.rest = append(w.rest, part...)
	for {
		end := bytes.IndexByte(w.rest, '\n') + 1
		if end == 0 {
			if len(w.rest) < maxOutputLineBytes {
				return len(part), nil
			}
			end = len(w.rest)
		}
		w.add(string(w.rest[:end]))
		w.rest = w.rest[end:]
	}
}

func (w *toldWriter) flush() {
	w.add(string(w.rest))
	w.rest = nil
}

func (w *toldWriter) add(line string) {
	if w.failure.Len() == 0 && !strings.HasPrefix(line, "error: ") {
		fmt.Fprint(os.Stderr, line)
		return
	}
	if left := maxToldBytes - w.failure.Len(); len(line) > left {
		line = line[:left]
	}
	w.failure.WriteString(line)
}
