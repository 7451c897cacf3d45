"""What calls take, and how it goes to the native module: as one text of JSON."""

from __future__ import annotations

import difflib
import json
import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeGuard, Union

from .errors import usage
from .schemas import Reader, grammar_of
from .tools import Tool, choice_of, tools_of

if TYPE_CHECKING:
    import os


class GenerateOptions(TypedDict, total=False):
    """How an answer is made. What is not said, or ``None``, is as the settings say (``LLM_TEMPERATURE``, …), then as the model's makers
    recommend, then as by default."""

    max_new_tokens: int | None
    """New tokens in the answer, at most."""
    temperature: float | None
    """How far the choice of tokens is spread; 0 always takes the likeliest."""
    do_sample: bool | None
    """Whether tokens are drawn at random; ``False`` always takes the likeliest."""
    top_k: int | None
    """Draws from this many of the likeliest tokens; 0 is off."""
    top_p: float | None
    """Draws from the likeliest tokens that make up this share; 1 is off."""
    min_p: float | None
    """Draws from tokens at least this fraction as likely as the likeliest; 0 is off."""
    typical_p: float | None
    """Draws from the tokens nearest to the expected surprise, up to this share; 1 is off."""
    repetition_penalty: float | None
    """Makes tokens that occurred, the prompt's too, less likely by this factor; 1 is off."""
    presence_penalty: float | None
    """Taken from the logit of every token of the answer so far; 0 is off."""
    frequency_penalty: float | None
    """Taken from a token's logit for each time the answer has it; 0 is off."""
    no_repeat_ngram_size: int | None
    """No run of this many tokens occurs twice; 0 is off."""
    min_new_tokens: int | None
    """No end before this many new tokens."""
    min_length: int | None
    """No end before prompt and answer have this many tokens."""
    seed: int | None
    """Where random numbers begin: the same seed gives the same answer."""
    stop: str | Sequence[str] | None
    """The answer ends before the first of these texts."""
    stop_ids: Sequence[int] | None
    """Tokens that end the answer like an end-of-sequence token."""
    ignore_eos: bool | None
    """Goes on after the model's own end of the answer."""
    logit_bias: Mapping[int, float] | None
    """Added to the logits of these tokens, before everything else."""
    logprobs: int | bool | None
    """Reports the log-probability of each token, and of so many of the most probable ones in its place."""
    prompt_logprobs: int | bool | None
    """The same of the tokens of the prompt."""
    thinking_budget: int | None
    """Tokens that thoughts of a chat's answer may have."""
    regex: str | None
    """The answer is a text that this regular expression matches as a whole."""
    choices: Sequence[str] | None
    """The answer is one of these texts."""
    grammar: str | None
    """The answer keeps to this grammar, in Lark's notation or in llama.cpp's (GBNF)."""
    priority: Literal["interactive", "batch"] | None
    """Whether somebody waits for it; ``batch`` makes room for others."""
    owner: str | None
    """Whose it is: owners take turns."""
    max_wait: float | None
    """Seconds that it may wait until it is begun; after that it fails."""
    salt: str | None
    """Requests share what was computed of equal prompts only where their salts are equal."""
    join: bool | None
    """Joins an equal request that is at work, where the answer is determined."""


class ChatOptions(GenerateOptions, total=False):
    """How a chat is answered."""

    tools: Sequence[Tool] | None
    """Tools that the model may call: dictionaries as OpenAI's clients write them, functions, or pydantic models."""
    tool_choice: str | Mapping[str, Any] | None
    """``auto``, ``none``, ``required``, or the tool that has to be called: its name, or OpenAI's object."""
    one_call: bool | None
    """An answer that has to call does so once."""
    tools_in_words: bool | None
    """Whether tools are described in words where the model's template knows none (they are)."""
    documents: Sequence[Mapping[str, Any]] | None
    """Documents to answer from, for templates that read them: ``{"title": …, "text": …}``."""
    template_variables: Mapping[str, Any] | None
    """Further variables of the model's template: ``{"enable_thinking": False}``."""
    template: str | None
    """Which of the model's templates is used, by its name."""
    continue_final_message: bool | None
    """The model goes on with the last message."""
    add_generation_prompt: bool | None
    """Whether the prompt ends where the assistant's answer begins (it does)."""
    special_in_messages: bool | None
    """Names of control tokens in messages are those tokens. To be set for messages of the program's own alone."""


