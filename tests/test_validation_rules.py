"""Whether validation rules got tighter or looser: what the corpus of schemas does not spell out."""

from __future__ import annotations

from typing import Any

import pytest
from counterfoil.compat.compare import compare
from counterfoil.compat.validation import judge, refuses_absence
from counterfoil.model import Level
from counterfoil.schema.descriptors import parse_image
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FieldOptions, FileDescriptorProto
from google.protobuf.descriptor_pb2 import FileDescriptorSet as Set

TIGHTER, LOOSER, SAME, BOTH = (True, False), (False, True), (False, False), (True, True)


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ({"int64": {"gt": "9007199254740992"}}, {"int64": {"gt": "9007199254740993"}}, TIGHTER),
        ({"int32": {"lt": 6}}, {"int32": {"lte": 5}}, SAME),
        ({"double": {"gt": 5}}, {"double": {"gte": 6}}, TIGHTER),
        ({"double": {"lt": 1.5}}, {"double": {"lte": 1.5}}, LOOSER),
        ({"double": {"gte": 1.5}}, {"double": {"gt": 1.5}}, TIGHTER),
        ({"int32": {"gt": 10, "lt": 5}}, {"int32": {"gt": 5, "lt": 10}}, BOTH),
        ({"int32": {"gt": 10, "lt": 5}}, {"int32": {"gt": 10}}, BOTH),
        ({"int32": {"gt": 10, "lt": 5}}, {}, LOOSER),
        ({"int32": {"gt": 10, "lt": 5}}, {"int32": {"gt": 9, "lt": 5}}, LOOSER),
        ({"int32": {"gt": 10, "lt": 5}}, {"int32": {"gt": 10, "lt": 4}}, TIGHTER),
        ({"double": {"gt": 5, "lt": 5}}, {"double": {"gte": 5, "lte": 5}}, BOTH),
        ({"string": {"min_len": "9", "max_len": "5"}}, {"string": {"min_len": "8", "max_len": "5"}}, LOOSER),
        ({"timestamp": {"gt": "2025-01-01T00:00:00Z"}}, {"timestamp": {"gt": "2026-01-01T00:00:00Z"}}, TIGHTER),
        ({"timestamp": {"lt": "2025-01-01T00:00:00Z"}}, {"timestamp": {"lt": 5}}, TIGHTER),
        ({}, {"bool": {"const": False}}, TIGHTER),
        ({"bool": {"const": True}}, {"bool": {"const": False}}, TIGHTER),
        ({"string": {"email": True}}, {"string": {"email": False}}, LOOSER),
        ({"string": {"strict": True}}, {"string": {"strict": False}}, LOOSER),
        ({"required": True}, {"required": True, "ignore": "IGNORE_ALWAYS"}, LOOSER),
        ({"required": False}, {}, SAME),
        ({"string": {"len": "3"}}, {"string": {"min_len": "3", "max_len": "3"}}, SAME),
        ({"bytes": {"len": "3"}}, {"bytes": {"min_len": "2", "max_len": "3"}}, LOOSER),
        ({"string": {"len_bytes": "3"}}, {"string": {"min_bytes": "3", "max_bytes": "3"}}, SAME),
        ({"int32": {"in": [1]}}, {"int32": {"const": 1}}, SAME),
        ({"int32": {"in": [1, 2]}}, {"int32": {"const": 1}}, TIGHTER),
        ({"int32": {"in": [2]}}, {"int32": {"const": 1}}, TIGHTER),
        ({"string": {"not_in": ["a", "b"]}}, {"string": {"not_in": ["a"]}}, LOOSER),
        ({"string": {"in": ["a"]}}, {"string": {"in": ["b"]}}, TIGHTER),
        ({"string": {"example": ["a"]}}, {"string": {"example": ["b"]}}, SAME),
        ({"cel_expression": ["a", "b"]}, {"cel_expression": ["b", "a"]}, SAME),
        ({"cel_expression": ["a", "b"]}, {"cel_expression": ["b"]}, LOOSER),
        ({"disabled": True}, {}, TIGHTER),
        ({}, {"string": {"min_len": "0"}}, SAME),
        ({"string": {"min_len": "0"}}, {"string": {"min_len": "1"}}, TIGHTER),
        ({}, {"repeated": {"min_items": "0", "items": {"bytes": {"min_len": "0"}}}}, SAME),
        ({}, {"uint32": {"gte": 0}}, SAME),
        ({}, {"int32": {"gte": 0}}, TIGHTER),
        ({}, {"sfixed64": {"gte": "0"}}, TIGHTER),
        ({}, {"double": {"gte": 0}}, TIGHTER),
        ({}, {"int32": {"lte": 2147483647, "gte": -2147483648}}, SAME),
        ({}, {"int32": {"lt": 2147483647}}, TIGHTER),
        ({}, {"string": {"max_len": "0"}}, TIGHTER),
        ({"string": {"prefix": "ab"}}, {"string": {"prefix": "a"}}, LOOSER),
        ({"string": {"suffix": "ab"}}, {"string": {"suffix": "b"}}, LOOSER),
        ({"string": {"contains": "abc"}}, {"string": {"contains": "b"}}, LOOSER),
        ({"string": {"prefix": "ab"}}, {"string": {"prefix": "b"}}, TIGHTER),
        ({"string": {"not_contains": "ab"}}, {"string": {"not_contains": "b"}}, TIGHTER),
        ({}, {"string": {"prefix": ""}}, SAME),
        ({"bytes": {"suffix": "YWJj"}}, {"bytes": {"suffix": "Yw=="}}, LOOSER),
        ({"bytes": {"contains": "YWJjZGVm"}}, {"bytes": {"contains": "WJjZ"}}, TIGHTER),
        ({"[acme.rules]": {"must_be_blue": True}}, {}, LOOSER),
        ({"int32": {"lt": 1, "gt": 10}}, {"int32": {"lt": 10, "gt": 1}}, BOTH),
        ({"int32": {"lt": 1, "gt": 10}}, {"int32": {"lt": 2, "gt": 10}}, LOOSER),
        ({"double": {"lte": 1, "gte": 10}}, {"double": {"lte": 1, "gte": 11}}, TIGHTER),
        ({"double": {"lte": 1, "gte": 10}}, {"double": {"lte": 2, "gte": 11}}, BOTH),
        ({"double": {"lt": 1, "gt": 1}}, {"double": {"lte": 1, "gt": 1}}, LOOSER),
        ({"double": {"lte": 1, "gte": 1}}, {"double": {"lte": 2, "gte": 1}}, LOOSER),
    ],
    ids=str,
)
def test_a_pair_of_rules(old: dict[str, Any], new: dict[str, Any], verdict: tuple[bool, bool]) -> None:
    found = judge(old, new)
    assert (bool(found.tightened), bool(found.loosened)) == verdict
    back = judge(new, old)
    assert bool(back.tightened or back.loosened) == (verdict != SAME)


