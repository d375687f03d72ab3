"""The options of the command line that name a language model."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from qa.llm.settings import LLMSettings

_Command = TypeVar("_Command", bound=Callable[..., Any])
NAMES = ("llm_url", "llm_model", "llm_key", "llm_timeout", "llm_context")
_OPTIONS = (
    ("--llm-url", str, None, "Address of an OpenAI-compatible server whose model writes the answers. Default: none."),
    ("--llm-model", str, None, "Name of the model on that server."),
    ("--llm-key", str, None, "Key for that server; better given as the variable, which other users cannot see."),
    ("--llm-timeout", float, 60.0, "Seconds that an answer of the model may take."),
    ("--llm-context", int, 4096, "Tokens that prompt and answer may take together."),
)


def with_llm(command: _Command) -> _Command:
    """Give a command the options of a language model."""
    for name, kind, default, text in reversed(_OPTIONS):
        variable = "POLYCITE_" + name.lstrip("-").replace("-", "_").upper()
        option = click.option(
            name, type=kind, default=default, envvar=variable, show_envvar=True, show_default=default is not None,
            help=text,
        )  # fmt: skip
        command = option(command)
    return command


def taken(options: dict[str, Any]) -> "LLMSettings | None":
    """The settings, which are taken out of ``options``; None where no model is named. Raises UserError."""
    from qa.llm.settings import llm_settings

    url, model, key, timeout, context = (options.pop(name) for name in NAMES)
    return llm_settings(url, model, key, timeout, context)
