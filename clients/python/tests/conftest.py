"""A command in place of testfleet's, which notes its calls. tests/e2e runs the client with the real one."""

from __future__ import annotations

import json
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Dict, List

import pytest

pytest_plugins = ["pytester"]

DOCUMENT: Dict[str, Any] = {
    "session": "shop-1",
    "fleet": "shop",
    "domain": "shop.test",
    "process": 1,
    "servers": {
        "db": {
            "state": "ready",
            "container": "c1",
            "hostname": "db.shop.test",
            "endpoints": {"5432/tcp": {"host": "127.0.0.1", "port": 4001}},
            "exports": {"DATABASE_URL": "db://shop"},
            "environment": {"DATABASE_URL": "db://shop", "TESTFLEET_DB_PORT": "4001"},
        }
    },
    "environment": {"DATABASE_URL": "db://shop", "TESTFLEET_SESSION": "shop-1", "TESTFLEET_LENDER": "/nowhere/lender"},
}

SCRIPT = """#!{python} -IS
import json, os, sys
from pathlib import Path
folder = Path({folder!r})
with open(folder / "calls", "a") as calls:
    calls.write(json.dumps([sys.argv[1:], os.environ.get("TESTFLEET_SESSION")]) + "\\n")
for part in json.loads((folder / "answers.json").read_text()).get(sys.argv[1], [{{}}]):
    if isinstance(part, dict):
        print(json.dumps(part))
        if "error" in part:
            print("error: " + part["error"]["message"] + "\\nhint: read it", file=sys.stderr)
            sys.exit(1)
    elif isinstance(part, int):
        sys.exit(part)
    else:
        stream, text = part
        print(text, file=getattr(sys, stream), flush=True)
"""


class StandIn:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "testfleet"
        self.path.write_text(SCRIPT.format(python=sys.executable, folder=str(folder)))
        self.path.chmod(0o755)
        self.answer(share=[DOCUMENT])

    def answer(self, **parts: List[Any]) -> None:
        """What each call prints: documents, lines as [stream, text], and its exit code."""
        (self.folder / "answers.json").write_text(json.dumps(parts))

    @property
    def calls(self) -> List[Any]:
        """The words of each call, and its TESTFLEET_SESSION."""
        file = self.folder / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def stand_in(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    stand_in = StandIn(tmp_path_factory.mktemp("stand-in"))
    monkeypatch.setenv("TESTFLEET_BIN", str(stand_in.path))
    monkeypatch.delenv("TESTFLEET_SESSION", raising=False)
    return stand_in


ANSWER = {
    **{
        "lease": "k1",
        "server": "db",
        "copy": "db-1",
        "isolation": "reset",
        "session": "shop-pool-1",
        "container": "c2",
    },
    **{"hostname": "db-1.shop.test", "endpoints": {"5432/tcp": {"host": "127.0.0.1", "port": 4002}}},
    **{"exports": {"DATABASE_URL": "db://copy"}, "environment": {"DATABASE_URL": "db://copy"}},
}


class FakeLender:
    """Answers each request with the next of its answers, and notes the requests and the ends of connections."""

    def __init__(self, path):
        self.path = str(path)
        self.answers = []
        self.requests = []
        self.ended = threading.Semaphore(0)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection):
        # A client that has read enough resets the connection.
        with suppress(ConnectionError), connection, connection.makefile("rb") as lines:
            for line in lines:
                self.requests.append(json.loads(line))
                answer = self.answers.pop(0)
                if answer is None:
                    break
                text = answer if isinstance(answer, bytes) else json.dumps({"id": 1, **answer}).encode() + b"\n"
                connection.sendall(text)
        self.ended.release()


@pytest.fixture
def lender(tmp_path):
    return FakeLender(tmp_path / "lender")


def with_lender(lender: FakeLender) -> Dict[str, Any]:
    return {**DOCUMENT, "environment": {**DOCUMENT["environment"], "TESTFLEET_LENDER": lender.path}}
