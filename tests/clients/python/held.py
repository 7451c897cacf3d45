"""Asks a server whose model is noise for answers of given types, with the clients that people use. Arguments: address, model, rounds.

Each answer is read by the client's own parser: what it does not take is a failure. An answer that reaches its limit of tokens is cut,
not wrong; the clients say so, and few may be.
"""

import collections
import json
import sys

import anthropic
import instructor
import jsonschema
import openai
import pydantic
from instructor.core.exceptions import IncompleteOutputException, InstructorRetryException

import forms
from checks import check

TOKENS = 3000
ASKED = [{"role": "user", "content": "Tell me about somebody."}]
HEAT = [0.0, 0.7, 1.0, 1.5]

told = collections.Counter()


def each(what, types, rounds, ask):
    """Asks for each type so often; `ask` gives what the client read, or None for an answer that was cut."""
    whole = 0
    for index in range(rounds):
        for place, kind in enumerate(types):
            got = ask(kind, {"seed": index * len(types) + place, "temperature": HEAT[(index + place) % len(HEAT)]})
            if got is None:
                told["cut"] += 1
                continue
            instance = got if not isinstance(kind, type) else isinstance(got, kind)
            check_quietly(f"{what} of {getattr(kind, '__name__', kind)}, seed {index}", instance, got)
            told["whole"] += 1
            whole += 1
    check(f"{what}: {whole} answers", whole > 0)


def check_quietly(what, holds, shown):
    if not holds:
        check(what, holds, shown)


def ask_openai(client, model, rounds):
    def parse(kind, how):
        try:
            answer = client.chat.completions.parse(model=model, messages=ASKED, response_format=kind, max_tokens=TOKENS, **how)
        except openai.LengthFinishReasonError:
            return None
        return answer.choices[0].message.parsed

    def call(kind, how):
        tool = openai.pydantic_function_tool(kind, name="tell")
        try:
            answer = client.chat.completions.parse(
                model=model, messages=ASKED, tools=[tool], tool_choice="required", parallel_tool_calls=False, max_tokens=TOKENS, **how
            )
        except openai.LengthFinishReasonError:
            return None
        return answer.choices[0].message.tool_calls[0].function.parsed_arguments

    def respond(kind, how):
        how = {"temperature": how["temperature"], "extra_body": {"seed": how["seed"]}}
        answer = client.responses.parse(model=model, input=ASKED, text_format=kind, max_output_tokens=TOKENS, store=False, **how)
        return None if answer.status == "incomplete" else answer.output_parsed

    def streamed(kind, how):
        try:
            with client.chat.completions.stream(model=model, messages=ASKED, response_format=kind, max_tokens=TOKENS, **how) as events:
                return events.get_final_completion().choices[0].message.parsed
        except openai.LengthFinishReasonError:
            return None

    for what, ask in [("parse", parse), ("calls, parsed", call), ("responses, parsed", respond), ("stream, parsed", streamed)]:
        each(f"openai {what}", forms.STRICT, rounds, ask)


