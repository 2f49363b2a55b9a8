"""Random payloads of a message: mostly readable, of every field, bounded, and small once shrunk."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

import pytest
from counterfoil.probe import json_tree, wire_tree
from counterfoil.probe.edge_members import NESTINGS
from counterfoil.probe.fields import fields_of
from counterfoil.probe.payloads import DOCUMENT, PLUS, RANDOM, Encoding, Payload, Phase
from counterfoil.probe.strategies import MAX_DEPTH, MAX_EDGE_BYTES, messages, presence_states
from google.protobuf.descriptor import Descriptor
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from tests.every_feature import MESSAGES, message, read

EXAMPLES = 200
READABLE = 0.5
CHILD = 19
"""The field of Legacy that holds another one."""
LONGEST_NESTING = max(depth for depth in NESTINGS if depth < MAX_EDGE_BYTES / 2)
"""That of a curated edge which is not too long to be drawn."""
LONGEST_BYTES = 64 * MAX_EDGE_BYTES
Made = Callable[[Descriptor], st.SearchStrategy[Payload]]


def drawn(strategy: st.SearchStrategy[Payload], count: int = EXAMPLES) -> list[Payload]:
    """The payloads of a run. They differ with the modules that are loaded, whose constants Hypothesis tries too."""
    found: list[Payload] = []

    @settings(max_examples=count, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def collect(payload: Payload) -> None:
        found.append(payload)

    collect()
    return found


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("made", [messages, presence_states], ids=["messages", "presence_states"])
def test_payloads_are_bounded_and_kept_by_the_trees(name: str, made: Made) -> None:
    for payload in drawn(made(message(name)), 60):
        assert len(payload.data) < LONGEST_BYTES
        if payload.encoding is Encoding.JSON:
            assert json_tree.write(json_tree.parse(payload.data)) == payload.data
        else:
            assert wire_tree.write(wire_tree.parse(payload.data, message(name))) == payload.data


@pytest.mark.parametrize("name", [name for name in MESSAGES if name != "Endless"])
def test_most_payloads_are_read_in_both_encodings(name: str) -> None:
    counts: Counter[tuple[Encoding, bool]] = Counter()
    for payload in drawn(messages(message(name))):
        assert (payload.path, payload.kind, payload.state, payload.phase) == ("", DOCUMENT, RANDOM, Phase.RANDOM)
        counts[payload.encoding, read(name, payload.encoding, payload.data) is not None] += 1
    for encoding in Encoding:
        is_read, is_refused = counts[encoding, True], counts[encoding, False]
        assert is_read > READABLE * (is_read + is_refused), counts


def test_every_field_comes_and_some_payloads_are_refused() -> None:
    found: set[str] = set()
    refused = 0
    for payload in drawn(messages(message("Wide")), 2 * EXAMPLES):
        made = read("Wide", payload.encoding, payload.data)
        refused += made is None
        found |= {field.name for field, _ in made.ListFields()} if made is not None else set()
    assert found == {field.name for field in fields_of(message("Wide"))}
    assert refused


def test_recursion_comes_and_is_bounded() -> None:
    def depth(value: wire_tree.WireMessage) -> int:
        nested = [one.content for one in value.records if one.number == CHILD]
        return max((1 + depth(one.message) for one in nested if isinstance(one, wire_tree.Nested)), default=0)

    made = [one.data for one in drawn(messages(message("Legacy")), 2 * EXAMPLES) if one.encoding is Encoding.BINARY]
    depths = Counter(depth(wire_tree.parse(data, message("Legacy"))) for data in made)
    assert sum(count for levels, count in depths.items() if levels > 1) > len(made) / 20, depths
    assert MAX_DEPTH - 1 < max(depths) <= MAX_DEPTH + LONGEST_NESTING


def test_the_same_seed_gives_the_same_payloads() -> None:
    assert drawn(messages(message("Special")), 50) == drawn(messages(message("Special")), 50)


def test_required_fields_are_there() -> None:
    for payload in drawn(messages(message("Strict")), 100):
        if payload.encoding is Encoding.BINARY:
            numbers = {record.number for record in wire_tree.parse(payload.data).records}
            assert {1, 2} <= numbers
    for payload in drawn(presence_states(message("Strict")), 100):
        assert {"id", "label"} <= {path for path, _, _ in payload.parts}


def test_a_payload_of_interest_shrinks_to_one_field() -> None:
    def has_rounded(payload: Payload) -> bool:
        made = read("Wide", payload.encoding, payload.data)
        return made is not None and abs(made.int64_value) > 2**53  # type: ignore[attr-defined] # the schema has it

    smallest = find(messages(message("Wide")), has_rounded, settings=settings(max_examples=20_000, derandomize=True))
    if smallest.encoding is Encoding.JSON:
        assert len(json.loads(smallest.data)) == 1
    else:
        assert len(wire_tree.parse(smallest.data).records) == 1


@pytest.mark.parametrize("name", ["Wide", "Legacy", "Featured", "Inner"])
def test_presence_states_say_which_field_is_in_which_state(name: str) -> None:
    kinds = {field.name: field for field in fields_of(message(name))}
    for payload in drawn(presence_states(message(name)), 60):
        if not payload.path:
            assert payload.data in {b"", b"{}"}
            continue
        assert len(payload.path.split(PLUS)) == len(payload.parts)
        assert all(kinds[path].kind == kind for path, kind, _ in payload.parts)
        members = [path for path, _, _ in payload.parts if kinds[path].oneof]
        assert len(members) == len({kinds[path].oneof for path in members})
        if payload.encoding is Encoding.JSON:
            names = {field.json_name: field.name for field in kinds.values()}
            assert [names[key] for key in json.loads(payload.data)] == [path for path, _, _ in payload.parts]
