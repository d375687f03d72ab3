"""Measures how fast Polycite is, how its cost grows, and how it compares with LlamaIndex's default pipeline.

The rival (speed_rival.py) has the same encoder and the same texts; runs alternate, each in a process of its own, and
medians and ratios are shown. Beside it: sentence-transformers' own loop, the machine's own matrix products, corpora of
1 000 to 100 000 made sentences, and many askers at once through the HTTP interface.

usage: python benchmarks/speed.py [--runs N] [--sizes 1000,10000,100000] [--work FOLDER] [--only PART]
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from index.bert import Bert
from index.settings import PROJECT, SEEDS

HERE = Path(__file__).parent
RESULTS = HERE / "results"
MFLOP_A_TOKEN = 42  # twice the 21 M weights in the encoder's matrices
_ASKERS = (1, 4, 16, 32)
_PORT = 7871


class Table:
    """Rows as they are measured; each is printed at once."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add(self, what: str, ours: float, unit: str, rival: float | None = None, goal: str = "") -> None:
        """One figure; the ratio is ours by the rival's."""
        ratio = ours / rival if rival else None
        self.rows.append({"what": what, "ours": ours, "unit": unit, "rival": rival, "ratio": ratio, "goal": goal})
        against = f"{rival:10.3f} {ratio:8.2f}" if rival and ratio else " " * 19
        print(f"{what:58s} {ours:10.3f} {against}  {unit:10s} {goal}", flush=True)


def main() -> None:
    """Measure everything, print the table, write results and plots."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--work", type=Path)
    parser.add_argument("--only", default="", help="one of: " + ", ".join(PARTS))
    given = parser.parse_args()
    work = given.work or Path(tempfile.mkdtemp(prefix="polycite-bench-"))
    started, machine = time.perf_counter(), describe()
    print(f"{machine}\n{'':58s} {'Polycite':>10s} {'rival':>10s} {'ratio':>8s}  unit       goal")
    table = Table()
    bench = Bench(work, given.runs, [int(size) for size in given.sizes.split(",")], table)
    for name, part in PARTS.items():
        if given.only in ("", name):
            part(bench)
    print(f"{time.perf_counter() - started:.0f} s in all")
    if given.only:
        return
    RESULTS.mkdir(exist_ok=True)
    content = {"machine": machine, "date": time.strftime("%Y-%m-%d"), "rows": table.rows, "by_size": bench.by_size}
    (RESULTS / "latest.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    if bench.by_size:
        plot(bench.by_size)
    if not given.work:
        shutil.rmtree(work)


def describe() -> str:
    """Machine and versions."""
    from importlib.metadata import version

    names = ("torch", "sentence-transformers", "llama-index-core", "chromadb")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    model = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, {versions}"


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else []


class Bench:
    """What the parts share."""

    def __init__(self, work: Path, runs: int, sizes: list[int], table: Table) -> None:
        self.work, self.runs, self.sizes, self.table = work, runs, sizes, table
        self.by_size: list[dict[str, float]] = []
        self.corpus = work / "corpus"
        if not self.corpus.exists():
            for folder in sorted(HERE.glob("*/*/articles")):
                shutil.copytree(folder, self.corpus / folder.parent.name)
        self.questions = work / "questions.json"
        rows = (PROJECT / "tests" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
        self.questions.write_text(json.dumps([json.loads(row)["question"] for row in rows][:60]), encoding="utf-8")
        self.data = work / "data"
        self.polycite("index", "--corpus", str(SEEDS))  # builds the encoder, once
        self.model = next((self.data / "models").iterdir())

    def polycite(self, *arguments: str, data: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command line."""
        return _run([sys.executable, "-m", "qa.cli", *arguments, "--data", str(data or self.data)])

    def own(self, corpus: Path, data: Path, *more: str) -> dict[str, Any]:
        """One run of speed_own.py."""
        script = str(HERE / "speed_own.py")
        done = _run([sys.executable, script, str(corpus), str(self.questions), str(data), *more])
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return result

    def rival(self, corpus: Path) -> dict[str, float]:
        """One run of speed_rival.py."""
        done = _run([sys.executable, str(HERE / "speed_rival.py"), str(corpus), str(self.questions), str(self.model)])
        result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return result

    def fresh(self, name: str) -> Path:
        """A data folder that holds the encoder and nothing else."""
        data = self.work / name
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir()
        (data / "models").symlink_to(self.data.resolve() / "models")
        return data


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(PROJECT), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr[-2000:]}")
    return done


