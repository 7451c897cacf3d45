"""Several models in one process."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from scaffold_llm import NotFoundError, Registry, ScaffoldError, UsageError


def test_a_registry_has_one_copy_of_each_model(models: Path) -> None:
    with Registry(threads=1, keep_alive=60) as registry:
        with registry.llm(str(models / "chat")) as llm, registry.llm(str(models / "chat")) as other:
            assert llm.generate("x", seed=1, max_new_tokens=3).ids == other.generate("x", seed=1, max_new_tokens=3).ids
            state = registry.models[0]
            assert state["stage"] == "ready" and state["leases"] == 2 and state["kind"] == "language"
            with pytest.raises(UsageError, match="registry"):
                llm.unload()
        assert registry.models[0]["leases"] == 0
        embedder = registry.embedder(str(models / "embedder"))
        ranker = registry.cross_encoder(str(models / "ranker"), wait=30)
        assert embedder.encode("water").shape == (32,) and ranker.predict(("a", "b")) > 0
        assert registry.metrics["loads"] == 3 and len(registry.models) == 3
        embedder.close()
        assert registry.unload(str(models / "embedder"))
        assert len(registry.models) == 2
        ranker.close()


def test_models_go_when_nobody_uses_them(models: Path) -> None:
    with Registry(threads=1) as registry:
        registry.llm(str(models / "chat"), keep_alive=0).close()
        end = time.monotonic() + 10
        while registry.models:
            assert time.monotonic() < end, registry.models
            time.sleep(0.01)
        registry.pin(str(models / "chat"))
        registry.llm(str(models / "chat"), keep_alive=0).close()
        assert registry.models[0]["pinned"]
        registry.unpin(str(models / "chat"))


def test_what_it_cannot_do_is_refused(models: Path) -> None:
    with pytest.raises(UsageError, match="did you mean threads"):
        Registry(thread=1)  # type: ignore[call-arg]
    with pytest.raises(UsageError, match="memory"):
        Registry(memory=0)
    registry = Registry(threads=1, offline=True)
    with pytest.raises(NotFoundError, match="nothing to unload"):
        registry.unload(str(models / "chat"))
    with pytest.raises(ScaffoldError):
        registry.llm("org/no-such-model")
    with pytest.raises(UsageError, match="wait"):
        registry.llm(str(models / "chat"), wait=-1)
    assert registry.shutdown()
    with pytest.raises(UsageError, match="closed"):
        registry.llm(str(models / "chat"))
