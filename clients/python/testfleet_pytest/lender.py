"""A connection to the process that lends servers: JSON, one object a line, as docs/leases.md says."""

from __future__ import annotations

import json
import os
import socket
import weakref
from typing import Any, Dict

from .errors import TestfleetError

#: Longest answer of the lender.
MAX_ANSWER_BYTES = 4 * 1024 * 1024
#: How much later than promised an answer may come.
GRACE_S = 30.0


class LenderGone(TestfleetError):
    """No lender answers."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="LENDER_LOST", hint="Lease again: the next lease starts a new lender.")


class LenderConnection:
    """One connection for each lease: its end gives the lease back, and leases of other threads need not wait for it."""

    def __init__(self, path: str) -> None:
        if not hasattr(socket, "AF_UNIX"):
            raise TestfleetError("leases need unix sockets, which this Python does not have", code="LENDER_LOST")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        _open_connections.add(self)
        try:
            self._socket.settimeout(GRACE_S)
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            raise LenderGone(f"the lender cannot be reached: {error.strerror or error}") from None
        self._lines = self._socket.makefile("rb")

    def ask(self, request: Dict[str, Any], timeout_s: float = 0) -> Dict[str, Any]:
        """Returns the answer to a request. `timeout_s` is how long the lender itself may wait."""
        __tracebackhide__ = True
        try:
            self._socket.settimeout(timeout_s + GRACE_S)
            self._socket.sendall(json.dumps({"id": 1, **request}).encode() + b"\n")
            line = self._lines.readline(MAX_ANSWER_BYTES)
            answer = json.loads(line) if line.endswith(b"\n") else None
        except socket.timeout:
            raise TestfleetError("the lender has not answered in time", code="TIMED_OUT") from None
        except (OSError, ValueError):
            answer = None
        if not isinstance(answer, dict):
            raise LenderGone("the lender has ended")
        if "error" in answer:
            raise TestfleetError.from_json(answer["error"])
        return answer

    def close(self) -> None:
        _open_connections.discard(self)
        self._lines.close()
        self._socket.close()

    def close_descriptor(self) -> None:
        """Closes the connection in a forked child, where a thread that no longer exists may hold the reader's lock."""
        descriptor = self._socket.detach()
        if descriptor >= 0:
            os.close(descriptor)


_open_connections: weakref.WeakSet[LenderConnection] = weakref.WeakSet()


def _close_inherited() -> None:
    """A child that keeps the connection open would keep the leases, even after the end of its parent."""
    for connection in list(_open_connections):
        connection.close_descriptor()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_inherited)
