"""Which schema of an OpenAPI document describes a response. Pure.

OpenAPI 3.1: "Paths Object" (a concrete path before a templated one), "Responses Object" (a status before its range,
and that before `default`), "Media Type Object".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import escape
from typing import Final

from counterfoil.allowance.exchanges import JSON_TYPE
from counterfoil.allowance.json_schema import resolve
from counterfoil.allowance.undecided import UndecidedError
from counterfoil.core.pacts import Json

MAX_REFERENCES: Final = 8
"""References that lead to references."""
ANY_TYPE: Final = ("application/*", "*/*")


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedResponse:
    """The schema of a response's body. `name` is for example `GET /product/{id} 2XX`."""

    name: str
    schema: Json


def is_openapi(document: Json) -> bool:
    """Whether a document describes an HTTP interface; else it is a JSON Schema."""
    return isinstance(document, dict) and bool({"openapi", "swagger"} & document.keys())


def response_of(document: Json, method: str, path: str, status: int, content_type: str | None) -> DescribedResponse:
    """The schema of what is answered to a request. Raises UndecidedError where the document has none."""
    version = document.get("openapi") if isinstance(document, dict) else None
    if not str(version).startswith("3."):
        raise UndecidedError("it is not OpenAPI 3")
    matching = sorted(_matching(document, path), key=lambda one: one[0].count("{"))
    for template, item in matching:
        operation = _object(document, item).get(method.lower())
        if operation is not None:
            name = f"{method} {template}"
            key, response = _response(document, name, _object(document, operation).get("responses"), status)
            return DescribedResponse(name=f"{name} {key}", schema=_schema(document, name, response, content_type))
    raise UndecidedError(f"it has no operation {method} {path}")


def _matching(document: Json, path: str) -> Iterator[tuple[str, Json]]:
    """The templates that a path fits, below the paths of the servers too."""
    for template, item in _object(document, _object(document, document).get("paths")).items():
        if any(_fits(base + template, path) for base in dict.fromkeys(["", *_bases(document)])):
            yield template, item


def _bases(document: Json) -> Iterator[str]:
    servers = _object(document, document).get("servers")
    for server in servers if isinstance(servers, list) else ():
        url = server.get("url") if isinstance(server, dict) else None
        if isinstance(url, str):
            _, is_absolute, rest = url.partition("://")
            base = "/" + rest.partition("/")[2] if is_absolute else url
            yield base.rstrip("/")


def _fits(template: str, path: str) -> bool:
    """Whether each segment of the path is as the template says; `{name}` stands for a part of one, never for none."""
    segments, given = template.split("/"), path.split("/")
    return len(segments) == len(given) and all(map(_segment_fits, segments, given))


def _segment_fits(segment: str, given: str) -> bool:
    first, *others = segment.split("{")
    return fnmatchcase(given, escape(first) + "".join(f"?*{escape(one.partition('}')[2])}" for one in others))


def _response(document: Json, name: str, responses: Json, status: int) -> tuple[str, Json]:
    by_status = {str(key).upper(): one for key, one in _object(document, responses).items()}
    for key in (str(status), f"{status // 100}XX", "DEFAULT"):
        if key in by_status:
            return key.replace("DEFAULT", "default"), by_status[key]
    raise UndecidedError(f"its {name} has no response for the status {status}")


def _schema(document: Json, name: str, response: Json, content_type: str | None) -> Json:
    content = _object(document, _object(document, response).get("content") or {})
    wanted = (content_type or "application/json").split(";")[0].strip().lower()
    types = {key.split(";")[0].strip().lower(): one for key, one in content.items()}
    of_json = [key for key in types if JSON_TYPE.fullmatch(key)]
    for key in (wanted, *of_json, *ANY_TYPE):
        if key in types:
            described = _object(document, types[key])
            if "schema" in described:
                return described["schema"]
    raise UndecidedError(f"its {name} has no schema of a JSON body for this response")


def _object(document: Json, value: Json) -> dict[str, Json]:
    """An object of the document, itself or by reference."""
    for _ in range(MAX_REFERENCES):
        if not isinstance(value, dict):
            break
        if "$ref" not in value:
            return value
        value = resolve(document, value["$ref"])
    raise UndecidedError("it is not made as OpenAPI says: an object is missing, or refers to itself")
