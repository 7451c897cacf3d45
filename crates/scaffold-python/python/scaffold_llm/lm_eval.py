"""The model class ``scaffold`` of EleutherAI's ``lm_eval`` (the evaluation harness).

::

    python -m scaffold_llm.lm_eval run --model scaffold --model_args pretrained=starter --tasks arc_easy

Importing the module is what registers the class; from Python ``lm_eval.simple_evaluate(model=ScaffoldLM("starter"), …)`` takes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .extras import need

need("lm-eval", "lm_eval")

from lm_eval.api.model import TemplateLM  # noqa: E402
from lm_eval.api.registry import register_model  # noqa: E402
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window  # noqa: E402

from .errors import usage  # noqa: E402
from .llm import LLM, _collected  # noqa: E402
from .options import GenerateOptions  # noqa: E402
from .shared import shared  # noqa: E402

if TYPE_CHECKING:
    from lm_eval.api.instance import Instance

__all__ = ["ScaffoldLM"]

# What a text begins with where its tokenizer puts nothing before it; the first one that the model has.
_BEGINNINGS = ("<s>", "<bos>", "<|begin_of_text|>", "<|endoftext|>", "<|im_end|>", "</s>", "<eos>", "<|end_of_text|>")
# What tasks say of generation in transformers' words and means nothing here, or is said otherwise.
_IGNORED = ("use_cache", "num_beams", "until", "max_gen_toks", "max_tokens", "max_new_tokens", "max_length", "do_sample")


@register_model("scaffold")
class ScaffoldLM(TemplateLM):  # type: ignore[misc]
    """A language model for tasks of the harness. All requests of a call are computed together.

    Args:
        pretrained: a repository, a directory, a GGUF file or an alias; or a model that is loaded already.
        max_gen_toks: new tokens in an answer, where the task says nothing.
        max_length: tokens of context and continuation together; otherwise what the model has.
        prefix_token: the control token that a text without a context follows on; otherwise what the tokenizer puts before texts, and where
            that is nothing, the first that the model has of the usual ones.
        batch_size, max_batch_size, device: the harness passes them. They change nothing: what runs together is the engine's to say.
        options: how the model is loaded: see :class:`scaffold_llm.LoadOptions`.
    """

    def __init__(
        self,
        pretrained: str | LLM | None = None,
        *,
        max_gen_toks: int = 256,
        max_length: int | None = None,
        prefix_token: str | None = None,
        batch_size: Any = None,
        max_batch_size: Any = None,
        device: Any = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self.llm: LLM = shared(LLM, pretrained, options)
        self.max_gen_toks = int(max_gen_toks)
        context = int(self.llm.info["context"])
        self.max_length = min(int(max_length or context), context)
        self._prefix = self._first(prefix_token)

    @property
    def eot_token_id(self) -> int:
        """What stands for an end where the harness needs one: the token that texts follow on."""
        return self._prefix

    @property
    def prefix_token_id(self) -> int:
        """The token that a text without a context follows on."""
        return self._prefix

    @property
    def tokenizer_name(self) -> str:
        """What the harness keeps its prompts apart by."""
        return self.llm.name.replace("/", "__")

    def tok_encode(self, string: str, add_special_tokens: bool | None = None, **kwargs: Any) -> list[int]:
        """The token ids of a text. Names of control tokens in it are those tokens: chats come here in the template's form."""
        return self.llm.tokenize(string, add_special=add_special_tokens is not False, parse_special=True)

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """A chat as the model reads it."""
        return self.llm.render(
            chat_history,
            add_generation_prompt=add_generation_prompt,
            continue_final_message=None if add_generation_prompt else True,
        )

    def chat_template(self, chat_template: bool | str = False) -> str | None:
        """What tells one template from another, for the harness' records: the model's own is used."""
        return self.tokenizer_name if chat_template else None

    # Requests.

    def _loglikelihood_tokens(
        self, requests: Sequence[tuple[Any, list[int], list[int]]], **kwargs: Any
    ) -> list[tuple[float, bool]]:
        scores = self._scored([(context, text) for _, context, text in requests], bool(kwargs.get("disable_tqdm")))
        for (pair, _, _), score in zip(requests, scores):
            if pair is not None:
                self.cache_hook.add_partial("loglikelihood", pair, score)
        return scores

    def loglikelihood_rolling(self, requests: list[Instance], disable_tqdm: bool = False) -> list[float]:
        """The log-probability of whole texts, of any length: each window follows on as much as fits."""
        windows: list[tuple[list[int], list[int]]] = []
        counts: list[int] = []
        for request in requests:
            ids = self.tok_encode(request.args[0], add_special_tokens=False)
            found = get_rolling_token_windows(ids, self._prefix, self.max_length - 1, 1)
            cut = [make_disjoint_window(window) for window in found]
            windows += cut
            counts.append(len(cut))
        scores = iter(self._scored(windows, disable_tqdm))
        sums = [sum(next(scores)[0] for _ in range(count)) for count in counts]
        for request, one in zip(requests, sums):
            self.cache_hook.add_partial("loglikelihood_rolling", request.args, one)
        return sums

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> list[str]:
        """Answers that end before the first of their stop texts."""
        begin: list[Any] = []
        for request in requests:
            context, said = request.args
            options = self._options(said)
            room = self.max_length - options["max_new_tokens"]
            if room < 1:
                raise usage(
                    f"a task asks for {options['max_new_tokens']} new tokens, and the context has {self.max_length}",
                    "max_gen_toks",
                    "pass a smaller max_gen_toks",
                )
            # What does not fit is left out at its beginning, as the harness' other models do.
            ids = self.tok_encode(context)[-room:]
            begin.append(lambda ids=ids, options=options: self.llm.generate_stream(ids, **options))
        answers = _collected(begin, return_exceptions=False, progress=not disable_tqdm)
        for request, answer in zip(requests, answers):
            self.cache_hook.add_partial("generate_until", request.args, answer.text)
        return [answer.text for answer in answers]

    def _options(self, said: dict[str, Any]) -> dict[str, Any]:
        until = said.get("until") or []
        limits = (said.get(name) for name in ("max_gen_toks", "max_new_tokens", "max_tokens"))
        options: dict[str, Any] = {
            "max_new_tokens": int(next((limit for limit in limits if limit), self.max_gen_toks)),
            "stop": [until] if isinstance(until, str) else [text for text in until if text],
            "priority": "batch",
        }
        options |= {name: value for name, value in said.items() if name in GenerateOptions.__annotations__ and name not in _IGNORED}
        # Greedy unless a task says otherwise, whatever the model's makers recommend.
        if not said.get("do_sample") and not said.get("temperature"):
            options["temperature"] = 0
        return {name: value for name, value in options.items() if value not in (None, [])}

    def _scored(self, pairs: Sequence[tuple[list[int], list[int]]], quiet: bool) -> list[tuple[float, bool]]:
        """Of each pair of a context and what follows: the sum of the log-probabilities, and whether each token is the likeliest."""
        begin: list[Any] = []
        for context, text in pairs:
            if len(text) >= self.max_length:
                raise usage(
                    f"a continuation has {len(text)} tokens, and the context {self.max_length}", "max_length", "pass a larger one"
                )
            # One token is written behind it, of which nobody hears.
            ids = (context + text)[-(self.max_length - 1) :]
            begin.append(lambda ids=ids: self.llm.generate_stream(ids, max_new_tokens=1, prompt_logprobs=1, priority="batch"))
        answers = _collected(begin, return_exceptions=False, progress=not quiet)
        return [_score(answer.prompt_logprobs, len(text)) for answer, (_, text) in zip(answers, pairs)]

    def _first(self, name: str | None) -> int:
        if name is None:
            put = self.llm.tokenize("", add_special=True)
            if put:
                return put[0]
        for token in (name,) if name else _BEGINNINGS:
            ids = self.llm.tokenize(token, parse_special=True)
            if len(ids) == 1:
                return ids[0]
        said = f"{name!r} is no token of {self.llm.name}" if name else f"{self.llm.name} has none of the usual control tokens"
        raise usage(f"{said}, so that a text without a context follows on nothing", "prefix_token", "pass the name of one as prefix_token")


def _score(places: Sequence[Any], count: int) -> tuple[float, bool]:
    told = places[len(places) - count :]
    return sum(one.logprob for one in told), all(one.id == one.top[0].id for one in told)


def main() -> None:
    """The harness' own command, which knows the class."""
    from lm_eval.__main__ import cli_evaluate

    cli_evaluate()


if __name__ == "__main__":
    main()
