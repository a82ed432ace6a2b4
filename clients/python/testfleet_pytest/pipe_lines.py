"""Reads what a program prints, line by line."""

from __future__ import annotations

import queue
import subprocess
import threading
import time
from contextlib import suppress
from typing import IO, Iterator, Optional

#: A longer line comes in parts.
MAX_LINE_BYTES = 64 * 1024
#: How much is read before it is needed.
_MAX_CHUNKS = 16
#: How often a program that prints nothing is looked at.
_LOOK_S = 0.1
#: Time for what is still in the pipe when the program has ended. What it has started may keep the pipe open for ever.
_DRAIN_S = 2.0
_LONGEST_DRAIN_S = 30.0


class PipeLines:
    """The lines of a pipe, until its end, or until some time after the end of the program."""

    def __init__(self, program: subprocess.Popen[bytes], pipe: IO[bytes]) -> None:
        self._program = program
        self._pipe = pipe
        self._chunks: queue.Queue[bytes] = queue.Queue(_MAX_CHUNKS)
        self._is_over = False
        self._ended_at: Optional[float] = None
        threading.Thread(target=self._read, name="testfleet", daemon=True).start()

    def __iter__(self) -> Iterator[bytes]:
        rest = b""
        try:
            for chunk in iter(self._next, b""):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield line + b"\n"
                if len(rest) >= MAX_LINE_BYTES:
                    yield rest
                    rest = b""
            if rest:
                yield rest
        finally:
            self._is_over = True

    def _next(self) -> bytes:
        """Returns what has arrived; nothing at the end."""
        while True:
            if self._ended_at is None and self._program.poll() is not None:
                self._ended_at = time.monotonic()
            if self._has_ended_for(_LONGEST_DRAIN_S):
                return b""
            with suppress(queue.Empty):
                return self._chunks.get(timeout=_LOOK_S)
            if self._has_ended_for(_DRAIN_S):
                return b""

    def _has_ended_for(self, seconds: float) -> bool:
        return self._ended_at is not None and time.monotonic() - self._ended_at > seconds

    def _read(self) -> None:
        # Only this thread closes the pipe: another one would wait for the read.
        with suppress(OSError, ValueError), self._pipe:
            while not self._is_over:
                chunk = self._pipe.read(MAX_LINE_BYTES)
                self._put(chunk)
                if not chunk:
                    return

    def _put(self, chunk: bytes) -> None:
        while not self._is_over:
            with suppress(queue.Full):
                return self._chunks.put(chunk, timeout=_LOOK_S)
