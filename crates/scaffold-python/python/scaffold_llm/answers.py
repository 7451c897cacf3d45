"""What models answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .errors import TooLargeError, UsageError

if TYPE_CHECKING:
    from ._native import AnswerFacts, PieceFacts
    from .schemas import Reader

    _Token = tuple[int, str, bytes, float]
    _Place = tuple[_Token, list[_Token]]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A token and how likely the model found it."""

    id: int
    """The token."""
    token: str
    """Its text; where that is half a character, U+FFFD stands for it."""
    bytes: bytes
    """The bytes of its text."""
    logprob: float
    """The natural logarithm of its probability in the model's own distribution: before temperature, penalties and the rest."""


@dataclass(frozen=True, slots=True)
class Logprob(Candidate):
    """A token of an answer, with those that were likeliest in its place."""

    top: tuple[Candidate, ...] = ()
    """The most probable tokens, best first, as many as were asked for."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool that a model has made."""

    name: str
    """The tool."""
    text: str
    """Its arguments, a JSON object, as the model wrote it."""

    @property
    def arguments(self) -> dict[str, Any]:
        """Its arguments."""
        read: dict[str, Any] = json.loads(self.text)
        return read


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request."""

    prompt_tokens: int
    """Tokens of the prompt."""
    cached_tokens: int
    """Those of them that were found in the cache and not computed again."""
    completion_tokens: int
    """New tokens, the one that ended the answer included."""

    @property
    def total_tokens(self) -> int:
        """Both together."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds of one request; the three add up to the time from its submission to the last token."""

    queue: float
    """Until it was begun."""
    prefill: float
    """From there until the first new token."""
    decode: float
    """From the first new token to the last."""
    preemptions: int
    """How often it was put back because others needed its memory."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a model says, why it ended, and what it took. As text (``str``) it is what the model says."""

    text: str
    """What it says, without control tokens; of a chat also without thoughts and calls."""
    ids: tuple[int, ...]
    """Its tokens, the one that ended it included."""
    finish_reason: str
    """``stop``, ``length`` or ``cancelled``."""
    finish_detail: str
    """The same more closely: ``eos``, ``stop_id``, ``stop_string``, ``complete`` (a schema allows nothing more), ``length``,
    ``context_full``, ``cancelled``."""
    usage: Usage
    """Tokens read and written."""
    timings: Timings
    """Seconds spent."""
    seed: int
    """The seed that repeats it."""
    thoughts: str = ""
    """What the model thought before it answered (chats)."""
    thought_tokens: int = 0
    """Tokens of that, the marks around it among them."""
    thoughts_cut: bool = False
    """The thoughts had had their budget, and were closed by force."""
    calls: tuple[Call, ...] = ()
    """The tools that it calls (chats)."""
    broken: tuple[str, ...] = ()
    """Why something that begins like a call is none; it is part of the text."""
    raw: str = ""
    """All of it as the model wrote it."""
    times: tuple[float, ...] = ()
    """When each token was chosen: seconds from when the request was begun."""
    logprobs: tuple[Logprob, ...] = ()
    """One for each token, where they were asked for."""
    prompt_logprobs: tuple[Logprob, ...] = ()
    """One for each token of the prompt but the first, where they were asked for."""
    incomplete: bool = False
    """It was to keep to a schema or grammar, and ended before it was whole."""
    _reader: Reader[T] | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        return self.text

    @property
    def value(self) -> T:
        """The answer as a value of the type that ``schema`` names: an instance of a class, or what JSON is in Python.

        Raises:
            TooLargeError: it ended before it was whole.
            UsageError: no schema was given.
        """
        if self._reader is None:
            raise UsageError(
                "the answer has no value, as it was held to no schema\n  to do: pass schema=, a class or a JSON schema"
            )
        if self.incomplete:
            raise TooLargeError(
                f"the answer ended after {self.usage.completion_tokens} tokens, before its value was whole\n"
                "  to do: allow more (max_new_tokens, the context), or ask for a smaller value"
            )
        return self._reader.read(self.text)

    @property
    def is_cut(self) -> bool:
        """Whether it reached a limit of tokens rather than an end of its own."""
        return self.finish_reason == "length"

    @property
    def mean_logprob(self) -> float | None:
        """The mean of the tokens' log-probabilities; ``None`` where they were not asked for."""
        if not self.logprobs:
            return None
        return sum(one.logprob for one in self.logprobs) / len(self.logprobs)

    @property
    def message(self) -> dict[str, Any]:
        """The answer as the assistant's message, to be put at the end of the chat."""
        message: dict[str, Any] = {"role": "assistant", "content": self.text}
        if self.thoughts:
            message["reasoning_content"] = self.thoughts
        if self.calls:
            message["tool_calls"] = [
                {"type": "function", "function": {"name": call.name, "arguments": call.text}}
                for call in self.calls
            ]
        return message


