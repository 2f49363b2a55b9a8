"""Every rule of the compatibility table on every pair of the corpus."""

from __future__ import annotations

import re

import pytest
from counterfoil.compat.compare import compare
from counterfoil.compat.table import RULES, Kind
from counterfoil.model import Level

from tests.schema_corpus import changes, effects, expected, names, schema, told

FAILING = {Level.BEHAVIOUR, Level.POLICY}
EVERYTHING = [f"{direction} {encoding}" for direction in ("backward", "forward") for encoding in ("binary", "json")]


@pytest.mark.parametrize("name", names())
def test_a_pair_has_the_changes_that_are_expected(name: str) -> None:
    assert told(changes(name)) == expected(name)["changes"]


@pytest.mark.parametrize("name", [name for name in names() if expected(name)["observed"]])
def test_what_a_runtime_was_seen_to_read_otherwise_is_predicted(name: str) -> None:
    found = [one for one in changes(name) if one.level in {Level.BEHAVIOUR, Level.ADDITIVE}]
    assert set(expected(name)["observed"]) <= {effect for one in found for effect in effects(one)}


@pytest.mark.parametrize("name", [name for name in names() if expected(name)["benign"]])
def test_a_benign_pair_has_nothing_that_fails(name: str) -> None:
    assert not [one.rule for one in changes(name) if one.level in FAILING]


@pytest.mark.parametrize("name", [name for name in names() if not expected(name)["benign"]])
def test_a_pair_that_is_not_benign_is_listed(name: str) -> None:
    assert changes(name)


@pytest.mark.parametrize("name", names())
def test_a_schema_compared_with_itself_has_no_changes(name: str) -> None:
    for side in ("old", "new"):
        assert compare(schema(name, side), schema(name, side)) == ()


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_fires_in_the_folder_of_its_name_and_nowhere_when_disabled(rule: str) -> None:
    name = rule.lower()
    assert rule in {one.rule for one in changes(name)}
    without = changes(name, disabled={rule})
    assert told(without) != expected(name)["changes"]
    assert without == tuple(one for one in changes(name) if one.rule != rule)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_is_silent_where_nothing_of_its_kind_changed(rule: str) -> None:
    silent = [name for name in names() if rule not in {one["rule"] for one in expected(name)["changes"]}]
    assert len(silent) > len(names()) // 2


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_row_is_whole(rule: str) -> None:
    row = RULES[rule]
    assert re.fullmatch(r"[A-Z]+(_[A-Z0-9]+)+", row.name)
    assert row.judge.__name__ == row.name.lower() == row.anchor
    assert row.judge.__doc__
    assert row.level is not Level.UNPROVEN
    assert row.unseen is not Level.BEHAVIOUR
    assert isinstance(row.kind, Kind)
    assert row.fix
    assert not re.search(r"\{(?!symbol\}|old\}|new\})", row.says)


@pytest.mark.parametrize("name", names())
def test_a_change_says_where_and_what(name: str) -> None:
    for one in changes(name):
        assert one.old_location or one.new_location
        assert one.symbol
        assert "None" not in one.message, "a sentence has a value for each of its words"
        assert "{" not in RULES[one.rule].says.format(symbol="", old="", new="")
        assert (one.level is Level.BEHAVIOUR) <= bool(one.effects), "a behaviour has an effect to be shown"
        assert bool(one.effects) <= bool(one.messages), "an effect has a message to be shown with"
        assert (one.old is not None) or (one.new is not None)


def test_the_corpus_holds_what_it_is_for() -> None:
    """Negative control: pairs with and without observations, benign ones, and each direction and encoding."""
    observed = {one for name in names() for one in expected(name)["observed"]}
    assert observed == set(EVERYTHING)
    assert sum(bool(expected(name)["observed"]) for name in names()) > 40
    assert sum(expected(name)["benign"] for name in names()) > 60


def test_findings_are_told_apart() -> None:
    """The identity of a finding is its rule and subject, so a rule says one thing of an element."""
    for name in names():
        identities = [(one.rule, one.symbol) for one in changes(name)]
        assert len(identities) == len(set(identities)), name
