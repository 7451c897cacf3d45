"""Calls as `transformers.pipeline` has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaffold_llm import LLM, UsageError, pipeline


def test_text_is_continued(llm: LLM) -> None:
    generator = pipeline("text-generation", model=llm)
    [given] = generator("The tides are", max_new_tokens=6, do_sample=False)
    continued = llm.generate("The tides are", raw=True, max_new_tokens=6, do_sample=False).text
    assert given == {"generated_text": "The tides are" + continued}
    assert generator("The tides are", max_new_tokens=6, do_sample=False, return_full_text=False) == [{"generated_text": continued}]


def test_a_chat_is_answered(llm: LLM) -> None:
    chat = [{"role": "user", "content": "Hi"}]
    [given] = llm(chat, max_new_tokens=4, seed=1)
    assert given["generated_text"][:-1] == chat
    assert given["generated_text"][-1] == {"role": "assistant", "content": llm.chat(chat, max_new_tokens=4, seed=1).text}
    assert len(chat) == 1


def test_lists_and_several_answers_keep_their_order(llm: LLM) -> None:
    given = llm(["a", "b"], max_new_tokens=8, seed=1, temperature=1.5, num_return_sequences=3, batch_size=2)
    assert [len(of) for of in given] == [3, 3]
    assert len({one["generated_text"] for one in given[0]}) > 1
    assert all(one["generated_text"].startswith("b") for one in given[1])
    assert llm([], max_new_tokens=1) == []
    assert len(llm([f"{number}" for number in range(400)], max_new_tokens=1)) == 400


def test_a_pipeline_loads_its_model(models: Path) -> None:
    with pipeline("text-generation", model=models / "chat", torch_dtype="torch.float32", device=-1, trust_remote_code=True) as generator:
        assert generator("x", max_new_tokens=1)
    with pytest.raises(UsageError, match="text-generation"):
        pipeline("translation", model=models / "chat")
    with pytest.raises(UsageError, match="cuda"):
        pipeline("text-generation", model=models / "chat", device_map="cuda")


def test_what_is_not_done_is_refused_by_its_name(llm: LLM) -> None:
    with pytest.raises(UsageError, match="num_beams"):
        llm("x", num_beams=4)
    with pytest.raises(UsageError, match="max_new_tokens"):
        llm("x", max_length=30)
