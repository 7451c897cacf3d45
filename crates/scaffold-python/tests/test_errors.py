"""Exceptions: a class for each kind, with the words of the command line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from conftest import command

import scaffold_llm
from scaffold_llm import (
    LLM,
    CrossEncoder,
    DamagedError,
    Embedder,
    NotFoundError,
    ScaffoldError,
    UnavailableError,
    UnsupportedError,
    UsageError,
)
from scaffold_llm.errors import _CLASSES


def test_each_kind_has_a_class_that_the_package_exports() -> None:
    assert set(_CLASSES) == {
        "not_found", "damaged", "unsupported", "refused", "too_large", "busy", "cancelled", "unavailable", "usage", "internal",
    }
    for kind, cls in _CLASSES.items():
        assert cls.kind == kind and getattr(scaffold_llm, cls.__name__) is cls and issubclass(cls, ScaffoldError)
    # What code for transformers and the Hub's client catches.
    for cls in (NotFoundError, UnavailableError, scaffold_llm.RefusedError):
        assert issubclass(cls, OSError)


def test_the_words_are_those_of_the_command_line() -> None:
    with pytest.raises(ScaffoldError) as refused:
        LLM("org/no-such-model", offline=True)
    ran = subprocess.run(
        [command(), "--offline", "run", "org/no-such-model", "x"], capture_output=True, text=True, check=False
    )
    assert ran.returncode != 0
    # All but the flag of the command that allows the network.
    told = ran.stderr.removeprefix("error: ").replace("leave out --offline", "pass offline=False").split()
    assert str(refused.value).split() == told


def test_an_error_tells_its_place(models: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as missing:
        LLM(tmp_path / "nowhere")
    assert "nowhere" in str(missing.value)
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in (models / "chat").iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    (broken / "model.safetensors").write_bytes(b"\0" * 20)
    with pytest.raises(DamagedError) as damaged:
        LLM(broken)
    assert damaged.value.file and damaged.value.file.endswith("model.safetensors")
    assert damaged.value.sentence in str(damaged.value) and damaged.value.model
    (tmp_path / "scaffold.toml").write_text('nonsense = 1\n')
    with pytest.raises(UsageError) as settings:
        LLM(models / "chat")
    assert settings.value.file and settings.value.line == 1


def test_models_of_another_kind_are_refused(models: Path) -> None:
    with pytest.raises(UnsupportedError, match="classification head"):
        CrossEncoder(models / "embedder")
    for load in (lambda: LLM(models / "embedder"), lambda: Embedder(models / "chat")):
        with pytest.raises(ScaffoldError) as refused:
            load()
        assert str(refused.value)


def test_remedies_are_in_the_words_of_python() -> None:
    with pytest.raises(ScaffoldError) as refused:
        LLM("org/no-such-model", offline=True)
    assert any("scaffold pull" in remedy or "offline=False" in remedy for remedy in refused.value.remedies)
