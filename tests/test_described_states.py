"""What a provider's OpenAPI document or JSON Schema lets be absent or null, and no interaction of a pact shows so."""

from __future__ import annotations

import json

import pytest
from counterfoil.allowance.edits import REMOVED, Edit, apply
from counterfoil.allowance.json_schema import Described, NotFollowed, places_of
from counterfoil.allowance.openapi import response_of
from counterfoil.allowance.paths import shown
from counterfoil.allowance.undecided import UndecidedError
from counterfoil.pacts import Json
from counterfoil.schema_documents import MAX_BYTES
from counterfoil.yaml_documents import NotJsonError, parse
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.builders import Judged, Object, Workspace, interaction, message, message_pact, pact
from tests.readers import nulls, reads, with_reader

OPENAPI = """
openapi: 3.0.3
info: {title: catalog, version: "1"}
servers: [{url: "https://example.com/v1/"}]
paths:
  /product/{id}:
    get:
      responses:
        200: {$ref: "#/components/responses/Product"}
  /product/none:
    get:
      responses:
        default: {description: none}
components:
  responses:
    Product:
      description: a product
      content:
        application/json:
          schema: {$ref: "#/components/schemas/Product"}
  schemas:
    Product:
      type: object
      required: [amount, tags]
      properties:
        amount: {type: integer, nullable: true}
        no: {type: string}
        tags: {type: array, items: {type: string}}
"""
ONLY = "and only references within the document (#/...) are followed"
BODY: Object = {"amount": 3, "no": "x", "tags": ["a"]}
AMOUNT = "web→catalog::$.amount: null in GET /product/{id} 200"
WORD = "web→catalog::$.no: absent in GET /product/{id} 200"


@pytest.fixture
def shop(shop: Workspace) -> Workspace:
    """A provider that names an OpenAPI document, and a consumer with a stub that reads faithfully."""
    with_reader(shop)
    described(shop, OPENAPI)
    return reads(shop, "faithful")


def described(shop: Workspace, document: str, file: str = "api/openapi.yaml", **more: object) -> None:
    shop.write(file, document)
    shop.configure("participants.catalog", schemas=[{"file": file, **more}])


def products(shop: Workspace, *bodies: Object, path: str = "/product/{}") -> Workspace:
    """A pact with an interaction for each body, and a provider that answers as it says."""
    paths = [path.format(number) for number in range(len(bodies))]
    made = [interaction(f"product {one}", path=one, body=body) for one, body in zip(paths, bodies, strict=True)]
    routes = {f"GET {one}": {"body": body} for one, body in zip(paths, bodies, strict=True)}
    shop.provide("catalog", {"routes": routes})
    shop.pact(pact("web", "catalog", *made))
    return shop


def told(report: Judged) -> set[str]:
    """The subjects of what is not shown."""
    return {subject for rule, subject in report.rules if rule == "STATE_NOT_SHOWN"}


@pytest.mark.fires("STATE_NOT_SHOWN")
@pytest.mark.silent("BODY_NOT_DESCRIBED")
@pytest.mark.parametrize("path", ["/product/{}", "/v1/product/{}"])
def test_what_an_openapi_document_allows_and_no_interaction_shows(shop: Workspace, path: str) -> None:
    report = nulls(products(shop, BODY, path=path))
    assert report.rules == {("STATE_NOT_SHOWN", AMOUNT), ("STATE_NOT_SHOWN", WORD)}
    assert (report.verdict, report.exit_code) == ("unproven", 3)
    found = report.the("STATE_NOT_SHOWN", WORD)
    assert found["message"] == (
        "api/openapi.yaml lets `$.no` be absent in GET /product/{id} 200, "
        "and no interaction says what web does when `no` is absent"
    )
    assert found["evidence"][0]["lines"] == [
        "(",
        f"    pact.upon_receiving('product {path.format(0)}, no absent')",
        f"    .with_request('GET', '{path.format(0)}')",
        "    .will_respond_with(200)",
        "    .with_body({'amount': 3, 'tags': ['a']}, content_type='application/json')",
        ")",
    ]
    null = report.the("STATE_NOT_SHOWN", AMOUNT)["evidence"][0]["lines"]
    assert "    .with_body({'amount': None, 'no': 'x', 'tags': ['a']}, content_type='application/json')" in null


@pytest.mark.silent("STATE_NOT_SHOWN", "BODY_NOT_DESCRIBED")
def test_what_some_interaction_shows(shop: Workspace) -> None:
    assert nulls(products(shop, BODY, {"amount": None, "tags": ["a"]})).findings == []


@pytest.mark.fires("STATE_NOT_SHOWN")
def test_a_body_without_a_decoder_is_told_of_too_as_json(shop: Workspace) -> None:
    products(shop, BODY).configure("participants.web", decoders=None)
    report = nulls(shop)
    assert told(report) == {AMOUNT, WORD}
    lines = report.the("STATE_NOT_SHOWN", AMOUNT)["evidence"][0]["lines"]
    assert json.loads("\n".join(lines)) == {**BODY, "amount": None}
    assert told(nulls(reads(shop, None))) == set(), "nobody looks at the body"


@pytest.mark.fires("STATE_NOT_SHOWN")
def test_a_json_schema_of_a_message(shop: Workspace) -> None:
    schema = {"$defs": {"Sold": {"properties": {"amount": {"type": ["integer", "null"]}}, "required": ["amount"]}}}
    described(shop, json.dumps(schema), "events.json", at="#/$defs/Sold", interactions=["so*"])
    shop.pact(message_pact("web", "catalog", message("sold", {"amount": 3}), message("else", {"amount": 3})))
    report = nulls(shop)
    assert told(report) == {"web→catalog::$.amount: null in events.json/$defs/Sold"}
    assert report.the("STATE_NOT_SHOWN")["location"]["path"] == "contracts/pacts/web-catalog.json"


