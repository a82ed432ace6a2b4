"""A server of a fleet, as tests reach it."""

from __future__ import annotations

from typing import Any, Dict, Mapping, NamedTuple, Optional

from .errors import TestfleetError


class Endpoint(NamedTuple):
    """Where a test reaches a port of a server. `socket.create_connection` takes it as it is."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Server:
    """A running server, or a leased copy of one."""

    def __init__(self, name: str, fields: Mapping[str, Any]) -> None:
        self.name = name
        #: Host name in the fleet's network, such as `db.shop.test`.
        self.hostname: str = fields["hostname"]
        self.container: str = fields["container"]
        #: What the server exports, such as `DATABASE_URL`.
        self.exports: Dict[str, str] = dict(fields["exports"])
        #: What the server exports, and `TESTFLEET_<SERVER>_HOST`, `…_PORT` and `…_HOSTNAME`.
        self.environment: Dict[str, str] = dict(fields["environment"])
        #: Published ports by `<port>/<protocol>`, such as `5432/tcp`.
        self.endpoints: Dict[str, Endpoint] = {
            port: Endpoint(one["host"], one["port"]) for port, one in fields["endpoints"].items()
        }

    def endpoint(self, port: Optional[int] = None, protocol: Optional[str] = None) -> Endpoint:
        """
        Returns where a port of the server is reached; without a number, its first port. Without a protocol, a TCP port
        comes first. Fails with PORT_UNREACHABLE.
        """
        __tracebackhide__ = True
        for key, endpoint in sorted(self.endpoints.items(), key=_tcp_first) if port else self.endpoints.items():
            number, _, spoken = key.partition("/")
            if port in (None, int(number)) and protocol in (None, spoken):
                return endpoint
        wanted = "no port" if port is None else f"no port {port}{f'/{protocol}' if protocol else ''}"
        known = f"; it publishes {', '.join(self.endpoints)}" if self.endpoints else ""
        hint = "List the port in `ports` of the server."
        raise TestfleetError(f"{self.name} publishes {wanted}{known}", code="PORT_UNREACHABLE", hint=hint)

    @property
    def host(self) -> str:
        """Host of the first port, such as 127.0.0.1."""
        return self.endpoint().host

    @property
    def port(self) -> int:
        """Number under which the first port is published."""
        return self.endpoint().port

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {' '.join(map(str, self.endpoints.values()))}>"


def _tcp_first(item: Any) -> bool:
    return not item[0].endswith("/tcp")
