"""The null matrix: what each participant makes of each field of each contract in each presence state."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from counterfoil.allowance.reading import SENT, Result
from counterfoil.core.printing import printable
from counterfoil.model import Report

STATES = ("absent", "null", "default", "empty", "value", "extra")
STYLES = {
    Result.REJECTED: "bold red",
    Result.MISREAD: "bold red",
    Result.UNPROVEN: "yellow",
    Result.NOT_READ: "dim",
    Result.PROVEN: "green",
}

WIDTH = 240
"""Lines are not broken to the width of the screen."""

Cell = Mapping[str, Result]
"""The result of each state that the contract allows."""


def rows(report: Report) -> dict[tuple[str, str], dict[str, dict[str, Result]]]:
    """Cells by (contract, field) and participant, the worst result where several interactions show a state."""
    found: dict[tuple[str, str], dict[str, dict[str, Result]]] = {}
    order = list(Result)
    for result in sorted(report.results, key=lambda one: one.case.id):
        for seen in result.states:
            if seen.result == SENT:
                continue
            cell = found.setdefault((seen.contract, seen.field), {}).setdefault(seen.participant, {})
            cell[seen.state] = min(cell.get(seen.state, Result.PROVEN), Result(seen.result), key=order.index)
    return dict(sorted(found.items()))


def sent(report: Report) -> dict[tuple[str, str], list[str]]:
    """The states in which the provider did send a field, by contract and field."""
    found: dict[tuple[str, str], set[str]] = {}
    for seen in (seen for result in report.results for seen in result.states if seen.result == SENT):
        found.setdefault((seen.contract, seen.field), set()).add(seen.state)
    return {place: [state for state in STATES if state in states] for place, states in found.items()}


def as_values(report: Report) -> list[dict[str, object]]:
    """The matrix for JSON: a row for each field and participant."""
    seen = sent(report)
    values: list[dict[str, object]] = []
    for (contract, field), cells in rows(report).items():
        states = seen.get((contract, field))
        for participant, cell in cells.items():
            row: dict[str, object] = {"contract": contract, "field": field, "participant": participant}
            values.append(row | {"states": dict(sorted(cell.items()))} | ({"sent": states} if states else {}))
    judged = {(row["contract"], row["field"]) for row in values}
    for (contract, field), states in sorted(seen.items()):
        if (contract, field) not in judged:
            reader = contract.partition("→")[0]
            values.append({"contract": contract, "field": field, "participant": reader, "states": {}, "sent": states})
    return values


def render(console: Console, report: Report) -> None:
    """A table for each contract with a row for each field; what the contract does not allow is left out of a cell."""
    matrix, seen = rows(report), sent(report)
    for contract in dict.fromkeys(contract for contract, _ in matrix):
        fields = {field: cells for (of, field), cells in matrix.items() if of == contract}
        readers = sorted({name for cells in fields.values() for name in cells})
        columns = [
            contract,
            *readers,
            *([f"{contract.rpartition('→')[2]} did send"] if is_seen(contract, seen) else ()),
        ]
        table = Table(*map(printable, columns), box=None, pad_edge=False, header_style="bold")
        for field, cells in fields.items():
            states = ", ".join(seen.get((contract, field), ()))
            table.add_row(printable(field), *(_cell(cells.get(name, {})) for name in readers), states)
        console.print(table, width=WIDTH)
        console.print()


def is_seen(contract: str, seen: Mapping[tuple[str, str], object]) -> bool:
    """Whether anything is known of what the provider did send."""
    return any(of == contract for of, _ in seen)


def _cell(cell: Cell) -> Text:
    text = Text()
    for result, states in told(cell):
        text.append("; " if text.plain else "")
        text.append(states, style=STYLES[result])
    return text


def told(cell: Cell) -> list[tuple[Result, str]]:
    """A cell in words, the worst first: `null misread`, `default, value proven`."""
    groups = ((result, [state for state in STATES if cell.get(state) is result]) for result in Result)
    return [(result, f"{', '.join(states)} {result}") for result, states in groups if states]
