"""Failures, with the codes of docs/failures.md."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Optional


_PREFIX = "error: "


class TestfleetError(Exception):
    """A failure that a person can fix. `code` is stable; None means a mistake in testfleet itself."""

    # pytest collects classes whose names begin with "Test".
    __test__ = False

    def __init__(
        self,
        message: str,
        code: Optional[str] = None,
        hint: Optional[str] = None,
        details: Optional[Mapping[str, Any]] = None,
        text: Optional[str] = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint
        #: All fields of the failure as the command gives them, such as `server` and `bundle`.
        self.details: Mapping[str, Any] = details or {}
        self._text = text

    def __str__(self) -> str:
        """Returns the message, and below it the hint. A traceback shows the name of the class before it."""
        if self._text is not None:
            return self._text[len(_PREFIX) :] if self._text.startswith(_PREFIX) else self._text
        return self.message + (f"\nhint: {self.hint}" if self.hint else "")

    @property
    def printed(self) -> str:
        """What the command prints, for a place without the name of the class."""
        return f"{_PREFIX}{self}"

    @classmethod
    def from_json(cls, error: object, text: Optional[str] = None) -> TestfleetError:
        """Reads the `error` of a document or of an answer of the lender."""
        fields: Mapping[str, Any] = error if isinstance(error, dict) else {}
        message = fields.get("message")
        return cls(
            message if isinstance(message, str) else "testfleet failed without a message",
            code=fields.get("code"),
            hint=fields.get("hint"),
            details=fields,
            text=text,
        )


def outside_of_test(server: str) -> TestfleetError:
    """The failure of a lease that a test asks for after its end, or that another test asks for in its name."""
    return TestfleetError(
        f"the lease of {server} was asked for outside of a test",
        code="USAGE",
        hint="Use the `lease` of the test that is running, or `open_fleet().lease()`, and release the lease yourself.",
    )


class UnknownServer(TestfleetError, KeyError):
    """A name that no server of the fleet has."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = ", ".join(sorted(known))
        super().__init__(f"the fleet has no server {name!r}; it has: {names}", code="UNKNOWN_SERVER")