def ask_several(client, model, rounds):
    """Of several tools, as many calls as it likes: each is one of them, with its arguments."""
    kinds = {kind.__name__: kind for kind in (forms.Address, forms.Cat, forms.Dog)}
    tools = [openai.pydantic_function_tool(kind) for kind in kinds.values()]
    calls = 0
    for seed in range(rounds):
        # Read without the client's parser, which takes no answer that was cut.
        answer = client.chat.completions.create(
            model=model, messages=ASKED, tools=tools, tool_choice="required", max_tokens=TOKENS, seed=seed, temperature=1.0
        )
        for one in answer.choices[0].message.tool_calls or []:
            kinds[one.function.name].model_validate_json(one.function.arguments)
            calls += 1
    check(f"openai, several tools: {calls} calls", calls >= rounds // 2)


def run_tools(client, model, rounds):
    """Anthropic's runner: it calls functions of this program with what the model says, and goes on with what they give."""
    seen = []

    @anthropic.beta_tool
    def move(x: int, y: int, colour: str = "red") -> str:
        """Moves something.

        Args:
            x: To the right.
            y: Up.
            colour: Of what.
        """
        seen.append((x, y, colour))
        return f"moved by {x}, {y}"

    for seed in range(rounds):
        runner = client.beta.messages.tool_runner(
            model=model, max_tokens=TOKENS, messages=ASKED, tools=[move], tool_choice={"type": "any"}, max_iterations=3,
            extra_body={"seed": seed, "temperature": HEAT[seed % len(HEAT)]},
        )
        for message in runner:
            check_quietly("anthropic runner", message.stop_reason in ("tool_use", "max_tokens"), message)
    right = all(isinstance(x, int) and isinstance(y, int) and isinstance(colour, str) for x, y, colour in seen)
    check(f"anthropic tool_runner: {len(seen)} calls", len(seen) >= rounds and right, seen)


def ask_anthropic(client, model, rounds):
    def parse(kind, how):
        how = {"extra_body": how}
        try:
            answer = client.beta.messages.parse(model=model, messages=ASKED, max_tokens=TOKENS, output_format=kind, **how)
        except pydantic.ValidationError as error:
            # The client parses what was cut, too.
            check_quietly("anthropic parse", "EOF" in str(error), error)
            return None
        return answer.parsed_output

    def call(kind, how):
        how = {"extra_body": how}
        tool = {"name": "tell", "description": "Tells it.", "input_schema": kind.model_json_schema()}
        answer = client.messages.create(
            model=model, messages=ASKED, max_tokens=TOKENS, tools=[tool], tool_choice={"type": "tool", "name": "tell"}, **how
        )
        if answer.stop_reason == "max_tokens":
            return None
        return kind.model_validate(next(block for block in answer.content if block.type == "tool_use").input)

    each("anthropic parse", [forms.Plain] * 4, rounds, parse)
    each("anthropic calls", forms.ALL, rounds, call)


def ask_instructor(client, model, rounds):
    modes = instructor.Mode
    for mode in (modes.TOOLS, modes.TOOLS_STRICT, modes.JSON_SCHEMA):
        patched = instructor.from_openai(client, mode=mode)

        def ask(kind, how):
            try:
                return patched.chat.completions.create(
                    model=model, messages=ASKED, response_model=kind, max_tokens=TOKENS, max_retries=0, **how
                )
            except IncompleteOutputException:
                return None
            except InstructorRetryException as error:
                check_quietly(f"instructor {mode.name}", isinstance(error.__cause__, IncompleteOutputException) or is_cut(error), error)
                return None

        each(f"instructor {mode.name}", forms.STRICT if mode is modes.TOOLS_STRICT else forms.ALL, rounds, ask)


def is_cut(error):
    last = getattr(error, "last_completion", None)
    return last is not None and last.choices[0].finish_reason == "length"


def ask_pydantic_ai(address, model, rounds):
    from pydantic_ai import Agent, NativeOutput, ToolOutput
    from pydantic_ai.exceptions import UnexpectedModelBehavior
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    chosen = OpenAIChatModel(model, provider=OpenAIProvider(base_url=f"{address}/v1", api_key="any"))
    for wrap in (NativeOutput, ToolOutput):

        def ask(kind, how):
            agent = Agent(chosen, output_type=wrap(kind), retries=0, model_settings={"max_tokens": TOKENS, **how})
            try:
                return agent.run_sync(ASKED[0]["content"]).output
            except UnexpectedModelBehavior as error:
                check_quietly(f"pydantic-ai {wrap.__name__}", "token limit" in str(error), error)
                return None

        each(f"pydantic-ai {wrap.__name__}", forms.ALL, rounds, ask)


def ask_langchain(address, model, rounds):
    from langchain_ollama import ChatOllama
    from langchain_openai import ChatOpenAI

    def theirs(how):
        return ChatOpenAI(model=model, base_url=f"{address}/v1", api_key="any", max_completion_tokens=TOKENS, max_retries=0, **how)

    def ours(how):
        return ChatOllama(model=model, base_url=address, num_predict=TOKENS, **how)

    def asking(make, method):
        def ask(kind, how):
            # Any object is right in this mode: the prompt alone tells of fields.
            schema = None if method == "json_mode" else kind
            try:
                got = make(how).with_structured_output(schema, method=method, include_raw=True).invoke(ASKED[0]["content"])
            except openai.LengthFinishReasonError:
                return None
            raw = got["raw"].response_metadata
            if "length" in (raw.get("finish_reason"), raw.get("done_reason")):
                return None
            check_quietly(f"langchain {method}", got["parsing_error"] is None, got)
            if schema is None:
                return isinstance(got["parsed"], dict)
            return got["parsed"]

        return ask

    for method in ("json_schema", "function_calling", "json_mode"):
        # Any object ends where noise likes it: it is asked for more often.
        kinds = ["any object"] * 8 if method == "json_mode" else forms.STRICT
        if method == "function_calling":
            # The client writes a type within itself as anything.
            kinds = [kind for kind in kinds if kind is not forms.Tree]
        each(f"langchain-openai {method}", kinds, rounds, asking(theirs, method))
        # Ollama's interface has no way to force a call.
        if method != "function_calling":
            each(f"langchain-ollama {method}", kinds, rounds, asking(ours, method))


def ask_schemas(client, model, rounds):
    """Schemas as they come from Pydantic, read by another program."""

    def ask(kind, how):
        schema = kind.model_json_schema()
        answer = client.chat.completions.create(
            model=model, messages=ASKED, max_tokens=TOKENS, **how,
            response_format={"type": "json_schema", "json_schema": {"name": "it", "schema": schema}},
        )
        if answer.choices[0].finish_reason == "length":
            return None
        value = json.loads(answer.choices[0].message.content)
        jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER).validate(value)
        return kind.model_validate(value)

    each("schemas of Pydantic", forms.ALL, rounds, ask)


def main(address, model, rounds):
    rounds = int(rounds)
    client = openai.OpenAI(base_url=f"{address}/v1", api_key="any", max_retries=0, timeout=600)
    theirs = anthropic.Anthropic(base_url=address, api_key="any", max_retries=0, timeout=600)
    ask_schemas(client, model, rounds)
    ask_openai(client, model, rounds)
    ask_several(client, model, rounds)
    ask_anthropic(theirs, model, rounds)
    run_tools(theirs, model, rounds)
    ask_instructor(client, model, rounds)
    ask_pydantic_ai(address, model, rounds)
    ask_langchain(address, model, rounds)
    check(f"{told['whole']} answers whole, {told['cut']} cut", told["cut"] * 5 <= told["whole"], told)


if __name__ == "__main__":
    main(*sys.argv[1:])
