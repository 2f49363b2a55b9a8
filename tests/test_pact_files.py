"""A pact file that cannot be read is a usage error with its place, and hostile text in one is shown harmlessly."""

from __future__ import annotations

import json
import os
import tempfile
import unicodedata
from pathlib import Path

import pytest

from tests.builders import Object, Workspace, as_v4, interaction, pact

HOLDS = pact("web", "catalog", interaction("a product", body={"id": 1}))
UNNAMED = "is missing; a pact names its consumer and its provider"
KINDS = ("Synchronous/HTTP", "Asynchronous/Messages", "Synchronous/Messages")
PATH = "contracts/pacts/web-catalog.json"
ABSOLUTE = Path(tempfile.gettempdir()) / "counterfoil-escaped"
HOSTILE = {
    "escape sequences": "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J",
    "rich markup": "[red]markup[/red] [/nope] [link=file:///etc]x[/link]",
    "newlines": "first\nsecond\r\nverdict: compatible",
    "paths": "../../../../etc/passwd",
    "direction and invisible": "abc\u202e\u200b\u2066\ufeffdef",
    "controls": "bell\a back\b tab\t form\f c1\x9b31m",
    "wide": "漢字 😀 é",
    "long": "x" * 5_000,
}


@pytest.fixture
def shop(shop: Workspace) -> Workspace:
    shop.provide("catalog", {"routes": {"GET /product": {"body": {"id": 1}}, "GET /null": {"body": {"id": None}}}})
    return shop


def changed(**changes: object) -> bytes:
    return json.dumps(HOLDS | changes).encode()


@pytest.mark.parametrize(
    ("data", "line", "why"),
    [
        (b"", 1, "Expecting value at column 1"),
        (b"not json", 1, "Expecting value at column 1"),
        (b'{\n  "consumer": {\n    "name": "web"', 3, "Expecting ',' delimiter at column 18"),
        (json.dumps(HOLDS, indent=1)[:-20].encode(), 28, None),
        (b'{"consumer": {"name": "\xff"}}', None, "byte 23 is not UTF-8"),
        (b"[" * 100_000, None, "the document is nested too deeply"),
        (b'{"a":' * 100_000, None, "the document is nested too deeply"),
        (b"1" * 10_000, None, None),
        (b"null", None, "the document is null, not an object"),
        (b"[]", None, "the document is an array, not an object"),
        (b"3.5", None, "the document is a number, not an object"),
        (b"{}", None, f"$.consumer.name {UNNAMED}"),
        (changed(consumer="web"), None, f"$.consumer.name {UNNAMED}"),
        (changed(provider={"name": ""}), None, f"$.provider.name {UNNAMED}"),
        (changed(interactions={"a": 1}), None, "$.interactions is an object, not an array"),
        (changed(interactions=None), None, "$.interactions is null, not an array"),
        (changed(messages="x"), None, "$.messages is a string, not an array"),
        (changed(interactions=[True]), None, "$.interactions[0] is a boolean, not an object"),
        (changed(interactions=[{}]), None, "$.interactions[0].description is missing"),
        (
            changed(interactions=[{"description": "x", "type": "Telepathy"}]),
            None,
            f"$.interactions[0].type is 'Telepathy'; known: {', '.join(KINDS)}",
        ),
    ],
    ids=[
        "empty", "text", "truncated", "cut", "encoding", "deep-array", "deep-object", "digits", "null", "array",
        "number", "object", "consumer", "provider", "interactions", "null-interactions", "messages", "interaction",
        "description", "type",
    ],
)  # fmt: skip
def test_what_is_not_a_pact_is_a_usage_error(shop: Workspace, data: bytes, line: int | None, why: str | None) -> None:
    shop.pact(data, "web-catalog")
    ran = shop.run_here("check", "--list")
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.error["error"] == f"'{PATH}' is not a pact file"
    assert ran.error["at"] == (PATH if line is None else f"{PATH}:{line}")
    assert ran.error["next"] == f"run the consumer's contract tests again ('counterfoil consume'), or remove {PATH}"
    assert why is None or ran.error["why"] == why


@pytest.mark.parametrize("command", ["check", "verify"])
def test_one_unreadable_pact_stops_every_judging_command(shop: Workspace, command: str) -> None:
    shop.pact(HOLDS)
    shop.pact(b"{", "broken")
    ran = shop.run_here(command, "--format", "json")
    assert (ran.exit_code, ran.stdout) == (2, "")


def test_pacts_may_lie_in_folders(shop: Workspace) -> None:
    shop.write("contracts/pacts/web/deep/catalog.json", json.dumps(HOLDS))
    shop.write("contracts/pacts/README.md", "not a pact")
    shop.write("contracts/pacts/folder.json/.keep", "")
    assert shop.run_here("check", "--list").stdout.splitlines() == [
        "pacts::web→catalog::contracts/pacts/web/deep/catalog.json",
        "verify::web→catalog::a product",
    ]


def test_states_may_be_missing_null_or_odd(shop: Workspace) -> None:
    odd: list[object] = [None, [], "x", [1], [{}], [{"name": None}], [{"name": "", "params": None}]]
    interactions = [
        interaction(f"{number}", body={"id": 1}) | {"providerStates": states} for number, states in enumerate(odd)
    ]
    shop.pact(pact("web", "catalog", *interactions))
    assert shop.judge_here("check", "--lane", "pacts").verdict == "compatible"


