"""Schemas made up by Hypothesis, as descriptors, and edits of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    Edition,
    EnumDescriptorProto,
    FeatureSet,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)
from hypothesis import strategies as st

F = FieldDescriptorProto
SCALARS = sorted(number for name, number in F.Type.items() if name not in {"TYPE_GROUP", "TYPE_MESSAGE", "TYPE_ENUM"})
SYNTAXES = ("proto2", "proto3", "editions")
FLAVOURS = ("plain", "optional", "required", "repeated", "map", "oneof o", "oneof q")
DEFAULTS = {F.TYPE_INT32: "7", F.TYPE_UINT64: "7", F.TYPE_STRING: "x", F.TYPE_BOOL: "true", F.TYPE_DOUBLE: "1.5"}


@dataclass(frozen=True)
class FieldPlan:
    """What is drawn of a field; what its file's syntax does not allow is left out."""

    name: str
    type: int
    target: str
    flavour: str
    json_name: str
    has_default: bool
    is_switched: bool
    """Packed, delimited or unverified where that is not what holds by itself."""


@dataclass(frozen=True)
class Plan:
    """What is drawn of a file: fields by number in two messages, and the values of two enums."""

    syntax: str
    fields: dict[str, dict[int, FieldPlan]]
    enums: dict[str, dict[int, tuple[str, ...]]]
    closed: frozenset[str]


def field_plans() -> st.SearchStrategy[FieldPlan]:
    """Any field; messages and enums are as likely as all scalars together."""
    types = st.one_of(st.sampled_from(SCALARS), st.sampled_from([F.TYPE_MESSAGE, F.TYPE_ENUM]))
    return st.builds(
        FieldPlan,
        name=st.sampled_from(["a", "b", "c_d"]),
        type=types,
        target=st.sampled_from("01"),
        flavour=st.sampled_from(FLAVOURS),
        json_name=st.sampled_from(["", "", "", "z"]),
        has_default=st.booleans(),
        is_switched=st.booleans(),
    )


def plans() -> st.SearchStrategy[Plan]:
    """Any file."""
    fields = st.dictionaries(st.integers(1, 4), field_plans(), max_size=3)
    values = st.lists(st.sampled_from(["A", "B", "C", "D"]), unique=True, min_size=1, max_size=3)
    enums = st.builds(_enum_plan, values, st.permutations([0, 1, -5, 2]))
    return st.builds(
        Plan,
        syntax=st.sampled_from(SYNTAXES),
        fields=st.fixed_dictionaries({"M0": fields, "M1": fields}),
        enums=st.fixed_dictionaries({"E0": enums, "E1": enums}),
        closed=st.sampled_from([frozenset[str](), frozenset({"E0"}), frozenset({"E0", "E1"})]),
    )


def _enum_plan(names: list[str], numbers: list[int]) -> dict[int, tuple[str, ...]]:
    return {number: (name,) for number, name in zip(numbers, names, strict=False)}


@st.composite
def edits(draw: st.DrawFn) -> tuple[Plan, Plan]:
    """A file, and the same after a few changes."""
    old, other = draw(plans()), draw(plans())
    parts = draw(st.sets(st.sampled_from(["syntax", "closed", "M0", "M1", "E0", "E1", "swap"]), max_size=2))
    fields, enums = dict(old.fields), dict(old.enums)
    for part in sorted(parts):
        if part in enums:
            enums[part] = other.enums[part]
        if part in fields:
            numbers = draw(st.sets(st.integers(1, 4), max_size=2))
            kept = {number: one for number, one in fields[part].items() if number not in numbers}
            fields[part] = kept | {n: one for n, one in other.fields[part].items() if n in numbers}
    return old, replace(
        old,
        syntax=other.syntax if "syntax" in parts else old.syntax,
        closed=other.closed if "closed" in parts else old.closed,
        fields=fields,
        enums=enums,
    )


def image(plan: Plan) -> bytes:
    """The plan as an image."""
    file = FileDescriptorProto(name="x.proto", package="t", syntax=plan.syntax)
    if plan.syntax == "editions":
        file.edition = Edition.EDITION_2023
    for name, values in plan.enums.items():
        file.enum_type.append(_enum(name, values, plan))
    for name, fields in plan.fields.items():
        file.message_type.append(_message(name, fields, plan))
    return FileDescriptorSet(file=[file]).SerializeToString()


def _is_closed(name: str, plan: Plan) -> bool:
    return plan.syntax == "proto2" or (plan.syntax == "editions" and name in plan.closed)


def _enum(name: str, values: dict[int, tuple[str, ...]], plan: Plan) -> EnumDescriptorProto:
    enum = EnumDescriptorProto(name=name)
    if plan.syntax == "editions" and name in plan.closed:
        enum.options.features.enum_type = FeatureSet.CLOSED
    numbers = list(values)
    if not _is_closed(name, plan) and 0 not in numbers:
        enum.value.add(name=f"{name}_ZERO", number=0)
    numbers.sort(key=lambda number: number != 0 and not _is_closed(name, plan))
    for number in numbers:
        for one in values[number]:
            enum.value.add(name=f"{name}_{one}", number=number)
    return enum


