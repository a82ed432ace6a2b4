package testfleet

import (
	"strings"
	"testing"
	"time"
)

func log(lines ...string) part {
	return part{Out: strings.Join(lines, "\n") + "\n"}
}

// useRun makes this test a process of its own.
func useRun(t *testing.T) {
	t.Cleanup(func() { run = processRun{} })
	run = processRun{}
}

func TestAFailedTestShowsWhatServersLoggedSinceItsFirstCall(t *testing.T) {
	lender, stand := newLender(t)
	useRun(t)
	lender.answers <- leased
	lender.answers <- `{"id":1}`
	now := func(after time.Duration) string { return time.Now().Add(after).UTC().Format(time.RFC3339Nano) }
	stand.answer("ps", part{Out: `{"servers":{"db":{"state":"exited","exitCode":137,"outOfMemory":true},"seed":{"state":"completed"}}}`})
	stand.answer("logs", log("db | "+now(-time.Minute)+" before", "db | "+now(time.Minute)+" one | two", "half of a long line"))
	failing := &recordingT{TB: t, name: "TestX", failed: true}
	Lease(failing, "db")
	Share(failing)
	failing.end()
	text := failing.told[len(failing.told)-1]
	for _, expected := range []string{"db is exited, with code 137, killed for memory\ndb:\n", " one | two", "session shop-1"} {
		if !strings.Contains(text, expected) {
			t.Errorf("%s is missing in:\n%s", expected, text)
		}
	}
	if strings.Contains(text, "before") || strings.Contains(text, "long line") || strings.Contains(text, "seed") {
		t.Error(text)
	}
	calls := stand.calls()
	expectEqual(t, len(calls), 4)
	if !strings.HasSuffix(calls[3], " --timestamps db-1 --quiet") || !strings.Contains(calls[3], "--session shop-pool-1 --since 2") {
		t.Error(calls[3])
	}
	// The lease is given back after its log was read.
	<-lender.requests
	expectEqual(t, (<-lender.requests)["release"], "k1")
	passing := &recordingT{TB: t, name: "TestY"}
	Share(passing)
	passing.end()
	expectEqual(t, len(passing.told), 0)
}

func TestALenderThatStartsLaterHidesNoEarlierLine(t *testing.T) {
	lender, stand := newLender(t)
	useRun(t)
	failing := &recordingT{TB: t, name: "TestX", failed: true}
	Share(failing)
	stand.answer("logs", log("db | "+time.Now().UTC().Format(time.RFC3339Nano)+" before the lease"))
	lender.answers <- ""
	lender.answers <- leased
	lender.answers <- `{"id":1}`
	Lease(failing, "db")
	failing.end()
	if text := failing.told[0]; !strings.Contains(text, "before the lease") {
		t.Error(text)
	}
}

func TestShowsTheEndOfALongLog(t *testing.T) {
	stand := newStandIn(t)
	useRun(t)
	at := time.Now().Add(time.Minute).UTC().Format(time.RFC3339Nano)
	line := "db | " + at + " " + strings.Repeat("x", 1000)
	stand.answer("logs", log(strings.Repeat(line+"\n", 100)+"db | "+at+" last"), part{Exit: 3})
	failing := &recordingT{TB: t, name: "TestX", failed: true}
	Share(failing)
	failing.end()
	text := failing.told[0]
	if len(text) > maxLogBytes+4096 || len(text) < maxLogBytes-4096 {
		t.Error(len(text))
	}
	for _, expected := range []string{"db: (its end)\n", " last", "shop-1:\n  The logs could not be read to their end."} {
		if !strings.Contains(text, expected) {
			t.Errorf("%s is missing", expected)
		}
	}
}

