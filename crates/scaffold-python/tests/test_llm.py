"""Answers of a language model, whose words mean nothing: what is tested is what is told of them."""

from __future__ import annotations

import copy
import threading

import pytest
from conftest import settle

from scaffold_llm import LLM, BusyError, ScaffoldError, TooLargeError, UnavailableError, UsageError


def test_an_answer_tells_all_of_itself(llm: LLM) -> None:
    answer = llm.generate("the river", max_new_tokens=8, seed=3, logprobs=2, prompt_logprobs=1)
    assert str(answer) == answer.text == answer.raw
    assert 1 <= len(answer.ids) <= 8 and answer.usage.completion_tokens == len(answer.ids)
    assert answer.finish_reason in ("stop", "length") and answer.is_cut == (answer.finish_reason == "length")
    assert answer.seed == 3
    assert len(answer.logprobs) == len(answer.ids) == len(answer.times)
    first = answer.logprobs[0]
    assert first.id == answer.ids[0] and first.logprob <= 0 and len(first.top) == 2
    assert first.top[0].logprob >= first.top[1].logprob and isinstance(first.bytes, bytes)
    assert len(answer.prompt_logprobs) == answer.usage.prompt_tokens - 1
    assert answer.mean_logprob is not None and answer.mean_logprob < 0
    assert answer.timings.prefill > 0 and answer.usage.total_tokens > len(answer.ids)
    assert answer.message == {"role": "assistant", "content": answer.text}


def test_a_seed_repeats_an_answer_and_another_does_not(llm: LLM) -> None:
    first, again, other = (llm.generate("x", seed=seed, max_new_tokens=20) for seed in (1, 1, 2))
    assert first.ids == again.ids != other.ids


def test_prompts_are_put_into_the_chat_format_unless_they_are_raw(llm: LLM) -> None:
    chat = llm.render("What is sustainability?")
    assert chat == "<|im_start|>user\nWhat is sustainability?<|im_end|>\n<|im_start|>assistant\n"
    by_text = llm.generate("What is sustainability?", do_sample=False, max_new_tokens=8)
    by_chat = llm.chat("What is sustainability?", do_sample=False, max_new_tokens=8)
    by_ids = llm.generate(llm.tokenize(chat, parse_special=True), do_sample=False, max_new_tokens=8)
    written = llm.generate(chat, do_sample=False, max_new_tokens=8)
    assert by_text.ids == by_chat.ids == by_ids.ids == written.ids
    raw = llm.generate("What", raw=True, do_sample=False, max_new_tokens=4)
    assert raw.usage.prompt_tokens == len(llm.tokenize("What", add_special=True))
    assert llm.count_tokens("What is sustainability?") == by_chat.usage.prompt_tokens


def test_a_list_has_the_answers_of_each_alone_in_its_order(llm: LLM) -> None:
    prompts = [f"number {number}" for number in range(300)]
    answers = llm.generate(prompts, seed=5, max_new_tokens=3)
    assert len(answers) == 300
    for number in (0, 1, 150, 299):
        assert answers[number].ids == llm.generate(prompts[number], seed=5, max_new_tokens=3).ids
    assert llm.generate([]) == []


def test_of_a_list_one_failure_is_raised_or_in_its_place(llm: LLM) -> None:
    prompts = ["short", "long " * 2000, "short"]
    with pytest.raises(TooLargeError, match="2048"):
        llm.generate(prompts, max_new_tokens=2)
    first, failed, last = llm.generate(prompts, max_new_tokens=2, seed=1, return_exceptions=True)
    assert isinstance(failed, TooLargeError)
    assert not isinstance(first, ScaffoldError) and not isinstance(last, ScaffoldError)
    assert first.ids == last.ids


def test_several_chats_are_answered_together(llm: LLM) -> None:
    chats = [[{"role": "user", "content": text}] for text in ("a", "b")]
    together = llm.chats(chats, seed=1, max_new_tokens=4)
    assert [answer.ids for answer in together] == [llm.chat(chat, seed=1, max_new_tokens=4).ids for chat in chats]


