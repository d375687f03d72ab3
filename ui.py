"""The app: wires the engine to the page. ``python ui.py`` is ``polycite serve``."""

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from index.settings import Settings
from qa.page.opening import Answerer, Opening, Progress

if TYPE_CHECKING:
    import gradio as gr

    from qa.doors.doors import Doors
    from qa.llm.settings import LLMSettings

OpenEngine = Callable[[Settings, Progress], Answerer]


def build(opening: Opening) -> "gr.Blocks":
    """The page as Gradio Blocks, for another program to mount; ``opening`` holds the engine it asks."""
    from qa.page.blocks import build_page

    return build_page(opening)


def serve(
    settings: Settings, host: str = "127.0.0.1", port: int = 7860, *, open_engine: OpenEngine | None = None,
    doors: "Doors | None" = None, mcp: bool = False, llm: "LLMSettings | None" = None,
) -> None:  # fmt: skip
    """Serves the page and the HTTP interface until it is interrupted; ``llm``: the model that writes the answers.

    The page is up at once; the articles are opened in the background. ``doors`` says who may come in: by default
    everybody on this machine. Raises UserError where the address cannot be had or the articles cannot be opened.
    """
    from qa.page.server import run

    run(settings, open_engine or partial(real_engine, llm=llm), host, port, doors, mcp=mcp)


def real_engine(settings: Settings, progress: Progress, llm: "LLMSettings | None" = None) -> Answerer:
    """The real engine, whose imports take seconds."""
    from qa.engine import open_engine

    engine = open_engine(settings, progress, llm=llm)
    engine.warm_up()
    return engine


if __name__ == "__main__":
    from qa.cli import main

    main(["serve", *sys.argv[1:]])