def _median(runs: list[dict[str, Any]], key: str) -> float:
    return float(statistics.median(run[key] for run in runs))


def against_rival(bench: Bench) -> None:
    """Ingest, questions and start, over the same articles."""
    ours, theirs, cold = [], [], []
    for _ in range(bench.runs):
        data = bench.fresh("against")
        ours.append(bench.own(bench.corpus, data) | {"asked": bench.own(bench.corpus, data, "--ask")})
        theirs.append(bench.rival(bench.corpus))
        begun = time.perf_counter()
        bench.polycite("ask", "What gifts did Putin give to Kim?", "--corpus", str(SEEDS))
        cold.append(time.perf_counter() - begun)
    asked = [run["asked"] for run in ours]
    number = len(list(bench.corpus.rglob("*.txt")))
    add = bench.table.add
    add(f"ingest {number} articles, {ours[0]['sentences']} sentences", _median(ours, "ingest"), "s",
        _median(theirs, "ingest"), "at most .7")  # fmt: skip
    add("question, p50", 1000 * _median(asked, "p50"), "ms", 1000 * _median(theirs, "p50"), "at most .5")
    add("question, p95", 1000 * _median(asked, "p95"), "ms", 1000 * _median(theirs, "p95"))
    add("question with the reader, p50 (rival: with a CrossEncoder)", 1000 * _median(asked, "read_p50"), "ms",
        1000 * _median(theirs, "read_p50"), "at most 400 ms")  # fmt: skip
    add("question with the reader, p95", 1000 * _median(asked, "read_p95"), "ms", 1000 * _median(theirs, "read_p95"))
    first = statistics.median(run["load"] + run["first"] for run in theirs)
    add("cold `polycite ask` (rival: load + first question)", statistics.median(cold), "s", first, "at most .4")
    usage = os.times()
    _run([sys.executable, "-m", "qa.cli", "--help"])
    after = os.times()
    spent = after.children_user + after.children_system - usage.children_user - usage.children_system
    add("`polycite --help`, CPU", spent, "s", None, "under .5")


def encoding(bench: Bench) -> None:
    """Tokens a second against sentence-transformers' own loop, and as a share of the machine's matrix products."""
    import torch
    from sentence_transformers import SentenceTransformer

    from index.sentences import split_sentences

    texts = []
    for path in sorted(bench.corpus.rglob("*.txt")):
        text = path.read_text(encoding="utf-8")
        texts += [text[span.start : span.end] for span in split_sentences(text, "en", 0)]
    texts = texts[:1000]
    own, other = Bert(bench.model), SentenceTransformer(str(bench.model), device="cpu", local_files_only=True)
    tokens = sum(len(output.ids) for _, output in own.run(texts, "passage: "))
    ours, theirs, products = [], [], []
    matrix = torch.rand(2048, 2048)
    for _ in range(bench.runs):
        ours.append(_seconds(lambda: list(own.run(texts, "passage: "))))
        torch.set_num_threads(os.cpu_count() or 1)
        theirs.append(_seconds(lambda: other.encode(texts, prompt="passage: ", batch_size=32, show_progress_bar=False)))
        products.append(_seconds(lambda: [matrix @ matrix for _ in range(10)]) / 10)
    rate = tokens / statistics.median(ours)
    bench.table.add("tokens a second (rival: sentence-transformers, batch 32)", rate, "tokens/s",
                    tokens / statistics.median(theirs), "1.5 or more")  # fmt: skip
    sgemm = 2 * 2048**3 / min(products) / 1e6
    bench.table.add("share of the machine's float32 matrix products", rate * MFLOP_A_TOKEN / sgemm, "", None, ".75")


