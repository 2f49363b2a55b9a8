"""The table of compatibility rules, a row each.

A rule's name is also that of its function (in small letters), of a folder of the corpus, and of its explanation
(`explanations/NAME.md`). What it says is in `sentences`.

`level` holds where a payload can show the change. Where the rule predicts none, a `behaviour` rule has the level
`unseen` instead: `source` if only generated code notices, `policy` if a promise is withdrawn all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from counterfoil.compat import enum_rules, field_rules, message_rules, option_rules, schema_rules, service_rules
from counterfoil.compat.changes import Difference
from counterfoil.compat.sentences import SENTENCES
from counterfoil.model import Level

Judge = Callable[..., Iterator[Difference]]
"""(comparison, old element, new element) -> what differs; the elements are of the row's kind."""
ADDITIVE, BEHAVIOUR, POLICY, SOURCE = Level.ADDITIVE, Level.BEHAVIOUR, Level.POLICY, Level.SOURCE


class Kind(StrEnum):
    """What a rule looks at: a pair of elements that are matched between the schemas."""

    SCHEMA = "schema"
    FILE = "file"
    MESSAGE = "message"
    FIELD = "field"
    ENUM = "enum"
    SERVICE = "service"
    METHOD = "RPC"
    ELEMENT = "element"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompatRule:
    """A row. `says` is a sentence with {symbol}, {old} and {new}; `fix` is the safe way to make the change."""

    name: str
    kind: Kind
    level: Level
    judge: Judge
    says: str
    fix: str
    unseen: Level = SOURCE
    buf: frozenset[str] = frozenset()
    of_new_field: Judge | None = None
    """(comparison, None, field) -> what it says of a field that only the new schema has."""

    @property
    def anchor(self) -> str:
        """The rule's place in docs/rules/."""
        return self.name.lower()


def _row(
    kind: Kind, judge: Judge, level: Level, *buf: str, unseen: Level = SOURCE, of_new_field: Judge | None = None
) -> CompatRule:
    name = getattr(judge, "__name__", "").upper()
    says, fix = SENTENCES[name]
    return CompatRule(
        name=name,
        kind=kind,
        level=level,
        judge=judge,
        says=says,
        fix=fix,
        unseen=unseen,
        buf=frozenset(buf),
        of_new_field=of_new_field,
    )


TYPE = ("FIELD_SAME_TYPE", "FIELD_WIRE_COMPATIBLE_TYPE", "FIELD_WIRE_JSON_COMPATIBLE_TYPE")
EXTENSION_NAME = ("EXTENSION_NO_DELETE", "FIELD_SAME_JSON_NAME", "FIELD_SAME_NAME", "PACKAGE_EXTENSION_NO_DELETE")
CARDINALITY = (
    *("FIELD_SAME_CARDINALITY", "FIELD_SAME_LABEL"),
    *("FIELD_WIRE_COMPATIBLE_CARDINALITY", "FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY"),
)
FILE_OPTIONS = (
    *("FILE_SAME_CC_ENABLE_ARENAS", "FILE_SAME_CC_GENERIC_SERVICES", "FILE_SAME_CSHARP_NAMESPACE"),
    *("FILE_SAME_GO_PACKAGE", "FILE_SAME_JAVA_GENERIC_SERVICES", "FILE_SAME_JAVA_MULTIPLE_FILES"),
    *("FILE_SAME_JAVA_OUTER_CLASSNAME", "FILE_SAME_JAVA_PACKAGE", "FILE_SAME_JAVA_STRING_CHECK_UTF8"),
    *("FILE_SAME_OBJC_CLASS_PREFIX", "FILE_SAME_OPTIMIZE_FOR", "FILE_SAME_PHP_CLASS_PREFIX"),
    *("FILE_SAME_PHP_GENERIC_SERVICES", "FILE_SAME_PHP_METADATA_NAMESPACE", "FILE_SAME_PHP_NAMESPACE"),
    *("FILE_SAME_PY_GENERIC_SERVICES", "FILE_SAME_RUBY_PACKAGE", "FILE_SAME_SWIFT_PREFIX"),
)

