"""The hooks for pre-commit: each is a command that judges, asked for by the files that concern it."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import yaml

from tests.builders import ROOT, Workspace, interaction, pact

HOOKS: dict[str, dict[str, Any]] = {
    hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
}
PROTO = 'syntax = "proto3";\npackage a.v1;\nmessage A {\n  int64 id = 1;\n}\n'


@pytest.fixture
def shop(shop: Workspace) -> Workspace:
    shop.provide("catalog", {"routes": {"GET /product": {"body": {"id": 1}}}})
    shop.pact(pact("web", "catalog", interaction("a product", body={"id": 1})))
    shop.write("protos/a/v1/a.proto", PROTO)
    shop.write("old/a/v1/a.proto", PROTO)
    shop.configure("schema", dir="protos", against="old")
    return shop


def ran(shop: Workspace, hook: str) -> int:
    program, *words = shlex.split(HOOKS[hook]["entry"])
    assert program == "counterfoil"
    assert HOOKS[hook]["pass_filenames"] is False
    return shop.run(*words).exit_code


@pytest.mark.parametrize("hook", sorted(HOOKS))
def test_a_hook_passes_what_is_compatible(shop: Workspace, hook: str) -> None:
    assert ran(shop, hook) == 0


def test_each_hook_stops_what_it_is_for(shop: Workspace) -> None:
    shop.write("protos/a/v1/a.proto", PROTO.replace("int64", "int32"))
    assert (ran(shop, "counterfoil-breaking"), ran(shop, "counterfoil-pacts")) == (1, 0)
    shop.pact(pact("web", "catalog"))
    assert ran(shop, "counterfoil-pacts") == 3


@pytest.mark.parametrize(
    ("file", "asked"),
    [
        ("contracts/pacts/web-catalog.json", {"counterfoil-pacts"}),
        ("protos/shop/v1/a.proto", {"counterfoil-breaking"}),
        ("counterfoil.toml", {"counterfoil-pacts", "counterfoil-breaking"}),
        ("package.json", set[str]()),
    ],
)
def test_a_hook_runs_for_its_files(file: str, asked: set[str]) -> None:
    assert {name for name, hook in HOOKS.items() if "files" in hook and re.search(hook["files"], file)} == asked


def test_the_page_names_the_hooks() -> None:
    page = (ROOT / "docs" / "how-to" / "ci.md").read_text(encoding="utf-8")
    assert [name for name in HOOKS if f"`{name}`" not in page] == []