def _seconds(run: Callable[[], object]) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def growing(bench: Bench) -> None:
    """The cost of corpora of different sizes."""
    for size in bench.sizes:
        data = bench.fresh(f"made-{size}")
        made = bench.own(bench.corpus, data, "--made", str(size))
        asked = bench.own(bench.corpus, data, "--made", str(size), "--ask")
        shutil.rmtree(data)
        bench.by_size.append({**{k: float(v) for k, v in asked.items()}, "write": made["ingest"]})
        label = f"{asked['sentences']:,} sentences: "
        per_sentence = (asked["rss"] - asked["rss_before"]) / asked["sentences"]
        first = bench.by_size[0]["p50"]
        add = bench.table.add
        add(label + "question, p50 (ratio to the smallest)", 1000 * asked["p50"], "ms", 1000 * first, "at most 2")
        add(label + "question, p95", 1000 * asked["p95"], "ms")
        add(label + "filtered by date and language, p50", 1000 * asked["filtered_p50"], "ms", 1000 * asked["p50"])
        add(label + "ten nearest among the candidates", asked["recall"], "share", None, "at least .99")
        add(label + "memory", asked["rss"] / 1e9, "GB", None, "under 1.2")
        add(label + "memory a sentence", per_sentence / 1000, "kB")
        add(label + "open in a new process", asked["open"], "s")
        add(label + "sync, nothing changed, an article", 1e6 * asked["no_change"] / asked["articles"], "us")
        add(label + "add one article", asked["one_more"], "s")
        add(label + "write everything but the encoding, a sentence", 1000 * made["ingest"] / made["sentences"], "ms")


def together(bench: Bench) -> None:
    """Many askers at once through the HTTP interface, and one while articles are indexed."""
    import httpx

    address = f"http://127.0.0.1:{_PORT}/api/ask"
    questions = json.loads(bench.questions.read_text(encoding="utf-8"))
    corpus = bench.work / "served"
    shutil.rmtree(corpus, ignore_errors=True)
    shutil.copytree(SEEDS, corpus)
    data = bench.fresh("serving")
    command = [
        sys.executable,
        "-m",
        "qa.cli",
        "serve",
        "--port",
        str(_PORT),
        "--rate-limit",
        "0",
        "--corpus",
        str(corpus),
    ]
    begun = time.perf_counter()
    with (bench.work / "serve.log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--data", str(data)], stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": str(PROJECT)}
        )
    try:

        def ask(question: str) -> float:
            return _seconds(lambda: httpx.post(address, json={"question": question}, timeout=120).raise_for_status())

        while True:
            try:
                ask(questions[0])
                break
            except httpx.TransportError:
                time.sleep(0.05)
        bench.table.add("`polycite serve`: start to first answer, all to be indexed", time.perf_counter() - begun, "s")
        alone = 0.0
        for askers in _ASKERS:
            with ThreadPoolExecutor(askers) as crowd:
                began = time.perf_counter()
                seconds = list(crowd.map(ask, questions * (3 if askers > 1 else 1)))
                rate = len(seconds) / (time.perf_counter() - began)
            p95 = statistics.quantiles(seconds, n=20)[-1]
            bench.table.add(f"{askers} askers: answers a second", rate, "1/s")
            bench.table.add(f"{askers} askers: p95 (ratio to p95 of one x askers)", 1000 * p95, "ms",
                            1000 * alone * askers if askers > 1 else None)  # fmt: skip
            alone = alone or p95
        for folder in sorted(bench.corpus.iterdir()):
            shutil.copytree(folder, corpus / folder.name)
        seconds = []
        while len(seconds) < 120:
            seconds.append(ask(questions[len(seconds) % len(questions)]))
        during = statistics.quantiles(seconds, n=20)[-1]
        bench.table.add("one asker while 169 articles are indexed: p95", 1000 * during, "ms", 1000 * alone, "at most 2")
    finally:
        server.kill()
        server.wait()


def plot(by_size: list[dict[str, float]]) -> None:
    """Cost against size, both logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.6))
    sizes = [row["sentences"] for row in by_size]
    for key, label, factor in (("p50", "question, p50", 1e3), ("p95", "question, p95", 1e3),
                               ("filtered_p50", "filtered, p50", 1e3)):  # fmt: skip
        axes[0].loglog(sizes, [factor * row[key] for row in by_size], marker="o", label=label)
    axes[0].set_ylabel("ms")
    for key, label in (("open", "open in a new process"), ("one_more", "add one article"), ("write", "write all")):
        axes[1].loglog(sizes, [row[key] for row in by_size], marker="o", label=label)
    axes[1].set_ylabel("s")
    for axis in axes:
        axis.set_xlabel("sentences")
        axis.grid(visible=True, which="both", alpha=0.3)
        axis.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(RESULTS / "speed.svg")


PARTS: dict[str, Callable[[Bench], None]] = {
    "rival": against_rival,
    "encoding": encoding,
    "size": growing,
    "users": together,
}

if __name__ == "__main__":
    main()