def test_several_answers_to_one_prompt_differ_and_repeat(llm: LLM) -> None:
    answers = llm.answers("x", 3, seed=7, max_new_tokens=12)
    assert len({answer.ids for answer in answers}) == 3
    assert [answer.ids for answer in llm.answers("x", 3, seed=7, max_new_tokens=12)] == [answer.ids for answer in answers]
    best = llm.best_of("x", 3, seed=7, max_new_tokens=12)
    assert best.ids in {answer.ids for answer in answers}
    with pytest.raises(UsageError, match="1 or more"):
        llm.best_of("x", 0)


def test_a_stream_has_the_pieces_of_the_answer(llm: LLM) -> None:
    whole = llm.generate("tell", seed=2, max_new_tokens=24)
    with llm.generate_stream("tell", seed=2, max_new_tokens=24) as stream:
        assert "".join(stream) == whole.text
    assert stream.is_over and stream.answer.ids == whole.ids
    pieces = list(llm.generate_stream("tell", seed=2, max_new_tokens=24, logprobs=0).pieces())
    assert "".join(piece.text for piece in pieces) == whole.text
    assert tuple(token for piece in pieces for token in piece.ids) == whole.ids
    assert sum(len(piece.logprobs) for piece in pieces) == len(whole.ids)


def test_a_stream_that_is_closed_ends_its_request(llm: LLM) -> None:
    before = llm.metrics["cancelled"]
    stream = llm.generate_stream("tell", ignore_eos=True, max_new_tokens=1500)
    next(stream.pieces())
    stream.close()
    assert stream.wait().finish_reason == "cancelled"
    settle(llm)
    assert llm.metrics["cancelled"] == before + 1


def test_what_does_not_fit_is_refused_with_both_numbers(llm: LLM) -> None:
    with pytest.raises(TooLargeError) as refused:
        llm.generate("long " * 2000)
    assert "2048" in str(refused.value) and refused.value.kind == "too_large"
    assert refused.value.model and refused.value.model.endswith("chat")
    assert isinstance(refused.value, ValueError)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"temprature": 1}, "did you mean temperature?"),
        ({"temperature": -1}, "temperature"),
        ({"top_p": 2.0}, "top_p"),
        ({"temperature": 0.5, "do_sample": False}, "do_sample"),
        ({"regex": "a", "choices": ["b"]}, "one of them"),
        ({"seed": "three"}, "seed"),
        ({"temperature": float("nan")}, "finite"),
        ({"temperature": "hot"}, "a number"),
        ({"max_new_tokens": 1.5}, "whole number"),
        ({"do_sample": "no"}, "True, False"),
        ({"salt": object()}, "JSON"),
        ({"priority": "soon"}, "interactive, batch"),
        ({"max_wait": -1.0}, "max_wait"),
        ({"stop": ["x"] * 1000}, "stop"),
        ({"schema": {"type": "nonsense"}}, "nonsense"),
        ({"regex": "("}, "regular expression"),
    ],
)
def test_what_an_option_cannot_be_is_refused_by_its_name(llm: LLM, options: dict, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        llm.generate("x", **options)
    assert words in str(refused.value), str(refused.value)


@pytest.mark.parametrize("chat", [[], [{"content": "x"}], ["x"], [{"role": 1}], [{"role": "user", "content": "\ud800"}], {"role": "user"}])
def test_chats_that_are_none_are_refused(llm: LLM, chat: object) -> None:
    with pytest.raises((UsageError, ScaffoldError)) as refused:
        llm.chat(chat)
    assert str(refused.value)


@pytest.mark.parametrize("prompt", [None, 3, [1, "x"], [1, 5000], [-1], [1, 2.5], [1 << 40]])
def test_prompts_that_are_none_are_refused(llm: LLM, prompt: object) -> None:
    with pytest.raises(UsageError) as refused:
        llm.generate(prompt)  # type: ignore[call-overload]
    assert "token" in str(refused.value) or "prompt" in str(refused.value)


def test_texts_are_scored(llm: LLM) -> None:
    one, two = llm.score("the river", [" is", " was cold"])
    assert one.logprob < 0 and two.logprob < 0 and isinstance(one.is_greedy, bool)
    assert [token for token, _, _ in one.tokens] == llm.tokenize(" is")


def test_text_survives_the_tokenizer(llm: LLM) -> None:
    text = "Ünïcödé 日本 🎉 <|im_end|>"
    assert llm.detokenize(llm.tokenize(text)) == text
    assert 4 in llm.tokenize(text, parse_special=True) and 4 not in llm.tokenize(text)


def test_a_model_is_unloaded_and_loaded_again(models) -> None:
    with LLM(models / "chat", threads=1) as llm:
        assert llm.is_loaded
        llm.unload()
        with pytest.raises(UnavailableError, match="load"):
            llm.generate("x")
        llm.load()
        assert llm.generate("x", max_new_tokens=1).ids
    with pytest.raises(UsageError, match="closed"):
        llm.generate("x")
    assert "closed" in repr(llm)


def test_a_copy_is_the_same_model(llm: LLM) -> None:
    assert copy.copy(llm) is llm and copy.deepcopy(llm) is llm


def test_too_many_waiting_requests_are_refused(models) -> None:
    with LLM(models / "chat", threads=1, max_sequences=1, max_waiting=1) as llm:
        streams = [llm.generate_stream("x", ignore_eos=True, max_new_tokens=1000)]
        with pytest.raises(BusyError, match="wait"):
            streams += [llm.generate_stream("x", ignore_eos=True, max_new_tokens=1000) for _ in range(5)]
        # A list has room for itself by waiting.
        for stream in streams:
            stream.close()
        settle(llm)
        assert len(llm.generate(["x"] * 20, max_new_tokens=1)) == 20


def test_threads_share_a_model(llm: LLM) -> None:
    alone = [llm.generate(f"t{number}", seed=1, max_new_tokens=16).ids for number in range(8)]
    found: dict[int, tuple[int, ...]] = {}

    def ask(number: int) -> None:
        found[number] = llm.generate(f"t{number}", seed=1, max_new_tokens=16).ids

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[number] for number in range(8)] == alone


