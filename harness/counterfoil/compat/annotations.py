"""What buf reports, a line at a time. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

QUOTED = re.compile(r'"([^"]*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One line of buf's JSON output. `rule` is COMPILE for an error of the compiler."""

    rule: str
    path: str
    line: int | None
    column: int | None
    message: str
