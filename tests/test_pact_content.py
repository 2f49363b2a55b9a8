"""What of a pact matters: equal contents have equal digests, and every change that a verifier could see has another."""

from __future__ import annotations

import json
import random

import pytest
from counterfoil.core.pact_content import content_of, digest_of, interactions_of, is_normalised, normalised
from counterfoil.errors import UsageError
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import Json, Object, as_v4, interaction, message_pact, pact

PACT = pact(
    "web", "api", interaction("a", body={"id": 1, "name": "x"}, states=["s"]), interaction("b", path="/b", status=404)
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ENTRIES = st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), max_size=4)


def digest(document: Object) -> str:
    return content_of("x.json", json.dumps(document).encode()).digest


def test_of_a_document_without_interactions_everything_matters() -> None:
    bare: Object = {"consumer": {"name": "web"}, "provider": {"name": "api"}, "content": "x"}
    assert digest(bare) != digest({**bare, "content": "y"})
    assert digest({**bare, "interactions": []}) == digest({**bare, "interactions": [], "content": "y"})
    assert digest(dict(reversed(bare.items()))) == digest(bare)
    assert is_normalised(normalised(bare))


def shuffled(value: Json, draw: random.Random) -> Json:
    """The same JSON with its keys in another order."""
    if isinstance(value, dict):
        items = [(key, shuffled(one, draw)) for key, one in value.items()]
        draw.shuffle(items)
        return dict(items)
    return [shuffled(one, draw) for one in value] if isinstance(value, list) else value


def changed(**entries: object) -> Object:
    return {**PACT, **entries}


@pytest.mark.parametrize(
    "same",
    [
        changed(consumer={"name": "somebody else"}),
        changed(provider={"name": "somebody else"}),
        changed(interactions=list(reversed(PACT["interactions"]))),
        changed(interactions=[{**one, "_id": "7"} for one in PACT["interactions"]]),
        changed(metadata={"pactSpecification": {"version": "3.0.0"}, "client": {"version": "9"}}),
        changed(metadata={"pact-specification": {"version": "3.0.0"}}),
        changed(metadata={"pactSpecificationVersion": "3.0.0"}),
        changed(more="than that"),
    ],
    ids=["consumer", "provider", "order", "ids", "client", "old place", "older place", "unknown section"],
)
def test_what_does_not_matter(same: Object) -> None:
    assert digest(same) == digest(PACT)


@pytest.mark.parametrize(
    "other",
    [
        changed(interactions=PACT["interactions"][:1]),
        changed(interactions=[*PACT["interactions"], PACT["interactions"][0]]),
        changed(interactions=[{**PACT["interactions"][0], "description": "c"}, PACT["interactions"][1]]),
        changed(metadata={"pactSpecification": {"version": "4.0"}}),
        changed(metadata={}),
        changed(messages=[]),
        as_v4(PACT),
        message_pact("web", "api"),
    ],
    ids=["one less", "one twice", "description", "specification", "no specification", "messages", "v4", "empty"],
)
def test_what_matters(other: Object) -> None:
    assert digest(other) != digest(PACT)


@given(ENTRIES, ENTRIES, st.randoms(use_true_random=False))
def test_neither_the_order_of_keys_nor_of_interactions_matters(
    interactions: list[Object], messages: list[Object], draw: random.Random
) -> None:
    body = normalised({"interactions": list(interactions), "messages": list(messages)})
    other = [[shuffled(one, draw) for one in entries] for entries in (interactions, messages)]
    for entries in other:
        draw.shuffle(entries)
    assert normalised({"interactions": other[0], "messages": other[1]}) == body
    assert is_normalised(body)
    assert normalised(json.loads(body)) == body
    assert body.isascii()
    assert len(list(interactions_of(body))) == len(interactions) + len(messages)


@given(ENTRIES, ENTRIES)
def test_different_interactions_have_different_contents(first: list[Object], second: list[Object]) -> None:
    def texts(entries: list[Object]) -> list[str]:
        kept = [{key: value for key, value in one.items() if key != "_id"} for one in entries]
        return sorted(json.dumps(one, sort_keys=True) for one in kept)

    same = normalised({"interactions": list(first)}) == normalised({"interactions": list(second)})
    assert same == (texts(first) == texts(second))


def test_the_digest_of_a_known_pact_stays() -> None:
    """Digests are kept in ledgers: a change of the rule would make every pact a new one."""
    body = normalised(PACT)
    assert body.startswith(b'{"interactions":[{"description":"a","providerStates":[{"name":"s"}],"request":')
    assert digest(PACT) == digest_of(body) == KNOWN


KNOWN = "sha256:a87fa2bc56248e3cbf7c93030f6e368361130a96744300a395974a5ea608a9f9"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"interactions": []}', b'{"x":1}', b'{"interactions":[{"b":1,"a":2}]}']
)
def test_what_is_not_normalised(body: bytes) -> None:
    assert not is_normalised(body)


def test_a_number_without_bounds_is_refused() -> None:
    data = b'{"consumer":{"name":"a"},"provider":{"name":"b"},"messages":[{"description":"d","contents":1e999}]}'
    with pytest.raises(UsageError, match="infinite"):
        content_of("x.json", data)
