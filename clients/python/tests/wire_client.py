"""The program of this client for tests/e2e/wire.test.ts; docs/wire.md says what it prints."""

from __future__ import annotations

import socket
import sys
import time

from testfleet_pytest import Server, TestfleetError, open_fleet


def write(server: Server, text: str) -> str:
    """Sends a line to a server of notes, and returns what was written before."""
    with socket.create_connection(server.endpoint(5000)) as connection:
        connection.sendall(text.encode() + b"\n")
        return connection.makefile().readline().strip()


def main(script: str, process: int) -> None:
    fleet = open_fleet(process=process)
    print("session", fleet.session)
    print("export", fleet["notes"].exports["NOTES_AT"])
    print("endpoint", fleet["notes"].endpoint(5000))
    print("variable", fleet.environment["NOTES_AT"])
    lease = fleet.lease("notes")
    print("lease", lease.copy, lease.exports["NOTES_AT"])
    if script == "hold":
        print("held", flush=True)
        time.sleep(600)
    print("empty", write(lease, "mine"))
    print("written", write(lease, "mine"))
    lease.release()
    with fleet.lease("notes") as again:
        print("pristine", write(again, ""))
    try:
        fleet.lease("nobody")
    except TestfleetError as error:
        print("unknown", error.code)


if __name__ == "__main__":
    try:
        main(sys.argv[1], int(sys.argv[2]))
    except TestfleetError as failure:
        print("failure", failure.code)
        print(failure.printed, file=sys.stderr)
        sys.exit(1)