def hostile_pact(consumer: str = "web") -> Object:
    """An interaction that holds and one that fails for each kind of hostile text."""
    interactions = []
    for name, text in HOSTILE.items():
        interactions.append(interaction(f"good {name} {text}", body={"id": 1}))
        interactions.append(interaction(f"bad {name} {text}", path="/null", body={"id": 1}, states=[f"state {text}"]))
    return as_v4(pact(consumer, "catalog", *interactions))


def assert_harmless(text: str) -> None:
    """Nothing that moves a cursor, colours, or reorders; line feeds end our own lines only."""
    bad = {char for char in text if char != "\n" and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    assert not bad, sorted(map(ascii, bad))
    assert not any(line.startswith(("second", "verdict:")) for line in text.splitlines())


def test_hostile_names_are_judged_like_others(shop: Workspace) -> None:
    shop.pact(hostile_pact())
    report = shop.judge("verify")
    verdicts = {name: verdict for name, verdict in report.cases.items() if name.startswith("verify::")}
    assert {(name.split("::")[2].split(" ")[0], verdict) for name, verdict in verdicts.items()} == {
        ("good", "compatible"),
        ("bad", "unproven"),
    }
    assert {rule for rule, _ in report.rules} == {"STATE_UNKNOWN"}


def test_hostile_names_are_shown_harmlessly(shop: Workspace) -> None:
    for text in list(HOSTILE.values())[:5]:
        shop.pact(pact(text, f"p {text}"), f"pact-{len(text)}")
    shop.pact(hostile_pact("w"), "hostile")
    listed, shown = shop.run("check", "--list"), shop.run("check", "--lane", "pacts")
    for ran in (listed, shown):
        assert_harmless(ran.stdout)
        assert_harmless(ran.stderr)
    assert "verify::w→catalog::good rich markup [red]markup[/red] [/nope] [link=file:///etc]x[/link]" in listed.stdout
    assert "[red]markup[/red]" in shown.stdout
    assert "漢字 😀 é" in listed.stdout


def test_hostile_evidence_is_shown_harmlessly(shop: Workspace) -> None:
    text = "".join(HOSTILE.values())
    shop.provide(
        "catalog", {"routes": {"GET /product": {"status": 500, "body": {"id": text}, "log": text}}}, ready="/healthz"
    )
    shop.pact(HOLDS)
    ran = shop.run("verify")
    assert ran.exit_code == 1
    assert_harmless(ran.stdout)
    assert "[red]markup[/red]" in ran.stdout


def test_hostile_names_never_become_paths(shop: Workspace, tmp_path: Path) -> None:
    before = {path for path in tmp_path.parent.rglob("*") if shop.root not in path.parents}
    for number, name in enumerate(("../../escaped", str(ABSOLUTE), "..", "a/b")):
        shop.pact(pact(name, "catalog", interaction("a product", body={"id": 1})), f"consumer-{number}")
        shop.pact(pact("web", name, interaction("a product", body={"id": 1})), f"provider-{number}")
    report = shop.judge("verify")
    assert {rule for rule, _ in report.rules} == {"PACT_PARTICIPANT_UNKNOWN"}
    assert sum(verdict == "compatible" for name, verdict in report.cases.items() if name.startswith("verify")) == 4
    assert {path for path in tmp_path.parent.rglob("*") if shop.root not in path.parents} == before
    assert not ABSOLUTE.exists()
    assert sorted(path.name for path in shop.root.iterdir()) == ["catalog", "contracts", "counterfoil.toml"]


def test_a_lone_surrogate_does_not_break_the_report(shop: Workspace) -> None:
    """JSON may write half a surrogate pair, which no encoding of Unicode has a place for."""
    shop.pact(pact("web", "catalog", interaction("half a pair \ud800", body={"id": 1})))
    assert shop.judge_here("check", "--lane", "pacts").verdict == "compatible"
    assert shop.judge("verify").exit_code in {0, 3}
    assert "half a pair \\ud800" in shop.run_here("check", "--list").stdout


def test_a_file_name_that_is_not_unicode_does_not_break_the_report(shop: Workspace) -> None:
    shop.pact(HOLDS)
    folder = os.fsencode(shop.root / "contracts" / "pacts")
    Path(os.fsdecode(folder + b"/web-catalog.json")).rename(os.fsdecode(folder + b"/web-\xff.json"))
    report = shop.judge_here("check", "--lane", "pacts")
    assert report.verdict == "compatible"
    assert_harmless(shop.run_here("check", "--list").stdout)


def test_an_unreadable_name_is_shown_harmlessly_in_an_error(shop: Workspace) -> None:
    shop.pact(b"{", "\x1b[31mred\n")
    ran = shop.run_here("check", "--list")
    assert ran.exit_code == 2
    assert_harmless(ran.stderr)


def test_the_check_for_harm_finds_harm() -> None:
    """Negative control of `assert_harmless`."""
    for name, text in HOSTILE.items():
        if name in {"escape sequences", "newlines", "direction and invisible", "controls"}:
            with pytest.raises(AssertionError):
                assert_harmless(text)
