"""Which elements that are gone live on under another name, with some parts more or less. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

Parts = frozenset[object]
"""What an element is made of, such as the fields of a message, without its name."""
Shape = tuple[tuple[object, str | None], ...]
"""What an element is made of, in order: each part, and the full name of the type that it names."""
MAX_ROUNDS = 10
"""How far elements that name each other are followed; those that are the same so far are taken as the same."""
MAX_PAIRS = 100_000
"""Elements that are gone, times new ones, that are looked at; among more a likeness means little."""
MIN_SHARED = 2


def paired(old: Mapping[str, object], new: Mapping[str, object]) -> Mapping[str, str]:
    """By old name, a new one of the same form: the first with the first, in the order of their names.

    (new, old) gives the same the other way round.
    """
    waiting: dict[object, list[str]] = {}
    for name in sorted(new, reverse=True):
        waiting.setdefault(new[name], []).append(name)
    return {name: waiting[form].pop() for name in sorted(old) if waiting.get(form := old[name])}


def alike(old: Mapping[str, Shape], new: Mapping[str, Shape]) -> Mapping[str, str]:
    """By old name, the one new element of its shape, where both are the only ones of it.

    A part that names an element that is gone too, or new, is as good as another that names one of the same shape.
    (new, old) gives the same the other way round.
    """
    shapes = {**_keyed(0, old), **_keyed(1, new)}
    kinds = dict.fromkeys(shapes, 0)
    for _ in range(MAX_ROUNDS):
        numbers: dict[object, int] = {}
        finer = {
            (side, name): numbers.setdefault(
                tuple((part, kinds.get((side, type_name or ""), type_name)) for part, type_name in shape), len(numbers)
            )
            for (side, name), shape in shapes.items()
        }
        if len(numbers) == len(set(kinds.values())):
            break
        kinds = finer
    of_kind: dict[int, tuple[list[str], list[str]]] = {}
    for (side, name), kind in kinds.items():
        of_kind.setdefault(kind, ([], []))[side].append(name)
    return {one[0]: other[0] for one, other in of_kind.values() if len(one) == len(other) == 1 and old[one[0]]}


def _keyed(side: int, shapes: Mapping[str, Shape]) -> dict[tuple[int, str], Shape]:
    """The same name may be gone on one side and new on the other; each is told by its side too."""
    return {(side, name): shape for name, shape in shapes.items()}


def grown(old: Mapping[str, Parts], new: Mapping[str, Parts]) -> Mapping[str, str]:
    """By old name, the one new element that has all the parts of the old one and more, or some of them and no others.

    Half of the larger one has to be shared, and neither may be like another. (new, old) gives the same the other way
    round.
    """
    if len(old) * len(new) > MAX_PAIRS:
        return {}
    alike = {name: [other for other, theirs in new.items() if _is_alike(parts, theirs)] for name, parts in old.items()}
    wanted = Counter(other for several in alike.values() for other in several)
    return {name: several[0] for name, several in alike.items() if len(several) == 1 and wanted[several[0]] == 1}


def _is_alike(one: Parts, other: Parts) -> bool:
    shared = min(len(one), len(other))
    return shared >= MIN_SHARED and shared * 2 >= max(len(one), len(other)) and (one <= other or other <= one)
