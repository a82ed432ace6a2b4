// Command wireclient is the program of this client for tests/e2e/wire.test.ts; docs/wire.md says what it prints.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"testfleet"
)

func main() {
	process, err := strconv.Atoi(os.Args[2])
	if err == nil {
		err = play(os.Args[1], process)
	}
	if err == nil {
		return
	}
	var failure *testfleet.Error
	if errors.As(err, &failure) {
		fmt.Println("failure", failure.Code)
	}
	fmt.Fprintf(os.Stderr, "error: %v\n", err)
	os.Exit(1)
}

func play(script string, process int) error {
	ctx := context.Background()
	fleet, err := testfleet.Open(ctx, "", testfleet.HeldBy(process))
	if err != nil {
		return err
	}
	notes := fleet.Server("notes")
	fmt.Println("session", fleet.Session())
	fmt.Println("export", notes.Export("NOTES_AT"))
	fmt.Println("endpoint", notes.Endpoint(5000))
	fmt.Println("variable", fleet.Environment()["NOTES_AT"])
	lease, err := fleet.Lease(ctx, "notes")
	if err != nil {
		return err
	}
	fmt.Println("lease", lease.Copy, lease.Export("NOTES_AT"))
	if script == "hold" {
		fmt.Println("held")
		time.Sleep(10 * time.Minute)
	}
	fmt.Println("empty", write(&lease.Server, "mine"))
	fmt.Println("written", write(&lease.Server, "mine"))
	if err := lease.Release(); err != nil {
		return err
	}
	again, err := fleet.Lease(ctx, "notes")
	if err != nil {
		return err
	}
	fmt.Println("pristine", write(&again.Server, ""))
	if err := again.Release(); err != nil {
		return err
	}
	_, err = fleet.Lease(ctx, "nobody")
	var failure *testfleet.Error
	if !errors.As(err, &failure) {
		return fmt.Errorf("a lease of nobody: %w", err)
	}
	fmt.Println("unknown", failure.Code)
	return nil
}

// write sends a line to a server of notes, and returns what was written before.
func write(server *testfleet.Server, text string) string {
	connection, err := net.Dial("tcp", server.Addr())
	if err != nil {
		return err.Error()
	}
	defer connection.Close()
	fmt.Fprintln(connection, text)
	known, err := bufio.NewReader(connection).ReadString('\n')
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(known)
}
