"""Polycite as one object: a corpus that is kept up to date, and questions answered from it."""

import hashlib
import logging
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from index.articles import Article
from index.collection import Collection
from index.encoder import LANGUAGES, Encoder, encoding_once, open_encoder
from index.errors import UserError
from index.settings import Settings
from index.sync import SyncReport, fingerprint, sync
from index.vectors import DamagedRecordError
from qa import confidence, dialogue
from qa.about import describe
from qa.answer import MOST_CITATIONS, Answer
from qa.answerer import compose, join, quoted, small_talk
from qa.excerpts import Excerpt, cite, cut_excerpts
from qa.page.words import fixed
from qa.parts import is_bare, parts_of
from qa.question import check_question, meant, understand
from qa.ranking import Filters, Ranking, rank
from qa.reader import Passage, PassageReader, Reader
from qa.reranking import Read, Reranker
from qa.summary import summarise
from qa.turns import SMALL_TALK, Turn, subject, take_apart

if TYPE_CHECKING:
    from qa.llm.client import Cancel, Client
    from qa.llm.settings import LLMSettings
    from qa.query_engine import PolyciteQueryEngine
    from qa.retriever import PolyciteRetriever

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
_MENDINGS = 3  # several, for another process may remove records while this one still answers from them
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])(?:-\d{2})?")


