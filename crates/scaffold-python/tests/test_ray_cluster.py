"""A cluster of Ray on this machine, of which nodes are killed in the middle of work. ``SCAFFOLD_TEST_RAY=1`` runs it."""

from __future__ import annotations

import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import stands_on

stands_on("ray.serve")

import httpx
import numpy as np
import pyarrow.parquet
import ray
from ray import serve
from ray_cluster import cluster, wait_until

from scaffold_llm import LLM, Embedder, NotFoundError, UsageError
from scaffold_llm.ray import EmbedStage, GenerateStage, Job, app, embed
from scaffold_llm.ray.prefix import prefix_of

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(580)]

ROWS = int(os.environ.get("SCAFFOLD_TEST_RAY_ROWS", "2000"))


@pytest.fixture(autouse=True)
def asked_for() -> None:
    if os.environ.get("SCAFFOLD_TEST_RAY") != "1":
        pytest.skip("a cluster of Ray takes minutes: SCAFFOLD_TEST_RAY=1 runs it")


def written(folder: Path, count: int) -> Path:
    """A directory with so many rows, in files of both forms."""
    folder.mkdir()
    rows = [{"id": number, "text": f"river {number}", "prompt": f"what is river {number}"} for number in range(count)]
    half = count // 2
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:half]))
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows[half:]), folder / "b.parquet")
    return folder


def read(folder: Path) -> list[dict[str, Any]]:
    """The rows of a job, in the order of its parts."""
    files = sorted(folder.glob("part-*.parquet"))
    return [row for file in files for row in pyarrow.parquet.read_table(file).to_pylist()]


OPTIONS = {"max_new_tokens": 24, "ignore_eos": True}


