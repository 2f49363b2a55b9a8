"""Service stubs in the probe: the code of two services, on what they really exchange, each in its own idiom."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from counterfoil.probe.grounded import bodies, grounded, still_probes
from counterfoil.probe.instants import is_same_instant
from google.protobuf import descriptor_pb2, descriptor_pool

from tests.builders import Judged, Object, Workspace, interaction, message, pact
from tests.simulated import item, payload
from tests.test_probe import PROTO

SERVICE = Path(__file__).resolve().parent / "stubs" / "service.py"
THING: Object = {"name": "a", "id": "1"}


@pytest.fixture
def services(shop: Workspace) -> Workspace:
    """Two services that exchange a thing, and read it alike."""
    shop.configure("schema", dir="protos")
    shop.write("protos/probe/v1/thing.proto", PROTO)
    shop.pact(pact("web", "catalog", interaction("a thing", body=THING)))
    serve(shop, "web", "absent")
    serve(shop, "catalog", "absent")
    return shop


def serve(workspace: Workspace, name: str, null_as: str) -> None:
    workspace.configure(f"stubs.{name}", start=[sys.executable, str(SERVICE)], env={"NULL_AS": null_as})


def probe(workspace: Workspace, *more: str) -> Judged:
    return workspace.judge("probe", "--stub", "web", "--stub", "catalog", "--budget", "500", *more)


@pytest.mark.silent("DIVERGENCE", "PROBE_NOT_RUN", "STUB_SAID_NOTHING")
def test_services_that_read_alike_agree(services: Workspace) -> None:
    report = probe(services)
    assert (report.verdict, report.findings) == ("compatible", [])
    assert report.cases == {"probe::probe.v1.Thing::services": "compatible"}


@pytest.mark.fires("DIVERGENCE")
@pytest.mark.parametrize(
    ("null_as", "class_", "told"),
    [
        ("empty", "presence", '{name}: catalog sees ""; web sees null'),
        (
            "refused",
            "accept-reject",
            'web reads it as {"id": "", "name": null}; catalog refuses it (catalog: name: null)',
        ),
    ],
)
def test_a_null_that_two_services_read_differently_names_the_field(
    services: Workspace, null_as: str, class_: str, told: str
) -> None:
    serve(services, "catalog", null_as)
    found = probe(services).the("DIVERGENCE", f"{class_} | json | probe.v1.Thing.name string | null | catalog / web")
    assert found["message"] == told
    witness = services.root / found["location"]["path"]
    assert json.loads(witness.read_text())["payload"]["readable"] == '{"id":"","name":null}'
    assert services.run("replay", found["location"]["path"]).exit_code == 1
    serve(services, "catalog", "absent")
    assert services.run("replay", found["location"]["path"]).exit_code == 0


@pytest.mark.silent("PROBE_NOT_RUN")
def test_a_message_that_no_pact_has_is_made_up(services: Workspace) -> None:
    services.pact(pact("web", "catalog", interaction("something else", body={"other": 1})))
    report = probe(services)
    assert (report.verdict, report.rules) == ("compatible", set())


@pytest.mark.fires("PROBE_NOT_RUN")
def test_a_message_that_not_all_read_is_not_proven(services: Workspace) -> None:
    serve(services, "catalog", "nothing")
    report = probe(services)
    assert report.verdict == "unproven"
    assert report.rules == {("PROBE_NOT_RUN", "probe.v1.Thing::services")}


@pytest.mark.fires("DIVERGENCE")
def test_what_differs_in_the_body_of_the_pact_itself_is_told(services: Workspace) -> None:
    services.pact(pact("web", "catalog", interaction("a thing", body={"name": "a", "id": "9007199254740993"})))
    serve(services, "catalog", "rounded")
    report = probe(services)
    found = report.the("DIVERGENCE", "value | json | probe.v1.Thing.id int64 | value | catalog / web")
    assert found["message"] == '{id}: catalog sees "9007199254740992"; web sees "9007199254740993"'
    assert (report.verdict, len(report.findings)) == ("broken", 1)


@pytest.mark.fires("DIVERGENCE")
def test_edge_values_are_tried_where_no_pact_has_them(services: Workspace) -> None:
    serve(services, "catalog", "rounded")
    subject = "value | json | probe.v1.Thing.id int64 | edge:2^53+1 as text | catalog / web"
    found = probe(services).the("DIVERGENCE", subject)
    assert found["message"] == '{id}: catalog sees "9007199254740992"; web sees "9007199254740993"'


def test_a_service_that_always_sees_the_same_is_not_compatible(services: Workspace) -> None:
    serve(services, "catalog", "constant")
    report = probe(services)
    report.the("DIVERGENCE", "value | json | probe.v1.Thing.name string | value | catalog / web")
    assert report.verdict == "broken"


@pytest.mark.fires("PROBE_NOT_RUN")
def test_services_of_which_no_field_can_be_compared_are_unproven(services: Workspace) -> None:
    serve(services, "catalog", "alien")
    report = probe(services)
    assert (report.verdict, report.exit_code) == ("unproven", 3)
    assert report.rules == {("PROBE_NOT_RUN", f"probe.v1.Thing::{name}") for name in ("catalog", "web")}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (b"2026-01-05T10:00:00Z", b"2026-01-05T10:00:00+00:00", True),
        (b"2026-01-05T10:00:00.500Z", b"2026-01-05T11:00:00.5+01:00", True),
        (b"2026-01-05T10:00:00.123456789Z", b"2026-01-05T10:00:00.123456Z", False),
        (b"2026-01-05T10:00:00Z", b"2026-01-05T10:00:01Z", False),
        (b"2026-02-31T10:00:00Z", b"2026-02-31T10:00:00+00:00", False),
        (b"a", b"a", False),
    ],
)
def test_a_time_is_the_same_however_it_is_written(one: bytes, other: bytes, *, expected: bool) -> None:
    assert is_same_instant(one, other) is expected


def test_stubs_with_nothing_in_common_are_a_usage_error(services: Workspace) -> None:
    ran = services.run("probe", "--stub", "web", "--stub", "python")
    assert ran.exit_code == 2
    assert ran.error["error"] == "no two of the stubs 'python', 'web' are to be compared on any of the messages"


def test_bodies_of_every_kind_of_pact_are_found() -> None:
    document = pact("a", "b", interaction("one", body={"n": 1}), messages=[message("two", {"n": 2})])
    assert list(bodies(document)) == [{"n": 1}, {"n": 2}]
    assert list(bodies([])) == []


def test_each_field_of_the_ground_is_varied_alone() -> None:
    pool = descriptor_pool.DescriptorPool()
    file = descriptor_pb2.FileDescriptorProto(name="t.proto", syntax="proto3")
    inner = file.message_type.add(name="Inner")
    inner.field.add(name="n", number=1, type="TYPE_INT32", label="LABEL_OPTIONAL", json_name="n")
    outer = file.message_type.add(name="Outer")
    outer.field.add(
        name="in", number=1, type="TYPE_MESSAGE", type_name=".Inner", label="LABEL_OPTIONAL", json_name="in"
    )
    pool.Add(file)
    made = {
        (one.path, one.state): json.loads(one.data)
        for one in grounded(pool.FindMessageTypeByName("Outer"), {"in": {"n": 5}})
    }
    assert made["in", "absent"] == {}
    assert made["in.n", "absent"] == {"in": {}}
    assert made["in.n", "null"] == {"in": {"n": None}}
    assert made["in.n", "default"] == {"in": {"n": 0}}


@pytest.mark.parametrize(
    ("original", "candidate", "expected"),
    [
        ('{"name":"a","child":{"id":null}}', '{"child":{"id":null}}', True),
        ('{"name":"a","child":{"id":null}}', '{"child":{}}', False),
        ('{"name":"a","child":{"id":null}}', "{}", False),
        ('{"name":"a","child":{}}', '{"child":{}}', True),
        ('{"name":"a","child":{}}', "{}", False),
        ('{"name":"a","child":{"id":"7"}}', '{"child":{"id":"0"}}', False),
    ],
)
def test_a_smaller_body_probes_the_same_state_in_the_same_place(
    original: str, candidate: str, *, expected: bool
) -> None:
    pair = [payload(text.encode(), path="child.id", kind="int64", state="null") for text in (candidate, original)]
    assert still_probes(pair[0], pair[1], item()) is expected
