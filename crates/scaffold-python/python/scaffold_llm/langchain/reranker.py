"""A cross-encoder as a compressor of LangChain's documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document
from pydantic import ConfigDict, Field

from ..cross_encoder import CrossEncoder
from ..shared import shared


class ScaffoldReranker(BaseDocumentCompressor):
    """Puts documents in the order in which they answer a query, and keeps the best.

    Each document is given with its score in ``metadata["relevance_score"]``; larger is better.

    ::

        reranker = ScaffoldReranker(model="cross-encoder/ms-marco-MiniLM-L-6-v2", top_n=3)
        retriever = ContextualCompressionRetriever(base_compressor=reranker, base_retriever=store.as_retriever())
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    model: str = "cross-encoder/ms-marco-MiniLM-L-6-v2"
    """A repository, a directory or an alias."""
    cross_encoder: CrossEncoder | None = Field(default=None, exclude=True)
    """A model that is loaded already, instead of a name."""
    load_options: dict[str, Any] = Field(default_factory=dict)
    """How the model is loaded: see :class:`scaffold_llm.LoadOptions`."""
    top_n: int | None = Field(default=3, ge=1)
    """Keeps so many documents; ``None`` keeps all."""
    truncate: bool = True
    """Pairs that are too long are cut; otherwise they are an error."""

    def loaded(self) -> CrossEncoder:
        """The model in memory; it is loaded if it is not there."""
        if self.cross_encoder is None:
            self.cross_encoder = shared(CrossEncoder, self.model, self.load_options)
        return self.cross_encoder

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        """The best documents, best first."""
        if not documents:
            return []
        texts = [document.page_content for document in documents]
        ranked = self.loaded().rerank(query, texts, self.top_n, truncate=self.truncate)
        return [_scored(documents[one.index], one.score) for one in ranked]


def _scored(document: Document, score: float) -> Document:
    return document.model_copy(update={"metadata": {**document.metadata, "relevance_score": score}})
