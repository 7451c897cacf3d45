"""What is said of an application: which models, how many replicas of each, and what a replica takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ..errors import usage

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_DECIMAL = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def _bytes(value: object) -> object:
    """Bytes of ``2GiB``, ``500MB`` or a number."""
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?\s*", value, re.IGNORECASE)
    if found is None:
        raise ValueError(f"{value!r} is no size; accepted: bytes, or a number with a unit, such as 2GiB or 500MB")
    number, unit, binary = found.groups()
    units = _UNITS if binary or not unit else _DECIMAL
    return int(float(number) * units[unit.upper()])


Size = Annotated[int, BeforeValidator(_bytes)]


class Served(BaseModel):
    """A model of an application, and its replicas. Each replica is an actor with one engine."""

    model_config = ConfigDict(extra="forbid")

    model: str
    """A repository, a directory, a GGUF file or an alias, as for ``scaffold serve --model``."""
    name: str = ""
    """What clients call it; otherwise as ``model`` has it."""
    cpus: int = Field(default=1, ge=1)
    """Cores that a replica declares, and threads that it computes with."""
    memory: Size = Field(default=2 << 30, ge=1)
    """Bytes that a replica declares: Ray puts none where they are not free."""
    resources: dict[str, float] = Field(default_factory=dict)
    """Resources of the cluster's own that a replica declares, such as a kind of node: ``{"many-cores": 1}``."""
    min_replicas: int = Field(default=1, ge=0)
    """Replicas that are always there."""
    max_replicas: int = Field(default=1, ge=1)
    """Replicas at most."""
    target_ongoing: float = Field(default=8, gt=0)
    """Requests that a replica is to have at work: with more of them a replica is added, with fewer one is taken away."""
    max_ongoing: int = Field(default=64, ge=1)
    """Requests that a replica takes; further ones wait in the gateway."""
    max_queued: int = Field(default=1024, ge=1)
    """Requests that wait in a gateway for a replica; further ones are answered with 503."""
    upscale_delay: float = Field(default=10, ge=0)
    """Seconds that there have to be too many requests before a replica is added."""
    downscale_delay: float = Field(default=300, ge=0)
    """Seconds that there have to be too few before one is taken away."""
    spread: int = Field(default=4, ge=0)
    """So many more requests than the idlest one a replica may have, and still gets those whose beginnings it knows."""
    gather: float = Field(default=0.05, ge=0)
    """Pieces of a stream that come within so many seconds after the one before are sent together; 0 sends each by itself."""
    drain: float = Field(default=60, ge=0)
    """Seconds that a replica which is taken away has for the answers at hand."""
    start_timeout: float = Field(default=600, gt=0)
    """Seconds for fetching and loading the model."""
    settings: dict[str, str] = Field(default_factory=dict)
    """Settings by their names in the environment, such as ``{"SCAFFOLD_CONTEXT": "4096"}``."""

    @model_validator(mode="after")
    def _completed(self) -> Served:
        self.name = self.name or self.model
        if self.max_replicas < max(1, self.min_replicas):
            raise ValueError(f"max_replicas is {self.max_replicas}, and min_replicas {self.min_replicas}")
        return self


class Wanted(BaseModel):
    """An application: its models, and its gateways."""

    model_config = ConfigDict(extra="forbid")

    models: list[Served] = Field(min_length=1)
    """The models."""
    gateways: int = Field(default=1, ge=1)
    """Processes that take requests from Ray's proxies to the replicas."""
    gateway_resources: dict[str, float] = Field(default_factory=dict)
    """Resources of the cluster's own that a gateway declares. On nodes that stay they outlive the replicas, and tell of their end."""
    retries: int = Field(default=2, ge=0)
    """How often a request is begun anew whose replica went before it had answered anything."""

    @model_validator(mode="after")
    def _told_apart(self) -> Wanted:
        names = [model.name for model in self.models]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"two models are called {', '.join(sorted(twice))}; give them names of their own (name)")
        return self


def wanted(said: Mapping[str, Any]) -> Wanted:
    """What is said of an application: ``{"models": […]}``, or the fields of its only model."""
    known = Wanted.model_fields.keys() - {"models"}
    whole = dict(said) if "models" in said else {"models": [{k: v for k, v in said.items() if k not in known}]}
    whole |= {key: said[key] for key in known & said.keys()}
    # What `serve run … key=value` says is text.
    for place, model in enumerate(whole["models"]):
        if isinstance(model, str):
            whole["models"][place] = {"model": model}
    try:
        return Wanted.model_validate(whole)
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, first["loc"])) or "the application"
        fields = ", ".join(Served.model_fields)
        raise usage(
            f"{at} of the application is wrong: {first['msg']} (found: {first['input']!r})\n  accepted of a model: {fields}",
            at,
            "write it as in docs/ray.md",
        ) from error
