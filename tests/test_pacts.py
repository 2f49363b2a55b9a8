"""Properties of reading pacts: nothing but a UsageError, whatever the bytes; and what a matching-rule path leads to."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from counterfoil.core import pacts
from counterfoil.core.pacts import InteractionKind, Json, ProviderState, canonical, lint_pact, parse_pact, steps_of
from counterfoil.errors import UsageError
from hypothesis import example, given
from hypothesis import strategies as st

from tests.builders import Object, as_v2, as_v4, interaction, line_of, message, message_pact, pact

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)
KEYS = st.sampled_from(
    [
        "consumer", "provider", "name", "interactions", "messages", "description", "type", "providerState",
        "providerStates", "params", "request", "response", "body", "contents", "content", "contentType", "encoded",
        "matchingRules", "matchers", "match", "min", "$.body", "$.body.a", "$", "$.a",
    ]
)  # fmt: skip
LEAVES = SCALARS | st.sampled_from(["Synchronous/HTTP", "Synchronous/Messages", "type"])
PACT_LIKE: st.SearchStrategy[Any] = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=40
)


def parsed(document: object) -> pacts.Pact:
    return parse_pact("p.json", json.dumps(document).encode())


def read_or_refused(data: bytes) -> pacts.Pact | UsageError:
    try:
        return parse_pact("p.json", data)
    except UsageError as error:
        return error


def check_bytes(data: bytes) -> None:
    """Reading and linting either work or raise a UsageError that says where."""
    read = read_or_refused(data)
    if isinstance(read, UsageError):
        assert read.where.startswith("p.json")
        assert read.why
        assert read.fix
        return
    for found in lint_pact(read):
        assert found.location is not None
        assert found.location.path == "p.json"


@given(st.binary(max_size=200))
@example(b"\xef\xbb\xbf")
@example(b'{"interactions": NaN}')
@example(b"[" * 10_000)
def test_any_bytes_are_a_pact_or_a_usage_error(data: bytes) -> None:
    check_bytes(data)


@given(PACT_LIKE)
def test_any_json_is_a_pact_or_a_usage_error(document: object) -> None:
    check_bytes(json.dumps(document).encode())


@given(st.lists(st.dictionaries(KEYS, PACT_LIKE, max_size=6).map(lambda one: {"description": "x"} | one), max_size=3))
def test_any_interaction_is_read_or_a_usage_error(interactions: list[Any]) -> None:
    check_bytes(json.dumps(pact("a", "b") | {"interactions": interactions}).encode())


@given(st.data())
def test_any_cut_of_a_pact_is_a_usage_error(data: st.DataObject) -> None:
    whole = json.dumps(pact("a", "b", interaction("é", body={"id": [1, None]}))).encode()
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(UsageError):
        parse_pact("p.json", whole[:cut])


@pytest.mark.parametrize("depth", sorted({*range(1, 1001, 37), *range(900, 1000, 2)}))
def test_any_depth_of_a_states_parameters_is_read_or_refused(depth: int) -> None:
    params = '{"a":' * depth + "1" + "}" * depth
    states = f'[{{"name": "s", "params": {params}}}]'
    text = json.dumps(pact("a", "b", interaction("x", states=["s"])))
    check_bytes(text.replace('[{"name": "s"}]', states).encode())


def test_a_file_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    data = json.dumps(pact("a", "b")).encode()
    monkeypatch.setattr(pacts, "MAX_PACT_BYTES", len(data))
    assert parse_pact("p.json", data).pair == "a→b"
    with pytest.raises(UsageError, match="not a pact file") as caught:
        parse_pact("p.json", data + b" ")
    assert caught.value.why == f"the file has {len(data) + 1} bytes, more than the {len(data)} that are read"


# --- what is read ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [dict, as_v2, as_v4], ids=["V3", "V2", "V4"])
def test_every_version_reads_alike(version: Callable[[Object], Object]) -> None:
    document = version(pact("web", "catalog", interaction("x", body={"id": 1}, states=["s"])))
    (read,) = parsed(document).interactions
    assert (read.description, read.kind, read.states) == ("x", InteractionKind.HTTP, (ProviderState("s"),))
    assert [name for name, _ in read.parts] == ["request", "response"]


@pytest.mark.parametrize("version", [dict, as_v4], ids=["V3", "V4"])
def test_messages_read_alike(version: Callable[[Object], Object]) -> None:
    (read,) = parsed(version(message_pact("a", "b", message("m", {"id": 1}, states=["s"])))).interactions
    assert (read.description, read.kind, read.states) == ("m", InteractionKind.MESSAGE, (ProviderState("s"),))
    assert [name for name, _ in read.parts] == ["message"]


def test_states_keep_their_parameters() -> None:
    states: list[str | Object] = [{"name": "s", "params": {"b": 1, "a": [None]}}, {"name": "t"}]
    (read,) = parsed(pact("a", "b", interaction("x", states=states))).interactions
    assert read.states == (ProviderState("s", '{"a":[null],"b":1}'), ProviderState("t", "{}"))


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=6))
def test_each_interaction_is_located_at_its_description(descriptions: list[str]) -> None:
    document = pact("a", "b", *(interaction(description) for description in descriptions))
    text = json.dumps(document, indent=2)
    lines = [one.line for one in parse_pact("p.json", text.encode()).interactions]
    assert lines == [line_of(text, '"description": ', nth) for nth in range(1, len(descriptions) + 1)]


@given(VALUES)
def test_canonical_json_is_json_and_does_not_depend_on_order(value: Json) -> None:
    assert json.loads(canonical(value)) == value
    if isinstance(value, dict):
        assert canonical(dict(reversed(value.items()))) == canonical(value)


# --- matching-rule paths ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("$", ()),
        ("$.a['b c'][0]", ("a", "b c", "0")),
        ('$.a["b c"][1].d', ("a", "b c", "1", "d")),
        ("$['e.f'][*][*]", ("e.f", "*", "*")),
        ("$.a.*[1].d", ("a", "*", "1", "d")),
        ("$.a['b c'][ 0 ]", ("a", "b c", "0")),
    ],
)
def test_a_path_has_steps(path: str, steps: tuple[str, ...]) -> None:
    assert steps_of(path) == steps


def written(steps: tuple[str | int, ...]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f"['{step}']" for step in steps)


def leaves(value: object, steps: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], object]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    below = [leaf for step, one in entries for leaf in leaves(one, (*steps, step))]
    return [(steps, value), *below]


SIMPLE_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abé .", min_size=1), inner, max_size=3),
)


@given(SIMPLE_VALUES)
def test_a_written_path_has_the_steps_that_it_was_written_from(value: Json) -> None:
    for steps, _leaf in leaves(value):
        assert steps_of(written(steps)) == tuple(map(str, steps))


@given(st.text("$.[]'\"*0a\\ ", max_size=12))
def test_any_path_has_some_steps_or_none(path: str) -> None:
    assert all(steps_of(path))


CASCADING = {"lines": [{"sku": "a", "tags": ["x"]}], "empty": []}


@pytest.mark.parametrize(
    ("rules", "arrays"),
    [
        ({"$": {"match": "type"}}, {"$.lines", "$.lines[0].tags"}),
        ({"$.lines": {"match": "eachValue", "rules": []}}, {"$.lines", "$.lines[0].tags"}),
        ({"$": {"match": "type"}, "$.lines": {"match": "type", "min": 1}}, set()),
        ({"$": {"match": "type"}, "$.lines[*].tags": {"match": "type", "min": 1}}, {"$.lines"}),
        ({"$": {"match": "type"}, "$.lines": {"match": "equality"}}, set()),
        ({"$.lines[*].sku": {"match": "type"}}, set()),
        ({}, set()),
    ],
)
def test_a_type_matcher_holds_for_the_arrays_below_it(rules: Object, arrays: set[str]) -> None:
    read = parsed(pact("w", "p", interaction("one", body=CASCADING, rules=rules)))
    found = {one.subject.rpartition(" ")[2] for one in lint_pact(read) if one.rule == "ARRAY_WITHOUT_MIN"}
    assert found == arrays


# --- lint ------------------------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from("abc"), max_size=5))
def test_duplicates_are_those_that_occur_twice(descriptions: list[str]) -> None:
    read = parsed(pact("w", "p", *(interaction(one, body={}) for one in descriptions)))
    found = {one.subject for one in lint_pact(read) if one.rule == "INTERACTION_DUPLICATED"}
    assert found == {f"w→p::{one}" for one in descriptions if descriptions.count(one) > 1}


@pytest.mark.parametrize(
    ("rule", "value", "fires"),
    [
        ({"match": "type"}, [1], True),
        ({"match": "type", "min": 0}, [1], True),
        ({"match": "type", "min": 1}, [1], False),
        ({"match": "type", "max": 3}, [1], True),
        ({"match": "type"}, {"0": 1}, False),
        ({"match": "equality"}, [1], False),
        ({"match": "regex", "regex": "x"}, [1], False),
        ({}, [1], True),
    ],
)
def test_arrays_without_a_minimum(rule: Object, value: object, *, fires: bool) -> None:
    read = parsed(pact("w", "p", interaction("x", body={"a": value}, rules={"$.a": rule})))
    assert bool(lint_pact(read)) == fires


def test_an_encoded_body_is_not_looked_into() -> None:
    document = as_v4(pact("w", "p", interaction("x", body="aGk=", rules={"$": {"match": "type"}})))
    document["interactions"][0]["response"]["body"] |= {"encoded": "base64", "content": [1]}
    assert lint_pact(parsed(document)) == ()
