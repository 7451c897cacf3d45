"""The command `scaffold` of the package."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from conftest import command, run_python

import scaffold_llm


def scaffold(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [command(), *arguments], capture_output=True, text=True, timeout=120, env={**os.environ, **variables}, check=False
    )


def test_it_is_the_command_of_this_version() -> None:
    ran = scaffold("--version")
    assert ran.stdout == f"scaffold {scaffold_llm.__version__}\n" and ran.returncode == 0
    by_module = subprocess.run([sys.executable, "-m", "scaffold_llm", "--version"], capture_output=True, text=True, check=False)
    assert by_module.stdout == ran.stdout


def test_what_it_says_has_its_name_and_its_exit_codes(models: Path) -> None:
    wrong = scaffold("nonsense")
    assert wrong.returncode == 2 and "Usage: scaffold" in wrong.stderr and not wrong.stdout
    assert scaffold("run", str(models / "nowhere"), "x").returncode == 1
    answer = scaffold("run", str(models / "chat"), "x", "--choices", "yes,no", "--greedy")
    assert answer.returncode == 0 and answer.stdout.strip() in ("yes", "no"), answer.stderr


def test_a_reader_that_goes_away_is_no_error() -> None:
    line = f"'{command()}' --help | head -n 1"
    ran = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert ran.returncode == 0 and ran.stdout.startswith("Run Hugging Face") and not ran.stderr


def test_a_shell_that_completes_is_answered() -> None:
    script = scaffold("completions", "bash")
    assert script.returncode == 0 and "scaffold" in script.stdout
    asked = scaffold("--", "scaffold", "ser", COMPLETE="bash", _CLAP_COMPLETE_INDEX="1", _CLAP_COMPLETE_COMP_TYPE="9", _CLAP_IFS="\n")
    assert asked.stdout.split() == ["serve"], asked.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals are of Unix")
@pytest.mark.parametrize("arguments", [["run", "MODEL", "x", "--max-new-tokens", "90000", "--ignore-eos"], ["serve", "--port", "0"]])
def test_ctrl_c_ends_it(arguments: list[str], tmp_path: Path) -> None:
    from tiny_models import write_chat_model

    model = write_chat_model(tmp_path / "long", context=100_000)
    arguments = [str(model) if argument == "MODEL" else argument for argument in arguments]
    process = subprocess.Popen([command(), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stdout and process.stderr
        # It is at work: a server listens, an answer has begun.
        if arguments[0] == "serve":
            address = process.stderr.readline().decode().removeprefix("listening on ").split(": ")[0]
            assert urllib.request.urlopen(address, timeout=20).status == 200
        else:
            assert process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        # What it has written is read, so that it can end.
        process.communicate(timeout=30)
        code = process.returncode
    finally:
        process.kill()
    # A server that has nobody to wait for has ended as it should.
    assert code == (0 if arguments[0] == "serve" else 130)


def test_it_loads_nothing_that_it_does_not_need() -> None:
    code = """
import sys
from scaffold_llm._command import main
heavy = {"numpy", "asyncio", "pydantic", "dataclasses", "json"} & set(sys.modules)
assert not heavy, heavy
"""
    ran = run_python(code)
    assert ran.returncode == 0, ran.stderr


def test_every_name_of_the_package_is_there() -> None:
    for name in scaffold_llm.__all__:
        assert getattr(scaffold_llm, name) is not None
    assert {*scaffold_llm.__all__} <= {*dir(scaffold_llm)}
    with pytest.raises(AttributeError, match="nonsense"):
        scaffold_llm.nonsense  # type: ignore[attr-defined]
