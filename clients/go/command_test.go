package testfleet

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func makeProgram(t *testing.T, text string, parts ...string) string {
	t.Helper()
	path := filepath.Join(parts...)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheVariableWinsThenThePathThenTheNpmPackage(t *testing.T) {
	folder := t.TempDir()
	project := filepath.Join(folder, "project", "tests")
	npm := makeProgram(t, "", folder, "project", "node_modules", ".bin", "testfleet")
	onPath := makeProgram(t, "", folder, "bin", "testfleet")
	named := makeProgram(t, "", folder, "own")
	find := func(variable, path string) string {
		t.Setenv("TESTFLEET_BIN", variable)
		t.Setenv("PATH", path)
		found, err := findCommand(project)
		if err != nil {
			t.Error(err)
		}
		return found
	}
	expectEqual(t, find(named, filepath.Join(folder, "bin")), named)
	expectEqual(t, find("", filepath.Join(folder, "bin")), onPath)
	expectEqual(t, find("", ""), npm)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	defer os.Chdir(here)
	if err := os.Chdir(folder); err != nil {
		t.Fatal(err)
	}
	expectEqual(t, find("bin/testfleet", ""), onPath)
	expectEqual(t, find("", "bin"), onPath)
}

func TestAMissingCommandIsAFailureWithAHint(t *testing.T) {
	for variable, message := range map[string]string{
		"":          "testfleet is not installed",
		"/no/where": "TESTFLEET_BIN is not a program: /no/where",
	} {
		t.Setenv("TESTFLEET_BIN", variable)
		t.Setenv("PATH", "")
		_, err := findCommand(t.TempDir())
		var failure *Error
		if !errors.As(err, &failure) || failure.Code != "COMMAND_MISSING" || !strings.HasPrefix(failure.Message, message) {
			t.Errorf("%q: %v", variable, err)
		}
		if !strings.Contains(err.Error(), "\nhint: ") || !strings.Contains(failure.Hint, "TESTFLEET_BIN") {
			t.Errorf("no hint: %v", err)
		}
	}
}

func TestAFleetFileIsFoundInFoldersAbove(t *testing.T) {
	folder := t.TempDir()
	inside := filepath.Join(folder, "orders", "store")
	if err := os.MkdirAll(inside, 0o700); err != nil {
		t.Fatal(err)
	}
	path := makeProgram(t, "", folder, "fleets", "testfleet.yaml")
	for file, expected := range map[string]string{"fleets/testfleet.yaml": path, path: path, "": ""} {
		found, err := findFleetFile(inside, file)
		expectEqual(t, found, expected)
		expectEqual(t, err, nil)
	}
	_, err := findFleetFile(inside, "missing.yaml")
	expectEqual(t, codeOf(err), "FLEET_FILE_NOT_FOUND")
	text := "the fleet file missing.yaml is not in " + inside + " or above\nhint: Give its path from the folder of the package."
	expectEqual(t, err.Error(), text)
}

func TestAFailureHasTheFieldsOfTheDocumentAndTheTextOfTheCommand(t *testing.T) {
	stand := newStandIn(t)
	document := `{"error":{"code":"SERVER_DIED","message":"web ended","hint":"read it","server":"web"}}`
	stand.answer("share", part{Err: "error: web ended\n  | cannot bind\nhint: read it\n"}, part{Out: document, Exit: 1})
	_, err := Open(context.Background(), "")
	var failure *Error
	if !errors.As(err, &failure) {
		t.Fatal(err)
	}
	expectEqual(t, []string{failure.Code, failure.Message, failure.Hint}, []string{"SERVER_DIED", "web ended", "read it"})
	expectEqual(t, failure.Details["server"], "web")
	expectEqual(t, err.Error(), "web ended\n  | cannot bind\nhint: read it")
}

func TestAnAnswerThatIsNoDocumentIsAFailure(t *testing.T) {
	for _, answer := range []part{{Exit: 3}, {Out: "no JSON"}, {Out: "[]"}, {Out: `{"error": 5}`, Exit: 1}} {
		stand := newStandIn(t)
		stand.answer("share", answer)
		if _, err := Open(context.Background(), ""); err == nil || !strings.Contains(err.Error(), "testfleet") {
			t.Errorf("%+v: %v", answer, err)
		}
	}
}

func TestADocumentOfAnotherReleaseIsAFailure(t *testing.T) {
	for answer, missing := range map[string]string{
		`{}`: "session",
		`{"session":"shop-1","environment":{},"servers":{"db":{}}}`:   "hostname",
		`{"session":"shop-1","environment":{},"servers":{"db":null}}`: "servers.db",
		`{"session":"shop-1","servers":{}}`:                           "environment",
	} {
		stand := newStandIn(t)
		stand.answer("share", part{Out: answer})
		_, err := Open(context.Background(), "")
		if err == nil || !strings.Contains(err.Error(), "too old: the answer of `share` has no `"+missing+"`") {
			t.Errorf("%s: %v", answer, err)
		}
	}
}

func TestACallThatTakesTooLongIsEndedAfterItHasCleanedUp(t *testing.T) {
	folder := t.TempDir()
	slow := makeProgram(t, "trap 'echo done > cleaned; exit 130' TERM\necho begun >&2\nwhile :; do sleep 0.02; done\n", folder, "slow")
	ctx, cancel := context.WithCancel(context.Background())
	began := &beginning{cancel}
	err := (&command{path: slow, folder: folder}).run(ctx, []string{"share"}, began, began)
	var failure *Error
	if !errors.As(err, &failure) || failure.Code != "CANCELLED" {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "cleaned")); err != nil {
		t.Error(err)
	}
	ctx, cancel = context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	err = (&command{path: slow, folder: folder}).run(ctx, []string{"share"}, &answerBuffer{}, &answerBuffer{})
	if !errors.As(err, &failure) || failure.Code != "TIMED_OUT" || !strings.Contains(failure.Hint, "testfleet doctor") {
		t.Error(err)
	}
	err = (&command{path: folder, folder: folder}).run(context.Background(), []string{"share"}, &answerBuffer{}, &answerBuffer{})
	if !errors.As(err, &failure) || failure.Code != "COMMAND_MISSING" || !strings.Contains(failure.Hint, "TESTFLEET_BIN") {
		t.Error(err)
	}
}

