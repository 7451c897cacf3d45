"""What needs no cluster of Ray: what is said of applications, which replica a prompt goes to, parts of files, and stages."""

from __future__ import annotations

import asyncio
import json
import pickle
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from conftest import stands_on

stands_on("ray.data")

import pyarrow as pa
import pyarrow.parquet
import yaml
from pyarrow import fs

from scaffold_llm import LLM, CrossEncoder, Embedder, NotFoundError, TooLargeError, UsageError
from scaffold_llm.ray import EmbedStage, GenerateStage, Job, RerankStage
from scaffold_llm.ray.gathering import gathered
from scaffold_llm.ray.models import wanted
from scaffold_llm.ray.parts import parts_of
from scaffold_llm.ray.prefix import ordered, preferred, prefix_of

LOCAL = fs.LocalFileSystem()


def chat(*messages: tuple[str, str]) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": text} for role, text in messages]}


def test_an_application_is_what_is_said() -> None:
    one = wanted({"model": "starter", "cpus": "2", "memory": "1.5GiB", "gateways": "2"})
    assert one.models[0].name == "starter" and one.models[0].cpus == 2 and one.gateways == 2
    assert one.models[0].memory == 3 << 29 and wanted({"model": "x", "memory": "500MB"}).models[0].memory == 500_000_000
    two = wanted({"models": ["starter", {"model": "all-minilm", "name": "vectors"}]})
    assert [model.name for model in two.models] == ["starter", "vectors"]
    for said, what in (
        ({"models": ["a", "a"]}, "two models are called a"),
        ({"model": "a", "cores": 2}, "cores.*accepted of a model: .*cpus"),
        ({"model": "a", "memory": "much"}, "'much' is no size"),
        ({"model": "a", "min_replicas": 3}, "max_replicas is 1, and min_replicas 3"),
        ({"models": []}, "at least 1"),
        ({}, "Field required"),
    ):
        with pytest.raises(UsageError, match=f"(?s){what}"):
            wanted(said)


def test_all_turns_of_a_chat_have_one_prefix() -> None:
    first = chat(("system", "Be brief."), ("user", "Name a river."))
    later = chat(("system", "Be brief."), ("user", "Name a river."), ("assistant", "Rhine"), ("user", "And a city."))
    assert prefix_of(first) == prefix_of(later) != ""
    assert prefix_of(chat(("system", "Be brief."), ("user", "Name a tree."))) != prefix_of(first)
    assert prefix_of({"prompt": "a" * 5000 + "b"}) == prefix_of({"prompt": "a" * 5000 + "c"})
    assert prefix_of({"input": "a"}) != prefix_of({"input": "b"})
    assert prefix_of({"model": "x"}) == "" and prefix_of({"messages": []}) == ""
    # What is none is for the engine to refuse.
    assert prefix_of({"messages": [3]}) == "" and prefix_of({"messages": [{"role": 1}, 3]})
    assert prefix_of({"tools": [{"name": "a"}], **first}) != prefix_of(first)


def test_prefixes_stay_where_they_are_when_a_replica_goes() -> None:
    names = {f"r{number}": f"r{number}" for number in range(5)}
    first = {str(prefix): ordered(str(prefix), names)[0] for prefix in range(500)}
    counts = [list(first.values()).count(name) for name in names]
    assert min(counts) > 60, counts
    left = {name: name for name in names if name != "r2"}
    for prefix, home in first.items():
        assert ordered(prefix, left)[0] == home or home == "r2"


def test_a_replica_with_much_more_to_do_is_asked_last() -> None:
    assert preferred(["a", "b", "c"], {"a": 4, "b": 0, "c": 9}, 4) == ["a", "b", "c"]
    assert preferred(["a", "b", "c"], {"a": 5, "b": 0, "c": 9}, 4) == ["b", "a", "c"]
    assert preferred(["a", "b"], {}, 0) == ["a", "b"] and preferred([], {}, 1) == []


def test_pieces_that_come_quickly_are_sent_together() -> None:
    async def parts(pauses: list[float], fails: bool) -> AsyncIterator[bytes]:
        for number, pause in enumerate(pauses):
            await asyncio.sleep(pause)
            yield b"%d" % number
        if fails:
            raise ConnectionError("gone")

    async def sent(pauses: list[float], seconds: float, fails: bool = False) -> list[bytes]:
        found: list[bytes] = []
        try:
            async for part in gathered(parts(pauses, fails), seconds):
                found.append(part)
        except ConnectionError:
            found.append(b"gone")
        return found

    async def run() -> None:
        before = asyncio.all_tasks()
        # The first at once, the others together, and all of them.
        assert await sent([0, 0.01, 0.01, 0.01], 5) == [b"0", b"123"]
        assert await sent([0, 0.3, 0.3], 0.01) == [b"0", b"1", b"2"]
        assert await sent([], 1) == []
        assert await sent([0, 0.01], 5, fails=True) == [b"0", b"1", b"gone"]
        assert await sent([], 5, fails=True) == [b"gone"]
        # Whoever leaves ends the reading.
        left = gathered(parts([0, 0, 100], False), 0.01)
        assert await anext(left)
        await left.aclose()
        await asyncio.sleep(0.01)
        assert asyncio.all_tasks() == before

    asyncio.run(asyncio.wait_for(run(), 20))


