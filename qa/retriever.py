"""Polycite's retrieval as a LlamaIndex retriever: it drops into anyone's LlamaIndex program."""

from typing import Any

from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeRelationship, NodeWithScore, QueryBundle, RelatedNodeInfo, TextNode

from index.collection import Collection
from index.encoder import Encoder
from qa.question import check_question, understand
from qa.ranking import Filters, rank


class PolyciteRetriever(BaseRetriever):
    """Sentences that may answer a question, best first, as nodes with exact offsets into their article."""

    def __init__(
        self, collection: Collection, encoder: Encoder, filters: Filters | None = None, top: int = 20, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.collection = collection
        self.encoder = encoder
        self.filters = filters
        self.top = top

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        question = understand(check_question(query_bundle.query_str), self.encoder, self.collection)
        ranking = rank(question, self.collection, self.filters)
        found = zip(ranking.sentences[: self.top].tolist(), ranking.scores.tolist(), strict=False)
        return [NodeWithScore(node=self.node(sentence), score=score) for sentence, score in found]

    def node(self, sentence: int) -> TextNode:
        """The node of a sentence of the collection."""
        collection = self.collection
        name = collection.names[collection.article_of[sentence]]
        article = collection.articles[name]
        start, end = collection.spans[sentence].tolist()
        metadata = {"article": name, "title": article.title, "date": article.date, "language": article.language}
        return TextNode(
            id_=f"{name}:{start}-{end}",
            text=article.text[start:end],
            metadata=metadata,
            excluded_embed_metadata_keys=list(metadata),
            start_char_idx=start,
            end_char_idx=end,
            relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=name)},
        )
