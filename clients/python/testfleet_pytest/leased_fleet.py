"""The fleet of a single test: each server that it uses is a lease."""

from __future__ import annotations

import threading
from typing import Callable, Dict, Iterator, List, Mapping, Optional

from .errors import outside_of_test
from .fleet import Fleet
from .lease import Lease, release_leases
from .server import Server


class LeasedFleet(Mapping[str, Server]):
    """Leases a server when it is first asked for."""

    def __init__(self, fleet: Fleet, on_lease: Callable[[Dict[str, str]], None]) -> None:
        self._fleet = fleet
        self._on_lease = on_lease
        self._leases: Dict[str, Lease] = {}
        self._others: List[Lease] = []
        self._lock = threading.Lock()
        self._is_over = False
        self.session = fleet.session
        self.domain = fleet.domain

    @property
    def environment(self) -> Dict[str, str]:
        """Variables of the fleet, with those of the leased servers instead of the session's own."""
        variables = dict(self._fleet.environment)
        for lease in list(self._leases.values()):
            variables.update(lease.environment)
        return variables

    @property
    def exports(self) -> Dict[str, str]:
        """What the servers export: the leased ones, and those of the session."""
        exported = self._fleet.exports
        for lease in list(self._leases.values()):
            exported.update(lease.exports)
        return exported

    def __getitem__(self, name: str) -> Lease:
        __tracebackhide__ = True
        # Threads of a test share one copy.
        with self._lock:
            if self._is_over:
                raise outside_of_test(name)
            if name not in self._leases:
                self._leases[name] = self._fleet.lease(name)
                self._on_lease(self._leases[name].environment)
            return self._leases[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fleet)

    def __len__(self) -> int:
        return len(self._fleet)

    def __contains__(self, name: object) -> bool:
        return name in self._fleet

    def lease(self, name: str, timeout: Optional[float] = None) -> Lease:
        """Returns another pristine copy of a server, which is also given back after the test."""
        __tracebackhide__ = True
        if self._is_over:
            raise outside_of_test(name)
        other = self._fleet.lease(name, timeout)
        with self._lock:
            self._others.append(other)
        return other

    def release(self) -> None:
        """Gives back every server that the test has leased."""
        with self._lock:
            self._is_over = True
        release_leases([*self._leases.values(), *self._others])