def test_an_openapi_document_leaves_messages_to_the_next_entry(shop: Workspace) -> None:
    shop.write("events.json", json.dumps({"properties": {"amount": {"type": "integer"}}}))
    shop.configure("participants.catalog", schemas=[{"file": "api/openapi.yaml"}, {"file": "events.json"}])
    shop.pact(message_pact("web", "catalog", message("sold", {"amount": 3})))
    assert told(nulls(shop)) == {"web→catalog::$.amount: absent in events.json"}


def test_what_the_provider_did_send_to_others_in_that_state(shop: Workspace) -> None:
    products(shop, BODY)
    other = interaction("none", path="/product/1", body={"amount": None})
    shop.pact(pact("phone", "catalog", other))
    routes = {"GET /product/0": {"body": BODY}, "GET /product/1": {"body": {"amount": None}}}
    shop.provide("catalog", {"routes": routes})
    shop.configure("participants.phone", dir=".", decoders=[{"sender": "catalog"}])
    found = nulls(shop).the("STATE_NOT_SHOWN", AMOUNT)
    assert found["evidence"][0]["lines"] == ["catalog did send $.amount null in phone→catalog"]


def test_what_was_read_is_judged_anew_when_the_document_changes(shop: Workspace) -> None:
    products(shop, BODY, {"amount": None, "tags": ["a"]}).configure("stubs.web-stub", inputs=["catalog/*.json"])
    assert nulls(shop).findings == []
    described(shop, OPENAPI.replace("items: {type: string}", "items: {type: string, nullable: true}"))
    assert told(nulls(shop)) == {"web→catalog::$.tags[*]: null in GET /product/{id} 200"}


@pytest.mark.fires("BODY_NOT_DESCRIBED")
@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("/product/{id}:", "/products/{id}:", "it has no operation GET /product/0"),
        ("        200:", "        404:", "its GET /product/{id} has no response for the status 200"),
        ("application/json:", "text/html:", "its GET /product/{id} has no schema of a JSON body for this response"),
        ("openapi: 3.0.3", "swagger: '2.0'", "it is not OpenAPI 3"),
        (
            "#/components/schemas/Product",
            "https://example.com/product.json",
            f"it refers to 'https://example.com/product.json', {ONLY}",
        ),
        ("#/components/schemas/Product", "#/components/schemas/Products",
         "it refers to '#/components/schemas/Products', which is not there"),
    ],
)  # fmt: skip
def test_what_a_document_does_not_describe_is_unproven(shop: Workspace, old: str, new: str, why: str) -> None:
    described(shop, OPENAPI.replace(old, new))
    report = nulls(products(shop, BODY))
    found = report.the("BODY_NOT_DESCRIBED", "web→catalog::product /product/0 (response) $")
    assert found["message"] == (
        f"api/openapi.yaml does not tell the states of $ of the response of 'product /product/0': {why}"
    )
    assert "[[participants.catalog.schemas]]" in found["fix"]
    assert report.exit_code == 3


@pytest.mark.fires("BODY_NOT_DESCRIBED")
@pytest.mark.parametrize(
    ("file", "document", "why"),
    [
        ("api.yaml", None, "cannot read 'api.yaml': there is no such file"),
        ("api.json", "{", "'api.json' is not JSON: Expecting property name"),
        ("api.json", "[" * 200_000, "'api.json' is not JSON: "),
        ("api.yaml", "a: [", "'api.yaml' is not YAML: while parsing a flow node"),
        ("api.yaml", "- " * 100_000, "'api.yaml' is not YAML: it is nested deeper than 200"),
        ("api.yaml", "a: &a {x: 1}\nb: {<<: *a}", "'api.yaml' is not YAML: it has a merge key `<<`"),
        ("api.yaml", "a: !!python/object/apply:os.system [date]", "'api.yaml' is not YAML: could not determine"),
        ("api.yaml", "#" * (MAX_BYTES + 1), "cannot read 'api.yaml': it has more than 16 MiB"),
    ],
    ids=["none", "json", "deep json", "yaml", "deep yaml", "merge", "object", "large"],
)
def test_a_document_that_cannot_be_read_is_unproven(shop: Workspace, file: str, document: str | None, why: str) -> None:
    products(shop, BODY)
    described(shop, document or "", file)
    if document is None:
        (shop.root / file).unlink()
    report = nulls(shop)
    assert report.the("BODY_NOT_DESCRIBED", file)["message"].startswith(why)
    assert (report.exit_code, told(report)) == (3, set())


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ({"file": "api.yaml", "att": "#"}, "unknown key 'att' in [participants.catalog.schemas]"),
        ({"file": "/api.yaml"}, "'participants.catalog.schemas.file' is not valid: "),
        ({"file": "api.yaml", "at": "Served"}, "'participants.catalog.schemas.at' is not valid: "),
    ],
    ids=["key", "path", "pointer"],
)
def test_an_entry_that_cannot_be_is_refused(shop: Workspace, entry: Object, error: str) -> None:
    shop.configure("participants.catalog", schemas=[entry])
    ran = shop.run_here("nulls")
    assert ran.exit_code == 2
    assert ran.error["error"].startswith(error)


# --- the schemas -----------------------------------------------------------------------------------------------------


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
