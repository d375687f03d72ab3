"""The client against a scripted server: what streams, what fails and how it is called, what is never sent."""

import logging
import threading

import pytest
from scripted_llm import KEY, Reply, Script, ScriptedLLM, scripted

from index.errors import UserError
from qa.llm.client import Client
from qa.llm.faults import FaultKind, LLMFault, StoppedError
from qa.llm.prompt import Message
from qa.llm.settings import LLMSettings, check_url, llm_settings

HELLO = (Message("user", "Hello"),)
PATIENCE = 1.2  # seconds that an answer may take


def client(llm: ScriptedLLM, timeout: float = 20.0) -> Client:
    return Client(LLMSettings(llm.url, "scripted", KEY, timeout))


def test_pieces_come_as_they_are_written() -> None:
    with scripted(Reply("Një përgjigje e gjatë.", piece=5)) as llm:
        assert list(client(llm).stream(HELLO, 50)) == ["Një p", "ërgji", "gje e", " gjat", "ë."]
    assert llm.requests[0]["stream"] is True
    assert llm.requests[0]["model"] == "scripted"


def test_nothing_but_the_key_is_told_about_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-someone-else")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-someone-else")
    with scripted(Reply("Yes.")) as llm:
        assert client(llm).complete(HELLO, 5) == "Yes."
        assert Client(LLMSettings(llm.url, "scripted")).complete(HELLO, 5) == "Yes."
    with_key, without = llm.headers
    assert with_key["authorization"] == f"Bearer {KEY}"
    assert "authorization" not in without
    for sent in llm.headers:
        assert [name for name in sent if name.startswith(("x-stainless", "openai-"))] == []
        assert "someone-else" not in str(sent)


FAULTS: list[tuple[FaultKind, Reply]] = [
    ("auth", Reply(status=401, body=f'{{"error": {{"message": "Incorrect API key provided: {KEY}"}}}}')),
    ("rate", Reply(status=429)),
    ("rate", Reply(status=429, headers={"Retry-After": "3600"})),
    ("server", Reply(status=500)),
    ("request", Reply(status=404)),
    ("context", Reply(status=400, body='{"error": {"message": "exceeds the maximum context length of 512"}}')),
    ("malformed", Reply(body="data: {nonsense\n\n")),
    ("malformed", Reply(body='data: {"choices": 7}\n\n')),
    ("server", Reply(body='data: {"error": {"message": "out of memory"}}\n\n')),
    ("cut", Reply("Half an ans", cut_after=1)),
    ("cut", Reply("Half an ans", finish=None)),
    ("cut", Reply("Half an ans", finish="length")),
    ("slow", Reply("Too late.", first_after=PATIENCE)),
    ("timeout", Reply("On and on. ", endless=True, pause=0.05)),
]


@pytest.mark.parametrize(("kind", "reply"), FAULTS, ids=[f"{n}-{kind}" for n, (kind, _) in enumerate(FAULTS)])
def test_every_fault_is_known_by_name_and_comes_in_time(
    kind: FaultKind, reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with scripted(reply) as llm, pytest.raises(LLMFault) as caught:
        list(client(llm, PATIENCE).stream(HELLO, 50))
    assert caught.value.kind == kind
    assert len(llm.requests) == 1
    assert KEY not in str(caught.value)
    assert KEY not in caplog.text


def test_server_that_is_not_there() -> None:
    with scripted(Reply()) as llm:
        pass
    with pytest.raises(LLMFault) as caught:
        client(llm, 5).complete(HELLO, 5)
    assert caught.value.kind == "unreachable"


def test_retry_after_is_honoured() -> None:
    with scripted(Reply(status=429, headers={"Retry-After": "0.2"}), Reply("Now.")) as llm:
        assert client(llm).complete(HELLO, 5) == "Now."
    assert len(llm.requests) == 2


@pytest.mark.parametrize("reply", [Reply("x", first_after=30), Reply("word ", endless=True, pause=0.02)])
def test_stop_reaches_the_server(reply: Reply) -> None:
    with scripted(reply) as llm:
        stop = threading.Event()
        threading.Timer(0.3, stop.set).start()
        with pytest.raises(StoppedError):
            list(client(llm).stream(HELLO, 50, stop))
        assert llm.wait_given_up()


def test_a_closed_stream_is_closed_at_the_server() -> None:
    with scripted(Reply("word ", endless=True, pause=0.02)) as llm:
        stream = client(llm).stream(HELLO, 50)
        next(stream)
        stream.close()
        assert llm.wait_given_up()


def test_many_ask_at_once_over_one_client() -> None:
    def echo(body: dict[str, object]) -> Reply:
        messages = body["messages"]
        assert isinstance(messages, list)
        return Reply(f"You said {messages[-1]['content']}.", first_after=0.3)

    script: Script = echo
    answers: dict[int, str] = {}
    with scripted(script) as llm:
        shared = client(llm)

        def ask(n: int) -> None:
            answers[n] = shared.complete((Message("user", str(n)),), 20)

        threads = [threading.Thread(target=ask, args=(n,)) for n in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert llm.most_active > 1
    assert answers == {n: f"You said {n}." for n in range(12)}


def test_models_of_a_server() -> None:
    with scripted(Reply()) as llm:
        assert client(llm).models() == ["scripted", "other"]


def test_settings_never_show_the_key() -> None:
    settings = LLMSettings("http://127.0.0.1:1/v1", "m", KEY)
    assert KEY not in repr(settings)
    assert settings.masked(f"key {KEY}!") == "key ***!"


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("http://127.0.0.1:11434/v1/", "http://127.0.0.1:11434/v1"), ("http://localhost:8080", "http://localhost:8080/v1"),
        ("https://example.org/openai", "https://example.org/openai"),
    ],
)  # fmt: skip
def test_addresses(given: str, taken: str) -> None:
    assert check_url(given) == taken


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"url": "localhost:11434"}, "--llm-url"), ({"url": "http://" "me:secret@localhost/v1"}, "--llm-key"),
        ({"url": "http://localhost:x/v1"}, "--llm-url"), ({"model": None}, "--llm-model"), ({"url": None}, "--llm-url"),
        ({"timeout": 0.0}, "--llm-timeout"), ({"timeout": float("nan")}, "--llm-timeout"),
        ({"context": 10}, "--llm-context"),
    ],
)  # fmt: skip
def test_wrong_settings_say_what_and_how(options: dict[str, object], said: str) -> None:
    right: dict[str, object] = {
        "url": "http://example.org/v1",
        "model": "m",
        "key": KEY,
        "timeout": 9.0,
        "context": 4096,
    }
    with pytest.raises(UserError, match=said) as caught:
        llm_settings(**{**right, **options})  # type: ignore[arg-type]
    assert "secret" not in str(caught.value)
    assert KEY not in str(caught.value)


def test_no_server_named_means_none() -> None:
    assert llm_settings(None, None, "key of the environment", 60, 4096) is None
