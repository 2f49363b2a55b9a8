"""A process that publishes to a ledger, over and over, and tells each version that is in the ledger for sure."""

from __future__ import annotations

import os
from multiprocessing.connection import Connection

from counterfoil.core.pact_content import PactContent, digest_of, normalised
from counterfoil.gate.facts import VersionRef
from counterfoil.ledger.entries import Run
from counterfoil.ledger.store import open_ledger


def contents(who: str, number: int) -> list[PactContent]:
    """Two pacts for each version, so that half a publication can be told from a whole one."""
    body = normalised({"messages": [{"description": f"{number} {'x' * (number % 7) * 2000}", "contents": {}}]})
    return [
        PactContent(consumer=who, provider=provider, body=body, digest=digest_of(body)) for provider in ("api", "shop")
    ]


def publish(url: str, who: str, first: int, count: int, told: Connection) -> None:
    """Publish versions with consecutive numbers, each in a transaction of its own."""
    os.environ["COUNTERFOIL_LEDGER"] = url
    for number in range(first, first + count):
        with open_ledger(None, os.environ).recording(Run(command="publish")) as into:
            into.version(VersionRef(who, str(number)), branch="main", tags=["t"])
            for content in contents(who, number):
                into.pact(str(number), content)
        told.send(number)