def test_rows_come_out_once_though_a_node_is_killed(models: Path, llm: LLM, tmp_path: Path) -> None:
    source, target = written(tmp_path / "in", ROWS), tmp_path / "out"
    stage = GenerateStage(str(models / "chat"), options={**OPTIONS, "seed": 7}, load_options={"threads": 1})
    with cluster(2) as nodes, concurrent.futures.ThreadPoolExecutor() as threads:
        job = Job(str(source), str(target), stage, rows=50, replicas=2)
        running = threads.submit(job.run)
        wait_until(lambda: running.done() or len(list(target.glob("part-*"))) >= 5, 300, "five parts are written")
        assert not running.done(), "the job has ended before a node could be killed"
        nodes.kill(nodes.nodes[0])
        nodes.add()
        ran = running.result(400)
    assert (ran.parts, ran.rows, ran.found) == (ROWS // 50, ROWS, 0)
    rows = read(target)
    assert [row["id"] for row in rows] == list(range(ROWS))
    # Each is what one engine alone answers.
    some = range(0, ROWS, max(1, ROWS // 100))
    alone = llm.generate([rows[place]["prompt"] for place in some], seed=7, **OPTIONS)
    assert [rows[place]["answer"] for place in some] == [answer.text for answer in alone]


def test_a_job_that_was_killed_is_taken_up_again(models: Path, embedder: Embedder, tmp_path: Path) -> None:
    source, target = written(tmp_path / "in", ROWS), tmp_path / "out"
    stage = EmbedStage(str(models / "embedder"))
    with cluster(1) as nodes:
        command = [sys.executable, "-m", "scaffold_llm.ray", "embed", str(source), str(target), "--rows", "20"]
        command += ["--model", str(models / "embedder"), "--address", nodes.address]
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
            wait_until(lambda: running.poll() is not None or len(list(target.glob("part-*"))) >= 3, 200, "three parts")
            running.send_signal(signal.SIGKILL)
        before = {file.name: file.stat().st_mtime_ns for file in target.glob("part-*")}
        assert 3 <= len(before) < ROWS // 20, f"{len(before)} parts were there when the job was to be killed"
        # What its actors had begun may still appear; what is there stays as it is.
        again = Job(str(source), str(target), stage, rows=20).run()
        assert again.found >= len(before) and again.rows == ROWS
        assert before.items() <= {file.name: file.stat().st_mtime_ns for file in target.glob("part-*")}.items()
        assert Job(str(source), str(target), stage, rows=20).run().found == ROWS // 20
        with pytest.raises(UsageError, match="differs in rows, parts"):
            Job(str(source), str(target), stage, rows=25).run()
        for wrong, error in ((EmbedStage(stage.model, text="body"), UsageError), (EmbedStage(str(source)), NotFoundError)):
            with pytest.raises(error, match="no column 'body'|neither a config.json"):
                Job(str(source), str(tmp_path / error.__name__), wrong, rows=100).run()
        # And over a data set of Ray's own: for each row one row.
        data = embed(ray.data.read_json(str(source / "a.jsonl")), str(models / "embedder"), batch=64)
        found = {row["id"]: list(row["embedding"]) for row in data.take_all()}
    rows = read(target)
    assert [row["id"] for row in rows] == list(range(ROWS))
    assert [row["embedding"] for row in rows] == embedder.encode([row["text"] for row in rows]).tolist()
    assert found == {row["id"]: row["embedding"] for row in rows[: ROWS // 2]}


def asked(number: int, **more: Any) -> dict[str, Any]:
    return {"model": "chat", "messages": [{"role": "user", "content": f"river {number}"}], "max_tokens": 24, **more}


def answers(replicas: int, model: str, count: int) -> list[Any]:
    """What an application with so many replicas answers, asked by many at once."""
    serve.run(served(model, replicas), name="scaffold")
    with httpx.Client(timeout=120, trust_env=False) as client:

        def ask(number: int) -> Any:
            more = {"temperature": 0} if number % 2 else {"seed": number, "temperature": 1}
            answer = client.post(CHATS, json={**asked(number), **more, "logprobs": True})
            assert answer.status_code == 200, answer.text
            choice = answer.json()["choices"][0]
            return choice["message"]["content"], [one["logprob"] for one in choice["logprobs"]["content"]]

        with concurrent.futures.ThreadPoolExecutor(16) as threads:
            found = list(threads.map(ask, range(count)))
        # Whoever has read a prompt is asked again.
        for number in range(8):
            chat = [{"role": "user", "content": f"{number} rivers " + "of the city " * 20}]
            for _ in range(2):
                answer = client.post(CHATS, json={"model": "chat", "messages": chat, "max_tokens": 1}).json()
                cached = answer["usage"]["prompt_tokens_details"]["cached_tokens"]
            assert cached > 100, answer["usage"]
    serve.delete("scaffold")
    return found


def several(models: Path) -> None:
    """An application with two models, each of which is asked by its name."""
    of_nodes = {"memory": "300MiB", "resources": {"work": 1}}
    two = {"chat": models / "chat", "vectors": models / "embedder"}
    said = [{"model": str(model), "name": name, **of_nodes} for name, model in two.items()]
    serve.run(app({"models": said, "gateway_resources": {"head": 1}}), name="scaffold")
    with httpx.Client(base_url="http://127.0.0.1:8000", timeout=60, trust_env=False) as client, Embedder(models / "embedder") as embedder:
        assert [one["id"] for one in client.get("/v1/models").json()["data"]] == ["chat", "vectors"]
        found = client.post("/v1/embeddings", json={"model": "vectors", "input": ["river", "city"]}).json()["data"]
        expected = embedder.embed(["river", "city"], normalize=True).values
        assert np.array_equal(np.array([one["embedding"] for one in found], np.float32), expected)
        assert client.post(CHATS, json=asked(1)).status_code == 200
        # What the engine refuses is told as it says it.
        refused = client.post("/v1/embeddings", json={"model": "chat", "input": "river"})
        assert refused.status_code == 400 and "error" in refused.json()
    serve.delete("scaffold")


def served(model: str, replicas: int, **more: Any) -> serve.Application:
    counts = {"min_replicas": replicas, "max_replicas": replicas, **more}
    of_nodes = {"memory": "300MiB", "resources": {"work": 1}}
    return app({"models": [{"model": model, "name": "chat", **of_nodes, **counts}], "gateway_resources": {"head": 1}})


def test_answers_do_not_depend_on_the_number_of_replicas(models: Path, llm: LLM) -> None:
    with cluster(2):
        one, two = answers(1, str(models / "chat"), 60), answers(2, str(models / "chat"), 60)
        several(models)
    assert one == two
    alone = llm.chat("river 2", seed=2, temperature=1, max_new_tokens=24, logprobs=True)
    assert one[2] == (alone.text, [place.logprob for place in alone.logprobs])


CHATS = "http://127.0.0.1:8000/v1/chat/completions"


def long(number: int, tokens: int = 400) -> dict[str, Any]:
    """What asks for a long answer in pieces."""
    return {**asked(number), "max_tokens": tokens, "stream": True, "ignore_eos": True, "stream_options": {"include_usage": True}}


def gauge(name: str) -> float:
    """A number of the engine that answers `long(1)`."""
    handle = serve.get_deployment_handle("engine-chat", "scaffold").options(stream=True)
    _, *parts = list(handle.answer.remote("GET", "/metrics", {}, b"", prefix=prefix_of(long(1))))
    lines = b"".join(parts).decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def stream(number: int, tokens: int = 400) -> tuple[str, int]:
    """Reads a long answer piece by piece: how it ended, and how many tokens it is said to have."""
    count, end = 0, "nothing"
    try:
        with httpx.stream("POST", CHATS, json=long(number, tokens), timeout=200, trust_env=False) as answer:
            assert answer.status_code == 200
            for line in answer.iter_lines():
                if line == "data: [DONE]":
                    end = "whole"
                elif line.startswith("data: "):
                    event = json.loads(line[6:])
                    if "error" in event:
                        end = event["error"]["message"]
                    count = (event.get("usage") or {}).get("completion_tokens", count)
    except httpx.HTTPError as error:
        end = f"{type(error).__name__}: {error}"
    return end, count


def replicas_at_work() -> int:
    """Replicas that take requests."""
    engines = [one for name, one in serve.status().applications["scaffold"].deployments.items() if name.startswith("engine")]
    return sum(count for one in engines for state, count in one.replica_states.items() if state == "RUNNING")


@pytest.mark.starter
def test_streams_of_a_killed_node_end_with_an_error_and_another_takes_its_place(starter: LLM) -> None:
    with cluster(2) as nodes, concurrent.futures.ThreadPoolExecutor(16) as threads:
        # All nodes have one address here, and would share the port: a client's own proxy is to live.
        serve.start(proxy_location="HeadOnly")
        serve.run(served("starter", 2), name="scaffold")
        running = [threads.submit(stream, number) for number in range(16)]
        time.sleep(5)
        assert not any(one.done() for one in running)
        nodes.kill(nodes.nodes[0])
        ends = [one.result(300) for one in running]
        dead = [end for end, _ in ends if end != "whole"]
        # Some of both: prompts are spread over the replicas.
        assert 0 < len(dead) < 16, ends
        assert all("is gone, and the answer is not whole" in end for end in dead), ends
        assert all(count == 400 for end, count in ends if end == "whole"), ends
        # The other one goes on meanwhile.
        assert stream(3)[0] == "whole"
        wait_until(lambda: replicas_at_work() == 1, 120, "the replica is missed")
        nodes.add()
        wait_until(lambda: replicas_at_work() == 2, 200, "a new replica is placed on the new node")
        assert [stream(number)[0] for number in range(2)] == ["whole", "whole"]
        wait_until(lambda: gauge("scaffold_requests_running") == 0, 20, "the engine computes for nobody")
        # Whoever leaves ends what is computed for him.
        with httpx.stream("POST", CHATS, json=long(1), timeout=100, trust_env=False) as answer:
            lines = answer.iter_lines()
            wait_until(lambda: next(lines).startswith("data: "), 20, "a piece has come")
            assert gauge("scaffold_requests_running") == 1
        wait_until(lambda: gauge("scaffold_requests_running") == 0, 20, "the request of a client who left is ended")
        serve.delete("scaffold")


@pytest.mark.starter
def test_replicas_come_with_the_load_and_end_their_streams_before_they_go(starter: LLM) -> None:
    with cluster(2), concurrent.futures.ThreadPoolExecutor(24) as threads:
        serve.start(proxy_location="HeadOnly")
        delays = {"max_replicas": 2, "target_ongoing": 4, "upscale_delay": 1, "downscale_delay": 3}
        serve.run(served("starter", 1, **delays), name="scaffold")
        assert replicas_at_work() == 1
        running = [threads.submit(stream, number) for number in range(24)]
        wait_until(lambda: replicas_at_work() == 2, 120, "a replica is added")
        assert {one.result(300)[0] for one in running} == {"whole"}
        # Few are left, on either replica; one of those goes while it still writes.
        few = [threads.submit(stream, number, 1500) for number in range(4)]
        wait_until(lambda: replicas_at_work() == 1, 120, "a replica is taken away")
        assert not any(one.done() for one in few)
        assert {one.result(300)[0] for one in few} == {"whole"}
        serve.delete("scaffold")
