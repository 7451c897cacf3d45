"""Calls as ``transformers.pipeline`` has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard

from .errors import usage
from .llm import LLM, _collected
from .options import ChatOptions, check_known

if TYPE_CHECKING:
    import os

_TASKS = ("text-generation",)


def pipeline(task: str | None = None, model: str | os.PathLike[str] | LLM | None = None, **options: Any) -> LLM:
    """A model that is called as a pipeline of ``transformers``.

    ::

        generator = pipeline("text-generation", model="starter")
        generator("The tides are", max_new_tokens=20)  # [{"generated_text": "The tides are …"}]
        generator([{"role": "user", "content": "Hi"}])  # [{"generated_text": [{…}, {"role": "assistant", …}]}]

    Text is continued as it is, as there; a chat is answered.

    Args:
        task: ``text-generation``.
        model: as for :class:`LLM`, or one.
        options: as for :class:`LLM`. ``torch_dtype`` is ``dtype``; ``device`` and ``device_map`` are ``auto`` or ``cpu``; ``trust_remote_code``
            changes nothing, as no code of a repository is ever run.
    """
    if task not in (None, *_TASKS):
        raise usage(f"the task is {task!r}\n  accepted: {', '.join(_TASKS)}", "task", "for embeddings take Embedder, for rankings CrossEncoder")
    if isinstance(model, LLM):
        return model
    options.pop("trust_remote_code", None)
    if "torch_dtype" in options:
        options.setdefault("dtype", str(options.pop("torch_dtype")).removeprefix("torch."))
    device = options.pop("device_map", None) or options.pop("device", None)
    if device is not None:
        options["device"] = "cpu" if device == -1 else str(device)
    return LLM(model, **options)


def text_generation(llm: LLM, prompt: Any, **options: Any) -> list[Any]:
    """What a pipeline of ``transformers`` gives: for a text or a chat a list of answers, for a list of those a list of such lists."""
    extra = ("return_full_text", "num_return_sequences", "batch_size", "max_length", "return_text", "padding", "truncation")
    check_known(options, [*ChatOptions.__annotations__, *extra], "the pipeline")
    for ignored in ("batch_size", "return_text", "padding", "truncation"):
        options.pop(ignored, None)
    if options.pop("max_length", None) is not None and options.get("max_new_tokens") is None:
        raise usage("max_length counts the tokens of the prompt, too, and is not known here", "max_length", "pass max_new_tokens")
    is_full = options.pop("return_full_text", None)
    count = options.pop("num_return_sequences", None) or 1
    is_list = not isinstance(prompt, str) and not _is_chat(prompt)
    given = list(prompt) if is_list else [prompt]
    begin = [partial(_begun, llm, one, options, number) for one in given for number in range(count)]
    answers = iter(_collected(begin, return_exceptions=False, progress=False))
    done = [[_given(one, next(answers), is_full is not False) for _ in range(count)] for one in given]
    return done if is_list else done[0]


def _is_chat(prompt: Any) -> bool:
    return _is_sequence(prompt) and bool(prompt) and isinstance(prompt[0], Mapping)


def _is_sequence(prompt: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(prompt, Sequence)


def _begun(llm: LLM, prompt: Any, options: Mapping[str, Any], number: int) -> Any:
    options = dict(options)
    if options.get("seed") is not None:
        # Of several answers each is drawn in its own way.
        options["seed"] += number
    if _is_chat(prompt):
        return llm.chat_stream(prompt, **options)
    return llm.generate_stream(prompt, raw=True, **options)


def _given(prompt: Any, answer: Any, is_full: bool) -> dict[str, Any]:
    if not is_full:
        return {"generated_text": answer.text}
    if isinstance(prompt, str):
        return {"generated_text": prompt + answer.text}
    return {"generated_text": [*prompt, answer.message]}
