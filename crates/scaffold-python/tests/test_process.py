"""Other processes, signals and the end of Python: what runs in a Python of its own."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from conftest import run_python

from scaffold_llm import LLM, Embedder, Registry, TooLargeError, UsageError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and forks are of Unix")

FORK = """
import os, sys, traceback
from scaffold_llm import LLM, UsageError
llm = LLM(sys.argv[1], threads=1)
stream = llm.generate_stream("x", ignore_eos=True, max_new_tokens=1500)
next(stream.pieces())
child = os.fork()
if child == 0:
    code = 0
    try:
        for use in (lambda: llm.generate("x"), lambda: LLM(sys.argv[1]), lambda: next(stream), lambda: llm.metrics):
            try:
                use()
                code = 3
            except UsageError as error:
                assert "spawn" in str(error) and str(os.getppid()) in str(error), error
        # Letting go of them ends nothing that is not there.
        stream = llm = None
    except BaseException:
        traceback.print_exc()
        code = 4
    os._exit(code)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 0, status
# The parent's own goes on.
assert stream.wait().finish_reason == "length"
print("parent done")
"""


def test_a_forked_process_is_refused_and_its_parent_goes_on(models: Path) -> None:
    ran = run_python(FORK, str(models / "chat"))
    assert ran.returncode == 0 and "parent done" in ran.stdout, ran.stderr


def test_a_process_that_forks_before_it_loads_anything_may_load_in_each(models: Path) -> None:
    code = """
import os, sys
from scaffold_llm import LLM
child = os.fork()
# In one piece, so that the two do not write between each other's.
os.write(1, b"%d\\n" % len(LLM(sys.argv[1], threads=1).generate("x", max_new_tokens=1).ids))
if child:
    _, status = os.waitpid(child, 0)
    assert status == 0
"""
    ran = run_python(code, str(models / "chat"))
    assert ran.returncode == 0 and ran.stdout == "1\n1\n", ran.stderr


def test_a_forked_process_ends_in_good_order(models: Path) -> None:
    code = """
import os, sys
from scaffold_llm import LLM
llm = LLM(sys.argv[1], threads=1)
child = os.fork()
if child:
    _, status = os.waitpid(child, 0)
    assert status == 0, status
# Both go through Python's own end.
"""
    ran = run_python(code, str(models / "chat"), timeout=30)
    assert ran.returncode == 0, ran.stderr


def test_processes_by_spawn_have_the_model_by_its_name(models: Path, tmp_path: Path) -> None:
    script = tmp_path / "spawned.py"
    script.write_text(
        textwrap.dedent(
            """
            import multiprocessing, sys
            from scaffold_llm import LLM, AsyncLLM

            def answer(llm):
                return llm.generate("x", seed=1, max_new_tokens=5).ids

            def answer_async(model):
                return answer(model.llm)

            if __name__ == "__main__":
                llm = LLM(sys.argv[1], threads=1, context=512)
                with multiprocessing.get_context("spawn").Pool(2) as pool:
                    there = pool.map(answer, [llm, llm])
                    there += pool.map(answer_async, [AsyncLLM(llm)])
                assert there == [answer(llm)] * 3, there
                print("same")
            """
        )
    )
    ran = subprocess.run([sys.executable, script, models / "chat"], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0 and ran.stdout == "same\n", ran.stderr


def test_a_pickled_handle_is_the_model_by_name_and_options_without_its_token(models: Path) -> None:
    with LLM(models / "chat", threads=1, context=300, token="hf_" + "x" * 30, progress=False) as llm:
        written = pickle.dumps(llm)
        assert b"hf_xxx" not in written
        with pickle.loads(written) as again:
            assert again is not llm and again.info["context"] == 300
            assert again.generate("x", seed=1, max_new_tokens=3).ids == llm.generate("x", seed=1, max_new_tokens=3).ids
    with Embedder(models / "embedder") as embedder, pickle.loads(pickle.dumps(embedder)) as again_embedder:
        assert (again_embedder.encode("water") == embedder.encode("water")).all()


def test_what_belongs_to_a_process_is_not_pickled(models: Path) -> None:
    with Registry() as registry:
        with pytest.raises(UsageError, match="registry"):
            pickle.dumps(registry)
        with registry.llm(str(models / "chat")) as llm, pytest.raises(UsageError, match="registry"):
            pickle.dumps(llm)


def test_exceptions_and_answers_are_pickled_as_they_are(llm: LLM) -> None:
    with pytest.raises(TooLargeError) as refused:
        llm.generate("long " * 2000)
    again = pickle.loads(pickle.dumps(refused.value))
    assert type(again) is TooLargeError and str(again) == str(refused.value) and again.model == refused.value.model
    answer = llm.generate("x", max_new_tokens=3)
    assert pickle.loads(pickle.dumps(answer)) == answer


WAITS = """
import signal, sys, time
from scaffold_llm import LLM, Embedder
# A shell that starts its jobs in the background has them pass over it.
signal.signal(signal.SIGINT, signal.default_int_handler)
llm = LLM(sys.argv[1], threads=1, context=20000)
embedder = Embedder(sys.argv[3], threads=1)
what = sys.argv[2]
print("ready", flush=True)
try:
    if what == "generate":
        llm.generate("x", ignore_eos=True, max_new_tokens=19000)
    elif what == "list":
        llm.generate(["x"] * 500, ignore_eos=True, max_new_tokens=2000)
    elif what == "stream":
        for _ in llm.generate_stream("x", ignore_eos=True, max_new_tokens=19000):
            pass
    elif what == "score":
        llm.score("x", ["y" * 15000] * 20)
    elif what == "embed":
        embedder.encode(["water and energy of the city"] * 1_000_000)
    print("ended by itself")
except KeyboardInterrupt:
    began = time.monotonic()
    while what != "score" and (llm.metrics["running"] or embedder.metrics["running"]):
        assert time.monotonic() < began + 10
        time.sleep(0.01)
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("what", ["generate", "list", "stream", "score", "embed"])
def test_ctrl_c_interrupts_a_call_and_ends_its_requests(models: Path, tmp_path: Path, what: str) -> None:
    from tiny_models import write_chat_model

    model = write_chat_model(tmp_path / "long", context=20000)
    process = subprocess.Popen([sys.executable, "-c", WAITS, model, what, models / "embedder"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout and process.stdout.readline() == "ready\n"
        time.sleep(0.4)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        assert time.monotonic() - began < 5
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def test_python_ends_while_a_model_computes(models: Path) -> None:
    code = """
import sys, threading
from scaffold_llm import LLM
llm = LLM(sys.argv[1], threads=1)
streams = [llm.generate_stream("x", ignore_eos=True, max_new_tokens=1900) for _ in range(4)]
next(streams[0].pieces())
print("bye", flush=True)
"""
    ran = run_python(code, str(models / "chat"), timeout=30)
    assert ran.returncode == 0 and ran.stdout == "bye\n" and not ran.stderr, ran.stderr


def test_a_loop_that_ends_with_answers_at_work_ends_in_good_order(models: Path) -> None:
    code = """
import asyncio, sys
from scaffold_llm import AsyncLLM
model = AsyncLLM(sys.argv[1], threads=1)
async def main():
    for number in range(20):
        asyncio.ensure_future(model.generate(f"{number}", ignore_eos=True, max_new_tokens=1500))
    await asyncio.sleep(0.2)
asyncio.run(main())
print("bye", flush=True)
"""
    ran = run_python(code, str(models / "chat"), timeout=30)
    assert ran.returncode == 0 and ran.stdout == "bye\n", ran.stderr
