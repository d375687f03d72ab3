"""The engine with a model behind it, over the seeds with the real encoder; the doctor and the command line."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from scripted_llm import KEY, Reply, ScriptedLLM, codes_of, scripted

from index.encoder import Encoder
from index.settings import SEEDS, Settings
from index.sync import sync
from qa.cli import polycite
from qa.engine import Engine
from qa.llm.settings import LLMSettings
from qa.page.opening import Opening
from qa.page.words import words

GIFTS = "What gifts did Putin give to Kim?"
BACK = "And what did he give back?"


@pytest.fixture(scope="module")
def indexed(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    place = Settings(corpus=SEEDS, store=str(tmp_path_factory.mktemp("store")))
    report, collection = sync(place, encoder)
    return Engine(place, encoder, collection, report)


def with_model(plain: Engine, llm: ScriptedLLM, timeout: float = 60) -> Engine:
    settings = LLMSettings(llm.url, "scripted", KEY, timeout)
    return Engine(plain.settings, plain.encoder, plain.collection, plain.report, settings)


def rewriting(question: str, answer: str) -> Any:
    """A model that rewrites to ``question`` and answers ``answer``."""

    def script(body: dict[str, Any]) -> Reply:
        return Reply(question if "Rewrite" in body["messages"][0]["content"] else answer)

    return script


@pytest.mark.slow
def test_a_true_sentence_is_supported_and_false_ones_are_not(indexed: Engine) -> None:
    said = "Putin gave Kim an Aurus car {1}. It cost 700000 rubles {1}. Macron gave Scholz a horse {1}. So be it [1]."
    with scripted(Reply(said)) as llm:
        answer = with_model(indexed, llm).ask(GIFTS)
    assert [each.supported for each in answer.statements] == [True, False, False, False]
    assert [each.reason for each in answer.statements][1::2] == ["number", "citation"]
    plain = indexed.ask(GIFTS)
    assert answer.citations == plain.citations
    assert answer.confidence == pytest.approx(plain.confidence / 4)
    assert len(codes_of(llm.requests[0])) == len(answer.citations)


@pytest.mark.slow
def test_without_a_model_nothing_changes(indexed: Engine) -> None:
    answer = indexed.ask(GIFTS)
    assert (answer.statements, answer.llm, answer.rewritten) == ((), None, None)
    assert [each.answer for each in indexed.stream(GIFTS)] == [answer.answer]


@pytest.mark.slow
def test_a_declined_question_costs_no_call(indexed: Engine) -> None:
    with scripted(Reply("Flour {1}.")) as llm:
        answer = with_model(indexed, llm).ask("How do I bake sourdough bread?")
    assert not answer.answered and answer.llm is None
    assert llm.requests == []


@pytest.mark.slow
def test_a_follow_up_is_rewritten_and_shown(indexed: Engine) -> None:
    rewritten = "What gifts did Kim give back to Putin?"
    with scripted(rewriting(rewritten, "Kim gave Putin works of art {1}.")) as llm:
        engine = with_model(indexed, llm)
        answer = engine.ask(BACK, history=[GIFTS])
        assert answer.rewritten == rewritten
        assert answer.question == BACK
        assert len(llm.requests) == 2
        assert rewritten in llm.requests[1]["messages"][1]["content"]
        assert engine.ask(GIFTS, history=["Who came?"]).rewritten is None  # stands by itself
        assert len(llm.requests) == 3


@pytest.mark.slow
def test_a_follow_up_that_cannot_be_rewritten_goes_the_old_way(indexed: Engine) -> None:
    plain = indexed.ask(BACK, history=[GIFTS])
    with scripted(Reply(status=500)) as llm:
        answer = with_model(indexed, llm).ask(BACK, history=[GIFTS])
    assert answer.rewritten is None
    assert answer.citations == plain.citations
    assert answer.llm and answer.llm.fault == "server"
    assert answer.answer == plain.answer


@pytest.mark.slow
@pytest.mark.parametrize(("question", "language"), [(GIFTS, "en"), ("Çfarë i dhuroi Putini Kimit?", "sq")])
def test_a_dead_server_means_quotes_and_a_line(indexed: Engine, question: str, language: str) -> None:
    with scripted(Reply()) as llm:
        engine = with_model(indexed, llm)
    answer = engine.ask(question)
    assert answer.llm and answer.llm.line == words(language).say("llm_unreachable")
    assert answer.answer == indexed.ask(question).answer


@pytest.mark.slow
def test_the_page_gives_up_what_nobody_waits_for(indexed: Engine) -> None:
    async def first_then_leave(opening: Opening) -> int:
        growing = opening.stream(GIFTS)
        async for answer in growing:
            assert answer.citations
            if answer.llm and answer.llm.draft:
                break
        await growing.aclose()
        return 1

    with scripted(Reply("Going on {1} and on and on ", endless=True, pause=0.05)) as llm:
        engine = with_model(indexed, llm)
        opening = Opening(indexed.settings, lambda settings, progress: engine)
        opening.start()
        asyncio.run(first_then_leave(opening))
        assert llm.wait_given_up()


@pytest.mark.slow
def test_questions_run_beside_an_answer_that_is_written(indexed: Engine) -> None:
    async def both(opening: Opening) -> list[str]:
        done: list[str] = []

        async def ask(question: str) -> None:
            answer = await opening.ask(question)
            done.append(answer.llm.state if answer.llm else "none")

        await asyncio.gather(ask(GIFTS), ask("How do I bake sourdough bread?"))
        return done

    with scripted(Reply("Putin gave Kim an Aurus car {1}.", first_after=1.5)) as llm:
        engine = with_model(indexed, llm)
        opening = Opening(indexed.settings, lambda settings, progress: engine)
        opening.start()
        assert asyncio.run(both(opening)) == ["none", "written"]


# ---- the command line ------------------------------------------------------------------------------------------------


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """Runs ``polycite doctor`` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(polycite, ["doctor", *arguments])

    yield run


