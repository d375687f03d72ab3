"""The project's own rules: layers, light imports, pinned versions, untouched seeds, nothing of one machine."""

import ast
import graphlib
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from index.settings import PROJECT

HEAVY = ("torch", "chromadb", "gradio", "llama_index", "transformers", "sentence_transformers", "matplotlib")
SEEDS = {
    "000_bd85b523315c1be6.txt": "c22950ed792a93143880f71377a89a3ef7a11d7e01891f5c046e1a8769991067",
    "001_1977e9eac9134f9c.txt": "8f58c17567e42bc67e4d825072ae36d8bbfebdbb16a6a55f4875c854e610b8e5",
    "002_e05fb4bfbdb8159e.txt": "0bb96760504b8681a8a53db43edb2644b7db6649364708ca3fa7120ce064de5b",
    "003_9e4a11ebb3bf0955.txt": "75498ac8c91c3bdf93c4469a8a0b4c55dd8ac1e3e564e1ded24a6d0884a2fb74",
    "004_d3aeb010e0d73a70.txt": "82f76ea04cfb162c57520547e7b1e1ed5070dd3db6a71343a9a02c7b3c6dd7ae",
}
_PIN = re.compile(r"(?P<name>[\w.-]+)==(?P<version>\d[\w.]*)(?:; .+)?")
_MACHINE_PATH = re.compile(r"(?<![\w.*])/(?:work|root|opt)/")
_INTERNAL_HOST = re.compile(
    r"https?://(?:[\w-]+(?=[:/\s])(?<!localhost)(?<!testserver)|[\w.-]+\.(?:internal|intranet|corp|lan)\b)"
)
_REGISTRY = re.compile(r"(?:index[-_]url|find[-_]links|trusted[-_]host)\b|pypi\.|pythonhosted\.", re.IGNORECASE)


def modules() -> dict[str, Path]:
    """Our modules by dotted name."""
    found = {}
    for package in ("index", "qa"):
        for path in (PROJECT / package).rglob("*.py"):
            parts = path.relative_to(PROJECT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path, *, lazy: bool) -> set[str]:
    """Dotted names that a module imports at its top, and with ``lazy`` inside functions too; not for types alone."""
    names: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        for_types = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        in_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if not for_types and (lazy or not in_function):
            waiting.extend(ast.iter_child_nodes(node))
    return names


def project_texts() -> Iterator[tuple[str, str]]:
    """Name and text of every text file of the project; not what tools leave behind."""
    for folder, folders, files in os.walk(PROJECT):
        kept = (name for name in folders if name == ".ci" or not name.startswith("."))
        folders[:] = [name for name in kept if name not in ("build", "dist", "__pycache__") and "egg-info" not in name]
        for path in (Path(folder) / file for file in files):
            raw = path.read_bytes()
            if b"\0" not in raw:
                yield path.relative_to(PROJECT).as_posix(), raw.decode("utf-8", errors="replace")


