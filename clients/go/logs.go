package testfleet

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"
)

const (
	// Of a longer log, the end is shown, for each server.
	maxLogBytes = 64 << 10
	maxLogLines = 1000
	logTimeout  = 20 * time.Second
	// A line reaches the engine a little later than the answer that goes with it.
	settleTime = 100 * time.Millisecond
)

var logLine = regexp.MustCompile(`^(\S+) \| (\S+) ?`)

// logEnd is the end of a log.
type logEnd struct {
	lines []string
	bytes int
	isCut bool
}

func (e *logEnd) add(line string) {
	e.lines = append(e.lines, line)
	for e.bytes += len(line) + 1; e.bytes > maxLogBytes && len(e.lines) > 1; e.lines = e.lines[1:] {
		e.bytes -= len(e.lines[0]) + 1
		e.isCut = true
	}
}

// describeServers returns what the servers logged since a moment, leased copies included, and which servers do not run.
func describeServers(s *session, leases []*LeasedServer, since time.Time) string {
	if since.Before(s.readyAt) {
		since = s.readyAt
	}
	time.Sleep(settleTime)
	name := s.current().Session
	parts := []string{"servers during this test (session " + name + "):"}
	parts = append(parts, findStopped(s)...)
	parts = append(parts, readLogs(s, name, nil, since)...)
	for _, lease := range leases {
		// A leased database is in the session's own server.
		if lease.Session != name {
			parts = append(parts, readLogs(s, lease.Session, []string{lease.Copy}, since)...)
		}
	}
	if len(parts) == 1 {
		return "servers logged nothing during this test (session " + name + ")"
	}
	return strings.Join(parts, "\n")
}

func readLogs(s *session, session string, servers []string, since time.Time) []string {
	logs, order := map[string]*logEnd{}, []string{}
	of := func(server string) *logEnd {
		if logs[server] == nil {
			logs[server] = &logEnd{}
			order = append(order, server)
		}
		return logs[server]
	}
	// The command takes whole seconds.
	whole := since.UTC().Format("2006-01-02T15:04:05Z")
	words := []string{"logs", "--session", session, "--since", whole, "--tail", fmt.Sprint(maxLogLines), "--timestamps"}
	ctx, cancel := context.WithTimeout(context.Background(), logTimeout)
	defer cancel()
	err := s.command.lines(ctx, append(words, servers...), func(line string) {
		found := logLine.FindStringSubmatch(line)
		// A long line comes in parts, which have no time.
		if found == nil {
			return
		}
		at, err := time.Parse(time.RFC3339Nano, found[2])
		if err == nil && !at.Before(since) {
			of(found[1]).add("  " + strings.TrimPrefix(line, found[1]+" | "))
		}
	})
	if err != nil {
		of(session).add("  The logs could not be read to their end.")
	}
	var parts []string
	for _, server := range order {
		head := server + ":"
		if logs[server].isCut {
			head += " (its end)"
		}
		parts = append(parts, head)
		parts = append(parts, logs[server].lines...)
	}
	return parts
}

// findStopped names the servers that no longer run.
func findStopped(s *session) []string {
	ctx, cancel := context.WithTimeout(context.Background(), logTimeout)
	defer cancel()
	var found struct {
		Servers map[string]struct {
			State       string
			ExitCode    *int
			OutOfMemory bool
		}
	}
	if err := s.command.json(ctx, []string{"ps", "--session", s.current().Session}, &found); err != nil {
		return []string{"  " + err.Error()}
	}
	var parts []string
	for _, name := range namesOf(found.Servers) {
		server := found.Servers[name]
		if server.State == "ready" || server.State == "completed" {
			continue
		}
		text := name + " is " + server.State
		if server.ExitCode != nil {
			text += fmt.Sprintf(", with code %d", *server.ExitCode)
		}
		if server.OutOfMemory {
			text += ", killed for memory"
		}
		parts = append(parts, text)
	}
	return parts
}

// noteShown lets a parent of a test show only what came after.
func noteShown(test string) {
	scopes.Range(func(_, found any) bool {
		scope := found.(*testScope)
		if strings.HasPrefix(test, scope.t.Name()+"/") {
			scope.lock.Lock()
			scope.since = time.Now()
			scope.lock.Unlock()
		}
		return true
	})
}