class Settings(TypedDict, total=False):
    """Settings over those of the environment, ``.env`` and ``scaffold.toml``; docs/configuration.md has each with its values."""

    max_new_tokens: int | None
    """New tokens in an answer, at most (``LLM_MAX_LENGTH``)."""
    temperature: float | None
    """``LLM_TEMPERATURE``."""
    do_sample: bool | None
    """``LLM_DO_SAMPLE``."""
    top_p: float | None
    """``LLM_TOP_P``."""
    top_k: int | None
    """``LLM_TOP_K``."""
    device: str | None
    """``auto`` or ``cpu`` (``LLM_DEVICE``)."""
    dtype: str | None
    """``auto``, ``float16``, ``bfloat16``, ``float32`` or ``int8`` (``LLM_TORCH_DTYPE``)."""
    use_fast_tokenizer: bool | None
    """``LLM_USE_FAST_TOKENIZER``."""
    token: str | None
    """Access token of the Hub (``HF_TOKEN``). It does not travel with a handle to another process."""
    threads: int | None
    """Threads that compute (``SCAFFOLD_THREADS``)."""
    cpu: str | None
    """Instruction set (``SCAFFOLD_CPU``)."""
    context: int | None
    """Tokens of prompt and answer together (``SCAFFOLD_CONTEXT``)."""
    kv_type: str | None
    """``f32``, ``f16`` or ``q8`` (``SCAFFOLD_KV_TYPE``)."""
    packed_cache: str | None
    """``auto``, ``on`` or ``off`` (``SCAFFOLD_PACKED_CACHE``)."""
    unknown_keys: str | None
    """``refuse`` or ``ignore`` (``SCAFFOLD_UNKNOWN_KEYS``)."""
    cache_dir: str | os.PathLike[str] | None
    """Directory of downloaded models (``HF_HUB_CACHE``)."""
    offline: bool | None
    """Use downloaded models only (``HF_HUB_OFFLINE``)."""
    settings: Mapping[str, str] | None
    """Further settings by their names in the environment."""


class LoadOptions(Settings, total=False):
    """How a model is loaded."""

    max_sequences: int | None
    """Answers that are computed together at most: 8."""
    max_waiting: int | None
    """Requests that may wait until they are begun: 1024; more are refused (:class:`BusyError`)."""
    memory: int | Literal["unlimited"] | None
    """Bytes that the model may take; otherwise what is available."""
    special_as_text: bool | None
    """Prompts are words of strangers: they are always put into the chat format, and a control token in them is text."""
    keep_prompts: bool | None
    """Long prompts are kept on disk, to be found by a later start."""
    progress: bool | Callable[[str, dict[str, Any]], object] | None
    """Who hears how the model is fetched and loaded: ``None`` shows a bar where somebody looks (a terminal, a notebook) and ``tqdm`` is
    installed, ``True`` asks for one, ``False`` shows none; a function is called with each event and its facts."""


_WHOLE = frozenset("max_new_tokens top_k no_repeat_ngram_size min_new_tokens min_length seed thinking_budget".split())
_REAL = frozenset("temperature top_p min_p typical_p repetition_penalty presence_penalty frequency_penalty".split())
_TRUTH = frozenset(("do_sample", "ignore_eos"))
_STANDING = frozenset(("owner", "max_wait", "salt", "join"))
_CHAT = frozenset(
    "one_call tools_in_words documents template continue_final_message add_generation_prompt special_in_messages".split()
)
_FORMS = ("schema", "regex", "choices", "grammar")
_LOADING = ("max_sequences", "max_waiting", "memory", "special_as_text", "keep_prompts")


