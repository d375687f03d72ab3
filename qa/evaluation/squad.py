"""Reads SQuAD v1.1 and v2.0 files (Rajpurkar et al. 2016, 2018) and writes their articles out as a corpus folder."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from index.errors import UserError
from qa.evaluation.questions import Question, build_question, fault, parse_json

_LARGEST = 300_000_000  # bytes; SQuAD's own training file is 42 MB
_MEND = "give a SQuAD v1.1 or v2.0 file; one question a line goes into a .jsonl file"


def read_squad(path: Path) -> Iterator[tuple[str, Question]]:
    """Place and question of each ``qas`` entry; its article is named as ``write_corpus`` names the file.

    A question marked ``is_impossible``, or without answers and without that mark, has both lists empty. Raises
    UserError for the first fault.
    """
    for i, (name, article) in enumerate(_articles(path)):
        for j, paragraph in enumerate(_get(f"{path}, data[{i}]", article, "paragraphs", list)):
            here = f"data[{i}].paragraphs[{j}]"
            for k, entry in enumerate(_get(f"{path}, {here}", paragraph, "qas", list)):
                place = f"{path}, {here}.qas[{k}]"
                yield place, build_question(place, _row(place, name, entry))


def write_corpus(squad_path: Path, folder: Path) -> list[str]:
    """Write one text file for each SQuAD article, its paragraphs parted by an empty line; returns the names.

    The names are those that ``read_questions(squad_path)`` gives in ``articles``. Raises UserError for a faulty file
    and for a folder that holds other files.
    """
    texts = {name: _text_of(f"{squad_path}, data[{i}]", a) for i, (name, a) in enumerate(_articles(squad_path))}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = sorted({path.name for path in folder.iterdir()} - texts.keys())
        if others:
            raise UserError(f"{folder}: holds other files already ({others[0]}): name an empty folder")
        for name, text in texts.items():
            (folder / name).write_bytes(text.encode())
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror}): name a folder you may write to") from error
    return list(texts)


def _articles(path: Path) -> Iterator[tuple[str, Any]]:
    """Name and object of each article. The number keeps names apart and stable whatever the titles are."""
    content = parse_json(str(path), _read(path), _MEND)
    for i, article in enumerate(_get(str(path), content, "data", list)):
        title = str(article.get("title") or "") if isinstance(article, dict) else ""
        slug = re.sub(r"\W+", "_", title).strip("_")[:40]
        yield f"{i:03d}_{slug or 'article'}.txt", article


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise fault(str(path), f"larger than {_LARGEST:,} bytes", "split it")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}): name a file of questions") from error
    except UnicodeDecodeError as error:
        raise fault(str(path), f"byte {error.start + 1} is not UTF-8", "save the file as UTF-8") from error


def _get(place: str, value: Any, key: str, kind: type) -> Any:
    if not isinstance(value, dict) or key not in value:
        raise fault(place, f'"{key}" is missing', _MEND)
    if not isinstance(value[key], kind):
        raise fault(place, f'"{key}" is not a {"list" if kind is list else "string"}', _MEND)
    return value[key]


def _row(place: str, name: str, entry: Any) -> dict[str, Any]:
    found = entry.get("answers", []) if isinstance(entry, dict) else []
    impossible = isinstance(entry, dict) and entry.get("is_impossible", found == []) is True
    texts = [] if impossible else [_get(place, answer, "text", str) for answer in _get(place, entry, "answers", list)]
    question = {"id": _get(place, entry, "id", str), "question": _get(place, entry, "question", str)}
    # Annotators often agree word for word: each string counts once.
    return question | {"articles": [] if impossible else [name], "answers": list(dict.fromkeys(texts))}


def _text_of(place: str, article: Any) -> str:
    contexts = [
        _get(f"{place}.paragraphs[{j}]", paragraph, "context", str)
        for j, paragraph in enumerate(_get(place, article, "paragraphs", list))
    ]
    text = "\n\n".join(contexts) + "\n"
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise fault(place, "a context holds half a character (a lone surrogate)", "write it as UTF-8") from error
    return text