@dataclass(frozen=True, slots=True)
class Piece:
    """What has come of an answer since the piece before."""

    text: str = ""
    """New text, never half a character."""
    thought: str = ""
    """New text of thoughts (chats)."""
    calls: tuple[Call, ...] = ()
    """Calls that are whole by now (chats)."""
    ids: tuple[int, ...] = ()
    """New tokens. Their text may come later: what may be a mark is held back."""
    logprobs: tuple[Logprob, ...] = ()
    """One for each token, where they were asked for."""
    prompt_logprobs: tuple[Logprob, ...] = ()
    """Of the next tokens of the prompt, where they were asked for."""


@dataclass(frozen=True, slots=True)
class Score:
    """How likely a text is after another one."""

    logprob: float
    """The sum of its tokens' log-probabilities: natural logarithms."""
    is_greedy: bool
    """Whether each token is the likeliest in its place, so that greedy decoding would have written the text."""
    tokens: tuple[tuple[int, str, float], ...]
    """Its tokens: id, text, log-probability."""


def _places(of: list[_Place]) -> tuple[Logprob, ...]:
    return tuple(
        Logprob(*chosen, top=tuple(Candidate(*one) for one in top)) for chosen, top in of
    )


def piece_of(facts: PieceFacts) -> Piece:
    """A piece, of which the native module tells this."""
    text, thought = "", ""
    calls: list[Call] = []
    for kind, said, more in facts["parts"]:
        if kind == "thought":
            thought += said
        elif kind == "call":
            calls.append(Call(said, more))
        else:
            text += said
    return Piece(
        text=text,
        thought=thought,
        calls=tuple(calls),
        ids=tuple(facts["ids"]),
        logprobs=_places(facts["logprobs"]),
        prompt_logprobs=_places(facts["prompt_logprobs"]),
    )


def answer_of(facts: AnswerFacts, reader: Reader[T] | None) -> Answer[T]:
    """An answer, of which the native module tells this."""
    return Answer(
        text=facts["text"],
        ids=tuple(facts["ids"]),
        finish_reason=facts["finish"],
        finish_detail=facts["reason"],
        usage=Usage(facts["prompt_tokens"], facts["cached_tokens"], facts["completion_tokens"]),
        timings=Timings(facts["queue"], facts["prefill"], facts["decode"], facts["preemptions"]),
        seed=facts["seed"],
        thoughts=facts["thoughts"],
        thought_tokens=facts["thought_tokens"],
        thoughts_cut=facts["thoughts_cut"],
        calls=tuple(Call(name, text) for name, text in facts["calls"]),
        broken=tuple(facts["broken"]),
        raw=facts["raw"],
        times=tuple(facts["times"]),
        logprobs=_places(facts["logprobs"]),
        prompt_logprobs=_places(facts["prompt_logprobs"]),
        incomplete=facts["incomplete"],
        _reader=reader,
    )
