"""The app: wires the engine to the page. ``python ui.py`` is ``polycite serve``."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from index.settings import Settings
from qa.page.opening import Answerer, Opening, Progress

if TYPE_CHECKING:
    import gradio as gr

    from qa.doors.doors import Doors

OpenEngine = Callable[[Settings, Progress], Answerer]


def build(opening: Opening) -> "gr.Blocks":
    """The page as Gradio Blocks, for another program to mount; ``opening`` holds the engine it asks."""
    from qa.page.blocks import build_page

    return build_page(opening)


def serve(
    settings: Settings, host: str = "127.0.0.1", port: int = 7860, *, open_engine: OpenEngine | None = None,
    doors: "Doors | None" = None, mcp: bool = False,
) -> None:  # fmt: skip
    """Serves the page and the HTTP interface until it is interrupted.

    The page is up at once; the articles are opened in the background. ``doors`` says who may come in: by default
    everybody on this machine. Raises UserError where the address cannot be had or the articles cannot be opened.
    """
    from qa.page.server import run

    run(settings, open_engine or real_engine, host, port, doors, mcp=mcp)


def real_engine(settings: Settings, progress: Progress) -> Answerer:
    """The real engine, whose imports take seconds."""
    from qa.engine import open_engine

    engine: Answerer = open_engine(settings, progress)
    return engine


if __name__ == "__main__":
    from qa.cli import main

    main(["serve", *sys.argv[1:]])
