"""Files that are there to be linked against and no more: their names without what is in them. Pure.

What a rule sees of an unchanged file that it does not look at are the names of its messages, and its enums. So a file
that only others import may lack the fields of its messages, and with these everything that it imports itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto

WELL_KNOWN = "google/protobuf/"


def outline(data: bytes) -> bytes | None:
    """A file without the fields of its messages; None for one that has to be whole, since options may be read by it.

    Those are the files that declare extensions, and protobuf's own, which programs treat specially.
    """
    file = FileDescriptorProto.FromString(data)
    if file.name.startswith(WELL_KNOWN) or file.extension or any(map(_extends, file.message_type)):
        return None
    public = [file.dependency[index] for index in file.public_dependency]
    made = FileDescriptorProto(
        name=file.name,
        package=file.package,
        dependency=public,
        public_dependency=range(len(public)),
        message_type=_outlines(file.message_type),
        enum_type=file.enum_type,
    )
    if file.HasField("syntax"):  # that of proto2 is left out, and runtimes refuse one that is set and empty
        made.syntax = file.syntax
    if file.HasField("edition"):
        made.edition = file.edition
    if file.options.HasField("features"):
        made.options.features.CopyFrom(file.options.features)
    return made.SerializeToString()


def _extends(message: DescriptorProto) -> bool:
    return bool(message.extension) or any(map(_extends, message.nested_type))


def _outlines(messages: Iterable[DescriptorProto]) -> list[DescriptorProto]:
    return [
        DescriptorProto(
            name=message.name,
            nested_type=_outlines(message.nested_type),
            enum_type=message.enum_type,
            extension_range=message.extension_range,
        )
        for message in messages
        if not message.options.map_entry
    ]
