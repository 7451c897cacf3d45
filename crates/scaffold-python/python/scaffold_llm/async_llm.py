"""Language models for programs of asyncio.

No thread waits for an answer: the model tells the event loop when something has come. A task that is cancelled cancels its request, whose
memory is free with the model's next step.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from .answers import Answer, Piece, answer_of, piece_of
from .errors import UsageError
from .llm import LLM, _begin, _is_batch
from .options import Messages, asked, chat_of

if TYPE_CHECKING:
    import os

    from typing_extensions import Self, Unpack

    from . import _native
    from .options import ChatOptions, GenerateOptions, LoadOptions
    from .schemas import Reader

T = TypeVar("T")

# Reads prompts and compiles schemas, which takes longer than a loop may stand still.
_readers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="scaffold-read")


class AsyncLLM:
    """A language model in this process, for asyncio. The methods are those of :class:`LLM`.

    ::

        llm = await AsyncLLM.open("starter")
        answer = await llm.chat("Good morning!")
        async for text in llm.chat_stream("Write a haiku about rivers."):
            print(text, end="", flush=True)

    Args:
        model: as for :class:`LLM`, or an :class:`LLM`, whose model is shared then. Loading here holds up the loop: use :meth:`open`
            where one runs.
        max_concurrent: requests that are at work at once; further tasks wait for their turn, in their order.
        options: as for :class:`LLM`.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | LLM | None = None,
        *,
        max_concurrent: int = 256,
        **options: Unpack[LoadOptions],
    ) -> None:
        if max_concurrent < 1:
            raise UsageError(f"max_concurrent is {max_concurrent}\n  accepted: 1 or more")
        if isinstance(model, LLM):
            if options:
                raise UsageError("the model is loaded already, and takes no options any more: pass them where it is loaded")
            self.llm = model
        else:
            self.llm = LLM(model, **options)
        self._max_concurrent = max_concurrent
        # Of each loop its own, as it is bound to one.
        self._places: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = (
            weakref.WeakKeyDictionary()
        )

    @classmethod
    async def open(
        cls,
        model: str | os.PathLike[str] | None = None,
        *,
        max_concurrent: int = 256,
        **options: Unpack[LoadOptions],
    ) -> Self:
        """Loads a model while the loop goes on."""
        loop = asyncio.get_running_loop()
        llm = await loop.run_in_executor(_readers, lambda: LLM(model, **options))
        return cls(llm, max_concurrent=max_concurrent)

    # Answers.

    @overload
    async def generate(
        self, prompt: str | Sequence[int], *, schema: type[T], raw: bool = ..., **options: Unpack[GenerateOptions]
    ) -> Answer[T]: ...
    @overload
    async def generate(
        self,
        prompt: str | Sequence[int],
        *,
        schema: Mapping[str, Any] | None = ...,
        raw: bool = ...,
        **options: Unpack[GenerateOptions],
    ) -> Answer[Any]: ...
    @overload
    async def generate(
        self,
        prompt: list[str],
        *,
        schema: type[T] | Mapping[str, Any] | None = ...,
        raw: bool = ...,
        **options: Unpack[GenerateOptions],
    ) -> list[Answer[Any]]: ...
    async def generate(self, prompt: Any, *, schema: Any = None, raw: bool = False, **options: Any) -> Any:
        """The answer to a prompt, or the answers to a list of prompts: see :meth:`LLM.generate`."""
        if _is_batch(prompt):
            options = {"priority": "batch", **options}
            prompts: list[str] = list(prompt)
            return await _all([self.generate(one, schema=schema, raw=raw, **options) for one in prompts])
        return await self.generate_stream(prompt, schema=schema, raw=raw, **options).wait()

    def generate_stream(
        self,
        prompt: str | Sequence[int],
        *,
        schema: type[T] | Mapping[str, Any] | None = None,
        raw: bool = False,
        **options: Unpack[GenerateOptions],
    ) -> AsyncStream[T]:
        """The answer to a prompt, piece by piece. It begins when it is first waited for."""
        said = {**options, "schema": schema}

        def begin() -> tuple[_native.Stream, Reader[Any] | None]:
            text, reader = asked(said, is_chat=False, call="generate")
            return _begin(self.llm._model, prompt, raw, text)[0], reader

        return AsyncStream(begin, self._place)

    @overload
    async def chat(
        self, messages: Messages, *, schema: type[T], **options: Unpack[ChatOptions]
    ) -> Answer[T]: ...
    @overload
    async def chat(
        self,
        messages: Messages,
        *,
        schema: Mapping[str, Any] | None = ...,
        **options: Unpack[ChatOptions],
    ) -> Answer[Any]: ...
    async def chat(self, messages: Messages, *, schema: Any = None, **options: Any) -> Any:
        """The assistant's next message: see :meth:`LLM.chat`."""
        return await self.chat_stream(messages, schema=schema, **options).wait()

    def chat_stream(
        self,
        messages: Messages,
        *,
        schema: type[T] | Mapping[str, Any] | None = None,
        **options: Unpack[ChatOptions],
    ) -> AsyncStream[T]:
        """The assistant's next message, piece by piece. It begins when it is first waited for."""
        said = {**options, "schema": schema}

        def begin() -> tuple[_native.Stream, Reader[Any] | None]:
            text, reader = asked(said, is_chat=True, call="chat")
            return self.llm._model.begin_chat(chat_of(messages), text)[0], reader

        return AsyncStream(begin, self._place)

    async def generate_as(
        self, schema: type[T], prompt: str, **options: Unpack[GenerateOptions]
    ) -> T:
        """The answer to a prompt as a value of a class, such as an instance of a pydantic model."""
        return (await self.generate(prompt, schema=schema, **options)).value

    async def chat_as(
        self, schema: type[T], messages: Messages, **options: Unpack[ChatOptions]
    ) -> T:
        """The assistant's next message as a value of a class, such as an instance of a pydantic model."""
        return (await self.chat(messages, schema=schema, **options)).value

    async def generate_response(self, prompt: str, **options: Unpack[GenerateOptions]) -> str:
        """The text of the answer to a prompt: see :meth:`LLM.generate_response`."""
        return self.llm._told_if_cut(await self.generate(prompt, **options))

    # The model.

    @property
    def name(self) -> str:
        """The model's name, in its full form."""
        return self.llm.name

    @property
    def info(self) -> dict[str, Any]:
        """What the model is and what it takes."""
        return self.llm.info

    @property
    def metrics(self) -> dict[str, Any]:
        """What was done since the model was loaded: see :attr:`LLM.metrics`."""
        return self.llm.metrics

    def close(self) -> None:
        """Lets go of the model."""
        self.llm.close()

    async def aclose(self) -> None:
        """Lets go of the model, while the loop goes on."""
        await asyncio.get_running_loop().run_in_executor(_readers, self.llm.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __reduce__(self) -> tuple[Any, ...]:
        return (_again, (type(self), self.llm, self._max_concurrent))

    def __repr__(self) -> str:
        return f"Async{self.llm!r}"

    def _place(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        places = self._places.get(loop)
        if places is None:
            places = self._places[loop] = asyncio.Semaphore(self._max_concurrent)
        return places


def _again(cls: Callable[..., AsyncLLM], llm: LLM, max_concurrent: int) -> AsyncLLM:
    """The model in another process."""
    return cls(llm, max_concurrent=max_concurrent)


async def _all(answers: Sequence[Awaitable[T]]) -> list[T]:
    """All of them; where one fails the others are cancelled."""
    tasks = [asyncio.ensure_future(answer) for answer in answers]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()


class AsyncStream(Generic[T]):
    """An answer as it arrives, for a task. Iterating gives its text, piece by piece.

    Cancelling the task, :meth:`aclose`, leaving ``async with``, or letting go of it cancels the rest.
    """

    def __init__(
        self,
        begin: Callable[[], tuple[_native.Stream, Reader[Any] | None]],
        places: Callable[[], asyncio.Semaphore],
    ) -> None:
        self._begin = begin
        self._places = places
        self._begun: tuple[_native.Stream, Reader[Any] | None] | None = None
        self._place: _Place | None = None
        self._is_closed = False

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        while (piece := await self.next_piece()) is not None:
            if piece.text:
                return piece.text
        raise StopAsyncIteration

    async def pieces(self) -> AsyncIterator[Piece]:
        """All that arrives: texts, thoughts, calls and tokens."""
        while (piece := await self.next_piece()) is not None:
            yield piece

    async def next_piece(self) -> Piece | None:
        """Waits for the next piece; ``None`` after the last one."""
        if self._is_closed:
            return None
        try:
            stream = await self._started()
            await _arrived(stream, whole=False)
            facts = stream.take()
        except BaseException:
            self.close()
            raise
        if facts is None:
            self.close()
            return None
        return piece_of(facts)

    async def wait(self) -> Answer[T]:
        """Waits for the whole answer."""
        try:
            stream = await self._started()
            await _arrived(stream, whole=True)
            # What has ended it early is raised here.
            stream.take()
        finally:
            self.close()
        return self.answer

    @property
    def answer(self) -> Answer[T]:
        """What has come until now; after the last piece the whole answer."""
        if self._begun is None:
            raise UsageError("the answer has not begun: it does when it is first waited for")
        stream, reader = self._begun
        return answer_of(stream.answer(), reader)

    @property
    def prompt_read(self) -> int:
        """Tokens of the prompt that are read until now."""
        return 0 if self._begun is None else self._begun[0].prompt_read

    def close(self) -> None:
        """Ends the answer where it is: what has arrived is all of it."""
        self._is_closed = True
        if self._begun is not None:
            self._begun[0].cancel()
        place, self._place = self._place, None
        if place is not None:
            place.free()

    async def aclose(self) -> None:
        """As :meth:`close`."""
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_place", None) is not None:
            self.close()

    async def _started(self) -> _native.Stream:
        if self._begun is None:
            places = self._places()
            await places.acquire()
            self._place = _Place(places)
            loop = asyncio.get_running_loop()
            # Where the task is cancelled meanwhile nobody takes the stream, which cancels it.
            begun = await loop.run_in_executor(_readers, self._begin)
            self._begun = begun
            return begun[0]
        return self._begun[0]


class _Place:
    """A place among the requests at work, to be freed from any thread."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places = places
        self._loop = asyncio.get_running_loop()

    def free(self) -> None:
        try:
            here: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is self._loop:
            self._places.release()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._places.release)


async def _arrived(stream: _native.Stream, *, whole: bool) -> None:
    """Waits until there is something to take, or the whole answer."""
    loop = asyncio.get_running_loop()
    arrived = loop.create_future()

    def ring() -> None:
        # In a thread of the native module. A loop that is closed has no tasks that could wait.
        if not loop.is_closed():
            loop.call_soon_threadsafe(_set, arrived)

    if not stream.wait(ring, whole):
        await arrived


def _set(arrived: asyncio.Future[None]) -> None:
    if not arrived.done():
        arrived.set_result(None)
