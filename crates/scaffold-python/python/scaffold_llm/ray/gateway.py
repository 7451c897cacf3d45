"""The gateway: takes requests of clients to the replicas of the models that they name."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from ray.exceptions import RayError
from ray.serve.exceptions import BackPressureError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from .prefix import prefix_of

if TYPE_CHECKING:
    from .models import Wanted

logger = logging.getLogger("ray.serve")

# What replicas are asked for. To load, fetch, make and delete models is not among it: a gateway is a program of the engine's own machine,
# which may do so, and its clients are not.
_ASKED = frozenset(
    (
        "/v1/chat/completions",
        "/chat/completions",
        "/v1/completions",
        "/v1/embeddings",
        "/embeddings",
        "/v1/responses",
        "/v1/messages",
        "/v1/messages/count_tokens",
        "/v1/rerank",
        "/v2/rerank",
        "/rerank",
        "/embed",
        "/tokenize",
        "/detokenize",
        "/render",
        "/api/chat",
        "/api/generate",
        "/api/embed",
        "/api/embeddings",
        "/api/show",
    )
)
# What is streamed, and what ends each event of it.
_STREAMED = {"text/event-stream": b"\n\n", "application/x-ndjson": b"\n"}


class Gateway:
    """Finds the model that a request names, and passes on what a replica answers."""

    def __init__(self, wanted: Wanted, handles: Mapping[str, Any]) -> None:
        self._models = {model.name: model for model in wanted.models}
        self._handles = {name: handle.options(stream=True) for name, handle in handles.items()}
        self._retries = wanted.retries

    async def __call__(self, request: Request) -> Response:
        """Answers a request."""
        path = request.url.path
        if request.method == "GET" and path in ("/v1/models", "/api/tags"):
            return JSONResponse(self._listed(path))
        if path in ("/", "/health"):
            return Response("Scaffold is running", media_type="text/plain")
        if request.method != "POST" or path.rstrip("/") not in _ASKED:
            return _error(
                404,
                f"{request.method} {path} is not answered here, where there are several servers\n"
                f"  accepted: GET /v1/models, /api/tags, /health; POST {', '.join(sorted(_ASKED))}",
                "invalid_request_error",
            )
        body = await request.body()
        asked = _object(body)
        if isinstance(asked, Response):
            return asked
        name = asked.get("model")
        served = self._models.get(name) if isinstance(name, str) else None
        if served is None:
            return _no_model(name, list(self._models))
        if served.model != name or "keep_alive" in asked:
            # How long a model stays is the application's to say.
            rest = {key: value for key, value in asked.items() if key != "keep_alive"}
            body = json.dumps({**rest, "model": served.model}).encode()
        query = f"?{request.url.query}" if request.url.query else ""
        asking = (request.method, path + query, dict(request.headers), body)
        return await self._answered(served.name, asking, prefix_of(asked))

    def _listed(self, path: str) -> dict[str, Any]:
        if path == "/api/tags":
            return {"models": [{"name": name, "model": name} for name in self._models]}
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": "scaffold"} for name in self._models]
        return {"object": "list", "data": listed}

    async def _answered(self, name: str, asking: tuple[Any, ...], prefix: str) -> Response:
        """The answer of a replica. One that goes before it has answered anything is nobody's loss: another is asked."""
        for attempt in range(self._retries + 1):
            parts = self._handles[name].answer.remote(*asking, prefix=prefix).__aiter__()
            try:
                status, head = await anext(parts)
            except BackPressureError:
                return _error(503, f"too many requests wait for {name}\n  to do: ask again later", "overloaded_error", {"retry-after": "5"})
            except (RayError, StopAsyncIteration) as error:
                logger.warning("a replica of %s went before it answered (attempt %s): %s", name, attempt + 1, _line(error))
                continue
            return await self._passed_on(name, status, head, parts)
        return _error(
            503,
            f"{self._retries + 1} replicas of {name} went before they answered\n  to do: ask again, and see `serve status`",
            "server_error",
        )

    async def _passed_on(self, name: str, status: int, head: dict[str, str], parts: Any) -> Response:
        kind = head["content-type"].partition(";")[0]
        if kind in _STREAMED:
            return StreamingResponse(_to_its_end(name, kind, parts), status_code=status, headers=head)
        try:
            whole = b"".join([part async for part in parts])
        except RayError as error:
            logger.warning("a replica of %s went in the middle of an answer: %s", name, _line(error))
            return _error(502, _gone(name), "server_error")
        return Response(whole, status_code=status, headers=head)


async def _to_its_end(name: str, kind: str, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What a replica streams, in whole events. Where it goes meanwhile, the stream's last words say so: an end without them would look
    like an end of the answer, and half an event in front of them like a fault of the client."""
    end, begun = _STREAMED[kind], b""
    try:
        async for part in parts:
            whole, begun = _cut(begun + part, end)
            if whole:
                yield whole
        if begun:
            yield begun
    except RayError as error:
        logger.warning("a replica of %s went in the middle of a stream: %s", name, _line(error))
        if kind == "text/event-stream":
            yield b"data: " + json.dumps(_told(_gone(name), "server_error")).encode() + end
        else:
            yield json.dumps({"error": _gone(name)}).encode() + end


def _cut(text: bytes, end: bytes) -> tuple[bytes, bytes]:
    """Whole events, and what has begun of the next one."""
    whole, found, begun = text.rpartition(end)
    return whole + found, begun


def _gone(name: str) -> str:
    return (
        f"the replica of {name} that wrote this answer is gone, and the answer is not whole\n"
        "  to do: ask again; another replica answers"
    )


def _object(body: bytes) -> Mapping[str, Any] | Response:
    try:
        asked = json.loads(body)
    except ValueError as error:
        return _error(400, f"the body is no JSON: {error}\n  to do: send an object with the field model", "invalid_request_error")
    if not isinstance(asked, dict):
        return _error(400, "the body is no JSON object\n  to do: send an object with the field model", "invalid_request_error")
    return asked


def _no_model(name: object, models: list[str]) -> Response:
    said = "the request names no model" if name is None else f"there is no model {name!r} here"
    return _error(404, f"{said}\n  accepted: {', '.join(models)}", "invalid_request_error", code="model_not_found")


def _told(message: str, kind: str, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _error(
    status: int, message: str, kind: str, headers: dict[str, str] | None = None, code: str | None = None
) -> Response:
    return JSONResponse(_told(message, kind, code), status_code=status, headers=headers)


def _line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
