"""Changes to an example: a value in a place, or a key taken away."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from counterfoil.allowance.paths import Steps
from counterfoil.core.pacts import Json, canonical
from counterfoil.probe.payloads import ABSENT, DEFAULT, EMPTY, NULL, VALUE

EXTRA: Final = "extra"
"""The state of a key that the example lacks."""


class Removed(Enum):
    """Instead of a value: the key is not there."""

    REMOVED = "removed"


REMOVED: Final = Removed.REMOVED


@dataclass(frozen=True, slots=True)
class Edit:
    """What stands at a place instead of what the example has."""

    place: Steps
    value: Json | Removed

    @property
    def state(self) -> str:
        """The presence state that it makes: absent, null, default, empty or value."""
        return state_of(self.value)

    def __str__(self) -> str:
        return ABSENT if self.value is REMOVED else canonical(self.value)


def state_of(value: Json | Removed) -> str:
    """The presence state of a value; "" and 0 and false are defaults, [] and {} are empty."""
    if value is REMOVED:
        return ABSENT
    if value is None:
        return NULL
    if isinstance(value, list | dict):
        return VALUE if value else EMPTY
    return VALUE if value else DEFAULT


def apply(document: Json, edit: Edit) -> Json:
    """The document with the edit; what it does not touch is shared with the original."""
    return _at(document, edit.place, edit.value)


def _at(value: Json, place: Steps, new: Json | Removed) -> Json:
    if not place:
        if isinstance(new, Removed):
            raise ValueError("the root of a document cannot be removed")
        return new
    step, below = place[0], place[1:]
    if isinstance(value, dict):
        if not below and isinstance(new, Removed):
            return {key: one for key, one in value.items() if key != step}
        return {**value, step: _at(value.get(step), below, new)}
    if isinstance(value, list):
        index = int(step)
        return [*value[:index], _at(value[index], below, new), *value[index + 1 :]]
    raise ValueError(f"nothing lies below {value!r}")
