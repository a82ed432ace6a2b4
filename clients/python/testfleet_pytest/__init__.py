"""Real test servers in containers, started with testfleet. `plugin` has fixtures for pytest; the rest works without it."""

from .errors import TestfleetError, UnknownServer
from .fleet import Fleet, open_fleet
from .lease import Lease
from .server import Endpoint, Server

__all__ = ["Endpoint", "Fleet", "Lease", "Server", "TestfleetError", "UnknownServer", "open_fleet"]