def pins() -> dict[str, str]:
    """Versions in the lock by canonical name."""
    lines = (PROJECT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    matches = {line: _PIN.fullmatch(line) for line in lines if not line.startswith("#")}
    assert [line for line, match in matches.items() if not match] == []
    return {canonicalize_name(match["name"]): match["version"] for match in matches.values() if match}


def loaded_by(code: str) -> set[str]:
    """The heavy packages that a Python program has loaded at its end."""
    report = f"\nimport sys\nprint('LOADED', *[name for name in {HEAVY!r} if name in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code + report], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return set(run.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("package", ["index", "qa"])
def test_importing_a_package_loads_nothing_heavy(package: str) -> None:
    assert loaded_by(f"import {package}") == set()


def test_help_of_the_command_line_loads_nothing_heavy() -> None:
    code = (
        "import sys\nsys.argv = ['polycite', '--help']\nfrom qa.cli import main\ntry: main()\nexcept SystemExit: pass"
    )
    assert loaded_by(code) == set()


def test_the_command_is_installed_and_lists_its_subcommands() -> None:
    command = Path(sys.executable).with_name("polycite")
    shown = subprocess.run([command, "--help"], capture_output=True, text=True, check=True).stdout
    assert [
        name for name in ("index", "ask", "evaluate", "serve") if not re.search(rf"^\s+{name}\b", shown, re.M)
    ] == []


def test_index_never_imports_qa() -> None:
    upward = {
        (module, name)
        for module, path in modules().items()
        if module.split(".")[0] == "index"
        for name in imports(path, lazy=True)
        if name.split(".")[0] in ("qa", "ui")
    }
    assert upward == set()


def test_no_import_cycles() -> None:
    known = modules()
    graph = {
        module: {name if name in known else name.rpartition(".")[0] for name in imports(path, lazy=False)}
        & known.keys()
        for module, path in known.items()
    }
    tuple(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError, which names the cycle


def test_commands_of_the_readme_exist() -> None:
    readme, makefile = PROJECT / "README.md", (PROJECT / "Makefile").read_text(encoding="utf-8")
    text = readme.read_text(encoding="utf-8") if readme.exists() else "```\nmake run\nmake test\n```"
    code = "\n".join(re.findall(r"^```[^\n]*\n(.*?)^```", text, re.M | re.S))
    named = set(re.findall(r"^(?:\$ )?make +([a-z-]+)", code, re.M)) | set(re.findall(r"`make ([a-z-]+)", text))
    assert {"run", "test"} <= named <= set(re.findall(r"^([a-z-]+):", makefile, re.M))


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_alone_lists_every_target() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    shown = subprocess.run(["make"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^make ([a-z-]+)", shown, re.M) == re.findall(r"^\.PHONY: (.+)$", makefile, re.M)


def test_old_python_gets_one_clear_line(tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.lock", "requirements-llm.lock", "pyproject.toml"):
        shutil.copy(PROJECT / name, tmp_path)
    run = subprocess.run(["make", "test", "PYTHON=false"], cwd=tmp_path, capture_output=True, text=True, check=False)
    ours = [line for line in run.stderr.splitlines() if not line.startswith("make")]
    assert run.returncode != 0
    assert len(ours) == 1
    assert "Python 3.11" in ours[0]


def test_nothing_of_one_machine_in_the_project() -> None:
    texts = [(name, text) for name, text in project_texts() if not name.startswith("seeds/")]
    assert len(texts) > len(modules())
    assert [(name, match[0]) for name, text in texts for match in _MACHINE_PATH.finditer(text)] == []
    assert [(name, match[0]) for name, text in texts for match in _INTERNAL_HOST.finditer(text)] == []
    settings = [(name, text) for name, text in texts if not name.endswith((".py", ".md", ".txt", ".jsonl"))]
    assert [(name, match[0]) for name, text in settings for match in _REGISTRY.finditer(text)] == []


def test_lock_pins_exactly_and_only_what_may_be_published() -> None:
    locked = pins()
    assert locked["torch"] == "2.13.0"
    assert [name for name in locked if name.startswith(("nvidia-", "cuda-", "triton"))] == []


def test_lock_holds_every_dependency_in_a_version_allowed() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    needed = [Requirement(line) for line in project["dependencies"] + extras]
    locked = pins()
    assert [r for r in needed if not r.specifier.contains(locked.get(canonicalize_name(r.name), "0"))] == []


def test_seeds_are_untouched() -> None:
    folder = PROJECT / "seeds"
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()} == SEEDS


def test_the_guard_blocks_what_leaves_this_machine(offline: list[str]) -> None:
    with pytest.raises(OSError, match="may not leave"), socket.create_connection(("192.0.2.1", 9), timeout=1):
        pass
    with pytest.raises(OSError, match="may not leave"):
        socket.getaddrinfo("example.org", 80)
    offline.clear()
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass
