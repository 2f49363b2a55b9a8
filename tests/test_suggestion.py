"""An interaction to paste into contract tests: in the language of the consumer, and parsed by it."""

from __future__ import annotations

import ast
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from counterfoil.allowance.suggestion import interaction_to_add
from counterfoil.core.pacts import Json, parse_pact

from tests.builders import Object, interaction, message, message_pact, pact

TRICKY: dict[str, Json] = {
    "amount": None,
    "text": 'a "quote", \\ and \b\f\n\x01 ü',
    "list": [1, 2.5, True, {}],
    "key's": -1,
}


def suggested(language: str, made: Object, body: Json = None) -> str:
    (example,) = parse_pact("p.json", json.dumps(made).encode()).interactions
    return "\n".join(interaction_to_add(language, example, 'it\'s "new"', body or {"amount": None}))


def asked() -> Object:
    """An interaction with everything that a request may have."""
    made = interaction("it", states=[{"name": "a user", "params": {"id": 1, "name": None}}, "a state's name"])
    made["request"] = {
        "method": "POST",
        "path": "/product",
        "query": {"id": ["5", "6"]},
        "headers": {"Content-Type": "application/json", "X-Trace": "t"},
        "body": {"amount": 3},
    }
    return pact("web", "catalog", made)


def told() -> Object:
    return message_pact("web", "catalog", message("sold", {"amount": 3}, states=["a shop"]))


def test_an_interaction_to_paste_is_in_the_language_of_the_consumer() -> None:
    assert suggested("node", asked()).splitlines() == [
        "pact",
        "  .addInteraction()",
        '  .uponReceiving("it\'s \\"new\\"")',
        '  .given("a user", {"id": 1, "name": null})',
        '  .given("a state\'s name")',
        (
            '  .withRequest("POST", "/product", (request) => request.query({"id": ["5", "6"]})'
            '.headers({"X-Trace": "t"}).jsonBody({"amount": 3}))'
        ),
        "  .willRespondWith(200, (response) => response.jsonBody({",
        '    "amount": null',
        "  }));",
    ]
    assert suggested("go", asked()).splitlines() == ["{", '  "amount": null', "}"]


@pytest.mark.parametrize("made", [asked, told])
def test_what_is_to_be_pasted_into_python_parses(made: Callable[[], Object]) -> None:
    text = suggested("python", made(), TRICKY)
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    assert ast.literal_eval(calls[0].args[0]) == TRICKY


@pytest.mark.parametrize("made", [asked, told])
def test_what_is_to_be_pasted_into_node_parses(made: Callable[[], Object], tmp_path: Path) -> None:
    file = tmp_path / "it.mjs"
    file.write_text(suggested("node", made(), TRICKY), encoding="utf-8")
    checked = subprocess.run(["node", "--check", str(file)], capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, b"")


@pytest.mark.parametrize("made", [asked, told])
def test_what_is_to_be_pasted_into_rust_parses(made: Callable[[], Object], tmp_path: Path) -> None:
    file = tmp_path / "it.rs"
    file.write_text(f"fn it() {{\n{suggested('rust', made(), TRICKY)}\n}}\n", encoding="utf-8")
    formatted = subprocess.run(
        ["rustfmt", "--edition", "2021", "--emit", "stdout", str(file)], capture_output=True, check=False
    )
    assert (formatted.returncode, formatted.stderr) == (0, b"")
