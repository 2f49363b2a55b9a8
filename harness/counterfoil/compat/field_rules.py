"""Rules about a field, or an extension, that both schemas have under the same number. A rule is a function."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from counterfoil.compat.changes import EVERYWHERE, Difference, Encodings
from counterfoil.compat.comparison import Comparison, is_option
from counterfoil.compat.reading import Reading, default_of
from counterfoil.schema.descriptors import Schema
from counterfoil.schema.elements import MESSAGE, Cardinality, Field, Message, Presence

Found = Iterator[Difference]
Predict = Callable[[Reading, Field, Field], Encodings]


def field_type_changed(comparison: Comparison, old: Field, new: Field) -> Found:
    """Another scalar type, enum or message; a type that differs in name only changes source code alone."""
    if Cardinality.MAP in {old.cardinality, new.cardinality} and old.cardinality is not new.cardinality:
        return
    if old.cardinality is not Cardinality.MAP and type_text(old) != type_text(new):
        yield _shown(comparison, old, new, type_text(old), type_text(new), Reading.value)


def map_key_type_changed(comparison: Comparison, old: Field, new: Field) -> Found:
    """Another type of a map's keys."""
    before, after = comparison.old.key_field(old), comparison.new.key_field(new)
    if before and after and before.type != after.type:
        yield _shown(comparison, old, new, before.type, after.type, Reading.key)


def map_value_type_changed(comparison: Comparison, old: Field, new: Field) -> Found:
    """Another type of a map's values."""
    if old.cardinality is new.cardinality is Cardinality.MAP:
        before, after = comparison.old.value_field(old), comparison.new.value_field(new)
        if type_text(before) != type_text(after):
            yield _shown(comparison, old, new, type_text(before), type_text(after), Reading.map_value)


def field_cardinality_changed(comparison: Comparison, old: Field, new: Field) -> Found:
    """One value, several, or a map."""
    if old.cardinality is not new.cardinality:
        yield _shown(comparison, old, new, old.cardinality, new.cardinality, Reading.cardinality)


def field_presence_changed(comparison: Comparison, old: Field, new: Field) -> Found:
    """Implicit to explicit presence, or back."""
    both = {old.presence, new.presence}
    scalars = MESSAGE not in {old.type, new.type}
    if scalars and Presence.IMPLICIT in both and Presence.NONE not in both and len(both) > 1:
        yield _shown(comparison, old, new, old.presence, new.presence, Reading.presence)


def field_required_changed(comparison: Comparison, old: Field, new: Field) -> Found:
    """A field became required, or no longer is."""
    if (old.presence is Presence.REQUIRED) is not (new.presence is Presence.REQUIRED):
        yield _shown(comparison, old, new, old.presence, new.presence, Reading.requirement)


def field_default_changed(comparison: Comparison, old: Field, new: Field) -> Found:
    """Another default, declared or by another type; what an enum's first value brings is ENUM_DEFAULT_CHANGED."""
    by_enum = old.default is None and new.default is None and old.type_name == new.type_name
    is_always_set = old.presence is new.presence is Presence.REQUIRED and old.type == new.type
    is_declared_anew = is_always_set and old.default != new.default
    if not by_enum and (is_declared_anew or comparison.effects(Reading.default, old, new)):
        texts = _default_text(comparison.old, old), _default_text(comparison.new, new)
        yield _shown(comparison, old, new, *texts, Reading.default)


def field_renamed(comparison: Comparison, old: Field, new: Field) -> Found:
    """Another name under the same number, which no other field had or gets."""
    if old.name != new.name and not _is_extension(old, new) and not _name_moved(comparison, old, new):
        yield _shown(comparison, old, new, old.name, new.name, Reading.name)


def field_name_moved(comparison: Comparison, old: Field, new: Field) -> Found:
    """The name now belongs to another number: two fields swapped, for example."""
    if old.name != new.name and not _is_extension(old, new) and _name_moved(comparison, old, new):
        yield _shown(comparison, old, new, old.name, new.name, lambda _reading, _writer, _reader: EVERYWHERE)


def field_json_name_changed(comparison: Comparison, old: Field, new: Field) -> Found:
    """Another JSON name while the name stayed."""
    if old.name == new.name and old.json_name != new.json_name and not _is_extension(old, new):
        yield _shown(comparison, old, new, old.json_name, new.json_name, Reading.name)


