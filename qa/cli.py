"""The command line: ``polycite index | ask | evaluate | serve | mcp | password | doctor``.

Options also come from POLYCITE_* variables and from ``polycite.toml`` in the working folder, in that order of weight.
Whatever is wrong with the input is said in one line on standard error, with exit code 2.
"""

import json
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from index.errors import UserError
from index.settings import DEFAULT_MODEL, SEEDS, Settings
from qa.answer import SEARCHED
from qa.cli_doors import password, take_doors, with_doors
from qa.llm.options import taken, with_llm

if TYPE_CHECKING:
    from index.sync import SyncReport
    from qa.answer import Answer
    from qa.engine import Engine
    from qa.llm.settings import LLMSettings

_Command = TypeVar("_Command", bound=Callable[..., Any])
_CONFIGURATION = Path("polycite.toml")


def _option(*names: str, **details: Any) -> Callable[[_Command], _Command]:
    """An option that can also be set by POLYCITE_ and its name."""
    variable = "POLYCITE_" + names[0].lstrip("-").replace("-", "_").upper()
    return click.option(*names, envvar=variable, show_envvar=True, **details)


_SHARED = (
    _option("--corpus", type=click.Path(path_type=Path), default=SEEDS, help="Folder of articles. Default: seeds/"),
    _option("--store", default="", help="Folder of the collection, or http address of a Chroma server. "
            "Default: a folder of the corpus's own under the user's data directory."),
    _option("--data", type=click.Path(path_type=Path), default=None,
            help="Folder of encoders and collections. Default: the user's data directory."),
    _option("--model", default=DEFAULT_MODEL, show_default=True,
            help="Encoder: the built-in one, a sentence-transformers folder, or a hub name."),
    _option("--query-prompt", default=None, help="What stands before questions. Default: the model's own."),
    _option("--passage-prompt", default=None, help="What stands before passages. Default: the model's own."),
    _option("--reader", type=click.Choice(["on", "off"]), default="on", show_default=True,
            help="Whether the nearest passages are read together with the question: better at saying no, and slower."),
    _option("--allow-empty", is_flag=True, help="Take a folder without articles for what it is: forget the old ones."),
)  # fmt: skip


def _with_settings(command: _Command) -> _Command:
    """Give a command the options that every command understands."""
    for option in reversed(_SHARED):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="polycite")
@click.option("-v", "--verbose", is_flag=True, help="Say more about what is done.")
def polycite(verbose: bool) -> None:
    """Answers questions, asked in any language, about a folder of articles, and quotes them exactly.

    Every option can also be set as a POLYCITE_* variable (POLYCITE_CORPUS, POLYCITE_STORE, POLYCITE_PORT ...) or in a
    file polycite.toml in the working folder (corpus = "articles").
    """
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(message)s", stream=sys.stderr)


@polycite.command("index")
@_with_settings
@click.option("--rebuild", is_flag=True, help="Write the whole collection anew (cached vectors are kept).")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def index_command(rebuild: bool, as_json: bool, **options: Any) -> None:
    """Bring the collection in line with the folder."""
    engine = _open(_settings(options), rebuild=rebuild)
    report = engine.report
    if as_json:
        names = ("added", "changed", "removed", "unchanged", "sentences_encoded")
        counts = {name: getattr(report, name) for name in names}
        click.echo(json.dumps(counts | {"seconds": round(report.seconds, 3)}))
        return
    click.echo(
        f"{report.added} added, {report.changed} changed, {report.removed} removed, {report.unchanged} unchanged; "
        f"{report.sentences_encoded} sentences encoded in {report.seconds:.1f} s"
    )


