"""A shop whose consumer reads by the stub of tests/stubs/reader.py, and what the null lane says of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.builders import Judged, Object, Workspace, interaction, pact

READER = Path(__file__).resolve().parent / "stubs" / "reader.py"
BY_TYPE: Object = {"match": "type"}
NULL: Object = {"match": "null"}
AMOUNT = "web→catalog::response $.amount"


def with_reader(shop: Workspace) -> Workspace:
    """A provider, a consumer with a stub, and no pact yet."""
    shop.provide("catalog")
    shop.configure("participants.web", dir=".")
    shop.configure("stubs.web-stub", start=[sys.executable, str(READER)])
    return shop


def reads(shop: Workspace, decoder: str | None, **more: object) -> Workspace:
    """Let the consumer read what the provider sends by one of the stub's decoders."""
    entry: Object = {"sender": "catalog", **more}
    if decoder:
        entry |= {"message": decoder, "stub": "web-stub"}
    shop.configure("participants.web", decoders=[entry])
    return shop


def amounts(shop: Workspace, *bodies: tuple[object, Object | None]) -> str:
    """A pact with an interaction for each amount and its matcher, and a provider that answers as it says."""
    made = [
        interaction(
            f"{number}",
            path=f"/product/{number}",
            body={"amount": amount},
            rules={"$.amount": matcher} if matcher else None,
        )
        for number, (amount, matcher) in enumerate(bodies)
    ]
    routes = {f"GET /product/{number}": {"body": {"amount": amount}} for number, (amount, _) in enumerate(bodies)}
    shop.provide("catalog", {"routes": routes})
    return shop.pact(pact("web", "catalog", *made))


def nulls(shop: Workspace) -> Judged:
    return shop.judge_here("nulls")


def cell(report: Judged, field: str = "response $.amount") -> Any:  # noqa: ANN401  (JSON)
    """The states of a field in the null matrix."""
    (row,) = [row for row in report.document["null_matrix"] if row["field"] == field]
    assert (row["contract"], row["participant"]) == ("web→catalog", "web")
    return row["states"]