def written(value: object, what: str) -> str:
    """A value as JSON."""
    try:
        return json.dumps(value, allow_nan=False, default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise usage(f"{what} cannot be written as JSON: {error}", what) from error


def _plain(value: Any) -> object:
    """Of classes that have a dictionary in them, and of NumPy's numbers, what JSON can say."""
    for name in ("model_dump", "tolist"):
        dump = getattr(value, name, None)
        if callable(dump) and not isinstance(value, type):
            return dump()
    if _is_mapping(value):
        return dict(value)
    if _is_listed(value):
        return list(value)
    raise TypeError(f"{value!r} is neither text nor number, list or dictionary")


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_listed(value: object) -> TypeGuard[Iterable[Any]]:
    return isinstance(value, (set, frozenset, range))


def check_known(options: Iterable[str], known: Iterable[str], call: str) -> None:
    """Refuses options that a call does not have, with the nearest that it has."""
    known = sorted(known)
    for name in options:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            remedy = [f"did you mean {near[0]}?"] if near else []
            raise usage(f"{call} has no option {name!r}\n  accepted: {', '.join(known)}", name, *remedy)


def _known(of: type) -> frozenset[str]:
    # Of a TypedDict, its ancestors' keys among them.
    return frozenset(of.__annotations__)


def asked(
    options: Mapping[str, Any], *, is_chat: bool, call: str, count: int = 1
) -> tuple[str, Reader[Any] | None]:
    """What a call asks for as the native module takes it, and what reads the answer's value where there is a schema."""
    said = {name: value for name, value in options.items() if value is not None}
    check_known(said, (_known(ChatOptions if is_chat else GenerateOptions) | {"schema"}), call)
    generate: dict[str, Any] = {name: _whole(name, said[name]) for name in said.keys() & _WHOLE}
    generate |= {name: _real(name, said[name]) for name in said.keys() & _REAL}
    generate |= {name: _truth(name, said[name]) for name in said.keys() & _TRUTH}
    if "stop" in said:
        stop = said["stop"]
        generate["stop"] = [stop] if isinstance(stop, str) else list(stop)
    if "stop_ids" in said:
        generate["stop_ids"] = [_whole("stop_ids", token) for token in said["stop_ids"]]
    if "logit_bias" in said:
        bias = said["logit_bias"].items()
        generate["logit_bias"] = [[_whole("logit_bias", token), _real("logit_bias", by)] for token, by in bias]
    for name in ("logprobs", "prompt_logprobs"):
        if name in said and said[name] is not False:
            # True is the token's own alone.
            generate[name] = 0 if said[name] is True else _whole(name, said[name])
    whole: dict[str, Any] = {"options": generate, "count": count}
    reader = _form(said, generate, whole)
    standing = {name: said[name] for name in said.keys() & _STANDING}
    if "priority" in said:
        standing["batch"] = _one_of("priority", said["priority"], ("interactive", "batch")) == "batch"
    whole["standing"] = standing
    if is_chat:
        whole["chat"] = _chat(said)
    return written(whole, "options"), reader


def _form(said: Mapping[str, Any], generate: dict[str, Any], whole: dict[str, Any]) -> Reader[Any] | None:
    """What the answer has to keep to."""
    forms = [name for name in _FORMS if name in said]
    if len(forms) > 1:
        raise usage(f"{' and '.join(forms)} are given, and an answer can be held to one of them: leave out the others", forms[1])
    reader = None
    if "schema" in said:
        generate["grammar"], reader = grammar_of(said["schema"])
    elif "regex" in said:
        generate["grammar"] = {"regex": said["regex"]}
    elif "choices" in said:
        generate["grammar"] = {"choices": list(said["choices"])}
    elif "grammar" in said:
        whole["grammar"] = said["grammar"]
    return reader


def _chat(said: Mapping[str, Any]) -> dict[str, Any]:
    chat = {name: said[name] for name in said.keys() & _CHAT}
    choice = said.get("tool_choice", "auto")
    if choice != "none":
        chat["tools"] = tools_of(said.get("tools", ()))
    chat.update(choice_of(choice))
    if "template_variables" in said:
        chat["variables"] = said["template_variables"]
    return chat


def _whole(key: str, value: Any) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = -1
    if isinstance(value, bool) or number < 0:
        raise usage(f"{key} is {value!r}\n  accepted: a whole number, 0 or more", key)
    return number


def _real(key: str, value: Any) -> float:
    # Of NumPy's numbers, too.
    if isinstance(value, (bool, str, bytes)) or not hasattr(value, "__float__"):
        raise usage(f"{key} is {value!r}\n  accepted: a number", key)
    number = float(value)
    if not math.isfinite(number):
        raise usage(f"{key} is {number}\n  accepted: a number that is finite", key)
    return number


def _truth(key: str, value: Any) -> bool:
    if value is not True and value is not False:
        raise usage(f"{key} is {value!r}\n  accepted: True, False", key)
    return bool(value)


def _one_of(key: str, value: object, accepted: Sequence[str]) -> str:
    if value not in accepted:
        raise usage(f"{key} is {value!r}\n  accepted: {', '.join(accepted)}", key)
    return str(value)


def loading(options: Mapping[str, Any], call: str) -> tuple[list[tuple[str, str]], str]:
    """Settings and the rest of what a model is loaded with, as the native module takes them."""
    said = {name: value for name, value in options.items() if value is not None and name != "progress"}
    check_known(said, _known(LoadOptions), call)
    rest = {name: said.pop(name) for name in _LOADING if name in said}
    if rest.get("memory") == "unlimited":
        rest["memory"] = 0
    elif rest.get("memory") == 0:
        raise usage("memory is 0\n  accepted: bytes, 1 or more, or \"unlimited\"", "memory")
    return settings(said), written(rest, "loading")


def settings(said: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Settings as the native module takes them: names and texts."""
    further: Mapping[str, Any] = said.get("settings") or {}
    named = [(name, _text(value)) for name, value in said.items() if name != "settings" and value is not None]
    return named + [(name, _text(value)) for name, value in further.items()]


def _text(value: object) -> str:
    # As the environment would have it.
    return str(value).lower() if isinstance(value, bool) else str(value)


def token_ids(ids: Any, what: str) -> list[int]:
    """Token ids as the native module takes them."""
    try:
        read = [_whole(what, token) for token in ids]
    except TypeError:
        raise usage(f"{what} is {ids!r}\n  accepted: text, or a list of token ids", what) from None
    if read and max(read) >= 1 << 32:
        raise usage(f"{what} has the token id {max(read)}, which no model has", what)
    return read


Messages = Union[str, Sequence[Mapping[str, Any]]]
"""A chat: ``[{"role": "user", "content": "…"}]``, or one message of a user as text."""


def chat_of(messages: Messages) -> str:
    """A chat as the native module takes it."""
    if isinstance(messages, str):
        return written([{"role": "user", "content": messages}], "messages")
    if isinstance(messages, Mapping):
        raise usage("messages is one message: put it into a list", "messages")
    return written(list(messages), "messages")
