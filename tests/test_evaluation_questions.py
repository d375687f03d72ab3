"""Question files: what they hold is read alike from every format, and each fault is one clear line."""

import json
from pathlib import Path
from typing import Any

import pytest

from index.errors import UserError
from qa.evaluation import Question, read_questions, unfindable, write_corpus

ROW = {"id": "q1", "question": "Kur u themelua Tirana?", "language": "sq", "articles": ["a.txt"], "answers": ["1614"]}


def line(**changes: Any) -> str:
    return json.dumps({**ROW, **changes}, ensure_ascii=False) + "\n"


def without(key: str) -> str:
    return json.dumps({name: value for name, value in ROW.items() if name != key}) + "\n"


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def fault_of(path: Path, known: set[str] | None = None) -> str:
    with pytest.raises(UserError) as caught:
        read_questions(path, known)
    text = str(caught.value)
    assert "\n" not in text and len(text) < 600 and path.name in text
    return text


HOSTILE: dict[str, tuple[str | bytes, tuple[str, ...]]] = {
    "empty file": ("", ("holds no question",)),
    "blank lines only": ("\n \n", ("holds no question",)),
    "10 MB line": (line() + line(id="q2", question="x" * 10_000_000), ("line 2", "longer than 1,000,000 bytes")),
    "10 MB without an end": (b"a" * 10_000_000, ("line 1", "longer than")),
    "invalid UTF-8": (line().encode() + b'{"id": "\xff\xfe"}\n', ("line 2", "not UTF-8", "save the file as UTF-8")),
    "UTF-16": (line().encode("utf-16"), ("line 1", "not UTF-8")),
    "not JSON": ("Kur u themelua Tirana?\n", ("line 1", "not JSON", "one object a line")),
    "half a line": (line() + line()[:40], ("line 2", "not JSON")),
    "a list": ("[]\n", ("line 1", "a list instead of an object")),
    "null": ("null\n", ("line 1", "null instead of an object")),
    "nested too deep": ("[" * 200_000 + "\n", ("line 1", "nested too deep")),
    "endless number": ('{"id": ' + "9" * 5000 + "}\n", ("line 1", "cannot be read")),
    "missing id": (without("id"), ("line 1", '"id" is missing')),
    "missing question": (without("question"), ("line 1", '"question" is missing')),
    "missing articles": (without("articles"), ("line 1", '"articles" is missing')),
    "missing answers": (without("answers"), ("line 1", '"answers" is missing')),
    "id a number": (line(id=7), ("line 1", '"id" is a number', "write a string")),
    "question null": (line(question=None), ("line 1", '"question" is null')),
    "question blank": (line(question=" \u2003"), ("line 1", '"question" is empty')),
    "articles a string": (line(articles="a.txt"), ("line 1", '"articles" is a string', "list of strings")),
    "answers an object": (line(answers={"text": "1614"}), ("line 1", '"answers" is an object')),
    "an answer a number": (line(answers=["1614", 1614]), ("line 1", '"answers[1]" is a number')),
    "an answer empty": (line(answers=[""]), ("line 1", '"answers[0]" is empty')),
    "language a list": (line(language=["sq"]), ("line 1", '"language" is a list')),
    "language markup": (line(language="<b>"), ("line 1", "not a language code")),
    "lone surrogate": ('{"id": "q", "question": "\\ud800?", "articles": [], "answers": []}\n', ("line 1", "surrogate")),
    "lone surrogate in a label": (
        '{"id": "q", "question": "?", "language": "\\ud800", "articles": [], "answers": []}\n',
        ("line 1", "not a language code"),
    ),
    "only answers empty": (line(answers=[]), ("line 1", 'only "answers" is empty')),
    "only articles empty": (line(articles=[]), ("line 1", 'only "articles" is empty')),
    "duplicate id": (line() + "\n" + line(question="Kur?"), ("line 3", "'q1' stands already in line 1")),
    "newline in an id": (line(id="a\nb") * 2, ("line 2", "stands already in line 1")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_lines_give_one_clear_line(tmp_path: Path, name: str) -> None:
    content, expected = HOSTILE[name]
    text = fault_of(write(tmp_path, "questions.jsonl", content))
    assert all(part in text for part in expected), text


def test_unknown_articles_are_named(tmp_path: Path) -> None:
    path = write(tmp_path, "q.jsonl", line() + line(id="q2", articles=["a.txt", "b.txt"]))
    assert "line 2" in fault_of(path, {"a.txt"}) and "'b.txt'" in fault_of(path, {"a.txt"})
    assert len(read_questions(path, {"a.txt", "b.txt"})) == 2


def test_missing_file_and_folder(tmp_path: Path) -> None:
    assert "cannot be read" in fault_of(tmp_path / "none.jsonl")
    assert "cannot be read" in fault_of(tmp_path)


def test_lines_are_read_as_they_stand(tmp_path: Path) -> None:
    more = '{"id": "q2", "question": "谁?", "articles": [], "answers": [], "pool": "zh", "note": 1}'
    path = write(tmp_path, "q.jsonl", "\ufeff" + line() + "\r\n" + more)
    assert read_questions(path) == [
        Question("q1", ROW["question"], "sq", ("a.txt",), ("1614",)),  # type: ignore[arg-type]
        Question("q2", "谁?", None, (), (), "zh"),
    ]


def test_a_question_survives_its_own_json(tmp_path: Path) -> None:
    question = Question("ë|\n", "Pse “?”\u2028", None, ("a|b.txt",), ("x|y", "[z"), "sq")
    path = write(tmp_path, "q.jsonl", json.dumps(question.as_json()))
    assert read_questions(path) == [question]


def test_kind_and_history_are_read(tmp_path: Path) -> None:
    asked = Question("1", "And he?", "en", ("a.txt",), (), kind="summary", history=("Who came?", "Why?"))
    assert not asked.searched and asked.as_json()["history"] == ["Who came?", "Why?"]
    assert read_questions(write(tmp_path, "q.jsonl", json.dumps(asked.as_json()))) == [asked]
    for row, message in (({"kind": "song"}, "write one of answer, declined"), ({"history": "Who?"}, "list of strings")):
        line = json.dumps({"id": "1", "question": "?", "articles": [], "answers": []} | row)
        with pytest.raises(UserError, match=message):
            read_questions(write(tmp_path, "q.jsonl", line))


def test_unfindable_questions() -> None:
    questions = [Question(str(i), "?", None, ("a.txt",), (answer,)) for i, answer in enumerate(("1614", "1615"))]
    assert unfindable(questions, {"a.txt": "Tirana, 1614.", "b.txt": "1615"}) == ["1"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_tables(tmp_path: Path, separator: str) -> None:
    rows = [
        ("Answers", "question", "articles", "language"),
        ("1614|viti 1614", '"Kur, a; b?\nE dyta"', "a.txt", "sq"),
        ('"[""x|y"", ""z""]"', "Çfarë?", "a.txt | b.txt", ""),
        ("", "", "", ""),
        ("[sic]", "谁?", "a.txt", ""),
        ("", "Asgjë?", "", ""),
    ]
    path = write(tmp_path, "q.csv", "\ufeff" + "\r\n".join(separator.join(row) for row in rows) + "\r\n")
    assert read_questions(path) == [
        Question("line-2", "Kur, a; b?\nE dyta", "sq", ("a.txt",), ("1614", "viti 1614")),
        Question("line-4", "Çfarë?", None, ("a.txt", "b.txt"), ("x|y", "z")),
        Question("line-6", "谁?", None, ("a.txt",), ("[sic]",)),
        Question("line-7", "Asgjë?", None, (), ()),
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", ("holds no question",)),
        ("question,articles,answers\n", ("holds no question",)),
        ("question,articles\nx,y\n", ("line 1", 'no column "answers"')),
        ("id,id,question,articles,answers\n", ("line 1", "stands twice")),
        ("question,articles,answers\nx,a.txt\n", ("line 2", "2 cells under 3 columns")),
        ("question,articles,answers\nx,,\nx,a,\n", ("line 3", 'only "answers" is empty')),
        ('question,articles,answers\nx,,\n"x,a,b\n', ("line 3", "not closed")),
        ("id,question,articles,answers\n,x,,\n", ("line 2", '"id" is empty')),
        ("id,question,articles,answers\n1,x,,\n1,y,,\n", ("line 3", "already in line 2")),
        ("question,articles,answers\nx,a||b,c\n", ("line 2", '"articles[1]" is empty')),
        ('question,articles,answers\nx,a,"[1]"\n', ("line 2", '"answers[0]" is a number')),
        ("question,articles,answers\n" + "x" * 10_000_000, ("line 2", "longer than")),
        ("question,articles,answers\n" + "x" * 500_000 + ",,\n", ("line 2", "field limit")),
        (b"question,articles,answers\n\xff,,\n", ("line 2", "not UTF-8")),
    ],
)
def test_hostile_tables_give_one_clear_line(tmp_path: Path, content: str | bytes, expected: tuple[str, ...]) -> None:
    text = fault_of(write(tmp_path, "q.csv", content))
    assert all(part in text for part in expected), text


def squad(**qas: Any) -> dict[str, Any]:
    entry = {"id": "s1", "question": "Когда?", "answers": [{"text": "1703", "answer_start": 8}] * 2} | qas
    paragraphs = [{"context": "Город в 1703 году.", "qas": [entry]}, {"context": "Второй\r\nабзац.", "qas": []}]
    return {"version": "2.0", "data": [{"title": "Санкт/Петербург: ../x", "paragraphs": paragraphs}]}


def test_squad_and_its_corpus(tmp_path: Path) -> None:
    path = write(tmp_path, "squad.json", json.dumps(squad()))
    names = write_corpus(path, tmp_path / "corpus")
    assert names == ["000_Санкт_Петербург_x.txt"] == write_corpus(path, tmp_path / "corpus")
    text = (tmp_path / "corpus" / names[0]).read_bytes().decode()
    assert text == "Город в 1703 году.\n\nВторой\r\nабзац.\n"
    assert read_questions(path, names) == [Question("s1", "Когда?", None, (names[0],), ("1703",))]


def test_squad_without_answers(tmp_path: Path) -> None:
    entries: tuple[dict[str, Any], ...] = ({"is_impossible": True}, {"answers": []})
    for entry in entries:
        path = write(tmp_path, "squad.json", json.dumps(squad(**entry)))
        assert read_questions(path) == [Question("s1", "Когда?", None, (), ())]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "not JSON"),
        (line() + line(id="q2"), "not JSON"),
        ("[]", '"data" is missing'),
        ('{"data": {}}', '"data" is not a list'),
        ('{"data": [{"title": "x"}]}', 'data[0]: "paragraphs" is missing'),
        ('{"data": [3]}', '"paragraphs" is missing'),
        (json.dumps(squad(id=3)), 'paragraphs[0].qas[0]: "id" is not a string'),
        (json.dumps(squad(answers=[{}])), '"text" is missing'),
        (json.dumps(squad(answers=[], is_impossible=False)), 'only "answers" is empty'),
        ('{"data": []}', "holds no question"),
        (b'{"data": "\xff"}', "not UTF-8"),
    ],
)
def test_hostile_squad_gives_one_clear_line(tmp_path: Path, content: str | bytes, expected: str) -> None:
    assert expected in fault_of(write(tmp_path, "squad.json", content))


def test_a_corpus_is_not_mixed_into_another(tmp_path: Path) -> None:
    path = write(tmp_path, "squad.json", json.dumps(squad()))
    with pytest.raises(UserError, match="holds other files already"):
        write_corpus(path, tmp_path)