def field_oneof_changed(comparison: Comparison, old: Field, new: Field) -> Found:
    """Into a oneof, out of it, or into another; a oneof that only got another name is ONEOF_RENAMED."""
    if old.oneof == new.oneof or _is_extension(old, new):
        return
    before, after = _owner(comparison.old, old), _owner(comparison.new, new)
    if old.oneof and new.oneof and comparison.renamed_oneofs(before, after).get(old.oneof) == new.oneof:
        return
    effects = comparison.effects(
        lambda reading, writer, reader: reading.oneof(writer, reader, old.number), before, after
    )
    yield Difference(
        element=old,
        counterpart=new,
        old=old.oneof or "no oneof",
        new=new.oneof or "no oneof",
        effects=effects,
        messages=frozenset({old.message}),
    )


def field_encoding_changed(comparison: Comparison, old: Field, new: Field) -> Found:
    """A message as a group or with its length in front."""
    if comparison.effects(Reading.encoding, old, new):
        yield _shown(comparison, old, new, _encoding_text(old), _encoding_text(new), Reading.encoding)


def field_packed_changed(comparison: Comparison, old: Field, new: Field) -> Found:
    """Packed or not: every conforming reader takes both."""
    packable = type_text(old) == type_text(new) and old.cardinality is new.cardinality
    if packable and old.is_packed is not new.is_packed:
        yield _shown(comparison, old, new, _packed_text(old), _packed_text(new), None)


def field_utf8_validation_changed(comparison: Comparison, old: Field, new: Field) -> Found:
    """Whether a string, or those in a map, must be UTF-8."""
    if comparison.effects(Reading.utf8, old, new):
        texts = [
            "verified" if Reading.utf8(reading, writer, reader) else "not verified"
            for reading, writer, reader in ((comparison.forward, new, old), (comparison.backward, old, new))
        ]
        yield _shown(comparison, old, new, texts[0], texts[1], Reading.utf8)


def field_jstype_changed(comparison: Comparison, old: Field, new: Field) -> Found:
    """The type that JavaScript code gets for a 64-bit integer."""
    yield from _option(comparison, old, new, "jstype", "JS_NORMAL")


def field_ctype_changed(comparison: Comparison, old: Field, new: Field) -> Found:
    """The type that C++ code gets for a string."""
    yield from _option(comparison, old, new, "ctype", "STRING")


def _option(comparison: Comparison, old: Field, new: Field, name: str, default: str) -> Found:
    texts = []
    for field in (old, new):
        enum = field.options.DESCRIPTOR.fields_by_name[name].enum_type
        is_set = enum is not None and field.options.HasField(name)
        texts.append(enum.values_by_number[getattr(field.options, name)].name if enum and is_set else default)
    if texts[0] != texts[1]:
        yield _shown(comparison, old, new, texts[0], texts[1], None)


def _shown(
    comparison: Comparison, old: Field, new: Field, before: str, after: str, predict: Predict | None
) -> Difference:
    return Difference(
        element=old,
        counterpart=new,
        old=before,
        new=after,
        effects=comparison.effects(predict, old, new) if predict and not is_option(old) else frozenset(),
        messages=frozenset({old.message}),
    )


def type_text(field: Field) -> str:
    """The type as the schema writes it; that of a map's entry has no name of its own."""
    return field.type_name or field.type


def _owner(schema: Schema, field: Field) -> Message:
    return schema.messages[field.message]


def _name_moved(comparison: Comparison, old: Field, new: Field) -> bool:
    return old.name in _owner(comparison.new, new).numbers or new.name in _owner(comparison.old, old).numbers


def _default_text(schema: Schema, field: Field) -> str:
    return field.default if field.default is not None else f"{default_of(schema, field)} (not declared)"


def _encoding_text(field: Field) -> str:
    return "delimited (a group)" if field.is_delimited else "length-prefixed"


def _packed_text(field: Field) -> str:
    return "packed" if field.is_packed else "not packed"


def _is_extension(old: Field, new: Field) -> bool:
    """Whether one of them is: then its name is told by the rules about extensions."""
    return old.is_extension or new.is_extension
