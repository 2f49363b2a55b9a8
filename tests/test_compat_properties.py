"""What holds of any two schemas: no change against oneself, the same both ways, what a runtime sees is predicted."""

from __future__ import annotations

import pytest
from counterfoil.compat.changes import Change, Direction
from counterfoil.compat.compare import compare
from counterfoil.model import Level
from counterfoil.schema.descriptors import Schema, parse_image
from hypothesis import given, settings

from tests.generated_schemas import Plan, edits, image, plans
from tests.runtime_observer import observed
from tests.schema_corpus import names, schema


@given(plan=plans())
def test_a_schema_does_not_differ_from_itself(plan: Plan) -> None:
    assert compare(parse_image(image(plan)), parse_image(image(plan))) == ()


@given(pair=edits())
def test_backward_one_way_is_forward_the_other(pair: tuple[Plan, Plan]) -> None:
    old, new = (parse_image(image(plan)) for plan in pair)
    assert_mirrored(old, new)


@given(old=plans(), new=plans())
def test_that_holds_of_schemas_with_nothing_in_common_too(old: Plan, new: Plan) -> None:
    assert_mirrored(parse_image(image(old)), parse_image(image(new)))


@pytest.mark.parametrize("name", names())
def test_that_holds_of_the_corpus(name: str) -> None:
    assert_mirrored(schema(name, "old"), schema(name, "new"))


def assert_mirrored(old: Schema, new: Schema) -> None:
    there, back = compare(old, new), compare(new, old)
    for one, other in ((Direction.BACKWARD, Direction.FORWARD), (Direction.FORWARD, Direction.BACKWARD)):
        assert predicted(there, one) == predicted(back, other)


def predicted(changes: tuple[Change, ...], direction: Direction) -> set[tuple[str, str]]:
    """(message, encoding) of what is predicted in a direction."""
    return {
        (message, effect.encoding)
        for one in changes
        for effect in one.effects
        for message in one.messages
        if effect.direction is direction
    }


@given(pair=edits())
@settings(max_examples=60)
def test_what_the_python_runtime_reads_otherwise_is_predicted(pair: tuple[Plan, Plan]) -> None:
    images = [image(plan) for plan in pair]
    changes = compare(*map(parse_image, images))
    for message in pair[0].fields:
        around = reachable(pair, message)
        for direction, (writer, reader) in zip(Direction, (images, images[::-1]), strict=True):
            expected = {encoding for name, encoding in predicted(changes, direction) if name in around}
            assert observed(writer, reader, f"t.{message}") <= expected, (message, direction)


def reachable(pair: tuple[Plan, Plan], message: str) -> set[str]:
    """The messages that are in a payload of a message."""
    found, waiting = {f"t.{message}"}, [message]
    while waiting:
        name = waiting.pop()
        for plan in pair:
            for field in plan.fields[name].values():
                target = f"M{field.target}"
                if f"t.{target}" not in found:
                    found.add(f"t.{target}")
                    waiting.append(target)
    return found


def test_levels_follow_effects() -> None:
    """Negative control of the properties above: the corpus has predictions in each direction."""
    changes = [one for name in names() for one in compare(schema(name, "old"), schema(name, "new"))]
    assert {effect.direction for one in changes for effect in one.effects} == set(Direction)
    assert {one.level for one in changes} == set(Level) - {Level.UNPROVEN}