@pytest.mark.parametrize(
    ("rules", "tracks_presence", "refuses"),
    [
        ({"required": True}, True, True),
        ({"required": True, "ignore": "IGNORE_ALWAYS"}, False, False),
        ({"string": {"min_len": "1"}}, False, True),
        ({"string": {"min_len": "1"}}, True, False),
        ({"string": {"min_len": "0"}}, False, False),
        ({"string": {"min_len": "1"}, "ignore": "IGNORE_IF_ZERO_VALUE"}, False, False),
        ({"string": {"max_len": "9"}}, False, False),
        ({"string": {"email": True}}, False, True),
        ({"string": {"len": "3"}}, False, True),
        ({"bool": {"const": True}}, False, True),
        ({"bool": {"const": False}}, False, False),
        ({"int32": {"gt": 0}}, False, True),
        ({"double": {"gt": 0}}, False, True),
        ({"int32": {"gte": 0}}, False, False),
        ({"int32": {"gt": 5, "lt": -5}}, False, True),
        ({"int32": {"gt": 0, "lt": 9}}, False, True),
        ({"int32": {"gt": 9, "lt": 5}}, False, False),
        ({"int32": {"in": [1, 2]}}, False, True),
        ({"int32": {"in": [0, 2]}}, False, False),
        ({"repeated": {"min_items": "1"}}, False, True),
        ({"repeated": {"items": {"string": {"min_len": "1"}}}}, False, False),
    ],
    ids=str,
)
def test_a_new_field_s_rules_may_refuse_who_does_not_know_it(
    rules: dict[str, Any], *, tracks_presence: bool, refuses: bool
) -> None:
    assert refuses_absence(rules, tracks_presence=tracks_presence) is refuses


def test_validation_that_an_image_does_not_declare_still_fails() -> None:
    """What cannot be read may be tighter."""
    changes = compare(parse_image(with_option(1159)), parse_image(with_option(None)))
    assert [(one.rule, one.level) for one in changes] == [("OPTION_CHANGED", Level.POLICY)]
    changes = compare(parse_image(with_option(50001)), parse_image(with_option(None)))
    assert [(one.rule, one.level) for one in changes] == [("OPTION_CHANGED", Level.SOURCE)]


def with_option(number: int | None) -> bytes:
    field = FieldDescriptorProto(
        name="f", number=1, type=FieldDescriptorProto.TYPE_INT32, label=FieldDescriptorProto.LABEL_OPTIONAL
    )
    if number is not None:
        key = number << 3 | 2
        parts = []
        while key > 0x7F:
            parts.append(key & 0x7F | 0x80)
            key >>= 7
        field.options.CopyFrom(FieldOptions.FromString(bytes([*parts, key, 2, 0x08, 0x01])))
    message = DescriptorProto(name="M", field=[field])
    return Set(file=[FileDescriptorProto(name="x.proto", syntax="proto3", message_type=[message])]).SerializeToString()
