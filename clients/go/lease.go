package testfleet

import (
	"context"
	"sync"
	"time"
)

// leaseWait is how long the lender waits for a pristine server when it is not told.
const leaseWait = time.Minute

// LeasedServer is a pristine copy of a server that nobody else has until it is given back.
type LeasedServer struct {
	Server
	// Copy is its name in its session, such as `db-2`.
	Copy string
	// Session is the session of the copy, for `testfleet logs --session`.
	Session string
	// Isolation is `container`, `reset` or `database`.
	Isolation string
	// Database is the name of its database, for `isolation: database`.
	Database string

	lease      string
	connection *lenderConnection
	once       sync.Once
}

// Release gives the server back. A second call does nothing.
func (l *LeasedServer) Release() error {
	var err error
	l.once.Do(func() {
		defer l.connection.close()
		var answer struct{}
		err = l.connection.ask(context.Background(), map[string]any{"release": l.lease}, 0, &answer)
	})
	// The lender has ended, and with it the lease.
	if isLenderGone(err) {
		return nil
	}
	return err
}

// takeLease leases a server over a new connection. The warning is a sentence for people, or empty.
func takeLease(ctx context.Context, name, path string) (lease *LeasedServer, warning string, err error) {
	request, wait := map[string]any{"lease": name}, leaseWait
	if deadline, has := ctx.Deadline(); has {
		wait = time.Until(deadline)
		if wait < time.Millisecond {
			wait = time.Millisecond
		}
		request["timeoutMs"] = wait.Milliseconds()
	}
	connection, err := dialLender(path)
	if err != nil {
		return nil, "", err
	}
	var answer struct {
		Server
		Lease, Copy, Session, Isolation, Database, Warning string
	}
	if err = connection.ask(ctx, request, wait, &answer); err == nil {
		err = answer.check()
	}
	if err != nil {
		connection.close()
		return nil, "", err
	}
	answer.Name = name
	lease = &LeasedServer{
		Server: answer.Server, Copy: answer.Copy, Session: answer.Session, Isolation: answer.Isolation,
		Database: answer.Database, lease: answer.Lease, connection: connection,
	}
	return lease, answer.Warning, nil
}
