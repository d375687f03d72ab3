"""A real model behind a real server: SmolLM2-135M-Instruct on llama.cpp. ``make test-llm`` runs this; pytest alone not.

So small a model answers badly. What is tested is all around it: streams, stop, many readers, and that whatever it says
is shown as it was judged.
"""

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.encoder import Encoder
from index.settings import SEEDS, Settings
from index.sync import sync
from qa.answer import Answer
from qa.engine import Engine
from qa.llm.client import Client
from qa.llm.doctor import examine
from qa.llm.faults import LLMFault, StoppedError
from qa.llm.prompt import Message
from qa.llm.settings import LLMSettings
from qa.llm.verify import Verifier
from qa.page.answers import render_answer
from qa.page.words import words

PYTHON = os.environ.get("POLYCITE_TEST_LLM_PYTHON", "")
SERVER = Path(__file__).with_name("small_model_server.py")
PATIENCE = 280.0  # seconds; a busy machine reads a long prompt slowly
COUNT = (Message("user", "Count from 1 to 200, in figures."),)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of the running server."""
    assert PYTHON, "POLYCITE_TEST_LLM_PYTHON must name the Python that has xllamacpp: run make test-llm"
    with subprocess.Popen(
        [PYTHON, str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout and server.stdin
        address = server.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        try:
            yield f"{address}/v1"
        finally:
            server.stdin.close()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()


@pytest.fixture
def client(url: str) -> Client:
    return Client(LLMSettings(url, "smollm2", timeout=PATIENCE, context=2048))


@pytest.fixture(scope="module")
def engine(encoder: Encoder, url: str, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    place = Settings(corpus=SEEDS, store=str(tmp_path_factory.mktemp("store")))
    report, collection = sync(place, encoder)
    return Engine(place, encoder, collection, report, LLMSettings(url, "smollm2", timeout=PATIENCE, context=2048))


def test_streams_piece_by_piece(client: Client) -> None:
    try:
        pieces = list(client.stream(COUNT, 40))
    except LLMFault as fault:  # it may well count beyond its forty tokens
        assert fault.kind == "cut"
        return
    assert len(pieces) > 5


def test_pieces_come_before_the_end(client: Client) -> None:
    stream = client.stream(COUNT, 400)
    said = next(stream) + next(stream) + next(stream)
    assert said.strip()
    stream.close()


def test_stop_frees_the_server(client: Client) -> None:
    """Three readers fill all its places; once they have gone, a fourth is answered."""
    for _ in range(3):
        stop = threading.Event()
        stream = client.stream(COUNT, 1500, stop)
        next(stream)
        stop.set()
        with pytest.raises(StoppedError):
            list(stream)
    assert client.complete((Message("user", "Say hello."),), 60)


def test_readers_are_served_side_by_side(client: Client) -> None:
    said: dict[int, str] = {}

    def ask(n: int) -> None:
        stream = client.stream((Message("user", f"Write a short sentence about the number {n}."),), 60)
        try:
            for piece in stream:
                said[n] = said.get(n, "") + piece
        except LLMFault as fault:
            assert fault.kind == "cut"

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(said) == [0, 1, 2, 3]
    assert all(text.strip() for text in said.values())


def test_too_long_a_prompt_is_known_as_such(url: str) -> None:
    small = Client(LLMSettings(url, "smollm2", timeout=PATIENCE))
    with pytest.raises(LLMFault) as caught:
        small.complete((Message("user", "word " * 4000),), 10)
    assert caught.value.kind == "context"


def test_the_doctor_finds_server_and_model(url: str) -> None:
    found = list(examine(LLMSettings(url, "smollm2", timeout=PATIENCE)))
    assert [finding.text.split(":")[0] for finding in found][:2] == ["server", "models"]
    assert "the chosen one among them" in found[1].text
    assert len(found) >= 3


@pytest.mark.parametrize("question", ["What gifts did Putin give to Kim?", "Kaj je Putin podaril Kimu?"])
def test_whatever_it_says_is_shown_as_it_was_judged(engine: Engine, question: str) -> None:
    shown: list[Answer] = list(engine.stream(question, top=2))
    last = shown[-1]
    assert last.llm is not None
    assert last.llm.state in ("written", "fallen_back", "declined")
    assert last.llm.state != "fallen_back" or last.llm.line
    by_number = {citation.n: citation for citation in last.citations}
    for statement in last.statements:
        cited = [by_number[n] for n in statement.citations]
        if statement.supported:
            assert Verifier(engine.encoder, engine.collection).check(statement.text, last.language, cited).supported
    supported = sum(each.supported for each in last.statements)
    if last.llm.state == "written":
        assert supported
        assert last.confidence == pytest.approx(shown[0].confidence * supported / len(last.statements))
    html = render_answer(last, words("en"))
    assert html.count('class="pc-statement pc-unsupported"') == len(last.statements) - supported


def test_a_declined_question_is_not_passed_on(engine: Engine) -> None:
    last = engine.ask("How do I bake sourdough bread?")
    assert not last.answered
    assert last.llm is None