@polycite.command()
@_with_settings
@with_llm
@click.argument("question")
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer as JSON.")
@_option("--language", default=None, help="Cite only articles in this language (ISO 639-1).")
@_option("--from", "since", default=None, help="Cite only articles from this month on (YYYY-MM).")
@_option("--to", "until", default=None, help="Cite only articles up to this month (YYYY-MM).")
@_option("--top", type=int, default=5, show_default=True, help="The most citations.")
def ask(
    question: str, as_json: bool, language: str | None, since: str | None, until: str | None, top: int, **options: Any
) -> None:
    """Answer one question."""
    llm = taken(options)
    engine = _open(_settings(options), llm=llm)
    answer = engine.ask(question, language=language, since=since, until=until, top=top)
    click.echo(json.dumps(answer.as_json(), ensure_ascii=False) if as_json else _as_text(answer))


@polycite.command()
@_with_settings
@with_llm
@click.argument("questions", type=click.Path(path_type=Path))
@_option(
    "--out", type=click.Path(path_type=Path), default=None, help="Folder of the results. Default: evaluation-NAME."
)
@click.option("--compare", "before", type=click.Path(path_type=Path), default=None, help="Folder of an earlier run.")
@click.option("--fail-under", multiple=True, metavar="METRIC=VALUE", help="Exit with 1 where a metric falls short.")
@click.option("--no-regression", is_flag=True, help="Exit with 1 on a significant loss against --compare.")
@click.option("--fresh", is_flag=True, help="Ask every question again, also those an interrupted run has answered.")
def evaluate(
    questions: Path,
    out: Path | None,
    before: Path | None,
    fail_under: Sequence[str],
    no_regression: bool,
    fresh: bool,
    **options: Any,
) -> None:
    """Answer a file of test questions and measure how good the answers are."""
    from qa import evaluation

    if no_regression and before is None:
        raise UserError("--no-regression compares with an earlier run: give --compare its folder")
    checks = evaluation.parse_checks(list(fail_under))
    llm = taken(options)
    settings = _settings(options)
    evaluation.read_questions(questions)  # say what is wrong with the input before anything is loaded
    if before is not None:
        evaluation.load(before)
    engine = _open(settings, llm=llm)
    asked = evaluation.read_questions(questions, known_articles=set(engine.articles))
    target = out or Path(f"evaluation-{questions.stem}")
    try:
        with click.progressbar(length=len(asked), label="asking", file=sys.stderr) as bar:
            result = evaluation.evaluate(
                asked,
                engine.ask,
                target,
                state=engine.state,
                texts={name: article.text for name, article in engine.articles.items()},
                languages={name: article.language for name, article in engine.articles.items()},
                progress=lambda done, total: bar.update(done - bar.pos),
                fresh=fresh,
            )
    except KeyboardInterrupt:
        click.echo(f"interrupted: the finished answers are in {target}; the same command goes on from there", err=True)
        raise SystemExit(130) from None
    click.echo(evaluation.headline(result.metrics))
    click.echo(f"\nreport: {result.report}")
    failures = evaluation.failing(result.metrics, checks)
    if before is not None:
        comparison = evaluation.compare(target, before)
        click.echo(evaluation.comparison_table(comparison))
        if no_regression:
            failures += [f"{each.metric} got worse" for each in evaluation.regressions(comparison)]
    for failure in failures:
        click.echo(failure, err=True)
    if failures:
        raise SystemExit(1)


@polycite.command()
@_with_settings
@with_llm
@_option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")
@_option("--port", type=int, default=7860, show_default=True, help="Port to bind.")
@click.option("--mcp", is_flag=True, help="Serve the tools of polycite mcp at /mcp, too.")
@with_doors
def serve(host: str, port: int, mcp: bool, **options: Any) -> None:
    """Serve the app."""
    import ui

    doors = take_doors(host, options)
    llm = taken(options)
    ui.serve(_settings(options), host=host, port=port, doors=doors, mcp=mcp, llm=llm)


@polycite.command()
@_with_settings
def mcp(**options: Any) -> None:
    """Serve search, ask and read_article to a language model's program, over standard input and output (MCP)."""
    import ui
    from qa.mcp_server import serve_stdio
    from qa.page.opening import Opening

    serve_stdio(Opening(_settings(options), ui.real_engine))


polycite.add_command(password)


