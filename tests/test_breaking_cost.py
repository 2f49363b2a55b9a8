"""What `counterfoil breaking` loads and starts for a change: no more than the change needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from counterfoil.breaking.schema_sides import side
from counterfoil.breaking.schema_witnesses import trials
from counterfoil.compat.growth import only_grew, reads_alike
from counterfoil.compat.trimming import raw_files, trim
from counterfoil.schema.descriptors import parse_image

from tests import schema_corpus
from tests.builders import Workspace
from tests.schema_change import PROTO, RETYPED

COSTLY = ("counterfoil.breaking.schema_witnesses", "counterfoil.compat.witnessing")
NEVER = (
    "httpx",
    "jsonschema",
    "sqlalchemy",
    "hypothesis",
    "yaml",
    "filelock",
    "importlib.metadata",
    "counterfoil.core.pacts",
    "counterfoil.results.result_keys",
    "counterfoil.ledger.store",
)
ADDED = PROTO.replace("int32 stock = 2;", "int32 stock = 2;\n  repeated string tags = 3;")
RPC = "service Shop {\n  rpc Find(Product) returns (Product);\n}\n"


def loaded(shop: Workspace, old: str, new: str) -> set[str]:
    """The modules that a run loads."""
    shop.write("old/shop/v1/shop.proto", old)
    shop.write("new/shop/v1/shop.proto", new)
    command = [sys.executable, "-X", "importtime", "-m", "counterfoil", "breaking", "new", "--against", "old"]
    done = subprocess.run(command, cwd=shop.root, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


@pytest.mark.parametrize(("old", "new"), [(PROTO, ADDED), (PROTO + RPC, PROTO)], ids=["added", "rpc removed"])
def test_what_tries_payloads_is_not_loaded_where_there_is_nothing_to_try(shop: Workspace, old: str, new: str) -> None:
    modules = loaded(shop, old, new)
    assert "counterfoil.breaking.breaking_findings" in modules
    assert not modules & {*COSTLY, *NEVER}


def test_what_tries_payloads_is_loaded_where_there_is_something_to_try(shop: Workspace) -> None:
    assert set(COSTLY) <= loaded(shop, PROTO, RETYPED)


@pytest.mark.parametrize("leash", [Path("harness/counterfoil/system/leash.py")])
def test_a_leash_loads_only_what_is_built_in(leash: Path) -> None:
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-I", "-S", "-X", "importtime", str(root / leash), "0", "1", "true"]
    done = subprocess.run(command, stdin=subprocess.PIPE, capture_output=True, text=True, check=False)
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not modules & {"subprocess", "signal", "contextlib", "ctypes", "enum", "re", "collections"}


@pytest.mark.parametrize("name", schema_corpus.names())
def test_what_only_grew_is_passed_by_buf_and_by_every_runtime(name: str) -> None:
    trimmed = trim(*(raw_files(schema_corpus.image(name, one)) for one in ("old", "new")))
    if not trimmed.changed:
        return
    old, new, changes = parse_image(trimmed.old), parse_image(trimmed.new), schema_corpus.changes(name)
    if only_grew(old, new, changes):
        assert not any(schema_corpus.expected(name)["buf"].values())
        assert reads_alike(old, new, changes)
    if reads_alike(old, new, changes):
        sides = side(trimmed.old), side(trimmed.new)
        assert trials(*sides, changes, sorted({effect.direction for one in changes for effect in one.effects})) == ()


def test_that_a_schema_only_grew_is_seen_where_it_did() -> None:
    grown = {"field_added", "message_added", "rpc_added", "enum_value_added", "enum_added"} & {*schema_corpus.names()}
    for name in grown:
        assert only_grew(
            schema_corpus.schema(name, "old"), schema_corpus.schema(name, "new"), schema_corpus.changes(name)
        )
    assert len(grown) > 2
