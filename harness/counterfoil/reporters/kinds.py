"""The reports that can be written to files: a row each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from counterfoil.model import Report
from counterfoil.reporters import github, json_report, junit, page, sarif

Render = Callable[[Report, float], str]
"""From a report and its duration in seconds to the file's text."""

KINDS: dict[str, Render] = {
    "html": page.html,
    "json": json_report.render,
    "junit": junit.render,
    "sarif": sarif.render,
    "github": github.render,
    "markdown": page.markdown,
    "badge": page.badge,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A report to be written; the path `-` is standard error."""

    kind: str
    path: str

    def text(self, report: Report, duration_s: float) -> str:
        """The report in this kind."""
        return KINDS[self.kind](report, duration_s).rstrip("\n") + "\n"