def rows(count: int) -> list[dict[str, Any]]:
    return [{"id": number, "text": f"river {number} " + "x" * (number % 7)} for number in range(count)]


def test_parts_have_each_row_once_and_in_order(tmp_path: Path) -> None:
    table = pa.Table.from_pylist(rows(1000))
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet", row_group_size=170)
    lines = [json.dumps(row) for row in rows(333)]
    # Empty lines are none, and the last one has no end.
    (tmp_path / "b.jsonl").write_text("\n\n".join(lines))
    (tmp_path / "_SUCCESS").write_text("")
    for size in (1, 64, 170, 5000):
        parts = parts_of(LOCAL, str(tmp_path), size)
        assert [part.number for part in parts] == list(range(len(parts)))
        tables = [part.read(LOCAL) for part in parts]
        assert [found.num_rows for found in tables] == [part.rows for part in parts]
        read = [row for found in tables for row in found.to_pylist()]
        assert read == [*rows(1000), *rows(333)]
    assert len(parts_of(LOCAL, str(tmp_path / "b.jsonl"), 100)) == 4


def test_files_that_are_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no"):
        parts_of(LOCAL, str(tmp_path / "none"), 10)
    with pytest.raises(NotFoundError, match="accepted: .parquet"):
        parts_of(LOCAL, str(tmp_path), 10)
    (tmp_path / "x.csv").write_text("a,b\n")
    with pytest.raises(UsageError, match="accepted: .parquet"):
        parts_of(LOCAL, str(tmp_path / "x.csv"), 10)
    (tmp_path / "y.jsonl").write_text('{"a": 1}\nno\n')
    with pytest.raises(UsageError, match="y.jsonl has a line"):
        parts_of(LOCAL, str(tmp_path / "y.jsonl"), 10)[0].read(LOCAL)


def test_embeddings_stand_beside_their_rows(models: Path, embedder: Embedder) -> None:
    stage = EmbedStage(str(models / "embedder"), role="query", load_options={"threads": 1})
    texts = ["the river", "a market"]
    done = stage(pa.table({"id": [1, 2], "text": texts}))
    assert done.column_names == ["id", "text", "embedding"] and done.column("id").to_pylist() == [1, 2]
    assert done.column("embedding").to_pylist() == embedder.encode_query(texts).tolist()
    assert done.schema.field("embedding").type.list_size == 32
    with pytest.raises(UsageError, match="no column 'text'.*\n.*accepted: body"):
        stage(pa.table({"body": texts}))
    # A block without rows, and a stage that has been somewhere else.
    assert pickle.loads(pickle.dumps(stage))(pa.table({"text": pa.array([], pa.string())})).num_rows == 0


def test_what_fails_is_kept_in_its_place_or_raised(models: Path, embedder: Embedder) -> None:
    table = pa.table({"text": ["river", None, "the " * 100, "city"]})
    kept = EmbedStage(str(models / "embedder"), truncate=False, on_error="keep", load_options={"threads": 1})(table)
    errors = kept.column("error").to_pylist()
    assert [error is None for error in errors] == [True, False, False, True]
    assert "no text" in errors[1] and "tokens" in errors[2]
    vectors = kept.column("embedding").to_pylist()
    assert vectors[1] is None and vectors[2] is None
    assert vectors[0] == embedder.encode("river").tolist() and vectors[3] == embedder.encode("city").tolist()
    with pytest.raises(TooLargeError):
        EmbedStage(str(models / "embedder"), truncate=False, load_options={"threads": 1})(table.slice(2))