func TestAParentShowsOnlyWhatCameAfterItsFailedPart(t *testing.T) {
	stand := newStandIn(t)
	useRun(t)
	parent := &recordingT{TB: t, name: "TestX", failed: true}
	Share(parent)
	at := time.Now().Add(settleTime / 2)
	stand.answer("logs", log("db | "+at.UTC().Format(time.RFC3339Nano)+" of the part"))
	inner := &recordingT{TB: t, name: "TestX/part", failed: true}
	Share(inner)
	inner.end()
	parent.end()
	if !strings.Contains(inner.told[0], "of the part") {
		t.Error(inner.told[0])
	}
	expectEqual(t, parent.told, []string{"servers logged nothing during this test (session shop-1)"})
}

func TestWrongNamesAndLateLeasesFailTheTest(t *testing.T) {
	newStandIn(t)
	useRun(t)
	test := &recordingT{TB: t, name: "TestX"}
	fleet := Share(test)
	expectEqual(t, catch(func() { fleet.Server("dbb") }), `error: the fleet has no server "dbb"; it has: db`)
	expectEqual(t, catch(func() { Lease(test, "dbb") }), `error: the fleet has no server "dbb"; it has: db`)
	test.end()
	late := catch(func() { Lease(test, "db") })
	if !strings.HasPrefix(late, "error: the lease of db was asked for outside of a test\nhint: Call `Lease`") {
		t.Error(late)
	}
}

// endedT panics as package testing does after the end of a test.
type endedT struct{ recordingT }

func (e *endedT) Fatalf(string, ...any) { panic("Fail in goroutine after TestX has completed") }

func TestAFleetOfATestThatHasEndedSaysWhatWasWrong(t *testing.T) {
	newStandIn(t)
	useRun(t)
	fleet := Share(&endedT{recordingT{TB: t, name: "TestX"}})
	defer func() {
		text, _ := recover().(string)
		for _, part := range []string{"after TestX has completed\nerror: ", `no server "dbb"; it has: db`, "Call `Share` in each test"} {
			if !strings.Contains(text, part) {
				t.Errorf("%q is missing in %q", part, text)
			}
		}
	}()
	fleet.Server("dbb")
}

func TestAStartThatFailsFailsEachTestInTheSameWay(t *testing.T) {
	stand := newStandIn(t)
	useRun(t)
	stand.answer("share", part{Err: "error: no engine\nhint: start one\n"}, part{Out: `{"error":{"code":"NO_ENGINE","message":"no engine"}}`, Exit: 4})
	for range []int{1, 2} {
		test := &recordingT{TB: t, name: "TestX"}
		expectEqual(t, catch(func() { Share(test) }), "error: no engine\nhint: start one")
	}
	expectEqual(t, len(stand.calls()), 1)
}

func TestTheGoCommandHoldsTheSessionOfItsTests(t *testing.T) {
	expectEqual(t, nameOf(1<<30), "")
	if name := nameOf(findHolder()); name != "go" && !strings.HasPrefix("testfleet.test", name) {
		t.Error(name)
	}
}

func TestEachRunOfABenchmarkHasItsOwnLeases(t *testing.T) {
	lender, _ := newLender(t)
	useRun(t)
	over := make(chan struct{})
	defer close(over)
	go func() {
		for answer := 0; ; answer++ {
			select {
			case <-over:
				return
			case <-lender.requests:
			case lender.answers <- []string{leased, `{"id":1}`}[answer%2]:
			}
		}
	}()
	runs, leases := 0, 0
	testing.Benchmark(func(b *testing.B) {
		runs++
		Lease(b, "db")
		leases++
		time.Sleep(time.Duration(b.N) * time.Millisecond)
	})
	if runs < 2 || leases != runs {
		t.Errorf("%d runs have had %d leases", runs, leases)
	}
}

func TestATestThatEndedLongAgoIsNotKept(t *testing.T) {
	newStandIn(t)
	useRun(t)
	old := &recordingT{TB: t, name: "TestOld"}
	Share(old)
	old.end()
	for range ended.tests {
		test := &recordingT{TB: t, name: "TestX"}
		Share(test)
		test.end()
		if late := catch(func() { Lease(test, "db") }); !strings.Contains(late, "outside of a test") {
			t.Error(late)
		}
	}
	if _, isKept := scopes.Load(old); isKept {
		t.Error("the scope of a test that ended long ago is kept")
	}
}