ROWS = (
    _row(Kind.FIELD, field_rules.field_type_changed, BEHAVIOUR, *TYPE),
    _row(Kind.FIELD, field_rules.map_key_type_changed, BEHAVIOUR, *TYPE),
    _row(Kind.FIELD, field_rules.map_value_type_changed, BEHAVIOUR, *TYPE),
    _row(Kind.FIELD, field_rules.field_cardinality_changed, BEHAVIOUR, *CARDINALITY),
    _row(Kind.FIELD, field_rules.field_presence_changed, BEHAVIOUR, "FIELD_SAME_CARDINALITY", "FIELD_SAME_LABEL"),
    _row(
        Kind.FIELD,
        field_rules.field_required_changed,
        BEHAVIOUR,
        "FIELD_SAME_CARDINALITY",
        "FIELD_SAME_LABEL",
        "MESSAGE_SAME_REQUIRED_FIELDS",
        unseen=POLICY,
    ),
    _row(Kind.FIELD, field_rules.field_default_changed, BEHAVIOUR, "FIELD_SAME_DEFAULT"),
    _row(Kind.FIELD, field_rules.field_renamed, BEHAVIOUR, "FIELD_SAME_JSON_NAME", "FIELD_SAME_NAME"),
    _row(Kind.FIELD, field_rules.field_name_moved, BEHAVIOUR, "FIELD_SAME_JSON_NAME", "FIELD_SAME_NAME"),
    _row(Kind.FIELD, field_rules.field_json_name_changed, BEHAVIOUR, "FIELD_SAME_JSON_NAME"),
    _row(Kind.FIELD, field_rules.field_oneof_changed, BEHAVIOUR, "FIELD_SAME_ONEOF"),
    _row(Kind.FIELD, field_rules.field_encoding_changed, BEHAVIOUR, *TYPE),
    _row(Kind.FIELD, field_rules.field_packed_changed, ADDITIVE),
    _row(
        Kind.FIELD,
        field_rules.field_utf8_validation_changed,
        BEHAVIOUR,
        "FIELD_SAME_JAVA_UTF8_VALIDATION",
        "FIELD_SAME_UTF8_VALIDATION",
    ),
    _row(Kind.FIELD, field_rules.field_jstype_changed, SOURCE, "FIELD_SAME_JSTYPE"),
    _row(Kind.FIELD, field_rules.field_ctype_changed, SOURCE, "FIELD_SAME_CPP_STRING_TYPE", "FIELD_SAME_CTYPE"),
    _row(Kind.MESSAGE, message_rules.field_removed, BEHAVIOUR, "FIELD_NO_DELETE", "MESSAGE_SAME_REQUIRED_FIELDS"),
    _row(
        Kind.MESSAGE,
        message_rules.field_removed_without_reservation,
        POLICY,
        "FIELD_NO_DELETE_UNLESS_NAME_RESERVED",
        "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED",
    ),
    _row(Kind.MESSAGE, message_rules.field_added, ADDITIVE, "MESSAGE_SAME_REQUIRED_FIELDS"),
    _row(Kind.MESSAGE, message_rules.field_renumbered, BEHAVIOUR, "FIELD_NO_DELETE"),
    _row(Kind.MESSAGE, message_rules.field_json_name_reused, BEHAVIOUR, unseen=POLICY),
    _row(Kind.MESSAGE, message_rules.field_reservation_reused, POLICY, "RESERVED_MESSAGE_NO_DELETE"),
    _row(Kind.MESSAGE, message_rules.message_reservation_removed, POLICY, "RESERVED_MESSAGE_NO_DELETE"),
    _row(Kind.MESSAGE, message_rules.extension_range_removed, POLICY, "EXTENSION_MESSAGE_NO_DELETE"),
    _row(Kind.MESSAGE, message_rules.oneof_removed, SOURCE, "ONEOF_NO_DELETE"),
    _row(Kind.MESSAGE, message_rules.oneof_renamed, SOURCE, "FIELD_SAME_ONEOF", "ONEOF_NO_DELETE"),
    _row(Kind.MESSAGE, message_rules.message_set_changed, POLICY),
    _row(Kind.MESSAGE, message_rules.message_json_format_changed, POLICY, "MESSAGE_SAME_JSON_FORMAT"),
    _row(Kind.MESSAGE, message_rules.message_visibility_changed, SOURCE),
    _row(Kind.ENUM, enum_rules.enum_value_added, ADDITIVE),
    _row(Kind.ENUM, enum_rules.enum_value_added_to_closed, BEHAVIOUR, unseen=ADDITIVE),
    _row(Kind.ENUM, enum_rules.enum_value_removed, BEHAVIOUR, "ENUM_VALUE_NO_DELETE", unseen=POLICY),
    _row(
        Kind.ENUM,
        enum_rules.enum_value_removed_without_reservation,
        POLICY,
        "ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED",
        "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED",
    ),
    _row(Kind.ENUM, enum_rules.enum_value_renamed, BEHAVIOUR, "ENUM_VALUE_SAME_NAME"),
    _row(
        Kind.ENUM,
        enum_rules.enum_value_renumbered,
        BEHAVIOUR,
        "ENUM_VALUE_NO_DELETE",
        "ENUM_VALUE_SAME_NAME",
        unseen=POLICY,
    ),
    _row(Kind.ENUM, enum_rules.enum_alias_added, ADDITIVE),
    _row(Kind.ENUM, enum_rules.enum_alias_removed, POLICY, "ENUM_VALUE_SAME_NAME"),
    _row(Kind.ENUM, enum_rules.enum_first_name_changed, BEHAVIOUR, "ENUM_VALUE_SAME_NAME"),
    _row(Kind.ENUM, enum_rules.enum_openness_changed, BEHAVIOUR, "ENUM_SAME_TYPE"),
    _row(Kind.ENUM, enum_rules.enum_default_changed, BEHAVIOUR, "FIELD_SAME_DEFAULT"),
    _row(Kind.ENUM, enum_rules.enum_json_format_changed, POLICY, "ENUM_SAME_JSON_FORMAT"),
    _row(Kind.ENUM, enum_rules.enum_reservation_removed, POLICY, "RESERVED_ENUM_NO_DELETE"),
    _row(Kind.ENUM, enum_rules.enum_reservation_reused, POLICY, "RESERVED_ENUM_NO_DELETE"),
    _row(Kind.ENUM, enum_rules.enum_visibility_changed, SOURCE),
    _row(Kind.SERVICE, service_rules.rpc_removed, POLICY, "RPC_NO_DELETE"),
    _row(Kind.SERVICE, service_rules.rpc_renamed, POLICY, "RPC_NO_DELETE"),
    _row(Kind.SERVICE, service_rules.rpc_added, ADDITIVE),
    _row(Kind.METHOD, service_rules.rpc_request_type_changed, POLICY, "RPC_SAME_REQUEST_TYPE"),
    _row(Kind.METHOD, service_rules.rpc_response_type_changed, POLICY, "RPC_SAME_RESPONSE_TYPE"),
    _row(Kind.METHOD, service_rules.rpc_client_streaming_changed, POLICY, "RPC_SAME_CLIENT_STREAMING"),
    _row(Kind.METHOD, service_rules.rpc_server_streaming_changed, POLICY, "RPC_SAME_SERVER_STREAMING"),
    _row(Kind.METHOD, service_rules.rpc_idempotency_changed, POLICY, "RPC_SAME_IDEMPOTENCY_LEVEL"),
    _row(Kind.METHOD, option_rules.http_method_changed, POLICY),
    _row(Kind.METHOD, option_rules.http_path_changed, POLICY),
    _row(Kind.METHOD, option_rules.http_body_changed, POLICY),
    _row(Kind.METHOD, option_rules.http_binding_removed, POLICY),
    _row(Kind.METHOD, option_rules.http_binding_added, ADDITIVE),
    _row(Kind.SCHEMA, schema_rules.message_removed, POLICY, "MESSAGE_NO_DELETE", "PACKAGE_MESSAGE_NO_DELETE"),
    _row(Kind.SCHEMA, schema_rules.message_renamed, POLICY, "MESSAGE_NO_DELETE", "PACKAGE_MESSAGE_NO_DELETE"),
    _row(Kind.SCHEMA, schema_rules.message_added, ADDITIVE),
    _row(Kind.SCHEMA, schema_rules.enum_removed, POLICY, "ENUM_NO_DELETE", "PACKAGE_ENUM_NO_DELETE"),
    _row(Kind.SCHEMA, schema_rules.enum_renamed, SOURCE, "ENUM_NO_DELETE", "PACKAGE_ENUM_NO_DELETE"),
    _row(Kind.SCHEMA, schema_rules.enum_added, ADDITIVE),
    _row(Kind.SCHEMA, schema_rules.service_removed, POLICY, "PACKAGE_SERVICE_NO_DELETE", "SERVICE_NO_DELETE"),
    _row(Kind.SCHEMA, schema_rules.service_renamed, POLICY, "PACKAGE_SERVICE_NO_DELETE", "SERVICE_NO_DELETE"),
    _row(Kind.SCHEMA, schema_rules.service_added, ADDITIVE),
    _row(Kind.SCHEMA, schema_rules.extension_removed, BEHAVIOUR, "EXTENSION_NO_DELETE", "PACKAGE_EXTENSION_NO_DELETE"),
    _row(Kind.SCHEMA, schema_rules.extension_renumbered, BEHAVIOUR, "EXTENSION_NO_DELETE"),
    _row(Kind.SCHEMA, schema_rules.extension_renamed, BEHAVIOUR, *EXTENSION_NAME),
    _row(Kind.SCHEMA, schema_rules.extension_added, ADDITIVE),
    _row(Kind.SCHEMA, schema_rules.file_removed, SOURCE, "FILE_NO_DELETE"),
    _row(Kind.SCHEMA, schema_rules.package_removed, POLICY, "PACKAGE_NO_DELETE"),
    _row(
        Kind.SCHEMA, schema_rules.definition_moved, SOURCE, "ENUM_NO_DELETE", "MESSAGE_NO_DELETE", "SERVICE_NO_DELETE"
    ),
    _row(Kind.FILE, schema_rules.import_public_removed, SOURCE),
    _row(Kind.FILE, schema_rules.file_syntax_changed, SOURCE, "FILE_SAME_SYNTAX"),
    _row(Kind.FILE, schema_rules.file_package_changed, SOURCE, "FILE_SAME_PACKAGE"),
    _row(Kind.FILE, schema_rules.file_option_changed, SOURCE, *FILE_OPTIONS),
    _row(Kind.ELEMENT, option_rules.deprecation_changed, SOURCE),
    _row(Kind.ELEMENT, option_rules.validation_tightened, POLICY, of_new_field=option_rules.validation_of_new_field),
    _row(Kind.ELEMENT, option_rules.validation_loosened, ADDITIVE),
    _row(
        Kind.ELEMENT,
        option_rules.field_behavior_tightened,
        POLICY,
        of_new_field=option_rules.field_behavior_of_new_field,
    ),
    _row(Kind.ELEMENT, option_rules.field_behavior_loosened, ADDITIVE),
    _row(Kind.ELEMENT, option_rules.option_changed, SOURCE, "MESSAGE_NO_REMOVE_STANDARD_DESCRIPTOR_ACCESSOR"),
    _row(Kind.ELEMENT, option_rules.feature_changed, SOURCE),
)

RULES: Mapping[str, CompatRule] = {rule.name: rule for rule in ROWS}
"""Every rule, in the order of the documentation."""
