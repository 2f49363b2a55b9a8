"""A workspace with a ledger, and what its commands leave in it."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from counterfoil.gate.facts import Facts
from counterfoil.gate.question import Destination, Question, Selector
from counterfoil.ledger.address import find_address
from counterfoil.ledger.store import Ledger, open_ledger
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from tests.builders import Workspace


class Recorded:
    """A workspace with a ledger."""

    def __init__(self, shop: Workspace, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COUNTERFOIL_LEDGER", url)
        self.shop = shop
        self.url = url
        shop.configure("pacts", dir="contracts/pacts")

    @property
    def ledger(self) -> Ledger:
        return open_ledger(None, os.environ)

    def do(self, *arguments: str) -> str:
        """Run a command that has to succeed; what it prints."""
        ran = self.shop.run_here(*arguments)
        assert ran.exit_code == 0, ran.stderr
        return ran.stdout

    def refused(self, *arguments: str) -> dict[str, str]:
        """Run a command that has to be refused, and to change nothing; the parts of its error."""
        before = self.exported()
        ran = self.shop.run_here(*arguments)
        assert ran.exit_code == 2, ran.stdout
        assert self.exported() == before
        return ran.error

    def exported(self) -> str:
        ran = self.shop.run_here("ledger", "export")
        return ran.stdout

    def execute(self, statement: str) -> None:
        """Do something to the database behind the ledger's back."""
        engine = create_engine(find_address(None, os.environ).url, poolclass=NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)

    def rows(self, table: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.exported().splitlines()]
        return [line["row"] for line in lines if line.get("table") == table]

    def facts(self, participant: str, number: str, environment: str | None = None) -> Facts:
        return self.facts_for(participant, number, Destination(environment=environment) if environment else None)

    def facts_for(self, participant: str, number: str, destination: Destination | None) -> Facts:
        """What bears on whether one version may go there."""
        selector = Selector(participant=participant, number=number)
        return self.ledger.facts(Question(selectors=(selector,), destination=destination))