// beginning cancels a call once it has printed something.
type beginning struct{ cancel func() }

func (b *beginning) Write(text []byte) (int, error) {
	b.cancel()
	return len(text), nil
}

func TestAServerHasItsEndpointsAndExports(t *testing.T) {
	newStandIn(t)
	fleet, err := Open(context.Background(), "", Servers("db"), HeldBy(7))
	if err != nil {
		t.Fatal(err)
	}
	db := fleet.Server("db")
	expectEqual(t, []string{db.Name, db.Hostname, db.Container, db.Addr(), db.Export("DATABASE_URL")},
		[]string{"db", "db.shop.test", "c1", "127.0.0.1:4001", "db://shop"})
	expectEqual(t, db.Endpoint(53).String(), "127.0.0.1:4004")
	expectEqual(t, db.Endpoint(53, "udp").String(), "[::1]:4003")
	expectEqual(t, db.Env(), []string{"DATABASE_URL=db://shop", "TESTFLEET_DB_PORT=4001"})
	expectEqual(t, fleet.Servers(), []string{"db"})
	expectEqual(t, fleet.Environment()["TESTFLEET_SESSION"], "shop-1")
	for expected, use := range map[string]func(){
		`the fleet has no server "dbb"; it has: db`:                               func() { fleet.Server("dbb") },
		"db does not export DATABASE; it exports: DATABASE_URL":                   func() { db.Export("DATABASE") },
		"db does not publish port 80 tcp; it publishes: 5432/tcp, 53/udp, 53/tcp": func() { db.Endpoint(80, "tcp") },
		"db does not publish a port sctp; it publishes: 5432/tcp, 53/udp, 53/tcp": func() { db.Endpoint(0, "sctp") },
	} {
		func() {
			defer func() {
				failure, isFailure := recover().(*Error)
				if !isFailure || failure.Message != expected {
					t.Errorf("%v instead of %s", failure, expected)
				}
			}()
			use()
		}()
	}
}

func TestSharePassesTheHolderTheFileAndTheServers(t *testing.T) {
	stand := newStandIn(t)
	t.Setenv("TESTFLEET_SESSION", "shop-1")
	if _, err := Open(context.Background(), "/fleets/f.yaml", Servers("db", "web"), HeldBy(7), PerPackage()); err != nil {
		t.Fatal(err)
	}
	expectEqual(t, stand.calls(), []string{"share --file /fleets/f.yaml --pid 7 db web --json"})
	expectEqual(t, without([]string{"A=1", "TESTFLEET_SESSION=shop-1"}, "TESTFLEET_SESSION="), []string{"A=1"})
}

func TestAProgramThatKeepsTheOutputOpenDoesNotHoldUpItsClient(t *testing.T) {
	folder := t.TempDir()
	path := makeProgram(t, "sleep 600 &\necho $! >left\necho '{\"session\":\"shop-1\"}'\n", folder, "leaving")
	leaving := &command{path: path, folder: folder}
	stop := func() {
		text, _ := os.ReadFile(filepath.Join(folder, "left"))
		left, _ := strconv.Atoi(strings.TrimSpace(string(text)))
		process, err := os.FindProcess(left)
		if err == nil && left > 0 {
			// It still has the pipe open.
			err = process.Kill()
		}
		if err != nil || left <= 0 {
			t.Error(left, err)
		}
	}
	var found struct{ Session string }
	err := leaving.json(context.Background(), []string{"ps"}, &found)
	stop()
	expectEqual(t, err, nil)
	expectEqual(t, found.Session, "shop-1")
	var lines []string
	err = leaving.lines(context.Background(), []string{"logs"}, func(line string) { lines = append(lines, line) })
	stop()
	expectEqual(t, err, nil)
	expectEqual(t, lines, []string{`{"session":"shop-1"}`})
}

func TestALineWithoutAnEndAndALongMessageAreBounded(t *testing.T) {
	var told toldWriter
	told.add("error: too long\n")
	part := []byte(strings.Repeat("y", 10_000))
	for written := 0; written < 3*maxToldBytes; written += len(part) {
		if count, err := told.Write(part); count != len(part) || err != nil {
			t.Fatal(count, err)
		}
		if len(told.rest) > maxOutputLineBytes+len(part) {
			t.Fatalf("%d bytes of a line are kept", len(told.rest))
		}
	}
	told.flush()
	expectEqual(t, told.failure.Len(), maxToldBytes)
}
