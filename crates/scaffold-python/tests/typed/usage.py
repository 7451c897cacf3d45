"""What type checkers see of the package: checked by mypy and pyright, and never run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaffold_core.llm import LLMManager
from scaffold_llm import LLM, Answer, AsyncLLM, CrossEncoder, Embedder, Registry, ScaffoldError, pipeline

if TYPE_CHECKING:
    from dataclasses import dataclass

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import assert_type

    @dataclass
    class City:
        name: str

    def answers(llm: LLM) -> None:
        text: str = llm.generate("x", temperature=0.5, stop="\n").text
        assert_type(llm.generate("x", schema=City), Answer[City])
        assert_type(llm.generate("x", schema=City).value, City)
        assert_type(llm.generate_as(City, "x"), City)
        assert_type(llm.chat_as(City, "x", tools=[]), City)
        assert_type(llm.generate(["a"], schema=City), list[Answer[City]])
        for piece in llm.chat_stream([{"role": "user", "content": text}]):
            assert_type(piece, str)
        either = llm.generate(["a"], return_exceptions=True)
        failed = [one for one in either if isinstance(one, ScaffoldError)]
        assert_type(failed, list[ScaffoldError])
        assert_type(LLMManager().generate_response("x"), str)
        assert_type(pipeline("text-generation", model="starter"), LLM)

    async def asynchronous(model: AsyncLLM) -> None:
        assert_type(await model.chat_as(City, "x"), City)
        async for text in model.generate_stream("x", seed=1):
            assert_type(text, str)

    def encoders(embedder: Embedder, ranker: CrossEncoder, models: Registry) -> None:
        assert_type(embedder.encode("x"), NDArray[np.float32])
        assert_type(embedder.embed(["x"]).values, NDArray[np.float32])
        assert_type(ranker.scores("x", ["y"]), NDArray[np.float32])
        with models.llm("starter") as llm:
            assert_type(llm, LLM)
