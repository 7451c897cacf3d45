"""Embeddings and rankings: arrays, and the arguments of sentence-transformers."""

from __future__ import annotations

import logging
import threading

import numpy as np
import pytest

from scaffold_llm import CrossEncoder, Embedder, NotFoundError, TooLargeError, UsageError

TEXTS = ["the river and the city", "how do we measure the impact", "water"]


def test_embeddings_are_arrays_of_the_library_itself(embedder: Embedder) -> None:
    found = embedder.embed(TEXTS)
    assert found.values.shape == (3, 32) and found.values.dtype == np.float32
    assert found.values.flags.c_contiguous and not found.cut and found.tokens > 3
    # The memory is an allocation of the library's, which another object keeps.
    assert not found.values.flags.owndata and found.values.base is not None
    found.values[0, 0] = 7.0
    assert embedder.embed([]).values.shape == (0, 32)


def test_an_embedding_does_not_depend_on_the_others(embedder: Embedder) -> None:
    together = embedder.encode(TEXTS)
    for row, text in zip(together, TEXTS):
        assert np.array_equal(row, embedder.encode(text))
    assert embedder.encode(TEXTS[0]).shape == (32,) == (embedder.dimensions,)
    assert embedder.get_sentence_embedding_dimension() == 32


def test_prompts_are_those_of_the_model_or_the_programs(embedder: Embedder) -> None:
    assert embedder.prompts == {"query": "what is ", "document": "the "}
    by_text = embedder.encode("what is water", prompt="")
    assert np.array_equal(by_text, embedder.encode("water", prompt="what is "))
    assert np.array_equal(by_text, embedder.encode("water", prompt_name="query"))
    assert np.array_equal(by_text, embedder.encode_query("water"))
    assert np.array_equal(embedder.encode("the water"), embedder.encode_document(["water"])[0])
    assert not np.array_equal(by_text, embedder.encode("water"))
    with pytest.raises(NotFoundError, match="query, document"):
        embedder.encode("water", prompt_name="nonsense")


def test_embeddings_are_scaled_and_shortened(embedder: Embedder) -> None:
    scaled = embedder.encode(TEXTS, normalize_embeddings=True)
    assert np.allclose(np.linalg.norm(scaled, axis=1), 1, atol=1e-6)
    short = embedder.encode(TEXTS, truncate_dim=8)
    assert short.shape == (3, 8) and np.array_equal(short, embedder.encode(TEXTS)[:, :8])
    with pytest.raises(UsageError, match="1 to 32"):
        embedder.embed(TEXTS, dimensions=33)


def test_similarities_are_those_of_numpy(embedder: Embedder) -> None:
    a, b = embedder.encode(TEXTS), embedder.encode(TEXTS[:2])
    found = embedder.similarity(a, b)
    assert found.shape == (3, 2) and embedder.similarity_fn_name == "cosine"
    wanted = a @ b.T / np.outer(np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1))
    assert np.allclose(found, wanted, atol=1e-5) and abs(found[0, 0] - 1) < 1e-6
    assert np.allclose(embedder.similarity_pairwise(a[:2], b), np.diag(found[:2]), atol=1e-6)
    with pytest.raises(UsageError, match="same dimensions"):
        embedder.similarity(a, b[:, :4])


