"""The fleet of this process in a run of pytest: who holds it, and who ends it."""

from __future__ import annotations

import os
import re
import secrets
import sys
import warnings
from datetime import datetime, timezone
from typing import Dict, Optional, Set

import pytest

from .command import Command
from .errors import TestfleetError
from .fleet import DOWN_TIMEOUT_S, Fleet, open_fleet

PER = ("run", "worker", "module", "test")

#: Key under which the controller of xdist tells its workers its process number.
PROCESS = "testfleet_process"
#: Key under which a worker tells the controller its session.
SESSION = "testfleet_session"

LATER = "The servers are removed after the end of pytest."


class Run:
    """The fleet of this process, if a test has asked for one."""

    def __init__(self, config: pytest.Config) -> None:
        self.per: str = config.getini("testfleet_per")
        if self.per not in PER:
            raise pytest.UsageError(f"testfleet_per must be one of {', '.join(PER)}, not {self.per!r}")
        self.fleet: Optional[Fleet] = None
        #: When its servers were ready for the tests.
        self.ready_at: Optional[datetime] = None
        #: Sessions that workers have started, and the controller has to end.
        self.sessions_of_workers: Set[str] = set()
        self._config = config
        self._process = os.getpid()
        self._inherited = os.environ.get("TESTFLEET_SESSION") or None
        self._controller = find_controller(config) if self._is_shared else None

    @property
    def _is_shared(self) -> bool:
        return self.per in ("run", "test")

    @property
    def _file(self) -> Optional[str]:
        """A path in an ini file is relative to that file."""
        file: str = self._config.getini("testfleet_file")
        folder = self._config.rootpath if self._config.inipath is None else self._config.inipath.parent
        return str(folder / file) if file else None

    def _environment(self) -> Dict[str, str]:
        """What is not shared is a session of its own, even under `testfleet run`."""
        environment = {name: value for name, value in os.environ.items() if name != "TESTFLEET_SESSION"}
        if self._is_shared and self._inherited is not None:
            environment["TESTFLEET_SESSION"] = self._inherited
        return environment

    def open(self, scope: str) -> Fleet:
        """Starts the fleet, or joins the one of the run. `scope` is the name of the module, or of the run."""
        failure: Optional[TestfleetError] = None
        try:
            fleet = open_fleet(
                self._config.rootpath,
                file=self._file,
                servers=self._config.getini("testfleet_servers"),
                process=self._controller or os.getpid(),
                session=name_session(scope) if self.per == "module" else None,
                environment=self._environment(),
            )
        except TestfleetError as error:
            failure = error
        if failure is not None:
            # Without a traceback, and not as the consequence of another exception: the message says what to do.
            pytest.fail(failure.printed, pytrace=False)
        self.fleet = fleet
        self.ready_at = datetime.now(timezone.utc)
        if self._controller is not None:
            self._config.workeroutput[SESSION] = fleet.session  # type: ignore[attr-defined]
        return fleet

    def close(self, fleet: Fleet) -> None:
        """Ends what `open` has begun, unless others use it."""
        self.fleet = None
        # A test that was forked has a copy of this object.
        if os.getpid() != self._process:
            return
        try:
            if self._controller is None and fleet.session != self._inherited:
                fleet.down()
            else:
                fleet.release_all()
        except TestfleetError as error:
            warnings.warn(pytest.PytestWarning(f"{error}\n{LATER}"), stacklevel=1)

    def end_sessions_of_workers(self) -> None:
        """Ends the fleet of a run after its workers, instead of some seconds after this process."""
        for session in self.sessions_of_workers - {self._inherited or ""}:
            try:
                command = Command(self._config.rootpath, self._file, self._environment())
                command.json(["down", "--session", session, "--force", "--quiet"], DOWN_TIMEOUT_S)
            except TestfleetError as error:
                # pytest has printed its warnings.
                sys.stderr.write(f"{error.printed}\n{LATER}\n")
        self.sessions_of_workers.clear()


def find_controller(config: pytest.Config) -> Optional[int]:
    """Returns the process that started this worker of xdist. A worker on another machine has none."""
    process = getattr(config, "workerinput", {}).get(PROCESS)
    return process if process == os.getppid() else None


def name_session(scope: str) -> str:
    """Returns the name of a new session: at most 48 lower-case letters, digits and dashes."""
    word = re.sub(r"[^a-z0-9]+", "-", re.sub(r"\.py$", "", scope.lower())).strip("-")[-30:].strip("-")
    return f"{word or 'pytest'}-{secrets.token_hex(3)}"
