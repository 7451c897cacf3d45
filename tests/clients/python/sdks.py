"""Asks a server as programs do, with the clients that they use. Arguments: address, model, and an embedder if there is one."""

import hashlib
import sys
import tempfile

import anthropic
import ollama
import openai
import pydantic

from checks import QUESTION, check


class City(pydantic.BaseModel):
    name: str = pydantic.Field(max_length=20)
    country: str = pydantic.Field(max_length=20)
    capital: bool


def ask_forms(address, model):
    """Answers that are held to a form, read by the clients' own parsers."""
    messages = [{"role": "user", "content": "Tell me about Paris."}]
    client = openai.OpenAI(base_url=f"{address}/v1", api_key="any", max_retries=0)
    parsed = client.chat.completions.parse(model=model, messages=messages, response_format=City, max_tokens=100)
    check("openai parse", isinstance(parsed.choices[0].message.parsed, City), parsed)
    response = client.responses.parse(model=model, input=messages, text_format=City, max_output_tokens=100)
    check("openai responses parse", isinstance(response.output_parsed, City), response)
    told = ollama.Client(host=address).chat(model=model, messages=messages, format=City.model_json_schema(), options={"num_predict": 100})
    check("ollama format", City.model_validate_json(told.message.content), told)


def ask_ollama(address, model):
    client = ollama.Client(host=address)
    messages = QUESTION
    options = {"temperature": 0, "num_predict": 32, "num_ctx": 4096}
    whole = client.chat(model=model, messages=messages, options=options)
    check("ollama chat", whole.message.content and whole.done, whole)
    check("ollama counts", whole.eval_count > 0 and whole.prompt_eval_count > 0 and whole.eval_duration > 0, whole)
    pieces = list(client.chat(model=model, messages=messages, options=options, stream=True))
    check("ollama chat, streamed", "".join(p.message.content for p in pieces) == whole.message.content, pieces)
    check("ollama's last line", pieces[-1].done and pieces[-1].done_reason in ("stop", "length"), pieces[-1])
    told = client.generate(model=model, prompt="Hello", options=options)
    check("ollama generate", told.response and told.context, told)
    check("ollama tags", isinstance(client.list().models, list))
    shown = client.show(model)
    check("ollama show", "completion" in shown.capabilities and shown.modelinfo["general.architecture"], shown)
    running = [one.model for one in client.ps().models]
    check("ollama ps", len(running) == 1, running)
    try:
        client.chat(model="org/none-such", messages=messages)
        check("ollama's error", False)
    except ollama.ResponseError as error:
        check("ollama's error", error.status_code == 404 and "not found" in error.error, error.error)
    unloaded = client.generate(model=model, prompt="", keep_alive=0)
    check("ollama unload", unloaded.done_reason == "unload" and not client.ps().models, unloaded)
    return whole.message.content


def make_ollama(address, model):
    """A model of one's own: made, shown, asked, copied, and removed; files that are brought for one."""
    client = ollama.Client(host=address)
    made = client.create(
        model="clients-own",
        from_=model,
        system="You are Mario.",
        license="MIT",
        parameters={"temperature": 0, "num_predict": 8},
        messages=[{"role": "user", "content": "Who are you?"}, {"role": "assistant", "content": "Mario!"}],
    )
    check("ollama create", made.status == "success", made)
    shown = client.show("clients-own")
    check("ollama show of one's own", "SYSTEM You are Mario." in shown.modelfile and "num_predict" in shown.parameters, shown)
    check("ollama list of one's own", "clients-own:latest" in [one.model for one in client.list().models])
    said = client.chat(model="clients-own", messages=[{"role": "user", "content": "Hi"}])
    check("ollama chat with one's own", said.message.content and said.eval_count <= 8, said)
    copied = client.copy("clients-own", "clients-own:v1")
    check("ollama copy", copied.status == "success", copied)
    lines = [one.status for one in client.create(model="clients-own:v1", from_="clients-own", system="Be brief.", stream=True)]
    check("ollama create, streamed", lines[-2:] == ["writing manifest", "success"], lines)
    for name in ["clients-own", "clients-own:v1"]:
        check(f"ollama delete {name}", client.delete(name).status == "success")
    check("ollama list without them", not [one.model for one in client.list().models if one.model.startswith("clients-own")])
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"no model")
        file.flush()
        digest = client.create_blob(file.name)
        check("ollama blob", digest == "sha256:" + hashlib.sha256(b"no model").hexdigest(), digest)
        check("ollama blob, again", client.create_blob(file.name) == digest)
    for name, call, words in [
        ("of no model", lambda: client.create(model="clients-own", files={"a.gguf": digest}), ""),
        ("with a template of Go", lambda: client.create(model="clients-own", from_=model, template="{{ if .System }}x{{ end }}"), "Go"),
        ("generate with a suffix", lambda: client.generate(model=model, prompt="def", suffix="end"), "does not support insert"),
    ]:
        try:
            call()
            check(f"ollama refuses {name}", False)
        except ollama.ResponseError as error:
            check(f"ollama refuses {name}", error.error and words in error.error, error.error)


