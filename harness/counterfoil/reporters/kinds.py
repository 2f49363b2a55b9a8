"""The reports that can be written to files: a row each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from counterfoil.model import Report

Render = Callable[[Report, float], str]
"""From a report and its duration in seconds to the file's text."""


def _by(place: str) -> Render:
    """A renderer, `module:function` of this package, that is imported when it is asked for its first report."""

    def render(report: Report, duration_s: float) -> str:
        module, _, function = place.partition(":")
        text: str = getattr(import_module(f"counterfoil.reporters.{module}"), function)(report, duration_s)
        return text

    return render


KINDS: dict[str, Render] = {
    "html": _by("page:html"),
    "json": _by("json_report:render"),
    "junit": _by("junit:render"),
    "sarif": _by("sarif:render"),
    "github": _by("github:render"),
    "markdown": _by("page:markdown"),
    "badge": _by("page:badge"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A report to be written; the path `-` is standard error."""

    kind: str
    path: str

    def text(self, report: Report, duration_s: float) -> str:
        """The report in this kind."""
        return KINDS[self.kind](report, duration_s).rstrip("\n") + "\n"
