"""Schemas at the gate: recorded by publish, compared when it is asked, in the direction in which the data flows."""

from __future__ import annotations

from pathlib import Path

import pytest
from counterfoil.breaking.schema_judge import compare_schemas
from counterfoil.project.config import read_workspace
from counterfoil.system.processes import Processes
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from tests.gated import Gate, gate_in

PROTO = """syntax = "proto3";
package shop.v1;
message Money { %s units = 1; }
message Order { Money total = 1; }
message Other { Money total = 1; string name = 2; }
"""


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """Web writes orders, shop reads them; version 1 of shop is live, and no pact is between them."""
    made = gate_in(tmp_path)
    made.shop.configure("schema", dir="protos")
    made.shop.configure("participants.web", writes=["shop.v1.Order"], reads=["shop.v1.Other"])
    made.shop.configure("participants.shop", writes=["shop.v1.Money"], reads=["shop.v1.Order"])
    made.shop.write("protos/shop.proto", PROTO % "int64")
    made.publish("web@1")
    made.publish("shop@1")
    made.deploy("shop@1")
    return made


@pytest.mark.fires("SCHEMA_NOT_READ")
@pytest.mark.silent("SCHEMAS_NOT_COMPARED")
def test_a_change_that_the_live_reader_does_not_read_is_stopped_with_a_payload(gate: Gate) -> None:
    assert gate.deployable("web@1").verdict == "compatible"
    gate.shop.write("protos/shop.proto", PROTO % "string")
    gate.publish("web@2")
    answer = gate.deployable("web@2")
    assert answer.rules == {("SCHEMA_NOT_READ", "shop 1←web 2")}
    assert (answer.verdict, answer.broker) == ("broken", True)
    reason = answer.the("SCHEMA_NOT_READ")
    assert reason["symbols"] == ["shop.v1.Money.units"]
    witness = gate.shop.root / reason["witnesses"][0]
    assert witness.is_file()
    assert reason["next"] == f"counterfoil replay {reason['witnesses'][0]}"
    witness.unlink()
    assert gate.deployable("web@2").rules == answer.rules
    assert not witness.exists(), "what was compared once is not compared again"


def test_a_change_of_what_is_not_exchanged_does_not_matter(gate: Gate) -> None:
    gate.shop.write("protos/shop.proto", (PROTO % "int64").replace("string name", "int32 name"))
    gate.publish("web@2")
    answer = gate.deployable("web@2")
    assert not answer.rules
    assert answer.verdict == "compatible"
    assert [flow["messages"] for flow in answer.document["flows"]] == [["shop.v1.Order"]]


CARRIED = {
    "in a message of another file": ("import 'line.proto'; message Order { optional Line line = 1; }", ""),
    "in a map": ("import 'line.proto'; message Order { map<string, Line> lines = 1; }", ""),
    "in an extension": (
        "message Order { extensions 9; }",
        "import 'order.proto'; extend Order { optional Line l = 9; }",
    ),
}


@pytest.mark.parametrize("how", CARRIED)
def test_whoever_can_carry_a_message_at_any_depth_is_concerned(gate: Gate, how: str) -> None:
    head = 'syntax = "proto2";\npackage shop.v1;\n'
    order, more = CARRIED[how]
    line = "import 'shop.proto';\nmessage Line { optional Money price = 1; }"
    files = {"order": order, "line": line, "more": f"import 'line.proto';\n{more}"}
    for name, text in files.items():
        gate.shop.write(f"protos/{name}.proto", f"{head}{text}\n")
    for version, type_ in {"shop@2": "int64", "web@2": "string"}.items():
        gate.shop.write("protos/shop.proto", f"{head}message Money {{ optional {type_} units = 1; }}\n")
        gate.publish(version)
    gate.deploy("shop@2")
    assert gate.deployable("web@2").rules == {("SCHEMA_NOT_READ", "shop 2←web 2")}


def test_an_image_that_contradicts_itself_leaves_its_schema_unproven(gate: Gate) -> None:
    """One such may be in a ledger that was imported: publish compiles what it records."""
    whole, dangling = (FileDescriptorSet(file=[FileDescriptorProto(name="x.proto")]) for _ in range(2))
    dangling.file[0].dependency.append("gone.proto")
    workspace = read_workspace(gate.shop.file)
    processes = Processes()
    try:
        images = (whole.SerializeToString(), dangling.SerializeToString())
        assert compare_schemas(processes, workspace, *images) is None
        assert compare_schemas(processes, workspace, b"none", images[0]) is None
        assert compare_schemas(processes, workspace, images[0], images[0]) == ()
    finally:
        processes.stop()
