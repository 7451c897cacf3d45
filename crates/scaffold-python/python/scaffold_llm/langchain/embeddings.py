"""An embedder as embeddings of LangChain."""

from __future__ import annotations

from typing import Any

from langchain_core.embeddings import Embeddings
from pydantic import BaseModel, ConfigDict, Field

from ..embedder import Embedder
from ..shared import shared


class ScaffoldEmbeddings(BaseModel, Embeddings):
    """Texts to vectors in this process.

    Documents and queries get the model's own prompts, where it has any. The model is loaded with the first call, and shared by objects
    that name the same one.

    ::

        vectors = ScaffoldEmbeddings(model="all-minilm").embed_documents(["What is sustainability?"])
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    model: str = "sentence-transformers/all-MiniLM-L6-v2"
    """A repository, a directory or an alias."""
    embedder: Embedder | None = Field(default=None, exclude=True)
    """A model that is loaded already, instead of a name."""
    load_options: dict[str, Any] = Field(default_factory=dict)
    """How the model is loaded: see :class:`scaffold_llm.LoadOptions`."""
    normalize: bool = False
    """Scales every vector to length 1, also where the model does not."""
    dimensions: int | None = None
    """Keeps the first so many numbers (for models that were trained for it)."""
    truncate: bool = True
    """Texts that are too long are cut; otherwise they are an error."""

    def loaded(self) -> Embedder:
        """The model in memory; it is loaded if it is not there."""
        if self.embedder is None:
            self.embedder = shared(Embedder, self.model, self.load_options)
        return self.embedder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """The vectors of texts that are looked through."""
        return self._embedded(texts, query=False)

    def embed_query(self, text: str) -> list[float]:
        """The vector of what is looked for."""
        return self._embedded([text], query=True)[0]

    def _embedded(self, texts: list[str], query: bool) -> list[list[float]]:
        found = self.loaded().embed(
            texts,
            query=query,
            document=not query,
            truncate=self.truncate,
            normalize=self.normalize,
            dimensions=self.dimensions,
        )
        vectors: list[list[float]] = found.values.tolist()
        return vectors
