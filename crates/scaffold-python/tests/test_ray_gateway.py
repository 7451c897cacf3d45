"""The gateway, with replicas that are not there: what it makes of requests, and of replicas that go."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from conftest import stands_on

stands_on("ray.serve")

from ray.exceptions import ActorDiedError
from ray.serve.exceptions import BackPressureError
from starlette.requests import Request
from starlette.testclient import TestClient

from scaffold_llm.ray.gateway import Gateway
from scaffold_llm.ray.models import wanted

SSE = {"content-type": "text/event-stream"}
JSON = {"content-type": "application/json"}


class Replicas:
    """Takes the place of a handle: each request gets the next of some answers."""

    def __init__(self, *answers: list[Any]) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[Any, ...]] = []
        self.answer = self

    def options(self, **_: Any) -> Replicas:
        return self

    def remote(self, *asking: Any, prefix: str) -> AsyncIterator[Any]:
        self.asked.append((*asking, prefix))
        parts = self._answers.pop(0)

        async def come() -> AsyncIterator[Any]:
            for part in parts:
                if isinstance(part, Exception):
                    raise part
                yield part

        return come()


def gone() -> Exception:
    return ActorDiedError()


@pytest.fixture
def asking() -> Callable[[Replicas], TestClient]:
    def make(replicas: Replicas) -> TestClient:
        said = wanted({"models": [{"model": "org/large", "name": "chat"}, "vectors"]})
        gateway = Gateway(said, {"chat": replicas, "vectors": Replicas()})

        async def asgi(scope: Any, receive: Any, send: Any) -> None:
            await (await gateway(Request(scope, receive)))(scope, receive, send)

        return TestClient(asgi)

    return make


CHAT = {"model": "chat", "messages": [{"role": "user", "content": "Hi"}]}


def test_a_request_goes_to_its_model_and_its_answer_back(asking: Any) -> None:
    replicas = Replicas([(200, JSON), b'{"a":', b"1}"], [(418, JSON), b"{}"])
    client = asking(replicas)
    answer = client.post("/v1/chat/completions?beta=true", json=CHAT, headers={"x-request-id": "7"})
    assert answer.status_code == 200 and answer.json() == {"a": 1}
    method, path, headers, body, prefix = replicas.asked[0]
    assert (method, path, headers["x-request-id"]) == ("POST", "/v1/chat/completions?beta=true", "7") and prefix
    # By the name that the engine knows.
    assert json.loads(body) == {**CHAT, "model": "org/large"}
    assert client.post("/api/chat", json={**CHAT, "keep_alive": 0}).status_code == 418
    assert json.loads(replicas.asked[1][3]) == {**CHAT, "model": "org/large"}


def test_what_is_not_there_is_told(asking: Any) -> None:
    client = asking(Replicas())
    assert [one["id"] for one in client.get("/v1/models").json()["data"]] == ["chat", "vectors"]
    assert client.get("/api/tags").json()["models"][0]["name"] == "chat"
    assert client.get("/health").status_code == 200
    unknown = client.post("/v1/chat/completions", json={"model": "other"})
    assert unknown.status_code == 404 and "accepted: chat, vectors" in unknown.json()["error"]["message"]
    assert unknown.json()["error"]["code"] == "model_not_found"
    assert "names no model" in client.post("/v1/chat/completions", json={}).json()["error"]["message"]
    for body in (b"[", b"[1]", b"\xff"):
        refused = client.post("/v1/chat/completions", content=body)
        assert refused.status_code == 400 and "field model" in refused.json()["error"]["message"]
    # A client of many servers may not do what programs of their machines may.
    for method, path in (("GET", "/metrics"), ("POST", "/api/pull"), ("POST", "/v1/unload"), ("DELETE", "/api/delete")):
        refused = client.request(method, path, json={"model": "chat"})
        assert refused.status_code == 404 and "POST /api/chat" in refused.json()["error"]["message"]


def test_a_replica_that_goes_before_it_answers_is_nobodys_loss(asking: Any) -> None:
    replicas = Replicas([gone()], [], [(200, JSON), b"{}"])
    assert asking(replicas).post("/v1/chat/completions", json=CHAT).status_code == 200
    assert len(replicas.asked) == 3
    all_gone = asking(Replicas([gone()], [gone()], [gone()])).post("/v1/chat/completions", json=CHAT)
    assert all_gone.status_code == 503 and "3 replicas of chat" in all_gone.json()["error"]["message"]


def test_an_answer_without_its_end_says_so(asking: Any) -> None:
    half = asking(Replicas([(200, JSON), b'{"a":', gone()])).post("/v1/chat/completions", json=CHAT)
    assert half.status_code == 502 and "not whole" in half.json()["error"]["message"]
    stream = asking(Replicas([(200, SSE), b'data: {"a": 1}\n\ndata: {"b"', gone()])).post("/v1/chat/completions", json=CHAT)
    # Half an event is no event.
    first, last, rest = stream.text.split("\n\n")
    assert first == 'data: {"a": 1}' and rest == ""
    assert "not whole" in json.loads(last.removeprefix("data: "))["error"]["message"]
    lines = {"content-type": "application/x-ndjson"}
    ollama = asking(Replicas([(200, lines), b'{"a": 1}\n', gone()])).post("/api/chat", json=CHAT)
    assert "not whole" in json.loads(ollama.text.splitlines()[-1])["error"]
    # However it is cut on its way, a stream comes as it was written.
    text = b'data: {"a": 1}\n\ndata: [DONE]\n\nmore'
    pieces = [text[place : place + 1] for place in range(len(text))]
    assert asking(Replicas([(200, SSE), *pieces])).post("/v1/chat/completions", json=CHAT).content == text


def test_too_many_requests_are_to_come_again(asking: Any) -> None:
    busy = BackPressureError(num_queued_requests=9, max_queued_requests=9)
    answer = asking(Replicas([busy])).post("/v1/chat/completions", json=CHAT)
    assert answer.status_code == 503 and answer.headers["retry-after"] == "5"
    assert "too many requests wait for chat" in answer.json()["error"]["message"]
