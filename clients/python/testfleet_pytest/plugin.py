"""Fixtures `fleet` and `lease` for pytest, and the logs of the servers in the report of a failed test."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from typing import Any, Callable, Dict, Generator, Iterator, List, Mapping, Optional

import pytest

from .errors import TestfleetError, outside_of_test
from .fleet import Fleet
from .lease import Lease, release_leases
from .leased_fleet import LeasedFleet
from .runs import PER, PROCESS, SESSION, Run
from .server import Server
from .server_logs import read_sections

_run = pytest.StashKey[Run]()
#: Since when the report of a test has to show logs.
_shown_until = pytest.StashKey[datetime]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "testfleet_file", "Fleet file (default: testfleet.yaml and similar names, in the root folder or above)"
    )
    parser.addini("testfleet_per", f"How far a fleet is shared: {', '.join(PER)} (default: run)", default="run")
    parser.addini("testfleet_servers", "Servers to start (default: all)", type="args", default=[])


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_run] = Run(config)


def _scope_of_servers(fixture_name: str, config: pytest.Config) -> Any:
    return "module" if config.getini("testfleet_per") == "module" else "session"


def _scope_of_fleet(fixture_name: str, config: pytest.Config) -> Any:
    return {"module": "module", "test": "function"}.get(config.getini("testfleet_per"), "session")


@pytest.fixture(scope=_scope_of_servers)
def _testfleet(request: pytest.FixtureRequest) -> Iterator[Fleet]:
    run = request.config.stash[_run]
    fleet = run.open(request.node.name)
    yield fleet
    run.close(fleet)


@pytest.fixture(scope=_scope_of_fleet)
def fleet(request: pytest.FixtureRequest, _testfleet: Fleet) -> Iterator[Mapping[str, Server]]:
    """Running servers by name: `fleet["db"].port`. Their variables are in `os.environ` meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        _set_variables(patch, _testfleet.environment)
        if request.scope != "function":
            yield _testfleet
            return
        leased = LeasedFleet(_testfleet, lambda variables: _set_variables(patch, variables))
        yield leased
        leased.release()


@pytest.fixture
def lease(_testfleet: Fleet) -> Iterator[Callable[..., Lease]]:
    """Function that leases a pristine server for this test: `db = lease("db")`."""
    taken: List[Lease] = []
    is_over = False

    def take(name: str, timeout: Optional[float] = None) -> Lease:
        __tracebackhide__ = True
        if is_over:
            raise outside_of_test(name)
        taken.append(_testfleet.lease(name, timeout))
        return taken[-1]

    yield take
    is_over = True
    release_leases(reversed(taken))


def _set_variables(patch: pytest.MonkeyPatch, variables: Dict[str, str]) -> None:
    for name, value in variables.items():
        patch.setenv(name, value)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[_shown_until] = datetime.now(timezone.utc)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    report = (yield).get_result()
    run = item.config.stash[_run]
    if not report.failed or run.fleet is None or "_testfleet" not in getattr(item, "fixturenames", ()):
        return
    began = item.stash.get(_shown_until, datetime.now(timezone.utc))
    # The first test of a fleet has waited for its start.
    since = max(began, run.ready_at) if run.ready_at is not None else began
    item.stash[_shown_until] = datetime.now(timezone.utc)
    try:
        sections = read_sections(run.fleet, since)
    except TestfleetError as error:
        sections = [("Captured logs of servers", error.printed)]
    report.sections.extend(sections)
    if sections and report.when != "teardown":
        # JUnit XML has the logs of the last report of a test, without their titles.
        text = "\n".join(f"{title}\n{log}" for title, log in sections)
        item.add_report_section(report.when, "log of servers", text)


# With pytest-xdist: the controller holds the fleet of the run, and ends it.


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput[PROCESS] = os.getpid()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    session = getattr(node, "workeroutput", {}).get(SESSION)
    if session is not None:
        node.config.stash[_run].sessions_of_workers.add(session)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    run = config.stash.get(_run, None)
    if run is not None:
        run.end_sessions_of_workers()
