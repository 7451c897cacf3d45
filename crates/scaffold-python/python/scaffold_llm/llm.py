"""Language models."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from . import _native
from .answers import Answer, Score, answer_of
from .errors import BusyError, ScaffoldError, usage
from .handles import Handle, logger
from .options import Messages, asked, chat_of, token_ids
from .progress import counted
from .streams import Stream

if TYPE_CHECKING:
    import os
    from typing import Literal

    from typing_extensions import Self, Unpack

    from .options import ChatOptions, GenerateOptions, LoadOptions

T = TypeVar("T")

_TOGETHER = 256
"""Answers of one call that are begun at once: more than are computed together, and fewer than may wait."""


class LLM(Handle):
    """A language model in this process.

    Args:
        model: a repository (``org/name``, ``org/name@revision``), a directory, a GGUF file or an alias; without one, the model that
            the setting ``LLM_MODEL`` names. It is fetched if it is not on this disk.
        options: how it is loaded, and settings over those of the environment: see :class:`LoadOptions`.

    All methods may be called from several threads at once; requests are computed together. Nothing holds Python's lock while it
    computes or waits, and Ctrl-C interrupts.

    ::

        llm = LLM("starter")
        print(llm.generate("What is sustainability?"))
        answer = llm.chat([{"role": "user", "content": "Good morning!"}], max_new_tokens=50)
        print(answer.text, answer.usage.completion_tokens)
    """

    _model: _native.Model

    def __init__(
        self, model: str | os.PathLike[str] | None = None, **options: Unpack[LoadOptions]
    ) -> None:
        self._load(_native.load_model, model, options)

    @classmethod
    def from_pretrained(
        cls, model: str | os.PathLike[str], **options: Unpack[LoadOptions]
    ) -> Self:
        """As the class itself, by the name that ``transformers`` has for it."""
        return cls(model, **options)

    # Answers.

    @overload
    def generate(
        self, prompt: str | Sequence[int], *, schema: type[T], raw: bool = ..., **options: Unpack[GenerateOptions]
    ) -> Answer[T]: ...
    @overload
    def generate(
        self,
        prompt: str | Sequence[int],
        *,
        schema: Mapping[str, Any] | None = ...,
        raw: bool = ...,
        **options: Unpack[GenerateOptions],
    ) -> Answer[Any]: ...
    @overload
    def generate(
        self,
        prompt: list[str],
        *,
        schema: type[T],
        raw: bool = ...,
        progress: bool = ...,
        **options: Unpack[GenerateOptions],
    ) -> list[Answer[T]]: ...
    @overload
    def generate(
        self,
        prompt: list[str],
        *,
        schema: Mapping[str, Any] | None = ...,
        raw: bool = ...,
        progress: bool = ...,
        **options: Unpack[GenerateOptions],
    ) -> list[Answer[Any]]: ...
    @overload
    def generate(
        self,
        prompt: list[str],
        *,
        schema: type[T] | Mapping[str, Any] | None = ...,
        raw: bool = ...,
        progress: bool = ...,
        return_exceptions: Literal[True],
        **options: Unpack[GenerateOptions],
    ) -> list[Answer[Any] | ScaffoldError]: ...
    def generate(
        self,
        prompt: str | Sequence[int] | list[str],
        *,
        schema: Any = None,
        raw: bool = False,
        progress: bool = False,
        return_exceptions: bool = False,
        **options: Any,
    ) -> Any:
        """The answer to a prompt, or the answers to a list of prompts, computed together.

        Args:
            prompt: text, which is put into the model's chat format unless it is written in it already; or token ids; or a list of
                texts. Each answer to a list is the one that its prompt gets alone, except that without a seed all are drawn anew;
                they make room for answers that somebody waits for.
            schema: what the answer has to be: a class that pydantic knows, a JSON schema, or ``dict`` for any object.
                :attr:`Answer.value` has it then.
            raw: the text is continued as it is, without a chat format.
            progress: a bar counts the answers of a list.
            return_exceptions: of a list, what fails is in the place of its answer; otherwise the first failure is raised.
            options: how the answer is made: see :class:`GenerateOptions`.

        Raises:
            TooLargeError: the prompt does not fit the context.
            UsageError: an option is out of range or contradicts another.
            BusyError: too many requests wait.
        """
        if _is_batch(prompt):
            options = {"priority": "batch", **options}
            begin = [
                lambda one=one: self.generate_stream(one, schema=schema, raw=raw, **options)
                for one in cast("list[str]", prompt)
            ]
            return _collected(begin, return_exceptions, progress)
        return self.generate_stream(
            cast("str | Sequence[int]", prompt), schema=schema, raw=raw, **options
        ).wait()

    def generate_stream(
        self,
        prompt: str | Sequence[int],
        *,
        schema: type[T] | Mapping[str, Any] | None = None,
        raw: bool = False,
        **options: Unpack[GenerateOptions],
    ) -> Stream[T]:
        """The answer to a prompt, piece by piece as it is computed; otherwise as :meth:`generate`."""
        said, reader = asked({**options, "schema": schema}, is_chat=False, call="generate")
        return Stream(_begin(self._model, prompt, raw, said)[0], reader)

    @overload
    def chat(
        self, messages: Messages, *, schema: type[T], **options: Unpack[ChatOptions]
    ) -> Answer[T]: ...
    @overload
    def chat(
        self,
        messages: Messages,
        *,
        schema: Mapping[str, Any] | None = ...,
        **options: Unpack[ChatOptions],
    ) -> Answer[Any]: ...
    def chat(self, messages: Messages, *, schema: Any = None, **options: Any) -> Any:
        """The assistant's next message: its text, its thoughts, and the calls that it makes of the tools.

        Args:
            messages: the chat, ``[{"role": "user", "content": "…"}]``, or what a user says.
            schema: what the answer has to be, as for :meth:`generate`; thoughts before it are free.
            options: how the chat is answered: see :class:`ChatOptions`.

        Raises:
            RefusedError: the model's template refuses the chat.
            UnsupportedError: the model has no chat format.
            TooLargeError, UsageError, BusyError: as for :meth:`generate`.
        """
        return self.chat_stream(messages, schema=schema, **options).wait()

    def chat_stream(
        self,
        messages: Messages,
        *,
        schema: type[T] | Mapping[str, Any] | None = None,
        **options: Unpack[ChatOptions],
    ) -> Stream[T]:
        """The assistant's next message, piece by piece; otherwise as :meth:`chat`."""
        said, reader = asked({**options, "schema": schema}, is_chat=True, call="chat")
        return Stream(self._model.begin_chat(chat_of(messages), said)[0], reader)

    def generate_as(
        self, schema: type[T], prompt: str, **options: Unpack[GenerateOptions]
    ) -> T:
        """The answer to a prompt as a value of a class, such as an instance of a pydantic model."""
        return self.generate(prompt, schema=schema, **options).value

    def chat_as(self, schema: type[T], messages: Messages, **options: Unpack[ChatOptions]) -> T:
        """The assistant's next message as a value of a class, such as an instance of a pydantic model."""
        return self.chat(messages, schema=schema, **options).value

    def chats(
        self,
        chats: Sequence[Messages],
        *,
        progress: bool = False,
        return_exceptions: bool = False,
        **options: Any,
    ) -> list[Any]:
        """The next message of several chats, computed together, as :meth:`generate` does of a list."""
        options = {"priority": "batch", **options}
        begin = [lambda one=one: self.chat_stream(one, **options) for one in chats]
        return _collected(begin, return_exceptions, progress)

    def answers(
        self, prompt: str, count: int, **options: Unpack[GenerateOptions]
    ) -> list[Answer[Any]]:
        """So many answers to one prompt, which is read once. With a seed each is drawn in its own way, and the same call gives the same
        answers."""
        said, reader = asked(options, is_chat=False, call="answers", count=count)
        streams = _begin(self._model, prompt, False, said)
        return [answer_of(stream.whole(), reader) for stream in streams]

    def best_of(self, prompt: str, count: int, **options: Unpack[GenerateOptions]) -> Answer[Any]:
        """Of so many answers to one prompt the one whose tokens the model finds likeliest, on average."""
        if count < 1:
            raise usage(f"the best of {count} answers is none: ask for 1 or more", "count")
        said: GenerateOptions = {"logprobs": True, **options}
        answers = self.answers(prompt, count, **said)
        return max(answers, key=lambda answer: answer.mean_logprob or float("-inf"))

    def __call__(self, prompt: Any, **options: Any) -> list[Any]:
        """As a pipeline of ``transformers`` for ``text-generation``: see :func:`scaffold_llm.pipeline`."""
        from .pipelines import text_generation

        return text_generation(self, prompt, **options)

    # As the guide has it.

    def generate_response(self, prompt: str, **options: Unpack[GenerateOptions]) -> str:
        """The text of the answer to a prompt, which cannot tell whether it was cut off at a limit of tokens; that it was is told to
        the logger ``scaffold_llm``. Never an error text as an answer."""
        return self._told_if_cut(self.generate(prompt, **options))

    def batch_generate(self, prompts: Sequence[str], **options: Unpack[GenerateOptions]) -> list[str]:
        """The texts of the answers to several prompts, computed together."""
        return [self._told_if_cut(answer) for answer in self.generate(list(prompts), **options)]

    def _told_if_cut(self, answer: Answer[Any]) -> str:
        if answer.is_cut:
            tokens = answer.usage.completion_tokens
            logger.warning(
                "an answer was cut off after %s new tokens, where its limit (LLM_MAX_LENGTH) or the context ended", tokens
            )
        return answer.text

    # Numbers and tokens.

    def score(self, context: str, texts: Sequence[str]) -> list[Score]:
        """How likely the model finds each of these texts after ``context``, which is computed once. Text is taken as it is, without a
        chat format."""
        return [
            Score(logprob, is_greedy, tuple(tokens))
            for logprob, is_greedy, tokens in self._model.score(context, list(texts))
        ]

    def tokenize(
        self, text: str, *, add_special: bool = False, parse_special: bool = False
    ) -> list[int]:
        """The token ids of a text.

        Args:
            add_special: with the tokens that the tokenizer puts around a text.
            parse_special: names of control tokens in the text are those tokens; otherwise they are text.
        """
        return self._model.tokenize(text, add_special, parse_special)

    def detokenize(self, ids: Sequence[int], *, skip_special: bool = True) -> str:
        """The text of token ids."""
        return self._model.detokenize(token_ids(ids, "ids"), skip_special)

    def render(self, messages: Messages, **options: Unpack[ChatOptions]) -> str:
        """The text of a chat as the model reads it."""
        said, _ = asked(options, is_chat=True, call="render")
        return self._model.render(chat_of(messages), said)

    def count_tokens(self, messages: Messages, **options: Unpack[ChatOptions]) -> int:
        """Tokens of a chat as the model reads it."""
        said, _ = asked(options, is_chat=True, call="count_tokens")
        return len(self._model.chat_ids(chat_of(messages), said))

    # The model.

    def describe(self) -> str:
        """A few lines for people: the model, its format, its context and its memory."""
        return self._model.describe()

    @property
    def is_loaded(self) -> bool:
        """Whether the model is in memory and takes requests."""
        return self._model.is_loaded

    def unload(self) -> None:
        """Frees the model's memory. Answers that are being computed end with an error, later calls with :class:`UnavailableError`,
        until :meth:`load`."""
        self._model.unload()

    def load(self) -> None:
        """Loads the model again after :meth:`unload`."""
        self._model.load()

    def _finish(self) -> None:
        # The packed weights of a first start are for the next one.
        if self._model.is_loaded:
            self._model.finish_keeping()
        self.close()


