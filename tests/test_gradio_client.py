"""The page's Gradio API, called by ``gradio_client`` as the README shows."""

import re
from collections.abc import Iterator

import pytest
from fake_engine import FakeEngine, opener
from gradio_client import Client
from gradio_client.exceptions import AppError
from serving import serving

from index.settings import PROJECT, Settings
from qa.page.opening import Opening
from qa.page.server import create_app

ENGINES: list[FakeEngine] = []


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    opening = Opening(Settings(), opener(ENGINES))
    opening.start()
    with serving(create_app(opening)) as address:
        yield address


def test_the_example_of_the_readme(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(from gradio_client .*?)^```", readme, re.M | re.S)
    exec(example.replace("http://127.0.0.1:7860", address))  # noqa: S102 - our own README
    assert "004_d3aeb010e0d73a70.txt" in capsys.readouterr().out.splitlines()[-1]


def test_every_option_reaches_the_engine(address: str) -> None:
    client = Client(address, verbose=False, analytics_enabled=False)
    answer = client.predict("gifts?", top=2, language="sq", history=["Who?"], api_name="/ask")
    expected = ENGINES[0].ask("gifts?", top=2, history=["Who?"])
    assert answer == expected.as_json()
    assert ENGINES[0].asked[-2:] == [("gifts?", ("Who?",))] * 2
    for wrong, word in (({"question": " "}, "empty"), ({"question": "x", "since": "June"}, "since")):
        with pytest.raises(AppError, match=word):
            client.predict(**wrong, api_name="/ask")
    with pytest.raises(AppError) as failed:
        client.predict("explode", api_name="/ask")
    assert "as asked" not in str(failed.value)