def test_python_runs_while_a_model_computes(llm: LLM) -> None:
    stop, counted = threading.Event(), 0

    def count() -> None:
        nonlocal counted
        while not stop.is_set():
            counted += 1

    thread = threading.Thread(target=count)
    thread.start()
    llm.generate("x", ignore_eos=True, max_new_tokens=500)
    stop.set()
    thread.join()
    # With the lock held it would have come to nothing until the end.
    assert counted > 1000


def test_what_a_model_is_and_did(llm: LLM) -> None:
    info = llm.info
    assert info["family"] == "llama" and info["context"] == 2048 and info["threads"] == 1
    assert llm.name in llm.describe() and repr(llm).startswith("LLM(")
    metrics = llm.metrics
    assert metrics["completion_tokens"] > 0 and metrics["first_token"]["count"] > 0
    assert len(metrics["first_token"]["counts"]) == len(metrics["bounds"]) + 1
    assert any("cpu" in notice for notice in llm.notices)


def test_settings_of_the_environment_rule_unless_the_program_says_otherwise(models, monkeypatch) -> None:
    monkeypatch.setenv("LLM_MAX_LENGTH", "3")
    monkeypatch.setenv("LLM_MODEL", str(models / "chat"))
    with LLM(threads=1) as llm:
        assert llm.generate("x", ignore_eos=True).usage.completion_tokens == 3
    with LLM(threads=1, max_new_tokens=5) as llm:
        assert llm.generate("x", ignore_eos=True).usage.completion_tokens == 5
    with pytest.raises(UsageError, match="threads") as refused:
        LLM(threads=0)
    assert refused.value.key == "SCAFFOLD_THREADS" or "argument threads" in str(refused.value)
    with pytest.raises(UsageError, match="did you mean threads"):
        LLM(thread=1)