def _is_batch(prompt: object) -> bool:
    # Token ids are a list, too.
    return isinstance(prompt, (list, tuple)) and (not prompt or isinstance(prompt[0], str))


def _begin(
    model: _native.Model, prompt: str | Sequence[int], raw: bool, said: str
) -> list[_native.Stream]:
    if isinstance(prompt, str):
        return model.begin_prompt(prompt, raw, said)
    return model.begin_ids(token_ids(prompt, "prompt"), said)


def _collected(
    begin: Sequence[Callable[[], Stream[Any]]], return_exceptions: bool, progress: bool
) -> list[Any]:
    """All answers, of which so many are at work at once that the model always has enough to do."""
    done: dict[int, Any] = {}
    at_work: deque[tuple[int, Stream[Any]]] = deque()

    def failed(place: int, error: ScaffoldError) -> None:
        if not return_exceptions:
            raise error
        done[place] = error

    def collect() -> None:
        place, stream = at_work.popleft()
        try:
            done[place] = stream.wait()
        except ScaffoldError as error:
            failed(place, error)

    def begun(place: int) -> None:
        while len(at_work) >= _TOGETHER:
            collect()
        while True:
            try:
                at_work.append((place, begin[place]()))
                return
            except BusyError as error:
                # Others have the places: ours come free with what is at work.
                if not at_work:
                    return failed(place, error)
                collect()
            except ScaffoldError as error:
                return failed(place, error)

    try:
        for place in counted(range(len(begin)), len(begin), progress):
            begun(place)
        while at_work:
            collect()
    finally:
        for _, stream in at_work:
            stream.cancel()
    return [done[place] for place in range(len(begin))]
