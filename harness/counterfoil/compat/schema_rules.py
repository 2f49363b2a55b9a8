"""Rules about a whole schema: which messages, enums, services, extensions, files and packages came and went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from counterfoil.compat.changes import EVERYWHERE, JSON, Difference, Direction, Effects, towards
from counterfoil.compat.comparison import Comparison, is_option, matched
from counterfoil.model import Level
from counterfoil.schema.descriptors import Schema
from counterfoil.schema.elements import Element, Enum, Field, File, Message, Service

Found = Iterator[Difference]
GOING_ON = towards(Direction.BACKWARD, EVERYWHERE)
GOING_BACK = towards(Direction.FORWARD, EVERYWHERE)


def message_removed(comparison: Comparison, old: Schema, new: Schema) -> Found:
    """No message of this name, or of just these fields, is left."""
    for message in comparison.removed(old.messages, new.messages):
        if not message.is_map_entry and message.symbol not in comparison.renamed_messages:
            yield Difference(element=message, old=f"message {message.symbol}")


def message_renamed(comparison: Comparison, _old: Schema, _new: Schema) -> Found:
    """Just these fields have another name now, or are nested elsewhere."""
    for symbol, message in comparison.renamed_messages.items():
        if not message.is_map_entry:
            yield _renamed(comparison.old.messages[symbol], message)


def message_added(comparison: Comparison, old: Schema, new: Schema) -> Found:
    """A message of a new name."""
    names = {message.symbol for message in comparison.renamed_messages.values()}
    for message in comparison.added(old.messages, new.messages):
        if not message.is_map_entry and message.symbol not in names:
            yield Difference(element=message, is_addition=True, new=f"message {message.symbol}")


def enum_removed(comparison: Comparison, old: Schema, new: Schema) -> Found:
    """No enum of this name, or of just these values, is left."""
    for enum in comparison.removed(old.enums, new.enums):
        if enum.symbol not in comparison.renamed_enums:
            yield Difference(element=enum, old=f"enum {enum.symbol}")


def enum_renamed(comparison: Comparison, _old: Schema, _new: Schema) -> Found:
    """Just these values have another enum's name now, or are nested elsewhere; no payload has it in it."""
    for symbol, enum in comparison.renamed_enums.items():
        yield _renamed(comparison.old.enums[symbol], enum)


def enum_added(comparison: Comparison, old: Schema, new: Schema) -> Found:
    """An enum of a new name."""
    names = {enum.symbol for enum in comparison.renamed_enums.values()}
    for enum in comparison.added(old.enums, new.enums):
        if enum.symbol not in names:
            yield Difference(element=enum, is_addition=True, new=f"enum {enum.symbol}")


def service_removed(comparison: Comparison, old: Schema, new: Schema) -> Found:
    """No service of this name, or of just these RPCs, is left."""
    for service in comparison.removed(old.services, new.services):
        if service.symbol not in comparison.renamed_services:
            yield Difference(element=service, old=f"service {service.symbol}")


def service_renamed(comparison: Comparison, _old: Schema, _new: Schema) -> Found:
    """Just these RPCs have another service's name now; the name is in the URL of every call."""
    for symbol, service in comparison.renamed_services.items():
        yield _renamed(comparison.old.services[symbol], service)


def service_added(comparison: Comparison, old: Schema, new: Schema) -> Found:
    """A service of a new name."""
    names = {service.symbol for service in comparison.renamed_services.values()}
    for service in comparison.added(old.services, new.services):
        if service.symbol not in names:
            yield Difference(element=service, is_addition=True, new=f"service {service.symbol}")


def extension_removed(comparison: Comparison, _old: Schema, new: Schema) -> Found:
    """Its values go to the unknown fields, or are refused in JSON."""
    for key, extension in comparison.old_extensions.items():
        is_gone = key not in comparison.new_extensions and extension.symbol not in new.extensions
        if is_gone and (key[0] in new.messages or is_option(extension)):
            yield from _extension(extension, None, (_described(extension), None), GOING_ON)


def extension_renumbered(comparison: Comparison, old: Schema, new: Schema) -> Found:
    """The same name under another number, or of another message."""
    for before, after in matched(old.extensions, new.extensions):
        if (comparison.new_name(before.message), before.number) != (after.message, after.number):
            yield from _extension(before, after, (_described(before), _described(after)), GOING_ON | GOING_BACK)


