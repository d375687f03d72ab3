"""Encodes an article: its sentences, its passages, and the passages' tokens."""

from collections.abc import Sequence

import numpy as np

from index.articles import Article
from index.centres import LanguageTable
from index.encoder import Encoder, Progress, Tokens
from index.passages import Passage, group_passages
from index.sentences import Span, split_blocks, split_sentences
from index.vectors import EncodedArticle, pack_tokens


def parse(article: Article) -> tuple[list[Span], list[Passage]]:
    """Sentences and passages of an article."""
    sentences = split_sentences(article.text, article.language, article.body)
    return sentences, group_passages(sentences, split_blocks(article.text, article.body))


def encode(
    article: Article, encoder: Encoder, table: LanguageTable, progress: Progress | None = None
) -> EncodedArticle:
    """Spans and vectors of an article."""
    sentences, passages = parse(article)
    texts = [article.text[span.start : span.end] for span in sentences]
    contexts = [article.text[passage.span.start : passage.span.end] for passage in passages]
    sentence_vectors = encoder.encode_sentences(texts, progress)
    passage_vectors, tokens = encoder.encode_passages(contexts, progress)
    packed = _pack(passages, tokens, article.language, table)
    return EncodedArticle(
        sentences=np.array([(s.start, s.end) for s in sentences], np.int32).reshape(-1, 2),
        passages=np.array([(p.span.start, p.span.end, p.first, p.last) for p in passages], np.int32).reshape(-1, 4),
        sentence_vectors=sentence_vectors.astype(np.float16),
        passage_vectors=passage_vectors.astype(np.float16),
        **packed,
    )


def _pack(
    passages: Sequence[Passage], tokens: Sequence[Tokens], language: str, table: LanguageTable
) -> dict[str, np.ndarray]:
    """The three token arrays of EncodedArticle; empty where the encoder's table has no tokens."""
    if not table.has_tokens:
        none = np.zeros(0, np.int32)
        return {
            "token_codes": np.zeros((0, len(table.token_scale) // 2), np.uint8),
            "token_starts": none,
            "token_rows": np.zeros(len(passages) + 1, np.int32),
        }
    centre = table.token_centre({language: 1.0})
    vectors = np.concatenate([each.vectors for each in tokens])
    starts = [each.starts + passage.span.start for each, passage in zip(tokens, passages, strict=True)]
    return {
        "token_codes": pack_tokens(vectors - centre, table.token_scale),
        "token_starts": np.concatenate(starts).astype(np.int32),
        "token_rows": np.cumsum([0, *(len(each.starts) for each in tokens)], dtype=np.int32),
    }
