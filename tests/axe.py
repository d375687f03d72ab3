"""axe-core, out of the package axe-playwright-python, run in an open page."""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

_RUN = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
  .filter(({impact}) => impact === 'serious' || impact === 'critical')
  .map(({id, nodes}) => [id, ...nodes.map(node => `${node.target} ${node.failureSummary}`).slice(0, 3)].join(' | '))"""


def violations(page: "Page") -> list[str]:
    """What axe-core finds serious or critical in a page as it is shown now: its rule and up to three places."""
    page.evaluate(_source())
    found: list[str] = page.evaluate(_RUN)
    return found


@cache
def _source() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
