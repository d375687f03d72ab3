"""Coverage-guided fuzzing, where atheris is installed: one process for each parser, from a few good inputs on."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from index.settings import PROJECT

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not importlib.util.find_spec("atheris"), reason="atheris is not installed: pip install atheris"),
]
RUNS = 20_000  # inputs for each parser
_ROW = {"id": "1", "question": "Kdaj?", "articles": ["a.txt"], "answers": ["5. maja 2024"], "language": "sl"}
SEEDS = {
    "sentences": ["Dr. Novak je 5. maja prišel. Why? »Ne.«\n\n中文。好", "e.g. this; J. R. R. T. No. 5"],
    "dates": ["korrik 2023 and 2024年1月", "5. maja 2024, 12/2023, ٢٠٢٤"],
    "requests": [json.dumps({"question": "x", "history": ["y"], "language": "sq", "from": "2024-06", "top": 3})],
    "questions": [
        "0" + json.dumps(_ROW),
        "2id,question,articles,answers\n1,Why?,a.txt,b\n",
        '1{"data":[{"paragraphs":[]}]}',
    ],
    "articles": ["date 2024-06\n\nTitle\n\nText.", "\ufeffx"],
    "doors": [
        "ana:scrypt$16384$8$5$AAAAAAAA$AAAAAAAAAAAAAAAA",
        '{"data":[],"fn_index":1,"session_hash":"x"}',
        "[::1]:80",
    ],
    "spans": ["0123456789abcdef<b>&amp;\r\n"],
}


@pytest.mark.parametrize("target", SEEDS)
def test_nothing_breaks_a_parser(target: str, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(SEEDS[target]):
        (corpus / str(number)).write_text(seed, encoding="utf-8")
    command = [sys.executable, "tests/coverage_fuzz.py", target, f"-runs={RUNS}", "-max_len=600", "-rss_limit_mb=2000",
               "-timeout=20", f"-artifact_prefix={tmp_path}/", str(corpus)]  # fmt: skip
    run = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=280)
    assert run.returncode == 0, run.stderr[-3000:]
    done = re.search(r"Done (\d+) runs", run.stderr)
    assert done and int(done[1]) >= RUNS