class Engine:
    """Answers questions about one corpus. Asking is safe from several threads; each sees one whole collection."""

    def __init__(
        self, settings: Settings, encoder: Encoder, collection: Collection, report: SyncReport,
        llm: "LLMSettings | None" = None, reader: PassageReader | None = None,
    ) -> None:  # fmt: skip
        """``reader``: what reads passages with the question; without one, retrieval alone decides."""
        self.settings = settings
        self.reader = reader
        self._reranker = Reranker(reader) if reader else None
        self.llm = llm
        self.encoder = encoder
        self.collection = collection
        self.report = report
        self._writing = threading.Lock()
        # Products here are small: two threads at one of them wait for each other beside any busy process, and askers
        # who come together keep all cores busy anyway.
        threadpool_limits(1)

    @property
    def articles(self) -> Mapping[str, Article]:
        """The articles by name."""
        return self.collection.articles

    @property
    def state(self) -> str:
        """A fingerprint of all that decides the answers: articles, encoder, and how they are used."""
        parts = [f"{name} {article.digest}" for name, article in sorted(self.articles.items())]
        state = hashlib.sha256("\n".join([*parts, fingerprint(self.encoder)]).encode())
        files = [*resources.files("qa").iterdir(), LANGUAGES]  # the fingerprint names the encoder's weights
        for file in sorted(files, key=lambda each: each.name):
            if file.name.endswith((".json", ".npz")):
                state.update(file.read_bytes())
        if self.reader:
            state.update(self.reader.fingerprint.encode())
        if self.llm:
            state.update(f"{self.llm.url} {self.llm.model}".encode())
        return state.hexdigest()

    def ask(
        self,
        question: str,
        *,
        history: Sequence[str] = (),
        language: str | None = None,
        since: str | None = None,
        until: str | None = None,
        top: int = MOST_CITATIONS,
        plain: bool = False,
    ) -> Answer:
        """Answer a question; ``history`` holds the earlier questions of the dialogue, oldest first.

        ``since`` and ``until`` (YYYY-MM, inclusive) and ``language`` (ISO 639-1) limit the articles that may be cited.
        ``plain``: whatever is asked is to be searched for, though it looked like a greeting.
        Raises UserError on an empty or overlong question and on a malformed date.
        """
        growing = self.stream(
            question, history=history, language=language, since=since, until=until, top=top, plain=plain
        )
        return deque(growing, maxlen=1)[0]

    def stream(
        self,
        question: str,
        *,
        history: Sequence[str] = (),
        language: str | None = None,
        since: str | None = None,
        until: str | None = None,
        top: int = MOST_CITATIONS,
        plain: bool = False,
        cancel: "Cancel | None" = None,
    ) -> Iterator[Answer]:
        """The same as it grows: once with the quotes, and then, where a language model writes, with ever more of it.

        All of a model's waiting comes after the first answer. A question that is declined is not passed on to it.
        Raises as ``ask`` does, and StoppedError soon after ``cancel`` is set.
        """
        started = time.perf_counter()
        text = check_question(question)
        filters = Filters(_month(since, "--from"), _month(until, "--to"), language)
        if not 1 <= top <= MOST_CITATIONS:
            raise UserError(f"--top {top} is out of range: give a number from 1 to {MOST_CITATIONS}")
        encoder = encoding_once(self.encoder)
        collection = self.collection
        asked = meant(text, encoder, collection)
        turn = Turn("question", asked) if plain else take_apart(asked, encoder)
        history = [meant(earlier, encoder, collection) for earlier in history]
        for _ in range(_MENDINGS):
            try:
                quotes = self._quotes(turn, history, filters, top, collection, encoder)
                break
            except DamagedRecordError as error:
                self._mend(error.key, collection)
                collection = self.collection
        else:
            quotes = self._quotes(turn, history, filters, top, collection, encoder)
        put_right = asked if asked.lower() != text.lower() and quotes.kind != "chat" else None
        quotes = replace(quotes, question=text, rewritten=put_right)
        growing = iter([quotes])
        if self.llm is not None and quotes.kind not in ("chat", "about"):
            growing = self._written(quotes, history, filters, top, collection, cancel)
        for answer in growing:
            yield replace(answer, seconds=time.perf_counter() - started)

    def _quotes(
        self, turn: Turn, history: Sequence[str], filters: Filters, top: int, collection: Collection, encoder: Encoder
    ) -> Answer:
        """What is said to a turn without a language model; ``seconds`` is left for the caller."""
        if turn.kind in ("question", "correction"):
            return self._searched(turn, history, filters, top, collection, encoder)
        question = understand(turn.text, encoder, collection)
        if turn.kind in SMALL_TALK:
            said = small_talk(turn.kind, question.language)
            return Answer(turn.text, question.language, False, said, 0.0, (), 0.0, kind="chat")
        if turn.kind == "about":
            said, excerpts = describe(question, collection, filters, top)
            cited = cite(excerpts, collection)
            return Answer(turn.text, question.language, bool(cited), said, 1.0, cited, 0.0, kind="about")
        of, several = subject(question.vector, turn.kind, encoder), turn.kind == "overview"
        cited = cite(summarise(question, of, collection, filters, top, several=several), collection)
        said = quoted(cited, collection.articles) if cited else fixed(question.language, "no_articles")
        return Answer(turn.text, question.language, bool(cited), said, 1.0, cited, 0.0, kind="summary")

    def _searched(
        self, turn: Turn, history: Sequence[str], filters: Filters, top: int, collection: Collection, encoder: Encoder
    ) -> Answer:
        """The quotes that answer, for each part of the question."""
        leans = turn.kind == "correction"
        parts = parts_of(turn.text, understand(turn.text, encoder, collection).spoken)
        answers = [self._asked(parts[0], history, filters, top, collection, encoder, leans=leans)]
        # A further part, and a question beside a pasted text, may lean on what stands before it or not; whichever
        # reading is answered more surely is meant.
        if turn.given:
            leaning = self._asked(parts[0], [*history, turn.given], filters, top, collection, encoder, leans=True)
            answers = [max(*answers, leaning, key=lambda each: each.confidence)]
        for i, part in enumerate(parts[1:], start=1):
            readings = [self._asked(part, [*history, *parts[:i]], filters, top, collection, encoder, leans=True)]
            if not is_bare(part):
                readings.append(self._asked(part, (), filters, top, collection, encoder, leans=False))
            answers.append(max(readings, key=lambda each: each.confidence))
        return answers[0] if len(parts) == 1 else join(turn.text, answers, collection.articles, top)

    def _asked(
        self, text: str, history: Sequence[str], filters: Filters, top: int, collection: Collection, encoder: Encoder,
        *, leans: bool,
    ) -> Answer:  # fmt: skip
        """The quotes that answer one question, of the time that it names if any of it answers."""
        found = dialogue.resolve(text, history, encoder, collection, filters, leans=leans)
        quotes = self._quote(found, collection, top)
        if found.filters.periods and not quotes.answered:
            anytime = replace(found.filters, periods=())
            wide = replace(found, ranking=rank(found.question, collection, anytime), filters=anytime)
            again = self._quote(wide, collection, top)
            quotes = again if again.answered else quotes
        return replace(quotes, context=found.context)

    def _quote(self, found: dialogue.Resolved, collection: Collection, top: int) -> Answer:
        """The extractive answer; ``seconds`` is left for the caller."""
        question, ranking = found.question, found.ranking
        read: list[Read] | None = None
        if self._reranker:
            ranking, read = self._reranker.rerank(question, ranking, collection)
        excerpts = cut_excerpts(ranking, collection, MOST_CITATIONS)
        probability, answered = self._judge(found, ranking, excerpts, collection, read)
        citations = cite(excerpts[:top], collection)
        return Answer(
            question=question.text,
            language=question.language,
            answered=answered,
            answer=compose(citations, collection.articles, question.language, answered),
            confidence=probability,
            citations=citations,
            seconds=0.0,
        )

    def _judge(
        self, found: dialogue.Resolved, ranking: Ranking, excerpts: Sequence[Excerpt], collection: Collection,
        read: Sequence[Read] | None,
    ) -> tuple[float, bool]:  # fmt: skip
        """The probability that the excerpts answer, and whether it is enough."""
        if not excerpts:
            return 0.0, False
        model = confidence.load_model(confidence.WITH_READER if read else confidence.WITHOUT_READER)
        probability = model.probability(confidence.signals(found.question, ranking, excerpts, collection, read))
        return probability, probability >= model.threshold

    def _written(
        self, quotes: Answer, history: Sequence[str], filters: Filters, top: int, collection: Collection,
        cancel: "Cancel | None",
    ) -> Iterator[Answer]:  # fmt: skip
        """The answer in prose by the language model, which also rewrites a question that leans on the dialogue."""
        from qa.llm.answering import begun, write
        from qa.llm.rewrite import rewrite
        from qa.llm.verify import Verifier

        client = self._client
        if quotes.context and not quotes.parts:
            yield begun(quotes, client.settings.model)
            rewritten = rewrite(client, quotes.question, history, quotes.language, cancel)
            if rewritten is not None:
                look = dialogue.look(rewritten, self.encoder, collection, filters)
                own = replace(look.question, text=quotes.question, languages={quotes.language: 1.0})
                again = replace(self._quote(replace(look, question=own), collection, top), rewritten=rewritten)
                quotes = again if again.answered or not quotes.answered else quotes
        if quotes.answered:
            yield from write(client, Verifier(self.encoder, collection), quotes, history, cancel)
        else:
            yield quotes

    @cached_property
    def _client(self) -> "Client":
        from qa.llm.client import Client

        if self.llm is None:
            raise UserError("no language model is configured: give --llm-url and --llm-model")
        return Client(self.llm)

    def warm_up(self) -> None:
        """Loads what the first question would wait for."""
        meant("Who was it, and when?", self.encoder, self.collection)
        if self.reader:
            self.reader.read("?", [Passage("?", [0])])

    @property
    def sentence_counts(self) -> Mapping[str, int]:
        """Sentences by name of article."""
        collection = self.collection
        counts = np.bincount(collection.article_of, minlength=len(collection.names))
        return dict(zip(collection.names, counts.tolist(), strict=True))

    def refresh(self, progress: Progress | None = None, *, allow_empty: bool = False) -> SyncReport:
        """Bring the collection in line with the folder; questions go on being answered from the old one meanwhile.

        Raises UserError where the folder is not there, or is empty and ``allow_empty`` does not say that it should be.
        """
        settings = replace(self.settings, allow_empty=allow_empty or self.settings.allow_empty)
        with self._writing:
            before = self.collection
            self.report, self.collection = sync(settings, self.encoder, progress=progress, previous=before)
        return self.report

    def _mend(self, key: str, collection: Collection) -> None:
        """Encode an article again whose record is damaged, or was removed by another process."""
        with self._writing:
            if self.collection is collection:  # else another thread has mended it
                log.warning("stored vectors of an article are damaged or gone: it is encoded again where it is there")
                self.report, self.collection = sync(self.settings, self.encoder, previous=collection, damaged=[key])

    @property
    def retriever(self) -> "PolyciteRetriever":
        """The retrieval stage for LlamaIndex programs."""
        from qa.retriever import PolyciteRetriever

        return PolyciteRetriever(self.collection, self.encoder)

    @property
    def query_engine(self) -> "PolyciteQueryEngine":
        """The whole of it for LlamaIndex programs."""
        from qa.query_engine import PolyciteQueryEngine

        return PolyciteQueryEngine(answerer=self.ask)


def open_engine(
    settings: Settings, progress: Progress | None = None, *, rebuild: bool = False, llm: "LLMSettings | None" = None
) -> Engine:
    """Load the encoder (built at its first use), bring the collection up to date, and load it.

    ``llm``: the language model that writes the answers; None for answers made of quotes.
    """
    if progress:
        progress("encoder", 0, 0)
    encoder = open_encoder(settings)
    report, collection = sync(settings, encoder, rebuild=rebuild, progress=progress)
    reader = Reader(settings) if settings.reader else None
    return Engine(settings, encoder, collection, report, llm, reader)


def _month(value: str | None, option: str) -> int | None:
    """YYYYMM of a date as users write it."""
    if value is None or value == "":
        return None
    match = _MONTH.fullmatch(value)
    if match is None:
        raise UserError(f"{option} {value!r} is not a month: write it as YYYY-MM, e.g. 2024-06")
    return int(match[1] + match[2])