def ask_openai(address, model, wanted):
    client = openai.OpenAI(base_url=f"{address}/v1", api_key="any", max_retries=0)
    messages = QUESTION
    common = {"model": model, "messages": messages, "temperature": 0, "max_completion_tokens": 32}
    whole = client.chat.completions.create(**common)
    check("openai chat", whole.choices[0].message.content == wanted, whole)
    check("openai usage", whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens)
    pieces = list(client.chat.completions.create(**common, stream=True, stream_options={"include_usage": True}))
    text = "".join(p.choices[0].delta.content or "" for p in pieces if p.choices)
    check("openai chat, streamed", text == wanted, text)
    check("openai usage, streamed", pieces[-1].usage.completion_tokens == whole.usage.completion_tokens, pieces[-1])
    several = client.chat.completions.create(**{**common, "temperature": 1, "seed": 3}, n=2, logprobs=True, top_logprobs=3)
    check("openai n and logprobs", len(several.choices) == 2 and len(several.choices[0].logprobs.content[0].top_logprobs) == 3)
    done = client.completions.create(model=model, prompt="Once upon a time", max_tokens=8, echo=True, logprobs=1, temperature=0)
    check("openai completions", done.choices[0].text.startswith("Once upon a time"), done)
    check("openai models", client.models.list().data is not None and client.models.retrieve(model).id == model)
    answered = client.responses.create(model=model, input=messages, temperature=0, max_output_tokens=32, store=False)
    check("openai response", answered.output_text == wanted, answered)
    with client.responses.stream(model=model, input=messages[0]["content"], temperature=0, max_output_tokens=32, store=False) as stream:
        kinds = [event.type for event in stream]
        last = stream.get_final_response()
    check("openai response, streamed", last.output_text == wanted and kinds[-1] == "response.completed", kinds)
    for name, call, kind in [
        ("404", lambda: client.chat.completions.create(**{**common, "model": "org/none-such"}), openai.NotFoundError),
        ("400", lambda: client.chat.completions.create(**common, response_format={"type": "xml"}), openai.BadRequestError),
        ("too long", lambda: client.chat.completions.create(model=model, messages=[{"role": "user", "content": "word " * 100000}]), openai.BadRequestError),
    ]:
        try:
            call()
            check(f"openai {name}", False)
        except kind as error:
            check(f"openai {name}", error.message and error.body["type"], error.body)


def ask_anthropic(address, model, wanted):
    client = anthropic.Anthropic(base_url=address, api_key="any", max_retries=0)
    messages = QUESTION
    common = {"model": model, "messages": messages, "max_tokens": 32, "extra_body": {"temperature": 0}}
    whole = client.messages.create(**common)
    check("anthropic message", whole.content[0].text == wanted and whole.stop_reason in ("end_turn", "max_tokens"), whole)
    check("anthropic usage", whole.usage.output_tokens > 0, whole.usage)
    with client.messages.stream(**common) as stream:
        text = "".join(stream.text_stream)
        last = stream.get_final_message()
    check("anthropic message, streamed", text == wanted and last.stop_reason == whole.stop_reason, text)
    check("anthropic usage, streamed", last.usage.output_tokens == whole.usage.output_tokens, last.usage)
    count = client.messages.count_tokens(model=model, messages=messages)
    check("anthropic count", count.input_tokens > 10, count)
    check("anthropic models", [one.id for one in client.models.list()] is not None)
    try:
        client.messages.create(**{**common, "model": "org/none-such"})
        check("anthropic 404", False)
    except anthropic.NotFoundError as error:
        check("anthropic 404", error.body["error"]["type"] == "not_found_error", error.body)


def embed(address, model):
    texts = ["A red house.", "The river is long."]
    ours = ollama.Client(host=address).embed(model=model, input=texts).embeddings
    theirs = openai.OpenAI(base_url=f"{address}/v1", api_key="any").embeddings.create(model=model, input=texts)
    same = all(abs(a - b) < 1e-6 for one, other in zip(ours, theirs.data) for a, b in zip(one, other.embedding))
    check("embeddings, the same at both doors", len(ours) == 2 and same)


if __name__ == "__main__":
    address, model, *others = sys.argv[1:]
    said = ask_ollama(address, model)
    make_ollama(address, model)
    ask_openai(address, model, said)
    ask_forms(address, model)
    ask_anthropic(address, model, said)
    for name in others[:1]:
        embed(address, name)
