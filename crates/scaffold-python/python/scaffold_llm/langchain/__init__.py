"""Scaffold's models as components of LangChain: a chat model, embeddings and a reranker, in this process.

::

    from scaffold_llm.langchain import ChatScaffold

    chat = ChatScaffold(model="starter", temperature=0)
    print(chat.invoke("What is sustainability?").text)
"""

from ..extras import need

need("langchain", "langchain_core")

from .chat import ChatScaffold  # noqa: E402
from .embeddings import ScaffoldEmbeddings  # noqa: E402
from .reranker import ScaffoldReranker  # noqa: E402

__all__ = ["ChatScaffold", "ScaffoldEmbeddings", "ScaffoldReranker"]
