"""What a provider's OpenAPI document or JSON Schema lets be absent or null, and no interaction of a pact shows so."""

from __future__ import annotations

import json

import pytest
from counterfoil.project.schema_documents import MAX_BYTES

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
