"""Imports run one way: model <- pure <- IO <- engine <- shells. Functions and modules stay small."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.builders import ROOT

PACKAGE = ROOT / "harness" / "counterfoil"
TESTS = ROOT / "tests"
LAYERS = (
    {"model", "errors"},
    {"allowance", "compat", "core", "gate", "probe", "runs", "schema"},
    {"breaking", "broker", "ledger", "probing", "project", "results", "stub", "system", "verifying"},
    {"lanes"},
    {"__main__", "commands", "pytest_items", "pytest_plugin", "reporters"},
)
"""The folders and modules right in the package: words, pure core, IO, engine, shells."""
WORDS, PURE, _, _, SHELLS = LAYERS
PURE_AMONG_IO = {"ledger.names"}
SCRIPTS = {"verifying.verification_worker"}
"""Programs of their own: they may write to their own standard output."""
OUTSIDE = {"subprocess", "socket", "http", "urllib", "shutil", "tempfile", "threading", "time", "asyncio", "psutil"}
HARMLESS = {"urllib.parse"}
"""Parts of them that compute and touch nothing."""
WRITERS = {"click", "rich"}
MAX_FUNCTION_LINES = 40
MAX_MODULE_LINES = 400
VAGUE = {"utils", "util", "helpers", "helper", "base", "manager", "common", "misc"}
GENERATED = {"stub/v1"}


@cache
def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name within it, without generated code and empty packages."""
    files = (path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")
    names = {path.relative_to(PACKAGE).with_suffix("").as_posix(): path for path in files}
    return {
        name.replace("/", "."): path
        for name, path in names.items()
        if not any(name.startswith(one) for one in GENERATED)
    }


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> set[str]:
    """The modules that a file imports, ours without the package's name: `pacts`, `reporters.json_report`, `time`."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            ours = module.removeprefix("counterfoil").lstrip(".")
            inside = module.split(".")[0] == "counterfoil"
            for alias in node.names:
                full = ".".join(part for part in (ours, alias.name) if part)
                found.add(full if inside and full in modules() else ours if inside else module)
    return found - {""}


@cache
def ours(path: Path) -> set[str]:
    return imports(path) & set(modules())


def layer(name: str) -> int:
    """words 0, pure 1, IO 2, engine 3, shells 4."""
    if name in PURE_AMONG_IO:
        return LAYERS.index(PURE)
    return next(number for number, layer in enumerate(LAYERS) if room(name) in layer)


def room(name: str) -> str:
    """The folder right in the package in which a module is; the module itself where it is in none."""
    return name.split(".", maxsplit=1)[0]


def is_pure(name: str) -> bool:
    return layer(name) <= LAYERS.index(PURE)


def is_shell(name: str) -> bool:
    return room(name) in SHELLS


@pytest.mark.parametrize("name", sorted(modules()))
def test_imports_run_one_way(name: str) -> None:
    against = {other for other in ours(modules()[name]) if layer(other) > layer(name)}
    assert not against, f"{name} imports {against}"


def test_rooms_import_in_no_circle() -> None:
    graph: dict[str, set[str]] = {}
    for name, path in modules().items():
        graph.setdefault(room(name), set()).update(room(other) for other in ours(path) if room(other) != room(name))
    with pytest.raises(CycleError):
        TopologicalSorter({**graph, "model": {"lanes"}}).prepare()
    assert next(iter(TopologicalSorter(graph).static_order())) in WORDS


@pytest.mark.parametrize("name", sorted(WORDS & set(modules())))
def test_the_words_import_nothing_of_ours(name: str) -> None:
    assert not ours(modules()[name])


@pytest.mark.parametrize("name", [name for name in sorted(modules()) if is_pure(name)])
def test_what_is_pure_touches_nothing_outside(name: str) -> None:
    assert not {one.split(".")[0] for one in imports(modules()[name]) - HARMLESS} & (OUTSIDE | WRITERS)
    assert not set(calls(tree(modules()[name]))) & {"open", "read_text", "read_bytes", "write_text", "write_bytes"}


@pytest.mark.parametrize("name", [name for name in sorted(set(modules()) - SCRIPTS) if not is_shell(name)])
def test_nothing_prints_below_the_shells(name: str) -> None:
    assert not {one.split(".")[0] for one in imports(modules()[name])} & WRITERS
    assert "print" not in set(calls(tree(modules()[name])))


def calls(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name | ast.Attribute):
            yield one.func.id if isinstance(one.func, ast.Name) else one.func.attr


@pytest.mark.parametrize("name", sorted(modules()))
def test_names_say_something(name: str) -> None:
    assert not VAGUE & set(name.split("."))


def test_every_room_has_one_layer_and_a_line_in_the_table() -> None:
    rooms = [one for layer in LAYERS for one in layer]
    assert sorted(rooms) == sorted({room(name) for name in modules()})
    assert set(modules()) >= PURE_AMONG_IO | SCRIPTS
    table = [line for line in (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    assert not [one for one in rooms if not any(f"`{one}" in line for line in table)]


def python_files() -> list[str]:
    files = [*modules().values(), *TESTS.rglob("*.py")]
    return sorted(str(path.relative_to(ROOT)) for path in files)


@pytest.mark.parametrize("name", python_files())
def test_functions_and_modules_are_small(name: str) -> None:
    path = ROOT / name
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_MODULE_LINES
    assert not [f"{function} has {size} lines" for function, size in sizes(tree(path)) if size > MAX_FUNCTION_LINES]


def sizes(module: ast.Module) -> Iterator[tuple[str, int]]:
    """Functions with their number of lines, without decorators."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or 0) - node.lineno + 1


def test_the_checks_find_what_they_look_for(tmp_path: Path) -> None:
    """Negative control: a module that breaks every rule above is seen to."""
    file = tmp_path / "bad.py"
    body = "\n".join(f"    print({number})" for number in range(MAX_FUNCTION_LINES))
    file.write_text(
        "import subprocess\nfrom counterfoil.lanes import engine\nfrom counterfoil.commands.cli import main\n"
        f"def f():\n{body}\n"
    )
    assert imports(file) == {"subprocess", "lanes.engine", "commands.cli"}
    assert ours(file) == {"lanes.engine", "commands.cli"}
    named = ["model", "core.pacts", "system.buf", "lanes.engine", "commands.cli"]
    assert [layer(one) for one in named] == list(range(len(LAYERS)))
    assert set(calls(tree(file))) == {"print"}
    assert list(sizes(tree(file))) == [("f", MAX_FUNCTION_LINES + 1)]
