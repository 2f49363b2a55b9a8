"""What a person sees while it runs: steps under way, and how many cases are done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from counterfoil.core.printing import printable
from counterfoil.runs.events import CaseFinished, Event, RunStarted, StepFinished, StepStarted


class ProgressView:
    """Steps under way and cases done, on a terminal; nothing elsewhere."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._steps: dict[str, TaskID] = {}
        self._cases: TaskID | None = None

    @contextmanager
    def shown(self) -> Iterator[ProgressView]:
        """Show it for as long as the context lasts."""
        with self._progress:
            yield self

    def take(self, event: Event) -> None:
        """Show what the event changed."""
        match event:
            case RunStarted(cases) if cases:
                self._cases = self._progress.add_task("cases", total=len(cases))
            case CaseFinished() if self._cases is not None:
                self._progress.advance(self._cases)
            case StepStarted(label):
                self._steps[label] = self._progress.add_task(printable(label), total=None)
            case StepFinished(step):
                self._progress.remove_task(self._steps.pop(step.label))
            case _:
                pass
