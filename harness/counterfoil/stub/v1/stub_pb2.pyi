from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WireFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNSPECIFIED: _ClassVar[WireFormat]
    PROTOBUF: _ClassVar[WireFormat]
    JSON: _ClassVar[WireFormat]
    JSPB: _ClassVar[WireFormat]
    TEXT_FORMAT: _ClassVar[WireFormat]

class TestCategory(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNSPECIFIED_TEST: _ClassVar[TestCategory]
    BINARY_TEST: _ClassVar[TestCategory]
    JSON_TEST: _ClassVar[TestCategory]
    JSON_IGNORE_UNKNOWN_PARSING_TEST: _ClassVar[TestCategory]
    JSPB_TEST: _ClassVar[TestCategory]
    TEXT_FORMAT_TEST: _ClassVar[TestCategory]
UNSPECIFIED: WireFormat
PROTOBUF: WireFormat
JSON: WireFormat
JSPB: WireFormat
TEXT_FORMAT: WireFormat
UNSPECIFIED_TEST: TestCategory
BINARY_TEST: TestCategory
JSON_TEST: TestCategory
JSON_IGNORE_UNKNOWN_PARSING_TEST: TestCategory
JSPB_TEST: TestCategory
TEXT_FORMAT_TEST: TestCategory

class Request(_message.Message):
    __slots__ = ("protobuf_payload", "json_payload", "jspb_payload", "text_payload", "raw_json_payload", "load_schema", "hello", "requested_output_format", "message_type", "test_category", "print_unknown_fields", "lane", "sequence", "schema_id", "observe")
    PROTOBUF_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    JSON_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    JSPB_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    TEXT_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    RAW_JSON_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    LOAD_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    HELLO_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_OUTPUT_FORMAT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    TEST_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    PRINT_UNKNOWN_FIELDS_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_ID_FIELD_NUMBER: _ClassVar[int]
    OBSERVE_FIELD_NUMBER: _ClassVar[int]
    protobuf_payload: bytes
    json_payload: str
    jspb_payload: str
    text_payload: str
    raw_json_payload: bytes
    load_schema: LoadSchema
    hello: Hello
    requested_output_format: WireFormat
    message_type: str
    test_category: TestCategory
    print_unknown_fields: bool
    lane: str
    sequence: int
    schema_id: str
    observe: bool
    def __init__(self, protobuf_payload: _Optional[bytes] = ..., json_payload: _Optional[str] = ..., jspb_payload: _Optional[str] = ..., text_payload: _Optional[str] = ..., raw_json_payload: _Optional[bytes] = ..., load_schema: _Optional[_Union[LoadSchema, _Mapping]] = ..., hello: _Optional[_Union[Hello, _Mapping]] = ..., requested_output_format: _Optional[_Union[WireFormat, str]] = ..., message_type: _Optional[str] = ..., test_category: _Optional[_Union[TestCategory, str]] = ..., print_unknown_fields: _Optional[bool] = ..., lane: _Optional[str] = ..., sequence: _Optional[int] = ..., schema_id: _Optional[str] = ..., observe: _Optional[bool] = ...) -> None: ...

class Response(_message.Message):
    __slots__ = ("parse_error", "runtime_error", "protobuf_payload", "json_payload", "skipped", "serialize_error", "jspb_payload", "text_payload", "timeout_error", "raw_json_payload", "schema_loaded", "description", "observation", "sequence")
    PARSE_ERROR_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_ERROR_FIELD_NUMBER: _ClassVar[int]
    PROTOBUF_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    JSON_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    SERIALIZE_ERROR_FIELD_NUMBER: _ClassVar[int]
    JSPB_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    TEXT_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_ERROR_FIELD_NUMBER: _ClassVar[int]
    RAW_JSON_PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_LOADED_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    OBSERVATION_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    parse_error: str
    runtime_error: str
    protobuf_payload: bytes
    json_payload: str
    skipped: str
    serialize_error: str
    jspb_payload: str
    text_payload: str
    timeout_error: str
    raw_json_payload: bytes
    schema_loaded: SchemaLoaded
    description: StubDescription
    observation: Observation
    sequence: int
    def __init__(self, parse_error: _Optional[str] = ..., runtime_error: _Optional[str] = ..., protobuf_payload: _Optional[bytes] = ..., json_payload: _Optional[str] = ..., skipped: _Optional[str] = ..., serialize_error: _Optional[str] = ..., jspb_payload: _Optional[str] = ..., text_payload: _Optional[str] = ..., timeout_error: _Optional[str] = ..., raw_json_payload: _Optional[bytes] = ..., schema_loaded: _Optional[_Union[SchemaLoaded, _Mapping]] = ..., description: _Optional[_Union[StubDescription, _Mapping]] = ..., observation: _Optional[_Union[Observation, _Mapping]] = ..., sequence: _Optional[int] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("protocol_version",)
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    protocol_version: int
    def __init__(self, protocol_version: _Optional[int] = ...) -> None: ...

class StubDescription(_message.Message):
    __slots__ = ("protocol_version", "language", "runtime", "runtime_version", "lanes", "message_types", "formats", "loads_schemas", "observes")
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_VERSION_FIELD_NUMBER: _ClassVar[int]
    LANES_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TYPES_FIELD_NUMBER: _ClassVar[int]
    FORMATS_FIELD_NUMBER: _ClassVar[int]
    LOADS_SCHEMAS_FIELD_NUMBER: _ClassVar[int]
    OBSERVES_FIELD_NUMBER: _ClassVar[int]
    protocol_version: int
    language: str
    runtime: str
    runtime_version: str
    lanes: _containers.RepeatedScalarFieldContainer[str]
    message_types: _containers.RepeatedScalarFieldContainer[str]
    formats: _containers.RepeatedScalarFieldContainer[WireFormat]
    loads_schemas: bool
    observes: bool
    def __init__(self, protocol_version: _Optional[int] = ..., language: _Optional[str] = ..., runtime: _Optional[str] = ..., runtime_version: _Optional[str] = ..., lanes: _Optional[_Iterable[str]] = ..., message_types: _Optional[_Iterable[str]] = ..., formats: _Optional[_Iterable[_Union[WireFormat, str]]] = ..., loads_schemas: _Optional[bool] = ..., observes: _Optional[bool] = ...) -> None: ...

class LoadSchema(_message.Message):
    __slots__ = ("id", "file_descriptor_set")
    ID_FIELD_NUMBER: _ClassVar[int]
    FILE_DESCRIPTOR_SET_FIELD_NUMBER: _ClassVar[int]
    id: str
    file_descriptor_set: bytes
    def __init__(self, id: _Optional[str] = ..., file_descriptor_set: _Optional[bytes] = ...) -> None: ...

class SchemaLoaded(_message.Message):
    __slots__ = ("message_count",)
    MESSAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    message_count: int
    def __init__(self, message_count: _Optional[int] = ...) -> None: ...

class Observation(_message.Message):
    __slots__ = ("absent", "null", "undefined", "default", "boolean", "integer", "float_bits", "text", "binary", "list", "map", "message", "enum_value")
    ABSENT_FIELD_NUMBER: _ClassVar[int]
    NULL_FIELD_NUMBER: _ClassVar[int]
    UNDEFINED_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_FIELD_NUMBER: _ClassVar[int]
    BOOLEAN_FIELD_NUMBER: _ClassVar[int]
    INTEGER_FIELD_NUMBER: _ClassVar[int]
    FLOAT_BITS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    BINARY_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    MAP_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ENUM_VALUE_FIELD_NUMBER: _ClassVar[int]
    absent: bool
    null: bool
    undefined: bool
    default: bool
    boolean: bool
    integer: str
    float_bits: int
    text: bytes
    binary: bytes
    list: ObservedList
    map: ObservedMap
    message: ObservedMessage
    enum_value: ObservedEnum
    def __init__(self, absent: _Optional[bool] = ..., null: _Optional[bool] = ..., undefined: _Optional[bool] = ..., default: _Optional[bool] = ..., boolean: _Optional[bool] = ..., integer: _Optional[str] = ..., float_bits: _Optional[int] = ..., text: _Optional[bytes] = ..., binary: _Optional[bytes] = ..., list: _Optional[_Union[ObservedList, _Mapping]] = ..., map: _Optional[_Union[ObservedMap, _Mapping]] = ..., message: _Optional[_Union[ObservedMessage, _Mapping]] = ..., enum_value: _Optional[_Union[ObservedEnum, _Mapping]] = ...) -> None: ...

class ObservedList(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[Observation]
    def __init__(self, items: _Optional[_Iterable[_Union[Observation, _Mapping]]] = ...) -> None: ...

class ObservedMap(_message.Message):
    __slots__ = ("entries",)
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[ObservedEntry]
    def __init__(self, entries: _Optional[_Iterable[_Union[ObservedEntry, _Mapping]]] = ...) -> None: ...

class ObservedEntry(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: Observation
    value: Observation
    def __init__(self, key: _Optional[_Union[Observation, _Mapping]] = ..., value: _Optional[_Union[Observation, _Mapping]] = ...) -> None: ...

class ObservedMessage(_message.Message):
    __slots__ = ("fields", "unknown_bytes")
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_BYTES_FIELD_NUMBER: _ClassVar[int]
    fields: _containers.RepeatedCompositeFieldContainer[ObservedField]
    unknown_bytes: int
    def __init__(self, fields: _Optional[_Iterable[_Union[ObservedField, _Mapping]]] = ..., unknown_bytes: _Optional[int] = ...) -> None: ...

class ObservedField(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: Observation
    def __init__(self, name: _Optional[str] = ..., value: _Optional[_Union[Observation, _Mapping]] = ...) -> None: ...

class ObservedEnum(_message.Message):
    __slots__ = ("number", "name")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    number: int
    name: str
    def __init__(self, number: _Optional[int] = ..., name: _Optional[str] = ...) -> None: ...
