"""Imports run one way: model <- pure <- IO <- engine <- shells. Functions and modules stay small."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.builders import ROOT

PACKAGE = ROOT / "harness" / "counterfoil"
TESTS = ROOT / "tests"
WORDS = {"model", "errors"}
PURE = {
    "command_lines",
    "content_coding",
    "events",
    "finding_values",
    "golden",
    "ledger.names",
    "pact_content",
    "pacts",
    "plan",
    "printing",
    "report_reading",
    "rules",
    "shards",
    "stub_protocol",
    "toml_tables",
    "waivers",
    "workspace",
    "yaml_documents",
}
PURE_PACKAGES = {"allowance", "compat", "gate", "probe", "schema"}
ENGINE = {"decoder_trial", "engine", "null_lane", "probe_check", "probe_lane", "request_lane"}
SHELLS = {
    "__main__",
    "cli",
    "command_examples",
    "doctor",
    "lazy_commands",
    "pytest_items",
    "pytest_plugin",
    "recording_shell",
    "shell",
}
SHELL_PACKAGES = {"reporters"}
SHELL_SUFFIX = "_cli"
SCRIPTS = {"verification_worker"}
"""Programs of their own: they may write to their own standard output."""
OUTSIDE = {"subprocess", "socket", "http", "urllib", "shutil", "tempfile", "threading", "time", "asyncio", "psutil"}
HARMLESS = {"urllib.parse"}
"""Parts of them that compute and touch nothing."""
WRITERS = {"click", "rich"}
MAX_FUNCTION_LINES = 40
MAX_MODULE_LINES = 400
VAGUE = {"utils", "util", "helpers", "helper", "base", "manager", "common", "misc"}
GENERATED = {"stub/v1"}


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


def ours(path: Path) -> set[str]:
    return imports(path) & set(modules())


def layer(name: str) -> int:
    """words 0, pure 1, IO 2, engine 3, shells 4."""
    if name in WORDS:
        return 0
    if is_pure(name):
        return 1
    if is_shell(name):
        return 4
    return 3 if name in ENGINE else 2


def is_pure(name: str) -> bool:
    return name in PURE or name.split(".", maxsplit=1)[0] in PURE_PACKAGES


def is_shell(name: str) -> bool:
    return name in SHELLS or name.endswith(SHELL_SUFFIX) or name.split(".", maxsplit=1)[0] in SHELL_PACKAGES


@pytest.mark.parametrize("name", sorted(modules()))
def test_imports_run_one_way(name: str) -> None:
    against = {other for other in ours(modules()[name]) if layer(other) > layer(name)}
    assert not against, f"{name} imports {against}"


@pytest.mark.parametrize("name", sorted(WORDS & set(modules())))
def test_the_words_import_nothing_of_ours(name: str) -> None:
    assert not ours(modules()[name])


@pytest.mark.parametrize("name", [name for name in sorted(modules()) if name in WORDS or is_pure(name)])
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


def test_the_sets_of_layers_name_real_modules() -> None:
    assert set(modules()) >= WORDS | PURE | ENGINE | SHELLS | SCRIPTS


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
        f"import subprocess\nfrom counterfoil import engine\nfrom counterfoil.cli import main\ndef f():\n{body}\n"
    )
    assert imports(file) == {"subprocess", "engine", "cli"}
    assert ours(file) == {"engine", "cli"}
    assert layer("model") < layer("pacts") < layer("buf") < layer("engine") < layer("cli")
    assert set(calls(tree(file))) == {"print"}
    assert list(sizes(tree(file))) == [("f", MAX_FUNCTION_LINES + 1)]
