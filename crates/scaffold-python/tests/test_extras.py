"""What stands on packages that are not installed, and models that components share."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from conftest import run_python

from scaffold_llm import LLM
from scaffold_llm.shared import _models, shared

WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == sys.argv[1]:
            raise ImportError("No module named " + repr(name))
sys.meta_path.insert(0, Missing())
import importlib, scaffold_llm
try:
    importlib.import_module(sys.argv[2])
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("package", "module", "extra"),
    [
        ("langchain_core", "langchain", "langchain"),
        ("llama_index", "llama_index", "llama-index"),
        ("haystack", "haystack", "haystack"),
        ("lm_eval", "lm_eval", "lm-eval"),
        ("ray", "ray", "ray"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(package: str, module: str, extra: str) -> None:
    ran = run_python(WITHOUT, package, f"scaffold_llm.{module}")
    assert f"scaffold_llm.{module} stands on {package}" in ran.stdout, ran.stderr
    assert f"pip install 'scaffold-llm[{extra}]'" in ran.stdout


def test_none_of_them_is_imported_with_the_package() -> None:
    code = "import sys, scaffold_llm; scaffold_llm.LLM; print([m for m in sys.argv[1:] if m in sys.modules])"
    assert run_python(code, "langchain_core", "llama_index", "haystack", "lm_eval", "ray", "pydantic").stdout.strip() == "[]"


def test_a_model_is_shared_as_long_as_somebody_has_it(models: Path) -> None:
    first = shared(LLM, models / "chat", {"threads": 1, "context": 512})
    assert shared(LLM, str(models / "chat"), {"context": 512, "threads": 1, "cpu": None}) is first
    assert shared(LLM, first) is first
    other = shared(LLM, models / "chat", {"threads": 1, "context": 1024})
    assert other is not first and other.info["context"] == 1024
    count = len(_models)
    del other
    gc.collect()
    assert len(_models) == count - 1 and first.is_loaded
