"""Answers that keep to a form, and calls of tools: valid although the model writes nonsense."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal

import pytest

from scaffold_llm import LLM, AsyncLLM, TooLargeError, UnsupportedError, UsageError

pydantic = pytest.importorskip("pydantic")


class Street(pydantic.BaseModel):
    name: str = pydantic.Field(max_length=8)
    number: int


class City(pydantic.BaseModel):
    name: str = pydantic.Field(max_length=12)
    size: Literal["small", "large"]
    streets: list[Street] = pydantic.Field(max_length=2)
    founded: int | None


@dataclass
class Point:
    x: int
    y: int


SCHEMA = {
    "type": "object",
    "properties": {"kind": {"enum": ["a", "b"]}, "count": {"type": "integer", "minimum": 0, "maximum": 9}},
    "required": ["kind", "count"],
    "additionalProperties": False,
}


@pytest.mark.parametrize("seed", range(5))
def test_a_class_gives_instances(llm: LLM, seed: int) -> None:
    city = llm.chat_as(City, "x", seed=seed, temperature=1.5, max_new_tokens=1000)
    assert isinstance(city, City) and len(city.streets) <= 2
    answer = llm.generate("x", schema=Point, seed=seed, max_new_tokens=400)
    assert isinstance(answer.value, Point) and answer.finish_detail in ("complete", "eos")


def test_a_schema_gives_what_json_is_in_python(llm: LLM) -> None:
    value = llm.chat("x", schema=SCHEMA, seed=1).value
    assert value["kind"] in "ab" and 0 <= value["count"] <= 9 and set(value) == {"kind", "count"}
    assert isinstance(llm.generate_as(list[Literal["x"]], "x", seed=1, max_new_tokens=1500), list)


def test_any_object_is_a_dictionary(llm: LLM) -> None:
    for seed in range(30):
        answer = llm.generate("x", schema=dict, seed=seed, max_new_tokens=300)
        if not answer.incomplete:
            assert isinstance(answer.value, dict)
            return
    pytest.fail("none of 30 answers was whole")


def test_a_value_that_was_cut_is_none(llm: LLM) -> None:
    answer = llm.chat("x", schema=SCHEMA, max_new_tokens=3)
    assert answer.incomplete
    with pytest.raises(TooLargeError, match="before its value was whole"):
        answer.value
    with pytest.raises(TooLargeError):
        llm.chat_as(City, "x", max_new_tokens=3)
    with pytest.raises(UsageError, match="no schema"):
        llm.chat("x", max_new_tokens=1).value


def test_what_a_class_refuses_beyond_its_schema_is_told(llm: LLM) -> None:
    class Never(pydantic.BaseModel):
        x: Literal[1]

        @pydantic.field_validator("x")
        @classmethod
        def no(cls, _: int) -> int:
            raise ValueError("never good enough")

    with pytest.raises(UsageError, match="never good enough"):
        llm.chat_as(Never, "x", seed=1)


def test_expressions_choices_and_grammars_hold(llm: LLM) -> None:
    assert re.fullmatch("[0-9]{3}-[a-f]{2}", llm.generate("x", regex="[0-9]{3}-[a-f]{2}").text)
    assert llm.generate("x", choices=["yes", "no"]).text in ("yes", "no")
    assert llm.generate("x", grammar='root ::= "a" [0-9] "z"').text[::2] == "az"
    assert llm.generate("x", grammar='start: "a" /[0-9]/ "z"').text[::2] == "az"


def test_what_cannot_be_kept_to_is_refused(llm: LLM) -> None:
    with pytest.raises((UsageError, UnsupportedError)) as refused:
        llm.generate("x", schema={"type": "object", "dependentSchemas": 3})
    assert "dependentSchemas" in str(refused.value)
    with pytest.raises(UsageError, match="no JSON schema"):
        llm.generate("x", schema=3)  # type: ignore[call-overload]


WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"enum": ["Bonn", "Rome"]}, "days": {"type": "integer", "minimum": 1, "maximum": 9}},
            "required": ["city", "days"],
            "additionalProperties": False,
        },
    },
}


def clock(zone: Literal["UTC", "CET"], seconds: bool) -> str:
    """The time of day."""
    return f"{zone} {seconds}"


@pytest.mark.parametrize("choice", ["required", "weather", {"type": "function", "function": {"name": "weather"}}])
def test_a_call_that_is_forced_is_valid(llm: LLM, choice: object) -> None:
    answer = llm.chat("x", tools=[WEATHER], tool_choice=choice, one_call=True, seed=4, max_new_tokens=300)
    assert len(answer.calls) == 1 and not answer.broken
    call = answer.calls[0]
    assert call.name == "weather" and call.arguments["city"] in ("Bonn", "Rome") and 1 <= call.arguments["days"] <= 9
    told = answer.message["tool_calls"][0]["function"]
    assert told["name"] == "weather" and json.loads(told["arguments"]) == call.arguments
    # And the chat goes on from there.
    chat = [{"role": "user", "content": "x"}, answer.message, {"role": "tool", "name": "weather", "content": "rain"}]
    assert llm.chat(chat, tools=[WEATHER], max_new_tokens=2).ids


def test_functions_and_models_are_tools(llm: LLM) -> None:
    answer = llm.chat("x", tools=[clock, City], tool_choice="clock", one_call=True, seed=1, max_new_tokens=300)
    assert clock(**answer.calls[0].arguments).split()[0] in ("UTC", "CET")
    assert "The time of day." in llm.render("x", tools=[clock])


def test_tools_may_be_left_alone(llm: LLM) -> None:
    assert "weather" in llm.render("x", tools=[WEATHER])
    assert llm.render("x", tools=[WEATHER], tool_choice="none") == llm.render("x")
    with pytest.raises(UsageError, match="nonsense"):
        llm.chat("x", tools=[WEATHER], tool_choice="nonsense")
    with pytest.raises(UsageError, match="names no tool"):
        llm.chat("x", tools=[WEATHER], tool_choice={"type": "function"})
    with pytest.raises(UsageError, match="is no tool"):
        llm.chat("x", tools=[3])  # type: ignore[list-item]


def test_tasks_have_the_same_forms(llm: LLM) -> None:
    import asyncio

    async def run() -> None:
        model = AsyncLLM(llm)
        assert isinstance(await model.chat_as(City, "x", seed=1, max_new_tokens=1000), City)
        assert isinstance(await model.generate_as(Point, "x", seed=1, max_new_tokens=400), Point)

    asyncio.run(run())
