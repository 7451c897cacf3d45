"""The application of Ray Serve: a gateway, and a deployment for each model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from ray import serve
from ray.serve.config import RequestRouterConfig

from .engine import Engine
from .gateway import Gateway
from .models import Served, Wanted, wanted
from .routing import PrefixRouter

_HEALTH_PERIOD = 5.0


def app(said: Mapping[str, Any]) -> serve.Application:
    """An application of Ray Serve that answers in OpenAI's interface, and in the others of ``scaffold serve``.

    ::

        serve run scaffold_llm.ray:app model=starter cpus=2 max_replicas=4     # from a shell
        serve.run(app({"models": [{"model": "starter"}, {"model": "all-minilm"}]}))  # from Python

    Args:
        said: what ``serve run`` or a file of ``serve deploy`` says: fields of :class:`Served` for one model, or ``models``, a list of
            them, ``gateways``, ``gateway_resources`` and ``retries``.

    Raises:
        UsageError: a field is not known, or says what it cannot say.
    """
    return _application(wanted(said))


def _application(wanted: Wanted) -> serve.Application:
    handles = {model.name: _engine(model).bind(model) for model in wanted.models}
    # Serve makes a deployment of a class, and a decorator where there is none: its types tell of the second.
    gateway = cast("Any", serve.deployment)(
        Gateway,
        name="gateway",
        num_replicas=wanted.gateways,
        # It passes on: one core serves many of them.
        ray_actor_options={"num_cpus": 0.1, "resources": wanted.gateway_resources},
        max_ongoing_requests=10_000,
        health_check_period_s=_HEALTH_PERIOD,
        graceful_shutdown_timeout_s=max(model.drain for model in wanted.models),
    )
    application: serve.Application = gateway.bind(wanted, handles)
    return application


def _engine(model: Served) -> serve.Deployment:
    engine: serve.Deployment = cast("Any", serve.deployment)(
        Engine,
        name="engine-" + re.sub(r"[^A-Za-z0-9._-]+", "-", model.name),
        ray_actor_options={"num_cpus": model.cpus, "memory": model.memory, "resources": model.resources},
        max_ongoing_requests=model.max_ongoing,
        max_queued_requests=model.max_queued,
        autoscaling_config={
            "min_replicas": model.min_replicas,
            "max_replicas": model.max_replicas,
            "target_ongoing_requests": model.target_ongoing,
            # Looks back no further than it waits, so that the delays are what they say.
            "look_back_period_s": max(1.0, min(30.0, model.upscale_delay)),
            "metrics_interval_s": max(0.5, min(10.0, model.upscale_delay / 3)),
            "upscale_delay_s": model.upscale_delay,
            "downscale_delay_s": model.downscale_delay,
        },
        request_router_config=RequestRouterConfig(
            request_router_class=cast("Any", PrefixRouter), request_router_kwargs={"spread": model.spread}
        ),
        health_check_period_s=_HEALTH_PERIOD,
        graceful_shutdown_wait_loop_s=0.5,
        graceful_shutdown_timeout_s=model.drain,
        # A model that cannot be loaded cannot be loaded the tenth time either.
        max_constructor_retry_count=3,
    )
    return engine