def _message(name: str, fields: dict[int, FieldPlan], plan: Plan) -> DescriptorProto:
    message = DescriptorProto(name=name)
    used: set[str] = set()
    for number, one in sorted(fields.items()):
        field_name = one.name if one.name not in used else f"f{number}"
        used.add(field_name)
        _add_field(message, one, field_name, number, plan)
    _declare_oneofs(message, fields, plan.syntax)
    return message


def _add_field(message: DescriptorProto, one: FieldPlan, name: str, number: int, plan: Plan) -> None:
    field = message.field.add(name=name, number=number, type=one.type, label=F.LABEL_OPTIONAL)
    names = {F.TYPE_MESSAGE: ".t.M", F.TYPE_ENUM: ".t.E"}
    if one.type in names:
        field.type_name = names[F.Type.ValueType(one.type)] + one.target
    if one.json_name:
        field.json_name = f"{one.json_name}{number}"
    starts_elsewhere = one.type == F.TYPE_ENUM and next(iter(plan.enums[f"E{one.target}"])) != 0
    if one.flavour == "map" and not (starts_elsewhere and _is_closed(f"E{one.target}", plan)):
        _make_map(message, field)
    elif one.flavour in {"map", "repeated"}:
        field.label = F.LABEL_REPEATED
    elif one.flavour == "required" and one.type != F.TYPE_MESSAGE:
        if plan.syntax == "proto2":
            field.label = F.LABEL_REQUIRED
        elif plan.syntax == "editions":
            field.options.features.field_presence = FeatureSet.LEGACY_REQUIRED
    elif one.flavour == "plain" and plan.syntax == "editions" and _may_be_implicit(one, plan):
        field.options.features.field_presence = FeatureSet.IMPLICIT
    _default(field, one, plan)
    if one.is_switched and plan.syntax == "editions":
        _switch(field)


def _may_be_implicit(one: FieldPlan, plan: Plan) -> bool:
    return one.type != F.TYPE_MESSAGE and (one.type != F.TYPE_ENUM or not _is_closed(f"E{one.target}", plan))


def _default(field: FieldDescriptorProto, one: FieldPlan, plan: Plan) -> None:
    is_singular = field.label != F.LABEL_REPEATED
    is_implicit = field.options.features.field_presence == FeatureSet.IMPLICIT
    if one.has_default and plan.syntax != "proto3" and is_singular and not is_implicit and one.type in DEFAULTS:
        field.default_value = DEFAULTS[F.Type.ValueType(one.type)]


def _switch(field: FieldDescriptorProto) -> None:
    if field.type == F.TYPE_STRING:
        field.options.features.utf8_validation = FeatureSet.NONE
    elif field.type == F.TYPE_MESSAGE and not field.type_name.endswith("Entry"):
        field.options.features.message_encoding = FeatureSet.DELIMITED
    elif field.label == F.LABEL_REPEATED and field.type not in {F.TYPE_BYTES, F.TYPE_MESSAGE}:
        field.options.features.repeated_field_encoding = FeatureSet.EXPANDED


def _make_map(message: DescriptorProto, field: FieldDescriptorProto) -> None:
    entry = message.nested_type.add(name=f"{field.name.title().replace('_', '')}Entry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=F.TYPE_STRING, label=F.LABEL_OPTIONAL)
    value = entry.field.add(name="value", number=2, type=field.type, label=F.LABEL_OPTIONAL)
    if field.type_name:
        value.type_name = field.type_name
    field.type, field.label, field.type_name = F.TYPE_MESSAGE, F.LABEL_REPEATED, f".t.{message.name}.{entry.name}"


def _declare_oneofs(message: DescriptorProto, fields: dict[int, FieldPlan], syntax: str) -> None:
    for name in ("o", "q"):
        members = [field for field in message.field if fields[field.number].flavour == f"oneof {name}"]
        if members:
            message.oneof_decl.add(name=name)
        for field in members:
            field.oneof_index = len(message.oneof_decl) - 1
    for field in message.field if syntax == "proto3" else ():
        is_plain = field.label == F.LABEL_OPTIONAL and not field.HasField("oneof_index")
        if fields[field.number].flavour == "optional" and is_plain and field.type != F.TYPE_MESSAGE:
            _make_optional(message, field)


def _make_optional(message: DescriptorProto, field: FieldDescriptorProto) -> None:
    """What `optional` is in proto3; in the others it says nothing."""
    field.proto3_optional = True
    message.oneof_decl.add(name=f"_{field.name}")
    field.oneof_index = len(message.oneof_decl) - 1
