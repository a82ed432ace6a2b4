package testfleet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"sort"
	"strconv"
	"strings"
)

// Server is a running server, or a leased copy of one.
type Server struct {
	// Name is its name in the fleet file.
	Name string `json:"-"`
	// Hostname is its name in the fleet's network, such as `db.shop.test`.
	Hostname string
	// Container is the id of its container.
	Container string
	// Exports has what it exports, such as DATABASE_URL.
	Exports map[string]string
	// Environment has its exports, TESTFLEET_<SERVER>_HOST, …_PORT and …_HOSTNAME.
	Environment map[string]string
	// Endpoints has the published ports.
	Endpoints Endpoints
	fleet     *Fleet
}

// Endpoint is where a port is reached.
type Endpoint struct {
	Host string
	Port int
}

// String returns an address for net.Dial, such as 127.0.0.1:32768.
func (e Endpoint) String() string {
	return net.JoinHostPort(e.Host, strconv.Itoa(e.Port))
}

// Endpoints has published ports by `<port>/<protocol>`, such as `5432/tcp`.
type Endpoints struct {
	// Ports has the keys of the endpoints, in the order of the fleet file.
	Ports  []string
	byPort map[string]Endpoint
}

// UnmarshalJSON keeps the order of the ports.
func (e *Endpoints) UnmarshalJSON(text []byte) error {
	if err := json.Unmarshal(text, &e.byPort); err != nil {
		return err
	}
	for decoder := json.NewDecoder(bytes.NewReader(text)); decoder.More(); {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		if port, isKey := token.(string); isKey {
			e.Ports = append(e.Ports, port)
			var endpoint Endpoint
			if err := decoder.Decode(&endpoint); err != nil {
				return err
			}
		}
	}
	return nil
}

// Addr returns the address of the first port for net.Dial, such as 127.0.0.1:32768.
func (s *Server) Addr() string {
	s.fleet.mark().Helper()
	return s.Endpoint(0).String()
}

// Endpoint returns where a port of the server is reached; 0 is the first port. Without a protocol, a TCP port comes first.
// A port that is not published fails the test.
func (s *Server) Endpoint(port int, protocol ...string) Endpoint {
	s.fleet.mark().Helper()
	wanted := append(protocol, "tcp", "udp", "sctp")
	if len(protocol) > 0 {
		wanted = protocol
	} else if port == 0 && len(s.Endpoints.Ports) > 0 {
		return s.Endpoints.byPort[s.Endpoints.Ports[0]]
	}
	for _, one := range wanted {
		for _, key := range s.Endpoints.Ports {
			if key == fmt.Sprintf("%d/%s", port, one) || port == 0 && strings.HasSuffix(key, "/"+one) {
				return s.Endpoints.byPort[key]
			}
		}
	}
	s.fleet.fail(&Error{
		Code:    "PORT_UNREACHABLE",
		Message: fmt.Sprintf("%s does not publish %s; it publishes: %s", s.Name, describePort(port, protocol), list(s.Endpoints.Ports)),
		Hint:    "List the port in `ports` of the server.",
	})
	return Endpoint{}
}

func describePort(port int, protocol []string) string {
	words := append([]string{"a port"}, protocol...)
	if port != 0 {
		words = append([]string{"port", strconv.Itoa(port)}, protocol...)
	}
	return strings.Join(words, " ")
}

// Export returns what the server exports under a name, such as DATABASE_URL. An unknown name fails the test.
func (s *Server) Export(name string) string {
	s.fleet.mark().Helper()
	value, exists := s.Exports[name]
	if !exists {
		s.fleet.fail(&Error{
			Code:    "USAGE",
			Message: fmt.Sprintf("%s does not export %s; it exports: %s", s.Name, name, list(namesOf(s.Exports))),
			Hint:    "Declare it in `export` of the server.",
		})
	}
	return value
}

// Env returns the variables of the server as NAME=VALUE, for exec.Cmd.Env.
func (s *Server) Env() []string {
	return listVariables(s.Environment)
}

// check fails for the answer of another release.
func (s *Server) check() error {
	switch {
	case s.Hostname == "":
		return tooOld("hostname")
	case s.Exports == nil:
		return tooOld("exports")
	case s.Environment == nil:
		return tooOld("environment")
	case s.Endpoints.byPort == nil:
		return tooOld("endpoints")
	}
	return nil
}

func listVariables(variables map[string]string) []string {
	list := make([]string, 0, len(variables))
	for _, name := range namesOf(variables) {
		list = append(list, name+"="+variables[name])
	}
	return list
}

func namesOf[Value any](values map[string]Value) []string {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}
