"""Starting and ending the server."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

import ui
from index.errors import UserError
from index.settings import PROJECT, Settings
from qa.page.opening import Answerer, Progress
from qa.page.server import listen


def test_importing_the_app_is_quick_and_light() -> None:
    script = (
        "import sys, ui; print([name for name in ('gradio', 'torch', 'fastapi', 'chromadb') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_port_in_use_is_said_with_the_mend() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UserError, match=r"port \d+ is in use: .* --port"):
            ui.serve(Settings(), port=taken.getsockname()[1])


def test_impossible_addresses_are_said_with_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="0 to 65535"):
        listen("127.0.0.1", 99_999)

    def unknown(*arguments: object, **options: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(UserError, match=r"no address of this machine .* --host"):
        listen("nowhere.example", 7860)


def test_missing_folder_is_said_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--corpus"):
        ui.serve(Settings(corpus=tmp_path / "nothing"), port=0)


def test_server_ends_where_the_articles_do_not_open() -> None:
    def fail(settings: Settings, progress: Progress) -> Answerer:
        raise UserError("no such model")

    with pytest.raises(UserError, match="no such model"):
        ui.serve(Settings(), port=0, open_engine=fail)
