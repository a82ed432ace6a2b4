package testfleet

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// downTimeout is the time for the removal of a fleet.
const downTimeout = 5 * time.Minute

// session is the fleet of a process.
type session struct {
	command *command
	words   []string
	// readyAt is when the fleet was ready. A lender that is started later does not change it.
	readyAt time.Time

	lock     sync.Mutex
	document document
}

// document is the answer of `share`.
type document struct {
	Session, Domain string
	Servers         map[string]*Server
	Environment     map[string]string
}

func open(ctx context.Context, chosen options) (*session, error) {
	folder, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	path, err := findCommand(folder)
	if err != nil {
		return nil, err
	}
	file, err := findFleetFile(folder, chosen.file)
	if err != nil {
		return nil, err
	}
	variables := os.Environ()
	if chosen.perPackage {
		variables = without(variables, "TESTFLEET_SESSION=")
	}
	opened := &session{
		command: &command{path, folder, file, variables},
		words:   append([]string{"share", "--pid", strconv.Itoa(chosen.holder)}, chosen.servers...),
	}
	err = opened.read(ctx)
	opened.readyAt = time.Now()
	return opened, err
}

func without(variables []string, start string) []string {
	var rest []string
	for _, variable := range variables {
		if !strings.HasPrefix(variable, start) {
			rest = append(rest, variable)
		}
	}
	return rest
}

// read starts or joins the session.
func (s *session) read(ctx context.Context, more ...string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var found document
	if err := s.command.json(ctx, append(append([]string{}, s.words...), more...), &found); err != nil {
		return err
	}
	switch {
	case found.Session == "":
		return tooOld("session")
	case found.Servers == nil:
		return tooOld("servers")
	case found.Environment == nil:
		return tooOld("environment")
	}
	for name, server := range found.Servers {
		if server == nil {
			return tooOld("servers." + name)
		}
		if err := server.check(); err != nil {
			return err
		}
		server.Name = name
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	s.document = found
	return nil
}

func (s *session) current() document {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.document
}

func (s *session) lease(ctx context.Context, name string) (lease *LeasedServer, warning string, err error) {
	if _, exists := s.current().Servers[name]; !exists {
		return nil, "", s.unknown(name)
	}
	lease, warning, err = takeLease(ctx, name, s.current().Environment["TESTFLEET_LENDER"])
	if isLenderGone(err) {
		// It starts with the first lease, and ends when nobody has leased for a while.
		if err = s.read(ctx, "--lender"); err != nil {
			return nil, "", err
		}
		lease, warning, err = takeLease(ctx, name, s.current().Environment["TESTFLEET_LENDER"])
	}
	return lease, warning, err
}

func (s *session) unknown(name string) *Error {
	known := list(namesOf(s.current().Servers))
	return &Error{Code: "UNKNOWN_SERVER", Message: fmt.Sprintf("the fleet has no server %q; it has: %s", name, known)}
}

func (s *session) down() error {
	ctx, cancel := context.WithTimeout(context.Background(), downTimeout)
	defer cancel()
	var answer json.RawMessage
	return s.command.json(ctx, []string{"down", "--session", s.current().Session, "--force", "--quiet"}, &answer)
}
