"""Mixed-language test corpora out of parallel XQuAD files.

Article i stands once in the corpus, in one language; questions about it come in all of them, so most cross languages
and the right article competes with articles in the question's own language. Every sixth article may be left out: a
question about one of those should be declined.
"""

import json
import random
from pathlib import Path


def make_pool(
    xquad: Path, out: Path, languages: list[str], answerable: int, unanswerable: int = 0, shift: int = 0
) -> tuple[Path, Path]:
    """Write OUT/corpus and OUT/questions.jsonl; returns both paths. ``shift`` rotates languages over articles."""
    data = {code: json.loads((xquad / f"xquad.{code}.json").read_text(encoding="utf-8"))["data"] for code in languages}
    corpus = out / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    inside, outside = [], []
    for i in range(len(data[languages[0]])):
        left_out = bool(unanswerable) and i % 6 == 0
        code = languages[(i + shift) % len(languages)]
        name = f"a{i:02d}_{code}.txt"
        if not left_out:
            paragraphs = [p["context"].replace("\n", " ") for p in data[code][i]["paragraphs"]]
            (corpus / name).write_text("\n\n".join(paragraphs) + "\n", encoding="utf-8")
        for p, paragraph in enumerate(data[code][i]["paragraphs"]):
            for q, original in enumerate(paragraph["qas"]):
                language = languages[(i + p + q) % len(languages)]
                asked = data[language][i]["paragraphs"][p]["qas"][q]
                row = {"id": asked["id"], "language": language, "question": asked["question"]}
                if left_out:
                    outside.append(row | {"articles": [], "answers": []})
                else:
                    inside.append(row | {"pool": code, "articles": [name], "answers": [original["answers"][0]["text"]]})
    shuffle = random.Random(7).shuffle
    shuffle(inside)
    shuffle(outside)
    rows = inside[:answerable] + outside[:unanswerable]
    questions = out / "questions.jsonl"
    questions.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return corpus, questions
