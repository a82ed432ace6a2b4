"""What the servers logged while a test ran."""

from __future__ import annotations

import re
from collections import deque
from datetime import datetime, timedelta, timezone
from typing import Deque, Dict, List, Optional, Tuple

from .errors import TestfleetError
from .fleet import Fleet

#: Of more, the end is shown, for each server.
MAX_LOG_CHARACTERS = 64 * 1024
MAX_LOG_LINES = 1000
#: Time for one call of the command.
TIMEOUT_S = 20.0

_LINE = re.compile(r"(?P<server>\S+) \| (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?P<rest>\S*) ?")


class _End:
    """The end of a log."""

    def __init__(self) -> None:
        self._lines: Deque[str] = deque()
        self._length = 0
        self._is_cut = False

    def add(self, line: str) -> None:
        self._lines.append(line[-MAX_LOG_CHARACTERS:])
        self._length += len(self._lines[-1]) + 1
        while self._length > MAX_LOG_CHARACTERS:
            self._length -= len(self._lines.popleft()) + 1
            self._is_cut = True

    def __str__(self) -> str:
        return "\n".join((["…"] if self._is_cut else []) + list(self._lines))


def read_sections(fleet: Fleet, since: datetime) -> List[Tuple[str, str]]:
    """
    Returns a title and a text for each server that logged something since then, leased copies included, and one for the
    servers that do not run.
    """
    sections: List[Tuple[str, str]] = []
    stopped = _find_stopped(fleet)
    if stopped:
        sections.append(("Servers that do not run", stopped))
    sources: Dict[str, List[str]] = {fleet.session: []}
    for lease in fleet.leases:
        # A leased database is in the session's own server.
        if lease.session != fleet.session:
            sources.setdefault(lease.session, []).append(lease.copy)
    for session, names in sources.items():
        sections.extend(_read_logs(fleet, session, names, since))
    return sections


def _read_logs(fleet: Fleet, session: str, names: List[str], since: datetime) -> List[Tuple[str, str]]:
    logs: Dict[str, _End] = {}

    def take(line: str) -> None:
        match = _LINE.match(line)
        # A long line comes in parts, which have no time.
        if match is not None and (_read_time(match["time"], match["rest"]) or since) >= since:
            logs.setdefault(match["server"], _End()).add(line[match.start("time") :])

    # The command takes whole seconds.
    whole = since.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    options = ["--session", session, "--since", whole, "--tail", str(MAX_LOG_LINES), "--timestamps"]
    if not fleet.command.lines(["logs", *options, *names], take, TIMEOUT_S):
        logs.setdefault(session, _End()).add("The logs could not be read to their end.")
    return [(f"Captured log of {server}", str(log)) for server, log in logs.items()]


def _find_stopped(fleet: Fleet) -> str:
    try:
        servers = fleet.command.json(["ps", "--session", fleet.session], TIMEOUT_S)["servers"]
    except (TestfleetError, KeyError) as error:
        return str(error)
    return "\n".join(
        f"{name}: {fields['state']}{_word_end(fields)}"
        for name, fields in servers.items()
        if fields["state"] not in ("ready", "completed")
    )


def _word_end(fields: Dict[str, object]) -> str:
    code = f" with code {fields['exitCode']}" if "exitCode" in fields else ""
    return code + (", killed for memory" if fields.get("outOfMemory") else "")


def _read_time(seconds: str, rest: str) -> Optional[datetime]:
    """Reads a time with any number of digits after its point, in UTC or with an offset."""
    match = re.fullmatch(r"(?:\.(\d+))?(Z|[+-]\d\d:\d\d)", rest)
    if match is None:
        return None
    offset = "+00:00" if match[2] == "Z" else match[2]
    microseconds = int(((match[1] or "") + "000000")[:6])
    return datetime.fromisoformat(seconds + offset) + timedelta(microseconds=microseconds)
