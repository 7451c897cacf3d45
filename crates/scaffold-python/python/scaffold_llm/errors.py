"""What can go wrong: one class for each kind of failure of the library.

The text of an exception is that of the command line: what happened, what it means, and what to do. Programs decide by the
class, or by :attr:`ScaffoldError.kind`.
"""

from __future__ import annotations

from typing import TypedDict


class _Facts(TypedDict):
    kind: str
    text: str
    sentence: str
    remedies: list[str]
    file: str | None
    line: int | None
    key: str | None
    item: int | None
    model: str | None


class ScaffoldError(Exception):
    """Anything that the library refuses or fails with."""

    kind: str = "internal"
    """What sort of failure it is, for machines: ``not_found``, ``too_large``, …"""

    def __init__(self, text: str, facts: _Facts | None = None) -> None:
        super().__init__(text)
        self._text = text
        self.sentence: str = facts["sentence"] if facts else text
        """What happened and what it means, without place and remedies."""
        self.remedies: tuple[str, ...] = tuple(facts["remedies"]) if facts else ()
        """What to do, best first."""
        self.file: str | None = facts["file"] if facts else None
        """The file that is wrong, where it is one."""
        self.line: int | None = facts["line"] if facts else None
        """The line of the file, from 1."""
        self.key: str | None = facts["key"] if facts else None
        """The setting, the option or the key of the file that is wrong, where it is one."""
        self.item: int | None = facts["item"] if facts else None
        """Which of several texts or messages is wrong, from 0."""
        self.model: str | None = facts["model"] if facts else None
        """The model that was asked, where it was one."""

    def __str__(self) -> str:
        # Of the two ancestors of some classes one would print a number and a file.
        return self._text

    def __reduce__(self) -> tuple[object, ...]:
        return (_again, (type(self), self._text, dict(self.__dict__)))


class NotFoundError(ScaffoldError, OSError):
    """What was named does not exist, or nobody may know that it does."""

    kind = "not_found"


class DamagedError(ScaffoldError, OSError):
    """A file or an answer is not what it claims to be: cut short, changed, or of a faulty tool."""

    kind = "damaged"


class UnsupportedError(ScaffoldError):
    """It is whole and understood, and not done here."""

    kind = "unsupported"


class RefusedError(ScaffoldError, OSError):
    """Somebody who may say no did: the Hub (a gate, a token), the authors of a model, its chat template."""

    kind = "refused"


class TooLargeError(ScaffoldError, ValueError):
    """More than the model, the format or this program takes, such as a prompt that does not fit the context."""

    kind = "too_large"


class BusyError(ScaffoldError):
    """All places are taken at present; the same request may succeed later."""

    kind = "busy"


class CancelledError(ScaffoldError):
    """It was stopped on request. (A task of asyncio that is cancelled raises asyncio's own class of this name.)"""

    kind = "cancelled"


class UnavailableError(ScaffoldError, OSError):
    """Something outside of the request is in the way: memory, disk, network, a model that is not loaded."""

    kind = "unavailable"


class UsageError(ScaffoldError, ValueError):
    """The call or a setting says something that it cannot say."""

    kind = "usage"


class InternalError(ScaffoldError):
    """A fault of the program: report it."""

    kind = "internal"


_CLASSES: dict[str, type[ScaffoldError]] = {
    one.kind: one
    for one in (
        NotFoundError,
        DamagedError,
        UnsupportedError,
        RefusedError,
        TooLargeError,
        BusyError,
        CancelledError,
        UnavailableError,
        UsageError,
        InternalError,
    )
}


def of_facts(facts: _Facts) -> ScaffoldError:
    """The exception of an error, of which the native module tells this."""
    return _CLASSES.get(facts["kind"], ScaffoldError)(facts["text"], facts)


def usage(text: str, key: str | None = None, *remedies: str) -> UsageError:
    """An exception of the Python files' own, with its remedies in lines of their own."""
    lines = [text]
    for index, remedy in enumerate(remedies):
        lines.append(f"  {'to do' if index == 0 else 'or'}: {remedy}")
    facts: _Facts = {
        "kind": "usage",
        "text": "\n".join(lines),
        "sentence": text,
        "remedies": list(remedies),
        "file": None,
        "line": None,
        "key": key,
        "item": None,
        "model": None,
    }
    return UsageError(facts["text"], facts)


def _again(cls: type[ScaffoldError], text: str, state: dict[str, object]) -> ScaffoldError:
    """The exception in another process."""
    error = cls(text)
    error.__dict__.update(state)
    return error
