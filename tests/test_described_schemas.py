"""What OpenAPI documents and JSON Schemas allow at the places of an example, and which schema is meant."""

from __future__ import annotations

import pytest
from counterfoil.allowance.edits import REMOVED, Edit, apply
from counterfoil.allowance.json_schema import Described, NotFollowed, places_of
from counterfoil.allowance.openapi import response_of
from counterfoil.allowance.paths import shown
from counterfoil.allowance.undecided import UndecidedError
from counterfoil.core.pacts import Json
from counterfoil.core.yaml_documents import NotJsonError, parse
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.test_described_states import ONLY, OPENAPI


def may_be(schema: Json, example: Json, document: Json = None) -> dict[str, set[str]]:
    """Place -> the states that the schema allows there, without places of which it allows nothing."""
    found = [one for one in places_of(document, schema, example) if isinstance(one, Described)]
    return {shown(one.place): set(one.may_be) for one in found if one.may_be}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": ["string", "null"]},
        {"type": "string", "nullable": True},
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        {"oneOf": [{"type": "string"}, {"const": None}]},
        {"enum": ["x", None]},
        {"allOf": [{"type": "string"}], "nullable": True},
        {"$ref": "#/named"},
        {"$ref": "#/named/anyOf/1", "description": "a reference to an element"},
        {"not": {"type": "string"}},
        {},
        True,
    ],
    ids=str,
)
def test_schemas_that_take_null(schema: Json) -> None:
    document: Json = {"named": {"anyOf": [False, {"type": ["null"]}]}}
    assert may_be({"required": ["a"], "properties": {"a": schema}}, {"a": "x"}, document) == {"$.a": {"null"}}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"type": ["string", "integer"]},
        {"type": "string", "nullable": False},
        {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        {"allOf": [{"type": ["string", "null"]}, {"type": "string"}]},
        {"enum": ["x"]},
        {"const": "x"},
        {"not": {"type": "null"}},
        {"$ref": "#/named"},
    ],
    ids=str,
)
def test_schemas_that_refuse_null(schema: Json) -> None:
    document: Json = {"named": {"type": "string"}}
    assert may_be({"required": ["a"], "properties": {"a": schema}}, {"a": "x"}, document) == {}


def test_members_of_combined_schemas() -> None:
    base: Json = {"required": ["id"], "properties": {"id": {"type": "integer"}, "note": {"type": "string"}}}
    schema: Json = {"allOf": [base, {"required": ["note"]}, {"properties": {"more": {"type": "string"}}}]}
    assert may_be(schema, {"id": 1, "note": "", "more": "x"}) == {"$.more": {"absent"}}


def test_of_alternatives_those_count_that_the_example_may_be_of() -> None:
    cat: Json = {"properties": {"kind": {"const": "cat"}, "lives": {"type": "integer"}}, "required": ["kind", "lives"]}
    dog: Json = {"properties": {"kind": {"const": "dog"}, "lives": {"type": ["integer", "null"]}}, "required": ["kind"]}
    schema: Json = {"type": "object", "oneOf": [cat, dog]}
    assert may_be(schema, {"kind": "cat", "lives": 9}) == {}
    assert may_be(schema, {"kind": "dog", "lives": 1}) == {"$.lives": {"absent", "null"}}


def test_a_discriminator_chooses() -> None:
    def animal(*required: str) -> Json:
        return {"properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}}, "required": [*required]}

    document: Json = {"Cat": animal("kind", "lives"), "Dog": animal("kind")}
    by: Json = {"propertyName": "kind", "mapping": {"hound": "#/Dog"}}
    schema: Json = {"oneOf": [{"$ref": "#/Cat"}, {"$ref": "#/Dog"}], "discriminator": by}
    seen = {kind: may_be(schema, {"kind": kind, "lives": 1}, document) for kind in ("Cat", "Dog", "hound")}
    assert seen == {"Cat": {}, "Dog": {"$.lives": {"absent"}}, "hound": {"$.lives": {"absent"}}}


def test_elements_and_entries_of_maps() -> None:
    text: Json = {"type": "string"}
    nullable: Json = {"type": ["string", "null"]}
    assert may_be({"items": nullable}, ["x"]) == {"$[0]": {"null"}}
    assert may_be({"prefixItems": [text, nullable], "items": text}, ["x", "y", "z"]) == {"$[1]": {"null"}}
    assert may_be({"items": [text], "additionalItems": nullable}, ["x", "y"]) == {"$[1]": {"null"}}
    assert may_be({"additionalProperties": nullable}, {"eur": "x"}) == {"$.eur": {"null"}}
    assert may_be({"additionalProperties": nullable, "patternProperties": {"^e": text}}, {"eur": "x"}) == {}
    assert may_be({"additionalProperties": True}, {"eur": "x"}) == {}


def test_a_schema_that_contains_itself_ends_with_the_example() -> None:
    tree: Json = {"type": "object", "required": ["up"], "properties": {"up": {"$ref": "#"}, "no": {"type": "string"}}}
    assert may_be(tree, {"up": {"up": {"no": ""}}}, tree) == {"$.up.up.no": {"absent"}}


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"$ref": "#"}, "its schema refers to itself, or is too large"),
        ({"allOf": [{"$ref": "#"}, {"$ref": "#"}]}, "its schema refers to itself, or is too large"),
        ({"anyOf": [{"type": "object"}] * 65}, "its schema has more than 64 variants"),
        ({"allOf": [{"anyOf": [{}, {}]}] * 40}, "its schema has more than 64 variants"),
        ({"$dynamicRef": "#node"}, "'$dynamicRef' is not followed"),
        ({"$ref": "#node"}, f"it refers to '#node', {ONLY}"),
        ({"$ref": 3}, f"it refers to '3', {ONLY}"),
        ({"allOf": [7]}, "its schema is neither an object nor true or false"),
    ],
    ids=str,
)
def test_what_is_not_followed_is_named(schema: Json, reason: str) -> None:
    assert list(places_of(schema, schema, {"a": 1})) == [NotFollowed(place=(), reason=reason)]


