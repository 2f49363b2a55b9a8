"""The protobuf JSON mapping, as far as the shop's messages need it: names, int64 as text, null as absence."""

import re
from datetime import datetime
from typing import Annotated, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

_INT64_MAX = 2**63 - 1
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})", re.ASCII)
_LONGEST_REASON = 200

# Strict, so that "0.5" is no number and true is no 1. Unknown fields are ignored: a newer writer may send them.
WIRE_CONFIG = ConfigDict(
    strict=True,
    frozen=True,
    extra="ignore",
    alias_generator=to_camel,
    validate_by_name=True,
    validate_by_alias=True,
    serialize_by_alias=True,
    allow_inf_nan=False,
)


class InvalidMessageError(ValueError):
    """A body is no valid message; the text says where and why, and is fit for whoever sent it."""


def read_int64(value: object) -> object:
    """Turn decimal text into a number; leave everything else to the strict check that follows."""
    if not isinstance(value, str):
        return value
    if not _DECIMAL.fullmatch(value):
        message = "not a decimal integer"
        raise ValueError(message)
    return int(value)


def require_rfc3339(value: object) -> object:
    """Refuse what pydantic would take for a time though RFC 3339 does not, such as 1700000000."""
    if not isinstance(value, datetime) and not (isinstance(value, str) and _RFC3339.fullmatch(value)):
        message = "not an RFC 3339 timestamp"
        raise ValueError(message)
    return value


def drop_nulls(value: object) -> object:
    """Remove the null fields of an object: in protobuf's JSON null and absence mean the same."""
    if not isinstance(value, dict):
        return value
    return {name: field for name, field in value.items() if field is not None}


# int64 values travel as text, because a JSON number loses digits above 2^53 in many readers.
Id = Annotated[
    int,
    BeforeValidator(read_int64),
    Field(ge=1, le=_INT64_MAX),
    PlainSerializer(str, when_used="json"),
]
WholeUnits = Annotated[
    int,
    BeforeValidator(read_int64),
    Field(ge=0, le=_INT64_MAX),
    PlainSerializer(str, when_used="json"),
]
Timestamp = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(require_rfc3339)]
Share = Annotated[float, Field(ge=0, le=1)]


class Message(BaseModel):
    """One message of the schema, immutable."""

    model_config = WIRE_CONFIG

    @model_validator(mode="before")
    @classmethod
    def _take_null_for_absence(cls, value: object) -> object:
        return drop_nulls(value)


M = TypeVar("M", bound=Message)


def read_message(kind: type[M], body: bytes) -> M:
    """Decode a raw JSON body, or raise InvalidMessageError."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise InvalidMessageError(explain(error)) from error


def write_message(message: Message) -> bytes:
    """Encode a message; what it has not is written as null."""
    return message.model_dump_json().encode()


def explain(error: ValidationError) -> str:
    """Name the first fault's place and reason in one short line, without repeating the input."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    reason = first["msg"].removeprefix("Value error, ")
    text = f"$.{_path(first['loc'])}: {reason}" if first["loc"] else reason
    return text if len(text) <= _LONGEST_REASON else text[: _LONGEST_REASON - 1] + "…"


def _path(location: tuple[int | str, ...]) -> str:
    parts = [f"[{step}]" if isinstance(step, int) else "." + _printable(step) for step in location]
    return "".join(parts).removeprefix(".")


def _printable(step: str) -> str:
    return step if step.isprintable() else ascii(step)
