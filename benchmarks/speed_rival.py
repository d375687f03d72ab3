"""One run of the rival for benchmarks/speed.py: LlamaIndex's default pipeline over the same encoder.

SentenceSplitter (1 024 tokens, overlap 200), embeddings by sentence-transformers ten texts at a time, its own vector
store in memory, five chunks a question; and eight that sentence-transformers' CrossEncoder reads with the question,
over layers of the same size. Prints one line of JSON.

usage: python benchmarks/speed_rival.py CORPUS QUESTIONS MODEL
"""

import json
import statistics
import sys
import time
from pathlib import Path


def main() -> None:
    """Load, ingest, ask."""
    corpus, questions, folder = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    started = time.perf_counter()
    import transformers.utils.logging
    from llama_index.core import SimpleDirectoryReader, VectorStoreIndex
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.node_parser import SentenceSplitter
    from sentence_transformers import CrossEncoder, SentenceTransformer

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    model = SentenceTransformer(folder, device="cpu", local_files_only=True)

    class Embedding(BaseEmbedding):
        """The encoder with its own prompts, as LlamaIndex's class for sentence-transformers calls it."""

        def _get_query_embedding(self, query: str) -> list[float]:
            vectors: list[list[float]] = model.encode([query], prompt="query: ", show_progress_bar=False).tolist()
            return vectors[0]

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

        def _get_text_embedding(self, text: str) -> list[float]:
            return self._get_text_embeddings([text])[0]

        def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
            vectors: list[list[float]] = model.encode(
                texts, prompt="passage: ", batch_size=self.embed_batch_size, show_progress_bar=False
            ).tolist()
            return vectors

    loaded = time.perf_counter()
    documents = SimpleDirectoryReader(str(corpus), recursive=True).load_data()
    index = VectorStoreIndex.from_documents(
        documents,
        embed_model=Embedding(),
        transformations=[SentenceSplitter(chunk_size=1024, chunk_overlap=200)],
    )
    ingested = time.perf_counter()
    retriever = index.as_retriever(similarity_top_k=5)
    seconds = []
    for question in json.loads(questions.read_text(encoding="utf-8")):
        begun = time.perf_counter()
        retriever.retrieve(question)
        seconds.append(time.perf_counter() - begun)
    reader = CrossEncoder(folder, num_labels=1, device="cpu", local_files_only=True)
    retriever = index.as_retriever(similarity_top_k=8)
    reading = []
    for question in json.loads(questions.read_text(encoding="utf-8")):
        begun = time.perf_counter()
        found = [(question, node.node.get_content()) for node in retriever.retrieve(question)]
        reader.predict(found, show_progress_bar=False)
        reading.append(time.perf_counter() - begun)
    print(
        json.dumps(
            {
                "read_p50": statistics.median(reading[1:]),
                "read_p95": statistics.quantiles(reading[1:], n=20)[-1],
                "load": loaded - started,
                "ingest": ingested - loaded,
                "first": seconds[0],
                "p50": statistics.median(seconds[1:]),
                "p95": statistics.quantiles(seconds[1:], n=20)[-1],
            }
        )
    )


if __name__ == "__main__":
    main()
