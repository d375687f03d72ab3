"""Polycite's answers as a LlamaIndex query engine: no language model behind it, the response is made of quotes."""

from collections.abc import Callable

from llama_index.core.base.response.schema import Response
from llama_index.core.query_engine import CustomQueryEngine
from llama_index.core.schema import NodeWithScore, TextNode

from qa.answer import Answer


class PolyciteQueryEngine(CustomQueryEngine):
    """``response.metadata`` holds the whole answer as JSON; ``source_nodes`` are its citations."""

    answerer: Callable[[str], Answer]

    def custom_query(self, query_str: str) -> Response:
        """Answer a question."""
        answer = self.answerer(query_str)
        nodes = [
            NodeWithScore(
                node=TextNode(
                    id_=f"{citation.article}:{citation.start}-{citation.end}",
                    text=citation.text,
                    metadata={"article": citation.article, "title": citation.title, "date": citation.date},
                    start_char_idx=citation.start,
                    end_char_idx=citation.end,
                ),
                score=citation.score,
            )
            for citation in answer.citations
        ]
        return Response(response=answer.answer, source_nodes=nodes, metadata=answer.as_json())
