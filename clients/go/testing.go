// Package testfleet gives tests real servers in containers, which one fleet file declares. All packages of a `go test`
// share them.
//
//	func TestMain(m *testing.M) { testfleet.Main(m, "testfleet.yaml") }
//
//	func TestOrders(t *testing.T) {
//		url := testfleet.Share(t).Server("db").Export("DATABASE_URL")
//		…
//	}
package testfleet

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"
)

// run is the fleet of this process.
var run processRun

type processRun struct {
	options options
	once    sync.Once
	session *session
	err     error
	isOwn   bool
}

func (r *processRun) open(ctx context.Context) (*session, error) {
	r.once.Do(func() {
		isShared := !r.options.perPackage
		if r.options.holder == 0 {
			r.options.holder = os.Getpid()
			if isShared {
				r.options.holder = findHolder()
			}
		}
		isInherited := isShared && os.Getenv("TESTFLEET_SESSION") != ""
		r.isOwn = r.options.holder == os.Getpid() && !isInherited
		r.session, r.err = open(ctx, r.options)
	})
	return r.session, r.err
}

// Main starts the fleet, sets its variables in the environment of this process, runs the tests, and exits. Call it in
// TestMain. The fleet file is in the folder of the package or above; with an empty name, the command looks for one there.
func Main(m *testing.M, file string, opts ...Option) {
	flag.Parse()
	run.options.file = file
	for _, option := range opts {
		option(&run.options)
	}
	if list := flag.Lookup("test.list"); list != nil && list.Value.String() != "" {
		os.Exit(m.Run())
	}
	if err := start(); err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
	code := m.Run()
	if run.isOwn {
		if err := run.session.down(); err != nil {
			fmt.Fprintf(os.Stderr, "error: %v\nThe servers are removed after the end of this process.\n", err)
		}
	}
	os.Exit(code)
}

func start() error {
	// The command removes what it has started, before this process ends.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	session, err := run.open(ctx)
	if err != nil {
		return err
	}
	for name, value := range session.current().Environment {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

// Share returns the fleet of this run. Without Main, the first call starts it. If the test fails, its output shows what
// the servers logged since the first call of Share or Lease in the test.
func Share(t testing.TB) *Fleet {
	t.Helper()
	session, err := run.open(context.Background())
	if err != nil {
		t.Fatalf("error: %v", err)
	}
	return &Fleet{session: session, test: scopeOf(t, session)}
}

// Lease returns a pristine copy of a server that nobody else has, and gives it back after the test. It waits for at most a
// minute, until one is free.
func Lease(t testing.TB, server string) *LeasedServer {
	t.Helper()
	fleet := Share(t)
	if fleet.test.isOver() {
		fleet.fail(outsideOfTest(server))
	}
	lease, err := fleet.Lease(context.Background(), server)
	if err != nil {
		fleet.fail(err)
	}
	if !fleet.test.add(lease) {
		_ = lease.Release()
		fleet.fail(outsideOfTest(server))
	}
	return lease
}

func outsideOfTest(server string) *Error {
	return &Error{
		Code:    "USAGE",
		Message: "the lease of " + server + " was asked for outside of a test",
		Hint:    "Call `Lease` while its test runs, or `Open` and `Fleet.Lease`, and give the lease back yourself.",
	}
}

// testScope has the leases of a test. One cleanup shows the logs, then gives back the leases: the servers of a lease are
// needed for their logs.
type testScope struct {
	t       testing.TB
	session *session

	lock   sync.Mutex
	since  time.Time
	leases []*LeasedServer
	over   bool
}

// scopes has the scope of each testing.TB. It also knows the tests that have ended last.
var scopes sync.Map

// ended has the tests that have ended last. A scope keeps all that its test has logged in memory, so older ones are forgotten.
var ended struct {
	lock  sync.Mutex
	tests [64]testing.TB
	next  int
}

// forgetLater keeps a test that has ended, and forgets the one that ended long before.
func forgetLater(t testing.TB) {
	ended.lock.Lock()
	defer ended.lock.Unlock()
	if old := ended.tests[ended.next]; old != nil {
		scopes.Delete(old)
	}
	ended.tests[ended.next] = t
	ended.next = (ended.next + 1) % len(ended.tests)
}

func scopeOf(t testing.TB, session *session) *testScope {
	found, exists := scopes.LoadOrStore(t, &testScope{t: t, session: session, since: time.Now()})
	scope := found.(*testScope)
	if !exists {
		t.Cleanup(scope.end)
	}
	return scope
}

func (s *testScope) isOver() bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.over
}

func (s *testScope) add(lease *LeasedServer) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	if !s.over {
		s.leases = append(s.leases, lease)
	}
	return !s.over
}

func (s *testScope) end() {
	s.lock.Lock()
	s.over = true
	leases, since := s.leases, s.since
	s.leases = nil
	s.lock.Unlock()
	// Its next run, which has more iterations, has the same testing.B.
	if _, isBenchmark := s.t.(*testing.B); isBenchmark {
		defer scopes.Delete(s.t)
	} else {
		defer forgetLater(s.t)
	}
	if s.t.Failed() {
		s.t.Log(describeServers(s.session, leases, since))
		noteShown(s.t.Name())
	}
	for _, lease := range leases {
		if err := lease.Release(); err != nil {
			s.t.Errorf("error: %v", err)
		}
	}
}