def extension_renamed(comparison: Comparison, _old: Schema, _new: Schema) -> Found:
    """JSON carries an extension under its full name."""
    for key, before in comparison.old_extensions.items():
        after = comparison.new_extensions.get(key)
        if after and before.symbol != after.symbol:
            lost = towards(Direction.BACKWARD, JSON) | towards(Direction.FORWARD, JSON)
            yield from _extension(before, after, (before.symbol, after.symbol), lost)


def extension_added(comparison: Comparison, old: Schema, _new: Schema) -> Found:
    """Old readers do not know it, or know it as a field, which JSON carries under another name."""
    for key, extension in comparison.new_extensions.items():
        is_new = key not in comparison.old_extensions and extension.symbol not in old.extensions
        extended = comparison.old_message(extension.message)
        if is_new and (extended or is_option(extension)):
            was = extended.fields.get(extension.number) if extended and not is_option(extension) else None
            for found in _extension(None, extension, (was.symbol if was else None, _described(extension)), GOING_BACK):
                yield replace(found, level=Level.BEHAVIOUR) if was else found


def file_removed(comparison: Comparison, old: Schema, new: Schema) -> Found:
    """Whoever imports it no longer compiles; what became of its content is said there."""
    for file in comparison.removed(old.files, new.files):
        yield Difference(element=file, old=file.name)


def package_removed(_comparison: Comparison, old: Schema, new: Schema) -> Found:
    """Nothing is left of a package."""
    left = {file.package for file in new.files.values()}
    for package, file in sorted({one.package: one for one in old.files.values() if not one.is_foreign}.items()):
        if package not in left:
            yield Difference(element=file, old=f"package {package or '(none)'}")


def definition_moved(comparison: Comparison, old: Schema, new: Schema) -> Found:
    """A message, enum or service of the same name is declared in another file."""
    kinds: tuple[Iterator[tuple[Element, Element]], ...] = (
        comparison.messages(),
        matched(old.enums, new.enums),
        matched(old.services, new.services),
    )
    for pairs in kinds:
        for before, after in pairs:
            if before.path != after.path:
                yield Difference(element=before, counterpart=after, old=before.path, new=after.path)


def _renamed(old: Message | Enum | Service, new: Message | Enum | Service) -> Difference:
    return Difference(element=old, counterpart=new, old=old.symbol, new=new.symbol)


def _described(extension: Field) -> str:
    return f"{extension.type_name or extension.type} {extension.symbol} = {extension.number} of {extension.message}"


def _extension(old: Field | None, new: Field | None, texts: tuple[str | None, str | None], lost: Effects) -> Found:
    one = old or new
    if one:
        yield Difference(
            element=one,
            counterpart=new if old else None,
            is_addition=old is None,
            old=texts[0],
            new=texts[1],
            effects=frozenset() if is_option(one) else lost,
            messages=frozenset(side.message for side in (old, new) if side),
        )


def import_public_removed(_comparison: Comparison, old: File, new: File) -> Found:
    """Whoever saw declarations through this file no longer does."""
    for path in sorted(old.public_imports - new.public_imports):
        yield Difference(element=old, counterpart=new, old=f"import public {path}", new=_imported(new, path))


def _imported(file: File, path: str) -> str:
    return f"import {path}" if path in file.imports else "not imported"


def file_syntax_changed(_comparison: Comparison, old: File, new: File) -> Found:
    """What the new syntax means for the fields and enums is said at each of them."""
    if old.syntax != new.syntax:
        yield Difference(element=old, counterpart=new, old=old.syntax, new=new.syntax)


def file_package_changed(_comparison: Comparison, old: File, new: File) -> Found:
    """All names in the file changed with it, and are reported as removed or renamed."""
    if old.package != new.package:
        yield Difference(element=old, counterpart=new, old=old.package, new=new.package, level=Level.SOURCE)


def file_option_changed(_comparison: Comparison, old: File, new: File) -> Found:
    """java_package, go_package and the others that only generated code shows."""
    before, after = _options(old), _options(new)
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    if names:
        texts = [", ".join(f"{name} = {values.get(name, '(not set)')}" for name in names) for values in (before, after)]
        yield Difference(element=old, counterpart=new, old=texts[0], new=texts[1])


def _options(file: File) -> dict[str, str]:
    """The options that descriptor.proto knows, besides those that have a rule of their own."""
    told = {"features", "deprecated", "uninterpreted_option"}
    fields = file.options.ListFields()
    return {field.name: str(value) for field, value in fields if not field.is_extension and field.name not in told}