def test_answers_stand_beside_their_prompts(models: Path, llm: LLM) -> None:
    options = {"max_new_tokens": 12, "seed": 3}
    stage = GenerateStage(str(models / "chat"), options=options, on_error="keep", load_options={"threads": 1})
    done = stage(pa.table({"prompt": ["a", "b", None, "long " * 3000]}))
    assert done.column("answer").to_pylist()[:2] == [llm.generate(one, **options).text for one in "ab"]
    assert done.column("answer").to_pylist()[2:] == [None, None]
    assert done.column("finish_reason").to_pylist()[0] in ("stop", "length")
    assert [error is None for error in done.column("error").to_pylist()] == [True, True, False, False]
    chats = pa.Table.from_pylist([{"prompt": [{"role": "user", "content": "a", "name": None}]}])
    assert stage(chats).column("answer").to_pylist() == done.column("answer").to_pylist()[:1]


def test_scores_stand_beside_their_pairs(models: Path, ranker: CrossEncoder) -> None:
    stage = RerankStage(str(models / "ranker"), load_options={"threads": 1})
    texts = ["the river", "a market"]
    expected = ranker.scores("what", texts).tolist()
    assert stage(pa.table({"query": ["what", "what"], "text": texts})).column("score").to_pylist() == expected
    lists = stage(pa.Table.from_pylist([{"query": "what", "text": texts}, {"query": "what", "text": []}]))
    assert lists.column("score").to_pylist() == [expected, []]


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [("--options", "x", "'x' is no JSON"), ("--options", "[1]", "no JSON object"), ("--replicas", "1-x", "accepted: 4, or 1-8")],
)
def test_the_command_says_what_it_takes(option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    from scaffold_llm.ray.__main__ import main

    with pytest.raises(SystemExit) as ended:
        main(["generate", "in", "out", "--model", "x", option, value])
    assert ended.value.code == 2 and said in capsys.readouterr().err


def test_a_job_does_not_write_into_what_is_anothers(models: Path, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\n')
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("")
    stage = EmbedStage(str(models / "embedder"))
    with pytest.raises(UsageError, match="letter.txt, which is of no job"):
        Job(str(tmp_path / "in.jsonl"), str(tmp_path / "out"), stage).run()
    with pytest.raises(UsageError, match="1 or more"):
        Job("x", "y", stage, rows=0).run()
    with pytest.raises(UsageError, match="accepted: raise, keep"):
        EmbedStage("x", on_error="ignore")  # type: ignore[arg-type]


def test_the_page_tells_of_what_there_is() -> None:
    from ray.serve.schema import ServeDeploySchema

    from scaffold_llm.ray.models import Served

    page = Path(__file__).parents[3] / "docs" / "ray.md"
    if not page.exists():
        pytest.skip("the page lies in the repository")
    text = page.read_text(encoding="utf-8")
    (written,) = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (application,) = ServeDeploySchema.model_validate(yaml.safe_load(written)).applications
    assert [model.name for model in wanted(application.args).models] == ["starter", "vectors"]
    # Each field of a model has its line, with the default that it has.
    lines = {}
    for fields, defaults in re.findall(r"^\| (`[a-z_`, ]+`) \| ([^|]*) \|", text, re.MULTILINE):
        names = re.findall(r"`([a-z_]+)`", fields)
        lines |= dict(zip(names, (defaults.split(", ") + [defaults] * len(names))))
    told = {name for name in Served.model_fields if name in lines or f"`{name}`" in text}
    assert told == set(Served.model_fields)
    for name, field in Served.model_fields.items():
        if isinstance(field.default, (int, float)) and name in lines and name != "memory":
            assert float(lines[name]) == field.default, name


def test_the_manifest_for_kubernetes_says_what_is_known() -> None:
    from ray.serve.schema import ServeDeploySchema

    path = Path(__file__).parents[3] / "deploy" / "kuberay.yaml"
    if not path.exists():
        pytest.skip("the manifest lies in the repository")
    manifest = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert (manifest["apiVersion"], manifest["kind"]) == ("ray.io/v1", "RayService")
    config = ServeDeploySchema.model_validate(yaml.safe_load(manifest["spec"]["serveConfigV2"]))
    (application,) = config.applications
    assert application.import_path == "scaffold_llm.ray:app"
    models = wanted(application.args).models
    cluster = manifest["spec"]["rayClusterConfig"]
    (group,) = cluster["workerGroupSpecs"]
    (worker,) = group["template"]["spec"]["containers"]
    # A node has room for the largest replica, and as long to end as a replica may take.
    assert max(model.cpus for model in models) <= int(worker["resources"]["limits"]["cpu"])
    assert group["template"]["spec"]["terminationGracePeriodSeconds"] > max(model.drain for model in models)
    assert worker["image"] == cluster["headGroupSpec"]["template"]["spec"]["containers"][0]["image"]
    docker = path.with_name("Dockerfile.ray").read_text(encoding="utf-8")
    assert f"rayproject/ray:{cluster['rayVersion']}-" in docker and f"-t {worker['image']} " in docker