def test_long_texts_are_cut_where_that_is_asked_for_and_told(embedder: Embedder, caplog) -> None:
    long = "water " * 50
    with pytest.raises(TooLargeError) as refused:
        embedder.embed(["water", long])
    assert refused.value.item == 1 and "24" in str(refused.value) and "truncate=True" in str(refused.value)
    found = embedder.embed(["water", long], truncate=True)
    assert [(cut.index, cut.kept) for cut in found.cut] == [(1, 24)]
    with caplog.at_level(logging.WARNING, "scaffold_llm"):
        assert np.array_equal(embedder.encode(long), found.values[1])
    assert "1 of 1 texts are longer than 24 tokens" in caplog.text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"output_value": "token_embeddings"}, "sentence_embedding"),
        ({"precision": "int8"}, "float32"),
        ({"device": "cuda"}, "cpu"),
        ({"nonsense": 1}, "no option 'nonsense'"),
    ],
)
def test_what_is_not_done_is_refused_by_its_name(embedder: Embedder, options: dict, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        embedder.encode("water", **options)


def test_arguments_without_a_meaning_here_are_taken(embedder: Embedder) -> None:
    plain = embedder.encode(TEXTS)
    other = embedder.encode(TEXTS, batch_size=1, show_progress_bar=False, convert_to_numpy=True, device="cpu")
    assert np.array_equal(plain, other)
    rows = embedder.encode(TEXTS, convert_to_numpy=False)
    assert isinstance(rows, list) and np.array_equal(rows[1], plain[1])
    with pytest.raises(UsageError, match="list"):
        embedder.embed("water")


def test_threads_embed_together(embedder: Embedder) -> None:
    wanted = embedder.encode(TEXTS)
    found: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: found.append(embedder.encode(TEXTS))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and all(np.array_equal(one, wanted) for one in found)
    assert embedder.metrics["texts"] >= 27


def test_an_embedder_of_the_field_is_near_what_it_was_made_for() -> None:
    from conftest import without

    try:
        model = Embedder("all-minilm")
    except OSError as error:
        without(f"all-minilm cannot be had: {error}")
    with model:
        vectors = model.encode(["What is sustainability?", "How do we measure environmental impact?"])
        assert vectors.shape == (2, 384)
        # What sentence-transformers says of the two.
        assert abs(float(model.similarity(vectors[0], vectors[1])[0, 0]) - 0.4467) < 1e-4


def test_pairs_are_scored_by_the_arguments_of_sentence_transformers(ranker: CrossEncoder) -> None:
    pairs = [("what is water", "the river"), ("how do we measure", "impact"), ("what is water", "city")]
    scores = ranker.predict(pairs)
    assert scores.shape == (3,) and scores.dtype == np.float32 and ((0 < scores) & (scores < 1)).all()
    assert float(ranker.predict(pairs[1])) == float(scores[1])
    assert np.array_equal(ranker.scores("what is water", ["the river", "city"]), scores[[0, 2]])
    logits = ranker.predict(pairs, activation_fn="torch.nn.Identity", batch_size=2, show_progress_bar=False)
    assert np.allclose(1 / (1 + np.exp(-logits)), scores, atol=1e-5)
    for wrong in ([("a",)], [("a", 3)], [("a", "b", "c")]):
        with pytest.raises(UsageError, match="pair 0"):
            ranker.predict(wrong)
    with pytest.raises(UsageError, match="Identity, Sigmoid"):
        ranker.predict(pairs, activation_fn="Tanh")


def test_rankings_are_best_first(ranker: CrossEncoder) -> None:
    texts = ["the river", "city", "growth of energy", "climate"]
    scores = ranker.scores("what is water", texts)
    ranked = ranker.rerank("what is water", texts)
    assert [one.index for one in ranked] == sorted(range(4), key=lambda index: -scores[index])
    assert [one.score for one in ranked] == sorted((float(score) for score in scores), reverse=True)
    assert ranker.rerank("what is water", texts, top=2) == ranked[:2]
    told = ranker.rank("what is water", texts, top_k=2, return_documents=True)
    assert [one["corpus_id"] for one in told] == [one.index for one in ranked[:2]]
    assert told[0]["text"] == texts[ranked[0].index]


def test_long_pairs_are_cut_where_that_is_asked_for_and_told(ranker: CrossEncoder, caplog) -> None:
    with pytest.raises(TooLargeError, match="24"):
        ranker.scores("water", ["river " * 50])
    with caplog.at_level(logging.WARNING, "scaffold_llm"):
        ranker.predict([("water", "river " * 50)])
    assert "1 of 1 pairs are longer than 24 tokens" in caplog.text
