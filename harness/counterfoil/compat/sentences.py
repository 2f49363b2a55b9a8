"""What each rule says of a change, and the safe way to make it. {symbol}, {old} and {new} are filled in."""

from __future__ import annotations

from collections.abc import Mapping

ADD_BESIDE = "keep the field as it is and add a new one, under a new name and number, beside it"
KEEP_NAME = "keep the name, or set json_name to the old one so that JSON stays the same"
KEEP = "keep it; if it has to go, deprecate it first and remove it when nobody uses it any more"
RESERVE = "reserve what was used: reserved NUMBER; and reserved NAME;"
RELEASE_ORDER = "teach every reader first, and only then let writers use it"
NOTHING = "nothing has to be done; generated code has to be built again"
NEW_RPC = "keep the RPC and add a new one beside it"
NO_NEED = "nothing has to be done"
SERVERS_FIRST = "deploy servers before callers"
ADD_ROUTE = "add the new route under additional_bindings and keep the old one"
KEEP_ALLOW = "keep json_format = ALLOW, so that the compiler goes on checking JSON names"
EXPORT = "export what other files import"
FRESH = "take a number and a name that were never used"
FOR_GOOD = "keep the reservation for good"

SENTENCES: Mapping[str, tuple[str, str]] = {
    "FIELD_TYPE_CHANGED": ("{symbol} changed its type from {old} to {new}", ADD_BESIDE),
    "MAP_KEY_TYPE_CHANGED": ("the keys of the map {symbol} changed their type from {old} to {new}", ADD_BESIDE),
    "MAP_VALUE_TYPE_CHANGED": ("the values of the map {symbol} changed their type from {old} to {new}", ADD_BESIDE),
    "FIELD_CARDINALITY_CHANGED": ("{symbol} was {old} and is {new} now", ADD_BESIDE),
    "FIELD_PRESENCE_CHANGED": ("{symbol} had {old} presence and has {new} presence now", ADD_BESIDE),
    "FIELD_REQUIRED_CHANGED": (
        "{symbol} had {old} presence and has {new} presence now",
        "let every writer set it before any reader requires it; new schemas do better without required fields",
    ),
    "FIELD_DEFAULT_CHANGED": (
        "the default of {symbol} changed from {old} to {new}",
        "keep the default; let writers set the value that they mean",
    ),
    "FIELD_RENAMED": ("{symbol} was renamed from {old} to {new}", KEEP_NAME),
    "FIELD_NAME_MOVED": (
        "the number of {symbol} now belongs to {new}, and one of the two names to another number",
        "give every field its old number back",
    ),
    "FIELD_JSON_NAME_CHANGED": ("the JSON name of {symbol} changed from {old} to {new}", "keep the JSON name"),
    "FIELD_ONEOF_CHANGED": (
        "{symbol} was in {old} and is in {new} now",
        "add a new field to the oneof and leave the old one where it is",
    ),
    "FIELD_ENCODING_CHANGED": (
        "{symbol} was {old} on the wire and is {new} now",
        "keep the encoding (features.message_encoding, group)",
    ),
    "FIELD_PACKED_CHANGED": (
        "{symbol} was {old} and is {new} now; every conforming reader takes both",
        "nothing has to be done, unless a reader of your own does not take both",
    ),
    "FIELD_UTF8_VALIDATION_CHANGED": (
        "whether {symbol} must be UTF-8 changed from {old} to {new}",
        "keep the validation, or use bytes for what is no text",
    ),
    "FIELD_JSTYPE_CHANGED": ("the JavaScript type of {symbol} changed from {old} to {new}", NOTHING),
    "FIELD_CTYPE_CHANGED": ("the C++ type of {symbol} changed from {old} to {new}", NOTHING),
    "FIELD_REMOVED": (
        "{symbol} ({old}) was removed",
        "keep it and mark it deprecated until nobody writes or reads it; then remove and reserve it",
    ),
    "FIELD_REMOVED_WITHOUT_RESERVATION": ("{symbol} was removed and can be taken for something else: {new}", RESERVE),
    "FIELD_ADDED": (
        "{symbol} ({new}) was added; old readers do not know it",
        "nothing has to be done, unless readers are strict: then teach them first; add none in place of an extension",
    ),
    "FIELD_RENUMBERED": ("the number of {symbol} changed from {old} to {new}", "give the field its old number back"),
    "FIELD_JSON_NAME_REUSED": (
        "{symbol} ({new}) writes itself in JSON under a name that old readers take for {old}",
        FRESH,
    ),
    "FIELD_RESERVATION_REUSED": ("{symbol} ({new}) takes the {old}", FRESH),
    "MESSAGE_RESERVATION_REMOVED": ("{symbol} no longer has: {old}", FOR_GOOD),
    "EXTENSION_RANGE_REMOVED": (
        "{symbol} no longer has: {old}",
        "keep the range; extensions that others declared stop compiling",
    ),
    "ONEOF_REMOVED": ("the oneof {symbol} was removed", "keep the oneof; its generated type goes away with it"),
    "ONEOF_RENAMED": ("the oneof {symbol} was renamed from {old} to {new}", NOTHING),
    "MESSAGE_SET_CHANGED": (
        "{symbol} was encoded as {old} and is encoded as {new} now",
        "keep message_set_wire_format as it is",
    ),
    "MESSAGE_JSON_FORMAT_CHANGED": ("features.json_format of {symbol} changed from {old} to {new}", KEEP_ALLOW),
    "MESSAGE_VISIBILITY_CHANGED": ("{symbol} was {old} and is {new} now", EXPORT),
    "ENUM_VALUE_ADDED": (
        "{symbol} ({new}) was added; old readers see its number, and refuse its name in JSON",
        "nothing has to be done, unless readers are strict: then teach them first",
    ),
    "ENUM_VALUE_ADDED_TO_CLOSED": (
        "{symbol} ({new}) was added to a closed enum; old readers drop or refuse it",
        RELEASE_ORDER,
    ),
    "ENUM_VALUE_REMOVED": (
        "{symbol} ({old}) was removed",
        "keep it and mark it deprecated until nobody writes it; then remove and reserve it",
    ),
    "ENUM_VALUE_REMOVED_WITHOUT_RESERVATION": (
        "{symbol} was removed and can be taken for something else: {new}",
        RESERVE,
    ),
    "ENUM_VALUE_RENAMED": (
        "{symbol} was renamed from {old} to {new}; JSON carries the name",
        "keep the old name; with allow_alias, add the new one after it",
    ),
    "ENUM_VALUE_RENUMBERED": (
        "the number of {symbol} changed from {old} to {new}",
        "give the value its old number back",
    ),
    "ENUM_ALIAS_ADDED": ("{symbol} ({new}) is a further name", "put aliases after the name that JSON is to carry"),
    "ENUM_ALIAS_REMOVED": ("the alias {symbol} ({old}) was removed; JSON with this name is refused", KEEP),
    "ENUM_FIRST_NAME_CHANGED": (
        "the first name of {symbol}, which JSON carries, changed from {old} to {new}",
        "leave the old name first",
    ),
    "ENUM_OPENNESS_CHANGED": (
        "{symbol} was {old} and is {new} now",
        "keep features.enum_type as it is: a file's new syntax or edition may change it",
    ),
    "ENUM_DEFAULT_CHANGED": (
        "the first value, which is the default, was {old} and is {new} now",
        "leave the first value where it is",
    ),
    "ENUM_JSON_FORMAT_CHANGED": ("features.json_format of {symbol} changed from {old} to {new}", KEEP_ALLOW),
    "ENUM_RESERVATION_REMOVED": ("{symbol} no longer has: {old}", FOR_GOOD),
    "ENUM_RESERVATION_REUSED": ("{symbol} ({new}) takes the {old}", FRESH),
    "ENUM_VISIBILITY_CHANGED": ("{symbol} was {old} and is {new} now", EXPORT),
    "RPC_REMOVED": ("{symbol} was removed; callers get UNIMPLEMENTED", KEEP),
    "RPC_RENAMED": ("{symbol} was renamed from {old} to {new}; the name is in the URL of every call", NEW_RPC),
    "RPC_ADDED": ("{symbol} was added; old servers answer UNIMPLEMENTED", SERVERS_FIRST),
    "RPC_REQUEST_TYPE_CHANGED": ("the request of {symbol} changed from {old} to {new}", NEW_RPC),
    "RPC_RESPONSE_TYPE_CHANGED": ("the response of {symbol} changed from {old} to {new}", NEW_RPC),
    "RPC_CLIENT_STREAMING_CHANGED": ("the requests of {symbol} were {old} and are {new} now", NEW_RPC),
    "RPC_SERVER_STREAMING_CHANGED": ("the responses of {symbol} were {old} and are {new} now", NEW_RPC),
    "RPC_IDEMPOTENCY_CHANGED": (
        "idempotency_level of {symbol} changed from {old} to {new}",
        "keep the promise: callers retry, and use GET, because of it",
    ),
    "HTTP_METHOD_CHANGED": ("the HTTP method of {symbol} changed: {old} became {new}", ADD_ROUTE),
    "HTTP_PATH_CHANGED": ("the HTTP path of {symbol} changed: {old} became {new}", ADD_ROUTE),
    "HTTP_BODY_CHANGED": (
        "the HTTP body of {symbol} changed: {old} became {new}",
        "add a new RPC with the new body and keep the old one",
    ),
    "HTTP_BINDING_REMOVED": ("{symbol} can no longer be called by {old}", "keep the route until nobody calls it"),
    "HTTP_BINDING_ADDED": ("{symbol} can also be called by {new}", SERVERS_FIRST),
    "MESSAGE_REMOVED": ("the message {symbol} was removed", KEEP),
    "MESSAGE_RENAMED": (
        "the message {old} is called {new} now; a google.protobuf.Any, and a registry, has it under the old name",
        "keep the name and the place",
    ),
    "MESSAGE_ADDED": ("the message {symbol} was added", NO_NEED),
    "ENUM_REMOVED": ("the enum {symbol} was removed", KEEP),
    "ENUM_RENAMED": ("the enum {old} is called {new} now; no payload has its name in it", NOTHING),
    "ENUM_ADDED": ("the enum {symbol} was added", NO_NEED),
    "SERVICE_REMOVED": ("the service {symbol} was removed; callers get UNIMPLEMENTED", KEEP),
    "SERVICE_RENAMED": (
        "the service {old} is called {new} now; the name is in the URL of every call",
        "keep the service and add the new one beside it",
    ),
    "SERVICE_ADDED": ("the service {symbol} was added", SERVERS_FIRST),
    "EXTENSION_REMOVED": ("the extension {symbol} ({old}) was removed", KEEP),
    "EXTENSION_RENUMBERED": (
        "the extension {symbol} changed: {old} became {new}",
        "give the extension its old number back",
    ),
    "EXTENSION_RENAMED": (
        "the extension {old} is called {new} now; JSON carries the name",
        "keep the name and the package",
    ),
    "EXTENSION_ADDED": (
        "the extension {symbol} ({new}) was added",
        "nothing has to be done, unless it takes the place of a field: keep that field then",
    ),
    "FILE_REMOVED": (
        "the file {old} was removed or moved; whoever imports it does not compile",
        "keep a file of the old name that imports the new one publicly",
    ),
    "PACKAGE_REMOVED": ("nothing is left of the {old}", "keep the package and add the new one beside it"),
    "DEFINITION_MOVED": (
        "{symbol} moved from {old} to {new}; whoever imports the old file may not compile",
        "let the old file import the new one publicly",
    ),
    "IMPORT_PUBLIC_REMOVED": (
        "{symbol} no longer says: {old}; whoever relied on it does not compile",
        "keep the public import",
    ),
    "FILE_SYNTAX_CHANGED": (
        "the syntax of {symbol} changed from {old} to {new}; what differs by it is reported at each element",
        "set the features that keep fields and enums as they were",
    ),
    "FILE_PACKAGE_CHANGED": (
        "the package of {symbol} changed from {old} to {new}; all names in it are reported as gone",
        "keep the package and add the new one beside it",
    ),
    "FILE_OPTION_CHANGED": ("the options of {symbol} changed: {old} became {new}", NOTHING),
    "DEPRECATION_CHANGED": (
        "{symbol} was {old} and is {new} now",
        "nothing has to be done; compilers warn whoever uses it",
    ),
    "VALIDATION_TIGHTENED": (
        "the validation of {symbol} may refuse what it let through: {old} became {new}",
        "let every writer keep to the new rule before any reader enforces it",
    ),
    "VALIDATION_LOOSENED": (
        "the validation of {symbol} lets through what it refused: {old} became {new}",
        RELEASE_ORDER,
    ),
    "FIELD_BEHAVIOR_TIGHTENED": (
        "google.api.field_behavior of {symbol} changed from {old} to {new}: callers have to do something else",
        "keep the field as it is and add a new one, or a new version of the RPC",
    ),
    "FIELD_BEHAVIOR_LOOSENED": ("google.api.field_behavior of {symbol} changed from {old} to {new}", NO_NEED),
    "OPTION_CHANGED": ("the options of {symbol} changed: {old} became {new}", "ask whoever reads the option"),
    "FEATURE_CHANGED": ("the features of {symbol} changed: {old} became {new}", NOTHING),
}
