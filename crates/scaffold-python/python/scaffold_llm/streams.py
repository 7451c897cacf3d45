"""Answers as they arrive, for a thread that waits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .answers import Answer, Piece, answer_of, piece_of

if TYPE_CHECKING:
    from typing_extensions import Self

    from . import _native
    from .schemas import Reader

T = TypeVar("T")


class Stream(Generic[T]):
    """An answer as it arrives. Iterating gives its text, piece by piece; closing it, or letting go of it, cancels the rest.

    ::

        with llm.chat_stream("Write a haiku about rivers.") as stream:
            for text in stream:
                print(text, end="", flush=True)
        print(stream.answer.usage)
    """

    def __init__(self, stream: _native.Stream, reader: Reader[T] | None) -> None:
        self._stream = stream
        self._reader = reader

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while (piece := self.next_piece()) is not None:
            if piece.text:
                return piece.text
        raise StopIteration

    def pieces(self) -> Iterator[Piece]:
        """All that arrives: texts, thoughts, calls and tokens."""
        while (piece := self.next_piece()) is not None:
            yield piece

    def next_piece(self) -> Piece | None:
        """Waits for the next piece; ``None`` after the last one."""
        try:
            facts = self._stream.next()
        except BaseException:
            # Ctrl-C, which is also raised where the wait has just come to its end.
            self._stream.cancel()
            raise
        return None if facts is None else piece_of(facts)

    @property
    def answer(self) -> Answer[T]:
        """What has come until now; after the last piece the whole answer."""
        return answer_of(self._stream.answer(), self._reader)

    def wait(self) -> Answer[T]:
        """Waits for the whole answer."""
        try:
            facts = self._stream.whole()
        except BaseException:
            self._stream.cancel()
            raise
        return answer_of(facts, self._reader)

    @property
    def is_over(self) -> bool:
        """Whether nothing comes any more."""
        return self._stream.is_over

    @property
    def prompt_read(self) -> int:
        """Tokens of the prompt that are read until now."""
        return self._stream.prompt_read

    def cancel(self) -> None:
        """Ends the answer where it is, also from another thread: what has arrived is all of it."""
        self._stream.cancel()

    def close(self) -> None:
        """As :meth:`cancel`."""
        self._stream.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
