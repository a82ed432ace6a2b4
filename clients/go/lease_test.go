package testfleet

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const leased = `{"id":1,"lease":"k1","server":"db","copy":"db-1","isolation":"reset","session":"shop-pool-1","container":"c2",
"hostname":"db-1.shop.test","endpoints":{"5432/tcp":{"host":"127.0.0.1","port":4002}},"exports":{"DATABASE_URL":"db://copy"},
"environment":{"DATABASE_URL":"db://copy"}}`

// fakeLender answers each request with the next of its answers; an empty one is the end of the connection.
type fakeLender struct {
	answers  chan string
	requests chan map[string]any
	ended    chan struct{}
}

func newLender(t *testing.T) (*fakeLender, *standIn) {
	t.Helper()
	lender := &fakeLender{make(chan string, 9), make(chan map[string]any, 9), make(chan struct{}, 9)}
	path := filepath.Join(t.TempDir(), "lender")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go lender.serve(connection)
		}
	}()
	stand := newStandIn(t)
	stand.answer("share", part{Out: strings.ReplaceAll(shared, "/nowhere/lender", path)})
	return lender, stand
}

func (l *fakeLender) serve(connection net.Conn) {
	defer func() { l.ended <- struct{}{} }()
	defer connection.Close()
	for lines := bufio.NewReader(connection); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var request map[string]any
		_ = json.Unmarshal(line, &request)
		l.requests <- request
		answer := <-l.answers
		if answer == "" {
			return
		}
		_, _ = connection.Write([]byte(strings.ReplaceAll(answer, "\n", "") + "\n"))
	}
}

func openFleet(t *testing.T) *Fleet {
	t.Helper()
	fleet, err := Open(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	return fleet
}

func codeOf(err error) string {
	var failure *Error
	if errors.As(err, &failure) {
		return failure.Code
	}
	return ""
}

func TestALeaseHasTheValuesOfItsCopyAndIsGivenBackOnce(t *testing.T) {
	lender, _ := newLender(t)
	lender.answers <- leased
	lender.answers <- `{"id":1}`
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	lease, err := openFleet(t).Lease(ctx, "db")
	if err != nil {
		t.Fatal(err)
	}
	expectEqual(t, []string{lease.Name, lease.Copy, lease.Session, lease.Isolation, lease.Addr(), lease.Export("DATABASE_URL")},
		[]string{"db", "db-1", "shop-pool-1", "reset", "127.0.0.1:4002", "db://copy"})
	request := <-lender.requests
	if limit := request["timeoutMs"].(float64); request["lease"] != "db" || limit < 1 || limit > 60000 {
		t.Errorf("%v", request)
	}
	for range []int{1, 2} {
		if err := lease.Release(); err != nil {
			t.Error(err)
		}
	}
	expectEqual(t, (<-lender.requests)["release"], "k1")
	<-lender.ended
	expectEqual(t, len(lender.requests), 0)
}

func TestARefusedLeaseLeavesNoConnection(t *testing.T) {
	lender, _ := newLender(t)
	lender.answers <- `{"id":1,"error":{"code":"TIMED_OUT","message":"no pristine db","hint":"wait"}}`
	_, err := openFleet(t).Lease(context.Background(), "db")
	expectEqual(t, codeOf(err), "TIMED_OUT")
	expectEqual(t, err.Error(), "no pristine db\nhint: wait")
	<-lender.ended
}

func TestALenderThatHasEndedIsStartedAgainOnce(t *testing.T) {
	lender, stand := newLender(t)
	fleet := openFleet(t)
	lender.answers <- ""
	lender.answers <- leased
	if _, err := fleet.Lease(context.Background(), "db"); err != nil {
		t.Fatal(err)
	}
	calls := stand.calls()
	if len(calls) != 2 || strings.Contains(calls[0], "--lender") || !strings.HasSuffix(calls[1], "--lender --json") {
		t.Errorf("%v", calls)
	}
	lender.answers <- ""
	lender.answers <- "no JSON"
	_, err := fleet.Lease(context.Background(), "db")
	expectEqual(t, codeOf(err), "LENDER_LOST")
	expectEqual(t, len(stand.calls()), 3)
}

func TestALeaseOfALenderThatHasEndedCanStillBeReleased(t *testing.T) {
	lender, _ := newLender(t)
	lender.answers <- leased
	lender.answers <- ""
	lease, err := openFleet(t).Lease(context.Background(), "db")
	if err == nil {
		err = lease.Release()
	}
	if err != nil {
		t.Error(err)
	}
}

func TestALongAnswerAndACancelledWaitAreFailures(t *testing.T) {
	lender, _ := newLender(t)
	fleet := openFleet(t)
	for range []int{1, 2} {
		lender.answers <- `{"id":1,"x":"` + strings.Repeat("x", maxLineBytes) + `"}`
	}
	_, err := fleet.Lease(context.Background(), "db")
	expectEqual(t, codeOf(err), "LENDER_LOST")
	<-lender.requests
	<-lender.requests
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-lender.requests
		cancel()
	}()
	_, err = fleet.Lease(ctx, "db")
	expectEqual(t, codeOf(err), "CANCELLED")
	_, err = fleet.Lease(context.Background(), "dbb")
	expectEqual(t, codeOf(err), "UNKNOWN_SERVER")
}
