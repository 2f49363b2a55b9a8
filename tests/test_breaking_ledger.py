"""`counterfoil breaking` with versions that the ledger knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders import Workspace, interaction, pact
from tests.ledgers import Recorded
from tests.schema_change import PROTO, RETYPED

MISSING = "counterfoil publish"


@pytest.fixture
def recorded(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """A catalog whose versions 7 and 8 speak two schemas, and a web that speaks none."""
    made = Recorded(shop, f"sqlite:///{shop.root}/ledger.db", monkeypatch)
    made.shop.provide("catalog", {"routes": {}})
    made.shop.configure("schema", dir="protos")
    made.shop.pact(pact("web", "catalog", interaction("a product", body={"id": 1})))
    for version, text in (("7", PROTO), ("8", RETYPED)):
        made.shop.write("protos/shop/v1/shop.proto", text)
        made.do("publish", "-a", "catalog", "-e", version)
    made.do("publish", "-a", "web", "-e", "1")
    return made


def test_two_versions_of_the_ledger_are_compared(recorded: Recorded) -> None:
    judged = recorded.shop.judge_here("breaking", "ledger:catalog@8", "--against", "ledger:catalog@7")
    assert judged.the("FIELD_TYPE_CHANGED")["subject"] == "shop.v1.Product.stock"


def test_a_folder_is_compared_with_a_version(recorded: Recorded) -> None:
    assert recorded.shop.judge_here("breaking", "protos", "--against", "ledger:catalog@8").verdict == "compatible"
    assert recorded.shop.judge_here("breaking", "protos", "--against", "ledger:catalog@7").verdict == "broken"


@pytest.mark.parametrize(
    ("named", "error", "hint"),
    [
        ("ledger:catalog", "'ledger:catalog' names no version in the ledger", "such as ledger:catalog@1.4.0"),
        ("ledger:@7", "'ledger:@7' names no version in the ledger", "ledger:PARTICIPANT@VERSION"),
        ("ledger:catalogue@7", "knows no participant 'catalogue'", MISSING),
        ("ledger:catalog@9", "knows no version '9' of catalog", MISSING),
        ("ledger:web@1", "no schema was recorded with version '1' of web", MISSING),
    ],
    ids=["no version", "no participant", "unknown participant", "unknown version", "no schema"],
)
def test_what_the_ledger_does_not_have_is_refused(recorded: Recorded, named: str, error: str, hint: str) -> None:
    ran = recorded.shop.run_here("breaking", "protos", "--against", named)
    assert ran.exit_code == 2
    assert error in ran.error["error"]
    assert hint in ran.error["next"]


def test_without_a_ledger_none_is_made(shop: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "ledger.db"
    made = Recorded(shop, f"sqlite:///{file}", monkeypatch)
    shop.write("protos/shop/v1/shop.proto", PROTO)
    ran = made.shop.run_here("breaking", "protos", "--against", "ledger:catalog@7")
    assert (ran.exit_code, file.exists()) == (2, False)
    assert "there is no ledger at" in ran.error["error"]
