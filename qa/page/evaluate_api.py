"""What the Evaluate tab asks the server for: HTML to show, runs to start and stop, files to download."""

import asyncio
import logging
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response

from index.errors import UserError
from index.settings import PROJECT, SEEDS
from qa.evaluation.files import read_object
from qa.evaluation.table import show
from qa.page.browsers import shelf_name
from qa.page.comparing import render_comparison
from qa.page.evaluate_view import MOST_LISTED, Sources, render_fault, render_tab
from qa.page.evaluating import Evaluator
from qa.page.feedback import feedback_file
from qa.page.handlers import Handler, guarded, read_body
from qa.page.opening import Opening
from qa.page.results import render_result
from qa.page.runs import MOST_BYTES, Run, Shelf
from qa.page.words import Words, words

SEED_QUESTIONS = PROJECT / "tests" / "questions.jsonl"
_FILES = {"report.html": "text/html", "predictions.jsonl": "application/jsonl"}
_LOG = logging.getLogger(__name__)


def add_evaluate_routes(app: FastAPI, opening: Opening) -> None:
    """Adds the routes to an application; before those that would take their paths."""
    routes = EvaluateRoutes(opening)
    table: tuple[tuple[str, str, Handler], ...] = (
        ("GET", "/page/evaluate", routes.tab),
        ("GET", "/page/evaluate/progress", routes.progress),
        ("POST", "/page/evaluate/start", routes.start),
        ("POST", "/page/evaluate/cancel", routes.cancel),
        ("GET", "/page/evaluate/runs/{run}/{file}", routes.file),
        ("GET", "/page/feedback.jsonl", routes.feedback),
    )
    for method, path, handler in table:
        app.add_api_route(path, guarded(handler), methods=[method], response_model=None, include_in_schema=False)


class EvaluateRoutes:
    """The handlers of the routes."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._settings = opening.settings
        self._evaluator = Evaluator(opening)
        own = opening.settings.corpus.resolve() == SEEDS.resolve()
        self._seeds = SEED_QUESTIONS if own and SEED_QUESTIONS.is_file() else None

    async def tab(self, request: Request) -> Response:
        """The tab, with the result of ``run``, or with ``before`` and ``after`` compared."""
        html = await asyncio.to_thread(self._render, request)
        return HTMLResponse(html, headers={"Cache-Control": "no-store"})

    async def progress(self, request: Request) -> Response:
        """How far the run has come, null where there is none."""
        progress = self._evaluator.progress(self._owner(request))
        return JSONResponse(progress.as_json() if progress else None, headers={"Cache-Control": "no-store"})

    async def start(self, request: Request) -> Response:
        """Begins a run of the body, of a known question file (``source``), or goes on with one (``run``)."""
        owner = self._owner(request)
        self._evaluator.check(owner)
        wrong = f"the question file: larger than {MOST_BYTES:,} bytes: split it, or use polycite evaluate"
        body = await read_body(request, MOST_BYTES, UserError(wrong))
        engine = await self._opening.ready()
        articles = dict(engine.articles)
        run = await asyncio.to_thread(self._begin, request, body, articles)
        questions = await asyncio.to_thread(run.questions, articles)
        self._evaluator.start(owner, run, questions, engine)
        return JSONResponse({"run": run.key})

    async def cancel(self, request: Request) -> Response:
        """Ends the run after the question that is being asked."""
        self._evaluator.cancel(self._owner(request))
        return JSONResponse({})

    async def file(self, request: Request) -> Response:
        """A file of a finished run, to be saved."""
        run, name = self._shelf(request).find(request.path_params["run"]), request.path_params["file"]
        if run is None or name not in _FILES or not run.complete:
            return JSONResponse({"error": "there is no such file"}, 404)
        return FileResponse(run.folder / name, media_type=_FILES[name], filename=name)

    async def feedback(self, request: Request) -> Response:
        """The test questions that this browser has made in the chat."""
        kept = self._kept(request)
        if kept is None:
            return JSONResponse({"error": "there are no test questions yet: make one in the chat"}, 404)
        return FileResponse(kept, media_type="application/jsonl", filename="feedback.jsonl")

    def _begin(self, request: Request, body: bytes, articles: dict[str, Any]) -> Run:
        """The run that a request wants, kept in its folder."""
        shelf, query = self._shelf(request), request.query_params
        source, key = query.get("source", ""), query.get("run", "")
        if key:
            found = shelf.find(key)
            if found is None or found.complete:
                raise UserError("there is no such unfinished evaluation: start a new one")
            return found
        known = {"seeds": self._seeds, "kept": self._kept(request)}
        if source in known:
            file = known[source]
            if file is None:
                raise UserError("there are no such questions: upload a question file")
            return shelf.add(file.name if source == "seeds" else "feedback.jsonl", file.read_bytes(), articles)
        return shelf.add(query.get("name", ""), body, articles)

    def _render(self, request: Request) -> str:
        query = request.query_params
        here = words(query.get("ui", ""))
        shelf, owner = self._shelf(request), self._owner(request)
        runs = shelf.all()[:MOST_LISTED]
        chosen = query.get("run", "")
        shown = _shown(shelf, query, here)
        kept = self._kept(request)
        sources = Sources(self._seeds is not None, kept.read_bytes().count(b"\n") if kept else 0)
        accuracies = _accuracies(runs, here.language)
        return render_tab(sources, self._evaluator.progress(owner), runs, accuracies, chosen, shown, here)

    def _owner(self, request: Request) -> str:
        """Whose runs these are. Raises UserError without the cookie that the page sets."""
        owner = shelf_name(request.cookies, self._settings)
        if owner is None:
            raise UserError("the browser has sent no cookie: allow cookies for this page and load it again")
        return owner

    def _shelf(self, request: Request) -> Shelf:
        return Shelf(self._settings.data_folder / "evaluations" / self._owner(request))

    def _kept(self, request: Request) -> Path | None:
        file = feedback_file(self._settings, request.cookies)
        return file if file and file.is_file() else None


def _shown(shelf: Shelf, query: QueryParams, here: Words) -> str:
    """The result or the comparison that is asked for, or why it cannot be had; "" for none."""
    before, after, run = (shelf.find(query.get(key, "")) for key in ("before", "after", "run"))
    try:
        if before and after and before.complete and after.complete:
            return render_comparison(before, after, here)
        return render_result(run, here) if run and run.complete else ""
    except UserError as error:
        said = str(error)
        for known in (before, after, run):
            said = known.explain(said) if known else said
        return render_fault(said)


def _accuracies(runs: list[Run], language: str) -> dict[str, str]:
    """The headline figure of each finished run; damaged ones are left out."""
    found = {}
    for run in runs:
        try:
            if run.complete:
                value = read_object(run.folder / "metrics.json")["all"]["accuracy"]["value"]
                found[run.key] = show("accuracy", value, language)
        except (UserError, KeyError, TypeError):
            _LOG.warning("the files of evaluation %s are damaged", run.key)
    return found