@pytest.mark.parametrize("wrong", [3, "x", None, [], {}, [{}], {"a": 3}], ids=str)
@pytest.mark.parametrize(
    "keyword",
    [
        "type",
        "enum",
        "required",
        "properties",
        "items",
        "allOf",
        "anyOf",
        "discriminator",
        "prefixItems",
        "not",
        "$ref",
    ],
)
def test_keywords_of_a_wrong_type_end_in_words(keyword: str, wrong: Json) -> None:
    examples: list[Json] = [{"a": 1}, [1]]
    for example in examples:
        found = list(places_of({}, {keyword: wrong}, example))
        assert all(isinstance(one, Described | NotFollowed) for one in found)


def test_a_concrete_path_comes_before_a_template() -> None:
    document = parse(OPENAPI.encode())
    assert response_of(document, "GET", "/product/1", 200, None).name == "GET /product/{id} 200"
    with pytest.raises(UndecidedError, match="GET /product/none has no schema"):
        response_of(document, "GET", "/product/none", 200, None)


@pytest.mark.parametrize("status", ["404", "4XX", "4xx", "default"])
def test_a_status_its_range_and_any_other(status: str) -> None:
    content: Json = {"application/problem+json": {"schema": {"type": "object"}}}
    document: Json = {"openapi": "3.1.0", "paths": {"/a.{x}": {"get": {"responses": {status: {"content": content}}}}}}
    found = response_of(document, "GET", "/a.b", 404, "application/json; charset=utf-8")
    assert (found.name, found.schema) == (
        f"GET /a.{{x}} {status.upper() if status != 'default' else status}",
        {"type": "object"},
    )
    with pytest.raises(UndecidedError):
        response_of(document, "GET", "/a.", 404, None)


@pytest.mark.parametrize("document", [None, [], {}, {"openapi": 3}, {"openapi": "3.1.0", "paths": 3}], ids=str)
def test_what_is_no_openapi_document_is_said(document: Json) -> None:
    with pytest.raises(UndecidedError, match="it is not"):
        response_of(document, "GET", "/", 200, None)


def test_yaml_is_read_by_the_words_of_its_version_1_2() -> None:
    read = parse(b"no: {on: yes, off: true, 200: 2020-01-01, a: &a [null], b: *a}")
    assert read == {"no": {"on": "yes", "off": True, "200": "2020-01-01", "a": [None], "b": [None]}}
    with pytest.raises(NotJsonError):
        parse(b"\xff")


TYPES = st.sampled_from(["null", "string", "integer", "number", "boolean", "array", "object"])
VALUES: st.SearchStrategy[Json] = st.sampled_from([None, "x", 3, 1.5, True, [], {}])
LEAVES: st.SearchStrategy[Json] = st.one_of(
    st.booleans(),
    st.builds(lambda one: {"type": one}, TYPES),
    st.builds(lambda some: {"type": some}, st.lists(TYPES, min_size=1, max_size=3, unique=True)),
    st.builds(lambda some: {"enum": some}, st.lists(VALUES, min_size=1, max_size=3)),
    st.builds(lambda one: {"const": one}, VALUES),
    st.builds(lambda name: {"$ref": f"#/$defs/{name}"}, st.sampled_from(["Text", "Maybe"])),
)
NAMED: Json = {"Text": {"type": "string"}, "Maybe": {"anyOf": [{"$ref": "#/$defs/Text"}, {"type": "null"}]}}
SCALARS = st.recursive(
    LEAVES,
    lambda some: st.one_of(
        st.builds(lambda many: {"anyOf": many}, st.lists(some, min_size=1, max_size=3)),
        st.builds(lambda many: {"allOf": many}, st.lists(some, min_size=1, max_size=2)),
        st.builds(lambda one: {"not": one}, some),
    ),
    max_leaves=4,
)


def objects(members: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    keys = st.sampled_from(["a", "b"])
    made: st.SearchStrategy[Json] = st.builds(
        lambda properties, required, more: {"properties": properties, "required": required, "allOf": more},
        st.dictionaries(keys, members, min_size=1),
        st.lists(keys, unique=True),
        st.lists(st.builds(lambda some: {"required": some}, st.lists(keys, unique=True)), max_size=1),
    )
    return made


@given(schema=objects(objects(SCALARS) | SCALARS), one=VALUES, other=VALUES, is_nested=st.booleans())
def test_what_is_derived_is_what_a_validator_takes(*, schema: Json, one: Json, other: Json, is_nested: bool) -> None:
    assert isinstance(schema, dict)
    schema["$defs"] = NAMED
    example: Json = {"a": {"a": one, "b": other} if is_nested else one, "b": other}
    validator = Draft202012Validator(schema)
    for found in places_of(schema, schema, example) if validator.is_valid(example) else ():
        assert isinstance(found, Described)
        if found.state != "absent":
            edits = {state: Edit(found.place, value) for state, value in (("null", None), ("absent", REMOVED))}
            taken = {state for state, edit in edits.items() if validator.is_valid(apply(example, edit))}
            assert taken == found.may_be, found.place
