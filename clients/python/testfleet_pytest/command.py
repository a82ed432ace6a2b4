"""Calls the command `testfleet`, as docs/wire.md says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from .errors import TestfleetError
from .pipe_lines import PipeLines

#: Longest answer of the command that is read.
MAX_ANSWER_BYTES = 16 * 1024 * 1024
#: Longest call. The command gives up before: after 30 minutes, unless it was told otherwise.
CALL_TIMEOUT_S = 31 * 60
#: Longest message of a failure that is kept.
MAX_TOLD_CHARACTERS = 1024 * 1024
#: After SIGTERM, the command removes what it has started.
CLEAN_UP_S = 60


def find_command(folder: Path, environment: Mapping[str, str]) -> str:
    """
    Returns the absolute path of the command: TESTFLEET_BIN, else `testfleet` on the PATH, else that of the npm package
    in `folder` or above. Fails with COMMAND_MISSING.
    """
    named = environment.get("TESTFLEET_BIN")
    if named:
        found = shutil.which(named, path=environment.get("PATH"))
        if found is None:
            hint = "Set TESTFLEET_BIN to the path of the command, or unset it."
            raise TestfleetError(f"TESTFLEET_BIN is not a program: {named}", code="COMMAND_MISSING", hint=hint)
        return os.path.abspath(found)
    inside = [folder / "node_modules" / ".bin" for folder in (folder, *folder.parents)]
    for path in [environment.get("PATH", ""), *map(str, inside)]:
        found = shutil.which("testfleet", path=path) if path else None
        if found is not None:
            return os.path.abspath(found)
    raise TestfleetError(
        f"testfleet is not installed: it is not on the PATH, and not in node_modules of {folder} or above",
        code="COMMAND_MISSING",
        hint="Install it, or set TESTFLEET_BIN to the path of the command.",
    )


class Command:
    """The command in a folder, with the variables of its calls."""

    def __init__(self, folder: Path, file: Optional[str], environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment: Dict[str, str] = dict(environment)
        self._path = find_command(folder, environment)
        self._file: List[str] = [] if file is None else ["--file", file]

    def json(self, words: Sequence[str], timeout_s: float = CALL_TIMEOUT_S) -> Dict[str, Any]:
        """Returns the document that a call prints. Progress goes to stderr. Fails as the call does."""
        with tempfile.TemporaryFile() as output:
            told = _Told()
            exit_code = self._run([*words, *self._file, "--json"], output, told, timeout_s)
            document = _read_document(output)
        if exit_code == 0 and document is not None and "error" not in document:
            return document
        if document is not None and "error" in document:
            raise TestfleetError.from_json(document["error"], told.error)
        name = words[0]
        raise TestfleetError(f"testfleet {name} ended with exit code {exit_code} and no answer", text=told.error)

    def lines(self, words: Sequence[str], take: Any, timeout_s: float) -> bool:
        """Gives each line that a call prints to `take`. Returns whether the call succeeded."""
        words = [*words, *self._file, "--quiet"]
        with self._call(words, timeout_s, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as (call, _):
            assert call.stdout is not None
            for line in PipeLines(call, call.stdout):
                take(line.decode("utf-8", "replace").rstrip("\n"))
            return call.wait() == 0

    def _run(self, words: Sequence[str], output: IO[bytes], told: _Told, timeout_s: float) -> int:
        with self._call(words, timeout_s, stdout=output, stderr=subprocess.PIPE) as (call, clock):
            assert call.stderr is not None
            for line in PipeLines(call, call.stderr):
                told.add(line.decode("utf-8", "replace"))
            exit_code = call.wait()
        if clock.is_over:
            raise TestfleetError(f"testfleet {words[0]} took longer than {timeout_s:.0f} s", code="TIMED_OUT")
        return exit_code

    @contextmanager
    def _call(
        self, words: Sequence[str], timeout_s: float, **streams: Any
    ) -> Iterator[Tuple[subprocess.Popen[bytes], _Clock]]:
        call = self._start(words, **streams)
        try:
            with _Clock(call, timeout_s) as clock:
                yield call, clock
        except BaseException:
            # Ctrl-C: `subprocess` would kill the command before it has cleaned up.
            _end(call)
            raise

    def _start(self, words: Sequence[str], **streams: Any) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                [self._path, *words],
                bufsize=0,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                **streams,
            )
        except OSError as error:
            message = f"{self._path} cannot be started: {error.strerror}"
            raise TestfleetError(message, code="COMMAND_MISSING") from None


class _Told:
    """Passes progress on, and keeps the message of a failure, which is the end of what the command prints."""

    def __init__(self) -> None:
        self._error: List[str] = []
        self._left = MAX_TOLD_CHARACTERS

    def add(self, line: str) -> None:
        if self._error or line.startswith("error: "):
            self._error.append(line[: self._left])
            self._left -= len(self._error[-1])
        elif sys.stderr is not None:
            sys.stderr.write(line)

    @property
    def error(self) -> Optional[str]:
        return "".join(self._error).rstrip("\n") or None


class _Clock:
    """Ends a call that takes too long."""

    def __init__(self, call: subprocess.Popen[bytes], timeout_s: float) -> None:
        self.is_over = False
        self._call = call
        self._timer = threading.Timer(timeout_s, self._end)
        self._timer.daemon = True

    def _end(self) -> None:
        self.is_over = True
        _end(self._call)

    def __enter__(self) -> _Clock:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


def _end(call: subprocess.Popen[bytes]) -> None:
    call.terminate()
    try:
        call.wait(CLEAN_UP_S)
    except BaseException:
        # Its keeper cleans up.
        call.kill()
        call.wait()


def _read_document(output: IO[bytes]) -> Optional[Dict[str, Any]]:
    output.seek(0)
    text = output.read(MAX_ANSWER_BYTES + 1)
    try:
        document = json.loads(text) if len(text) <= MAX_ANSWER_BYTES else None
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
