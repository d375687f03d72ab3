"""The one named endpoint of the page's Gradio API, ``/ask``, for ``gradio_client``."""

from typing import Any

import gradio as gr

from index.errors import UserError
from qa.page.opening import Opening
from qa.page.programs import one_line
from qa.page.requests import check_ask


def add_gradio_api(opening: Opening) -> None:
    """Adds the endpoint to the Blocks that are being built."""

    async def ask(
        question: str, language: str = "", since: str = "", until: str = "", top: int = 5,
        history: list[str] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """One answer, as ``POST /api/ask`` gives it; an empty string stands for no limit."""
        given = {"question": question, "language": language or None, "since": since or None, "until": until or None}
        try:
            asked = check_ask(given | {"top": top, "history": history or []}, by_name=True)
            answer = await opening.ask(asked.question, **asked.options)
        except UserError as error:
            raise gr.Error(one_line(str(error)), print_exception=False) from None
        return answer.as_json()

    gr.api(ask, api_name="ask", concurrency_limit=None)
