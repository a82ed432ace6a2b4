package testfleet

import (
	"context"
	"fmt"
	"os"
)

// Fleet is a running fleet. In a test, a name that no server has fails the test; elsewhere, it is a panic with an *Error.
type Fleet struct {
	session *session
	test    *testScope
}

// Option is an option of Main and Open.
type Option func(*options)

type options struct {
	file       string
	servers    []string
	perPackage bool
	holder     int
}

// Servers starts only these servers, and those that they depend on.
func Servers(names ...string) Option {
	return func(o *options) { o.servers = append(o.servers, names...) }
}

// PerPackage gives each package a fleet of its own, which nobody else uses.
func PerPackage() Option {
	return func(o *options) { o.perPackage = true }
}

// HeldBy says which process holds the session: the fleet is removed when that process has ended.
func HeldBy(process int) Option {
	return func(o *options) { o.holder = process }
}

// Open starts the fleet of a fleet file, or joins it, in any program. The fleet is removed after the end of the process, or
// by Down. Without a name, the command looks for the file in the working folder and above.
func Open(ctx context.Context, file string, opts ...Option) (*Fleet, error) {
	chosen := options{file: file, holder: os.Getpid()}
	for _, option := range opts {
		option(&chosen)
	}
	opened, err := open(ctx, chosen)
	if err != nil {
		return nil, err
	}
	return &Fleet{session: opened}, nil
}

// Server returns a server by its name.
func (f *Fleet) Server(name string) *Server {
	f.mark().Helper()
	server, exists := f.session.current().Servers[name]
	if !exists {
		f.fail(f.session.unknown(name))
		return nil
	}
	bound := *server
	bound.fleet = f
	return &bound
}

// Servers returns the names of the servers.
func (f *Fleet) Servers() []string {
	return namesOf(f.session.current().Servers)
}

// Session returns the name of the session, for `testfleet logs --session`.
func (f *Fleet) Session() string {
	return f.session.current().Session
}

// Domain returns the domain of the servers, such as `shop.test`.
func (f *Fleet) Domain() string {
	return f.session.current().Domain
}

// Environment returns the variables of the fleet, for programs that use it.
func (f *Fleet) Environment() map[string]string {
	variables := map[string]string{}
	for name, value := range f.session.current().Environment {
		variables[name] = value
	}
	return variables
}

// Env returns the variables of this process and of the fleet as NAME=VALUE, for exec.Cmd.Env.
func (f *Fleet) Env() []string {
	return append(os.Environ(), listVariables(f.session.current().Environment)...)
}

// Lease returns a pristine copy of a server that nobody else has. Call its Release, or use the function Lease in a test.
// It waits until the deadline of the context, or a minute, until a copy is free. Fails with UNKNOWN_SERVER, TIMED_OUT,
// CANCELLED, LENDER_LOST or USAGE.
func (f *Fleet) Lease(ctx context.Context, name string) (*LeasedServer, error) {
	f.mark().Helper()
	lease, warning, err := f.session.lease(ctx, name)
	if err != nil {
		return nil, err
	}
	lease.fleet = f
	if warning != "" {
		f.warn(warning)
	}
	return lease, nil
}

// Down removes the servers, even if others still use them.
func (f *Fleet) Down() error {
	return f.session.down()
}

// mark returns what marks a function as a helper of the test, whose failures are then those of the line that called it.
func (f *Fleet) mark() interface{ Helper() } {
	if f.test == nil {
		return noTest{}
	}
	return f.test.t
}

type noTest struct{}

func (noTest) Helper() {}

func (f *Fleet) fail(err error) {
	f.mark().Helper()
	if f.test == nil {
		panic(err)
	}
	defer explainLatePanic(err)
	f.test.t.Fatalf("error: %v", err)
}

// explainLatePanic adds what was wrong to the panic of package testing for a test that has ended: it says neither.
func explainLatePanic(err error) {
	found := recover()
	if text, isText := found.(string); isText {
		panic(text + "\nerror: " + err.Error() + "\nhint: This fleet is that of a test that has ended. Call `Share` in each test.")
	}
	if found != nil {
		panic(found)
	}
}

func (f *Fleet) warn(sentence string) {
	f.mark().Helper()
	if f.test == nil {
		fmt.Fprintf(os.Stderr, "warning: %s\n", sentence)
	} else {
		f.test.t.Logf("warning: %s", sentence)
	}
}