@polycite.command()
@with_llm
def doctor(**options: Any) -> None:
    """Try the language model and say what is found."""
    llm = taken(options)
    if llm is None:
        click.echo("no language model is configured (--llm-url, --llm-model): answers are made of quotes")
        return
    from qa.llm.doctor import examine

    well = True
    for finding in examine(llm):
        click.echo(("ok    " if finding.well else "FAULT ") + finding.text)
        well = well and finding.well
    if not well:
        raise SystemExit(1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; wrong input ends in one line and exit code 2."""
    try:
        defaults = _configuration()
        polycite(list(arguments) if arguments is not None else None, standalone_mode=False, default_map=defaults)
    except UserError as error:
        _fail(str(error))
    except click.ClickException as error:
        _fail(f"{error.format_message()} (polycite --help lists commands and options)")
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        raise SystemExit(130) from None


def _fail(message: str) -> None:
    click.echo(f"polycite: {' '.join(message.split())}", err=True)
    raise SystemExit(2)


def _configuration() -> dict[str, Any]:
    """Defaults out of polycite.toml, for every command that has such an option."""
    import tomllib

    if not _CONFIGURATION.is_file():
        return {}
    try:
        values = tomllib.loads(_CONFIGURATION.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{_CONFIGURATION} cannot be read: {error}") from error
    known = {p.name: p for command in polycite.commands.values() for p in command.params}
    unknown = sorted(name for name in values if name.replace("-", "_") not in known)
    if unknown:
        raise UserError(f"{_CONFIGURATION} sets {unknown[0]!r}, which is no option: see polycite --help")
    clean = {name.replace("-", "_"): _as_given(known[name.replace("-", "_")], value) for name, value in values.items()}
    return {name: clean for name in polycite.commands}


def _as_given(option: click.Parameter, value: object) -> Any:
    """A value of polycite.toml as the command line would have it."""
    if option.multiple and isinstance(value, list):
        return [str(each) for each in value]
    if isinstance(value, bool) and isinstance(option, click.Option) and option.is_flag:
        return value
    if not isinstance(value, str | int | float) or "\0" in str(value):
        raise UserError(f"{_CONFIGURATION} sets {option.name!r} to {value!r}: write a text in quotes, or a number")
    return str(value)


def _settings(options: dict[str, Any]) -> Settings:
    return Settings(**options | {"reader": options["reader"] == "on"})


def _open(settings: Settings, *, rebuild: bool = False, llm: "LLMSettings | None" = None) -> "Engine":
    """The engine, with a progress bar on a terminal; files left out go to standard error."""
    from tqdm import tqdm

    from qa.engine import open_engine

    bar = tqdm(disable=not sys.stderr.isatty(), leave=False, unit=" articles")

    def show(stage: str, done: int, total: int) -> None:
        bar.set_description(stage)
        bar.total, bar.n = total or None, done
        bar.refresh()

    with bar:
        engine = open_engine(settings, show, rebuild=rebuild, llm=llm)
    _tell(engine.report)
    return engine


def _tell(report: "SyncReport") -> None:
    for left_out in report.left_out:
        click.echo(f"left out {left_out.name!r}: {left_out.reason}", err=True)


def _as_text(answer: "Answer") -> str:
    lines = [answer.answer, ""]
    if answer.context:
        lines.insert(0, f"about: {answer.context[-1]}")
    if answer.rewritten:
        lines.insert(0, f"understood as: {answer.rewritten}")
    if answer.llm and answer.llm.line:
        lines.insert(0, answer.llm.line)
    if any(not each.supported for each in answer.statements):
        lines.insert(-1, "[?] not supported by the sources")
    for citation in answer.citations:
        page = f"p. {citation.page}" if citation.page else None
        source = ", ".join(filter(None, [citation.article, page, citation.date, citation.language]))
        lines.append(f"[{citation.n}] {citation.title} ({source})")
        lines.append("    " + " ".join(citation.text.split()))
    sure = f"confidence {answer.confidence:.2f}, " if answer.kind in SEARCHED else ""
    lines.append(f"\n{sure}{answer.seconds:.2f} s")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
