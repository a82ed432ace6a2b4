"""A running fleet, shared by all processes of a test run."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Union

from .command import Command
from .errors import TestfleetError, UnknownServer
from .lease import Lease, release_leases, take_lease
from .lender import LenderGone
from .server import Server

#: Time for the removal of a fleet.
DOWN_TIMEOUT_S = 5 * 60


class Fleet(Mapping[str, Server]):
    """
    The servers of a running fleet by name: `fleet["db"].port`. The session ends with the process that holds it, or by
    `down`.
    """

    def __init__(self, command: Command, words: Sequence[str]) -> None:
        #: Calls of the command for this fleet.
        self.command = command
        self._words = list(words)
        self._leases: List[Lease] = []
        self._lock = threading.Lock()
        self._read(command.json(["share", *words]))

    def _read(self, document: Mapping[str, Any]) -> None:
        #: Name of the session.
        self.session: str = document["session"]
        #: Domain of the servers, such as `shop.test`.
        self.domain: str = document["domain"]
        #: Variables for programs that use the fleet.
        self.environment: Dict[str, str] = dict(document["environment"])
        self._servers = {name: Server(name, fields) for name, fields in document["servers"].items()}

    @property
    def exports(self) -> Dict[str, str]:
        """What all servers export. If two export one variable, the last one in alphabetical order gives its value."""
        return {name: value for _, server in sorted(self._servers.items()) for name, value in server.exports.items()}

    def __getitem__(self, name: str) -> Server:
        __tracebackhide__ = True
        try:
            return self._servers[name]
        except KeyError:
            raise UnknownServer(name, self._servers) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._servers)

    def __len__(self) -> int:
        return len(self._servers)

    def __repr__(self) -> str:
        return f"<Fleet {self.session}: {', '.join(self._servers)}>"

    def lease(self, name: str, timeout: Optional[float] = None) -> Lease:
        """
        Returns a pristine copy of a server that nobody else has. Waits for at most `timeout` seconds, or a minute,
        until one is free. Fails with UNKNOWN_SERVER, TIMED_OUT, LENDER_LOST or USAGE.
        """
        __tracebackhide__ = True
        self[name]
        try:
            lease = take_lease(name, self.environment["TESTFLEET_LENDER"], timeout)
        except LenderGone:
            # It starts with the first lease, and ends when nobody has leased for a while.
            self._read(self.command.json(["share", *self._words, "--lender"]))
            lease = take_lease(name, self.environment["TESTFLEET_LENDER"], timeout)
        with self._lock:
            self._leases = [*self.leases, lease]
        return lease

    @property
    def leases(self) -> List[Lease]:
        """Leases of this process that have not been given back."""
        return [one for one in self._leases if one.is_held]

    def release_all(self) -> None:
        """Gives back every lease of this process."""
        release_leases(self.leases)

    def down(self) -> None:
        """Removes the servers, whoever else uses them."""
        try:
            self.release_all()
        finally:
            self.command.json(["down", "--session", self.session, "--force", "--quiet"], DOWN_TIMEOUT_S)


def open_fleet(
    folder: Union[str, Path] = ".",
    file: Optional[str] = None,
    servers: Sequence[str] = (),
    process: Optional[int] = None,
    session: Optional[str] = None,
    environment: Optional[Mapping[str, str]] = None,
) -> Fleet:
    """
    Starts a fleet, or joins it if another process of this test run has started it. `process` holds the session: the
    fleet is removed when that process has ended. Default: this process.

    `file` is the fleet file; without it, the command looks for one in `folder` and above. `session` names the session.
    `environment` has the variables of the command; the session that TESTFLEET_SESSION names is joined.
    """
    command = Command(Path(folder).resolve(), file, os.environ if environment is None else environment)
    words = ["--pid", str(process or os.getpid()), *(["--session", session] if session else []), *servers]
    try:
        return Fleet(command, words)
    except (KeyError, TypeError) as error:
        message = f"this testfleet is too old: the answer of `share` has no {error}"
        raise TestfleetError(message, hint="Install the testfleet of the same release.") from None
