"""Code that was written for `scaffold_core` runs as it is: each test is a piece of such code."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import run_python

import scaffold_core
from scaffold_core import config
from scaffold_core.llm import LLMManager
from scaffold_llm import LLM, RefusedError, UsageError
from tiny_models import write_chat_model


@pytest.fixture(autouse=True)
def own_settings() -> Iterator[None]:
    """Takes back what a test sets in the module."""
    yield
    for name in config.NAMES:
        vars(config).pop(name, None)


def test_the_settings_are_those_of_the_guide_unless_somebody_sets_them() -> None:
    assert config.LLM_MODEL == "mistralai/Mistral-7B-Instruct-v0.2"
    assert config.LLM_MAX_LENGTH == 512
    assert config.LLM_TEMPERATURE == 0.7
    assert config.LLM_DO_SAMPLE is True
    assert config.LLM_TOP_P == 0.9
    assert config.LLM_TOP_K == 50
    assert config.LLM_DEVICE == "auto"
    assert config.LLM_TORCH_DTYPE == "auto"
    assert isinstance(config.LLM_USE_FAST_TOKENIZER, bool)
    with pytest.raises(AttributeError):
        config.LLM_NONSENSE  # type: ignore[attr-defined]
    assert {*config.NAMES} <= {*dir(config)}


def test_settings_come_from_the_environment_and_the_projects_file(monkeypatch, alone: Path) -> None:
    monkeypatch.setenv("LLM_MAX_LENGTH", "256")
    (alone / ".env").write_text("LLM_TEMPERATURE=0.2\nLLM_MAX_LENGTH=100\n")
    from scaffold_core.config import LLM_MAX_LENGTH, LLM_TEMPERATURE

    assert (LLM_MAX_LENGTH, LLM_TEMPERATURE) == (256, 0.2)


def test_the_first_piece_of_code(models: Path, monkeypatch) -> None:
    monkeypatch.setenv("LLM_MODEL", str(models / "chat"))
    monkeypatch.setenv("LLM_MAX_LENGTH", "20")
    # As it is printed.
    code = '''
from scaffold_core.llm import LLMManager

# Initialize
llm_manager = LLMManager()

# Generate text
response = llm_manager.generate_response("What is sustainability?")
print(response)
'''
    ran = run_python(code)
    assert ran.returncode == 0 and ran.stdout.strip(), ran.stderr


def test_settings_that_a_program_writes_rule(models: Path, monkeypatch) -> None:
    monkeypatch.setenv("LLM_MAX_LENGTH", "7")
    config.LLM_MODEL = str(models / "chat")
    config.LLM_MAX_LENGTH = 4
    config.LLM_DO_SAMPLE = False
    config.LLM_DEVICE = "cpu"
    config.LLM_TORCH_DTYPE = "float32"
    config.LLM_USE_FAST_TOKENIZER = False
    with LLMManager() as llm_manager:
        assert isinstance(llm_manager, LLM)
        response = llm_manager.generate_response("Your query here")
        assert isinstance(response, str)
        answer = llm_manager.generate("x", ignore_eos=True)
        assert answer.usage.completion_tokens == 4
        assert answer.ids == llm_manager.generate("x", ignore_eos=True).ids
        assert llm_manager.batch_generate(["a", "b"])[0] == llm_manager.generate_response("a")


def test_a_device_that_is_not_there_is_refused(models: Path) -> None:
    config.LLM_MODEL = str(models / "chat")
    config.LLM_DEVICE = "cuda"
    with pytest.raises(UsageError, match="LLM_DEVICE is cuda"):
        LLMManager()
    config.LLM_DEVICE = "cpu"
    config.LLM_TEMPERATURE = -1
    with pytest.raises(UsageError, match="LLM_TEMPERATURE"):
        LLMManager()


MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]"
    "{% else %}{{ m.content }}{{ eos_token }}{% endif %}{% endfor %}"
)
TINYLLAMA = (
    "{% for m in messages %}{% if m.role == 'user' %}<|user|>\n{{ m.content }}{{ eos_token }}\n"
    "{% elif m.role == 'assistant' %}<|assistant|>\n{{ m.content }}{{ eos_token }}\n{% endif %}"
    "{% if loop.last and add_generation_prompt %}<|assistant|>\n{% endif %}{% endfor %}"
)


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        (MISTRAL, "<s>[INST] What is sustainability? [/INST]"),
        (TINYLLAMA, "<|user|>\nWhat is sustainability?<|im_end|>\n<|assistant|>\n"),
    ],
)
def test_prompts_get_the_models_own_format_once(tmp_path: Path, template: str, wanted: str) -> None:
    with LLMManager(write_chat_model(tmp_path / "model", template), do_sample=False, max_new_tokens=4) as llm_manager:
        assert llm_manager.render("What is sustainability?") == wanted
        # A prompt that is written in the format already is taken as it is.
        written = llm_manager.generate(wanted)
        assert written.ids == llm_manager.generate("What is sustainability?").ids


class GatedHub(BaseHTTPRequestHandler):
    """A Hub that has one model behind a gate."""

    asked: list[str | None] = []

    def do_GET(self) -> None:
        self.asked.append(self.headers.get("Authorization"))
        known = self.headers.get("Authorization") is not None
        self.send_response(403 if known else 401)
        self.send_header("X-Error-Code", "GatedRepo")
        message = "Access to model mistralai/Mistral-7B-Instruct-v0.2 is restricted"
        self.send_header("X-Error-Message", message)
        body = json.dumps({"error": message}).encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def gated(monkeypatch, tmp_path: Path) -> Iterator[type[GatedHub]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), GatedHub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    GatedHub.asked = []
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("SCAFFOLD_CACHE", str(tmp_path / "packages"))
    yield GatedHub
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_gate_is_an_error_that_says_what_to_do(gated: type[GatedHub]) -> None:
    with pytest.raises(RefusedError) as refused:
        LLMManager()
    text = str(refused.value)
    assert "mistralai/Mistral-7B-Instruct-v0.2" in text and "gate" in text and "HF_TOKEN" in text
    assert refused.value.remedies
    # Code for transformers catches this.
    assert isinstance(refused.value, OSError)


@pytest.mark.parametrize("place", ["environment", "file"])
def test_the_token_goes_to_the_hub_by_the_guides_name(gated: type[GatedHub], place: str, monkeypatch, alone: Path) -> None:
    token = "hf_" + "a" * 34
    if place == "environment":
        monkeypatch.setenv("HUGGINGFACE_TOKEN", token)
    else:
        (alone / ".env").write_text(f"HUGGINGFACE_TOKEN={token}\n")
    with pytest.raises(RefusedError) as refused:
        LLMManager()
    assert f"Bearer {token}" in gated.asked
    assert token not in str(refused.value)


@pytest.mark.starter
def test_the_tests_and_their_report_run_by_their_paths(starter: LLM, tmp_path: Path) -> None:
    packages = Path(scaffold_core.__file__).parent.parent
    script = "scaffold_core/scripts/generate_test_report.py"
    # The path of the guide, from where the package lies.
    ran = subprocess.run(
        [sys.executable, packages / script, "--model", "starter", "--report", tmp_path / "report.md"],
        capture_output=True, text=True, timeout=280, check=False, cwd=tmp_path,
    )
    assert "The language model loads" in (tmp_path / "report.md").read_text(), ran.stderr
    helped = subprocess.run(
        [sys.executable, "scaffold_core/scripts/run_tests.py", "--help"], capture_output=True, text=True, check=False, cwd=packages
    )
    assert helped.returncode == 0 and "selftest" in helped.stdout
