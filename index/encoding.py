"""Encodes articles: their sentences, their passages, and the passages' tokens."""

from collections.abc import Sequence

import numpy as np

from index.articles import Article
from index.encoder import Encoder, Progress
from index.passages import Passage, group_passages
from index.sentences import Span, split_blocks, split_sentences
from index.vectors import EncodedArticle, PackedTokens, pack_tokens


def parse(article: Article) -> tuple[list[Span], list[Passage]]:
    """Sentences and passages of an article."""
    sentences = split_sentences(article.text, article.language, article.body)
    return sentences, group_passages(sentences, split_blocks(article.text, article.body))


def encode(
    articles: Sequence[Article], encoder: Encoder, progress: Progress | None = None
) -> list[tuple[EncodedArticle, list[PackedTokens]]]:
    """Spans and vectors of articles, and the tokens of their passages; together, so that texts of like length meet."""
    parsed = [parse(article) for article in articles]
    both = list(zip(articles, parsed, strict=True))
    sentences = [article.text[span.start : span.end] for article, (spans, _) in both for span in spans]
    contexts = [article.text[p.span.start : p.span.end] for article, (_, passages) in both for p in passages]
    sentence_vectors = encoder.encode_sentences(sentences, progress).astype(np.float16)
    passage_vectors, tokens = encoder.encode_passages(contexts, progress)
    records = []
    at, passage_at = 0, 0
    for spans, passages in parsed:
        own = tokens[passage_at : passage_at + len(passages)]
        packed = [
            PackedTokens(pack_tokens(each.vectors), (each.starts + passage.span.start).astype(np.int32))
            for passage, each in zip(passages, own, strict=True)
        ]
        record = EncodedArticle(
            sentences=np.array([(s.start, s.end) for s in spans], np.int32).reshape(-1, 2),
            passages=np.array([(p.span.start, p.span.end, p.first, p.last) for p in passages], np.int32).reshape(-1, 4),
            sentence_vectors=sentence_vectors[at : at + len(spans)],
            passage_vectors=passage_vectors[passage_at : passage_at + len(passages)].astype(np.float16),
        )
        records.append((record, packed))
        at, passage_at = at + len(spans), passage_at + len(passages)
    return records