def test_doctor_without_a_model(doctor: Any) -> None:
    found = doctor()
    assert found.exit_code == 0
    assert "no language model" in found.output


def test_doctor_finds_all_well(doctor: Any) -> None:
    with scripted(Reply("The engineer Ana Doda opened it {1}.")) as llm:
        found = doctor("--llm-url", llm.url, "--llm-model", "scripted", "--llm-key", KEY)
    assert found.exit_code == 0, found.output
    assert [line.split()[0] for line in found.output.splitlines()] == ["ok"] * 4
    assert "cites its sources" in found.output
    assert KEY not in found.output


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply("Ana Doda."), "cites nothing"), (Reply(""), "says nothing"),
        (Reply(status=401, body=json.dumps({"error": {"message": f"wrong key {KEY}"}})), "--llm-key"),
        (Reply(status=404), "--llm-model"),
    ],
)  # fmt: skip
def test_doctor_names_the_fault_and_the_mend(doctor: Any, reply: Reply, said: str) -> None:
    with scripted(reply) as llm:
        found = doctor("--llm-url", llm.url, "--llm-model", "scripted", "--llm-key", KEY)
    assert found.exit_code == 1
    assert said in found.output
    assert "FAULT" in found.output
    assert KEY not in found.output


def test_doctor_lists_what_there_is_in_place_of_a_model_that_is_not(doctor: Any) -> None:
    with scripted(Reply("Ana Doda {1}.")) as llm:
        found = doctor("--llm-url", llm.url, "--llm-model", "llama")
    assert "'llama' is not listed; there are: scripted, other" in found.output


def test_settings_come_out_of_the_file_and_the_environment(
    doctor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qa.cli import main

    with scripted(Reply("Ana Doda {1}.")) as llm:
        (tmp_path / "polycite.toml").write_text(f'llm-url = "{llm.url}"\nllm-model = "scripted"\n', encoding="utf-8")
        monkeypatch.setenv("POLYCITE_LLM_KEY", KEY)
        main(["doctor"])
    assert llm.headers[-1]["authorization"] == f"Bearer {KEY}"
