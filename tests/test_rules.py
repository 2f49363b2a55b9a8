"""Every rule of the table is provoked by a test, and left silent by another; conftest.py holds the markers true."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from counterfoil.core.rules import LEVELS, finding
from counterfoil.model import Level

from tests.builders import ROOT

TESTS = Path(__file__).resolve().parent


@cache
def marked(marker: str) -> frozenset[str]:
    """The rules that any test names in `@pytest.mark.<marker>(...)`."""
    return frozenset(rule for file in TESTS.glob("test_*.py") for rule in _marked_in(file, marker))


def _marked_in(file: Path, marker: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == f"pytest.mark.{marker}":
                yield from (str(one.value) for one in decorator.args if isinstance(one, ast.Constant))


@pytest.mark.parametrize("rule", sorted(LEVELS))
def test_every_rule_has_a_test_that_fires_it(rule: str) -> None:
    assert rule in marked("fires")


@pytest.mark.parametrize("rule", sorted(LEVELS))
def test_every_rule_has_a_test_that_leaves_it_silent(rule: str) -> None:
    assert rule in marked("silent")


def test_silence_is_asked_of_rules_that_exist() -> None:
    """A misspelt rule would always be silent."""
    assert marked("silent") <= set(LEVELS)


@pytest.mark.parametrize("rule", sorted(LEVELS))
def test_a_rule_has_its_level(rule: str) -> None:
    made = finding(rule, "s", "m", fix="f")
    assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*", rule)
    assert made.level is LEVELS[rule]
    assert made.level in {Level.BEHAVIOUR, Level.POLICY, Level.UNPROVEN, Level.ADDITIVE}


def test_every_rule_that_the_code_names_is_in_the_table() -> None:
    """And every row is named by code other than the table."""
    named = set()
    for file in (ROOT / "harness" / "counterfoil").rglob("*.py"):
        if file.name != "rules.py":
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    named |= {node.value} & set(LEVELS)
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "finding" and node.args:
                    first = node.args[0]
                    assert not isinstance(first, ast.Constant) or first.value in LEVELS, ast.unparse(first)
    assert named == set(LEVELS)
