"""A pristine server that nobody else has until it is given back."""

from __future__ import annotations

import warnings
from typing import Any, Iterable, List, Mapping, Optional

from .errors import TestfleetError
from .lender import LenderConnection
from .server import Server

#: How long the lender waits for a pristine server when it is not told.
WAIT_S = 60.0


class Lease(Server):
    """A leased server. `release`, the end of its `with` block, and the end of this process give it back."""

    def __init__(self, name: str, answer: Mapping[str, Any], connection: LenderConnection) -> None:
        super().__init__(name, answer)
        #: Name of the copy in its session, such as `db-2`.
        self.copy: str = answer["copy"]
        #: Session of the copy, for `testfleet logs --session`.
        self.session: str = answer["session"]
        #: `container`, `reset` or `database`.
        self.isolation: str = answer["isolation"]
        self.database: Optional[str] = answer.get("database")
        self._id: str = answer["lease"]
        self._connection: Optional[LenderConnection] = connection

    @property
    def is_held(self) -> bool:
        """Whether it has not been given back."""
        return self._connection is not None

    def release(self) -> None:
        """Gives the server back. A second call does nothing."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.ask({"release": self._id})
        except TestfleetError as error:
            # The lender has ended, and with it the lease.
            if error.code != "LENDER_LOST":
                raise
        finally:
            connection.close()

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def release_leases(leases: Iterable[Lease]) -> None:
    """Gives back every lease, then fails as the first one that failed."""
    failures: List[Exception] = []
    for lease in leases:
        try:
            lease.release()
        except Exception as error:
            failures.append(error)
    if failures:
        raise failures[0]


def take_lease(name: str, path: str, timeout_s: Optional[float]) -> Lease:
    """Leases a server over a new connection."""
    __tracebackhide__ = True
    limit = {} if timeout_s is None else {"timeoutMs": max(1, round(timeout_s * 1000))}
    connection = LenderConnection(path)
    try:
        answer = connection.ask({"lease": name, **limit}, WAIT_S if timeout_s is None else timeout_s)
        lease = Lease(name, answer, connection)
    except BaseException:
        connection.close()
        raise
    if "warning" in answer:
        warnings.warn(str(answer["warning"]), stacklevel=3)
    return lease
