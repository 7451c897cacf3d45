"""The model class of the evaluation harness."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from conftest import stands_on

stands_on("lm_eval")

from lm_eval.api.instance import Instance
from lm_eval.api.registry import get_model

from scaffold_llm import LLM, UsageError
from scaffold_llm.lm_eval import ScaffoldLM


@pytest.fixture
def model(llm: LLM) -> ScaffoldLM:
    return ScaffoldLM(llm, max_gen_toks=12)


def asked(kind: Any, *arguments: Any) -> Instance:
    return Instance(request_type=kind, doc={}, arguments=arguments, idx=0)


def test_the_harness_knows_it_by_its_name() -> None:
    assert get_model("scaffold") is ScaffoldLM


def test_likelihoods_are_those_of_the_librarys_own_score(model: ScaffoldLM, llm: LLM) -> None:
    pairs = [("the river", " is long"), ("the river", " is short"), ("a", "b")]
    found = model.loglikelihood([asked("loglikelihood", *pair) for pair in pairs], disable_tqdm=True)
    for (context, text), (logprob, is_greedy) in zip(pairs, found):
        (score,) = llm.score(context, [text])
        assert math.isclose(logprob, score.logprob, rel_tol=1e-6) and is_greedy == score.is_greedy
    # What the model itself would write is the likeliest.
    ids = model.tok_encode("the river")
    own = llm.generate(ids, temperature=0, max_new_tokens=5, ignore_eos=True).ids
    ((_, is_greedy),) = model._loglikelihood_tokens([(None, ids, list(own))], disable_tqdm=True)
    assert is_greedy


def test_a_text_without_a_context_follows_on_the_prefix(model: ScaffoldLM) -> None:
    ((logprob, _),) = model.loglikelihood([asked("loglikelihood", "", "river")], disable_tqdm=True)
    expected = model._loglikelihood_tokens(
        [(None, [model.prefix_token_id], model.tok_encode("river", add_special_tokens=False))], disable_tqdm=True
    )
    assert logprob == expected[0][0]
    with pytest.raises(UsageError, match="'nothing like it' is no token"):
        ScaffoldLM(model.llm, prefix_token="nothing like it")


def test_long_texts_are_taken_in_windows(llm: LLM) -> None:
    small = ScaffoldLM(llm, max_length=40)
    text = "a river in the city " * 9
    (logprob,) = small.loglikelihood_rolling([asked("loglikelihood_rolling", text)], disable_tqdm=True)
    ids = small.tok_encode(text, add_special_tokens=False)
    total, at = 0.0, 0
    # By hand: windows of 39 tokens, each after the last one of the window before.
    while at < len(ids):
        window = ids[at : at + 39]
        before = [small.prefix_token_id] if at == 0 else [ids[at - 1]]
        ((one, _),) = small._loglikelihood_tokens([(None, before, window)], disable_tqdm=True)
        total, at = total + one, at + len(window)
    assert len(ids) > 120 and math.isfinite(logprob)
    assert math.isclose(logprob, total, rel_tol=0.05)


def test_answers_end_before_their_stop_texts(model: ScaffoldLM, llm: LLM) -> None:
    whole = llm.generate(llm.tokenize("the river", add_special=True), temperature=0, max_new_tokens=12).text
    asks = [asked("generate_until", "the river", {"until": ["\n\n"], "max_gen_toks": 12, "do_sample": False})]
    asks += [asked("generate_until", "the river", {"until": [whole[3]]}), asked("generate_until", "x" * 3000, {"until": []})]
    first, second, third = model.generate_until(asks, disable_tqdm=True)
    assert first == whole.split("\n\n")[0]
    assert second == whole[: whole.index(whole[3])]
    assert isinstance(third, str)
    with pytest.raises(UsageError, match="smaller max_gen_toks"):
        model.generate_until([asked("generate_until", "x", {"max_gen_toks": 9999})], disable_tqdm=True)


def test_chats_are_written_by_the_models_template(model: ScaffoldLM) -> None:
    chat = [{"role": "user", "content": "Hi"}]
    assert model.apply_chat_template(chat) == model.llm.render(chat)
    opened = model.apply_chat_template([*chat, {"role": "assistant", "content": "Well"}], add_generation_prompt=False)
    assert opened.endswith("Well")


def test_the_harness_runs_a_task_of_ones_own(model: ScaffoldLM, tmp_path: Path) -> None:
    import lm_eval
    from lm_eval.tasks import TaskManager

    rows = [{"question": f"{number} is", "choices": ["even", "odd"], "answer": number % 2} for number in range(6)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "parity.yaml").write_text(
        "task: parity\ndataset_path: json\n"
        f"dataset_kwargs:\n  data_files:\n    test: {tmp_path / 'rows.jsonl'}\n"
        "test_split: test\noutput_type: multiple_choice\ndoc_to_text: '{{question}}'\ndoc_to_choice: choices\ndoc_to_target: answer\n"
        "metric_list:\n  - metric: acc\n"
    )
    manager = TaskManager(include_path=str(tmp_path), include_defaults=False)
    found = lm_eval.simple_evaluate(model=model, tasks=["parity"], task_manager=manager, bootstrap_iters=0)
    assert found is not None
    results = found["results"]["parity"]
    likelier = [
        max((0, 1), key=lambda choice: model.llm.score(row["question"], [" " + row["choices"][choice]])[0].logprob) for row in rows
    ]
    expected = sum(choice == row["answer"] for choice, row in zip(likelier, rows)) / len(rows)
    assert math.isclose(results["acc,none"], expected)
