package testfleet

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// standInFolder names the variable by which this program answers as the command. tests/e2e uses the real one.
const standInFolder = "STAND_IN_FOLDER"

func TestMain(m *testing.M) {
	if folder := os.Getenv(standInFolder); folder != "" && len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		answerAsCommand(folder)
	}
	os.Exit(m.Run())
}

// part is something that the stand-in does: it prints to a stream, or ends.
type part struct {
	Out, Err string
	Exit     int
}

type standIn struct {
	t      *testing.T
	folder string
}

func answerAsCommand(folder string) {
	words := os.Args[1:]
	calls, _ := os.OpenFile(filepath.Join(folder, "calls"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	fmt.Fprintln(calls, strings.Join(words, " "))
	text, _ := os.ReadFile(filepath.Join(folder, words[0]))
	var parts []part
	if json.Unmarshal(text, &parts) != nil {
		parts = []part{{Out: "{}"}}
	}
	for _, one := range parts {
		fmt.Fprint(os.Stdout, one.Out)
		fmt.Fprint(os.Stderr, one.Err)
		if one.Exit != 0 {
			os.Exit(one.Exit)
		}
	}
	os.Exit(0)
}

const shared = `{"session":"shop-1","fleet":"shop","domain":"shop.test","process":1,"servers":{"db":{"state":"ready",
"container":"c1","hostname":"db.shop.test","endpoints":{"5432/tcp":{"host":"127.0.0.1","port":4001},
"53/udp":{"host":"::1","port":4003},"53/tcp":{"host":"127.0.0.1","port":4004}},"exports":{"DATABASE_URL":"db://shop"},
"environment":{"DATABASE_URL":"db://shop","TESTFLEET_DB_PORT":"4001"}}},
"environment":{"DATABASE_URL":"db://shop","TESTFLEET_SESSION":"shop-1","TESTFLEET_LENDER":"/nowhere/lender"}}`

func newStandIn(t *testing.T) *standIn {
	stand := &standIn{t, t.TempDir()}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TESTFLEET_BIN", program)
	t.Setenv("TESTFLEET_SESSION", "")
	t.Setenv(standInFolder, stand.folder)
	stand.answer("share", part{Out: shared})
	return stand
}

func (s *standIn) answer(word string, parts ...part) {
	text, err := json.Marshal(parts)
	if err == nil {
		err = os.WriteFile(filepath.Join(s.folder, word), text, 0o600)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *standIn) calls() []string {
	text, _ := os.ReadFile(filepath.Join(s.folder, "calls"))
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

func expectEqual(t *testing.T, found, expected any) {
	t.Helper()
	if fmt.Sprintf("%#v", found) != fmt.Sprintf("%#v", expected) {
		t.Errorf("found    %#v\nexpected %#v", found, expected)
	}
}

// recordingT is a test that notes what it is told, and can fail without an end.
type recordingT struct {
	testing.TB
	name     string
	failed   bool
	told     []string
	cleanups []func()
}

type fatal struct{ text string }

func (r *recordingT) Helper()                         {}
func (r *recordingT) Name() string                    { return r.name }
func (r *recordingT) Failed() bool                    { return r.failed }
func (r *recordingT) Log(values ...any)               { r.told = append(r.told, fmt.Sprint(values...)) }
func (r *recordingT) Logf(form string, values ...any) { r.Log(fmt.Sprintf(form, values...)) }
func (r *recordingT) Cleanup(one func())              { r.cleanups = append(r.cleanups, one) }
func (r *recordingT) Fatalf(form string, values ...any) {
	panic(fatal{fmt.Sprintf(form, values...)})
}

func (r *recordingT) end() {
	for len(r.cleanups) > 0 {
		last := len(r.cleanups) - 1
		one := r.cleanups[last]
		r.cleanups = r.cleanups[:last]
		one()
	}
}

// catch returns how `use` has failed its test.
func catch(use func()) (text string) {
	defer func() {
		if found, isFatal := recover().(fatal); isFatal {
			text = found.text
		}
	}()
	use()
	return ""
}
