"""YAML that others write, as JSON: bounded in depth, without merge keys, and `no` is a word. Bytes in, values out."""

from __future__ import annotations

import re

import yaml

from counterfoil.core.pacts import Json

MAX_DEPTH = 200
MERGE = "tag:yaml.org,2002:merge"
WORDS = {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"}
"""What YAML 1.1 takes for more than text, and YAML 1.2's core schema, by which OpenAPI is written, does not."""


class NotJsonError(Exception):
    """The document is no YAML, or says what JSON cannot; `str()` tells what."""


class _Loader(yaml.CSafeLoader):
    """PyYAML's safe loader with the booleans of YAML 1.2."""

    yaml_implicit_resolvers = {  # noqa: RUF012  (declared by PyYAML, and copied here)
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in WORDS]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def parse(data: bytes) -> Json:
    """The first document. Raises NotJsonError."""
    try:
        _check(data)
        return _with_text_keys(yaml.load(data, Loader=_Loader))  # noqa: S506  (a safe loader)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise NotJsonError(" ".join(str(error).split())) from None


def _check(data: bytes) -> None:
    """Refuse what could use up the stack or the memory before anything is made of it."""
    depth = 0
    for event in yaml.parse(data, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.ScalarEvent) and MERGE in {event.tag, _tag(event)}:
            raise NotJsonError("it has a merge key `<<`, which YAML 1.2 does not know")
        if depth > MAX_DEPTH:
            raise NotJsonError(f"it is nested deeper than {MAX_DEPTH}")


def _tag(event: yaml.ScalarEvent) -> str:
    return MERGE if event.value == "<<" and event.implicit[0] else ""


def _with_text_keys(document: Json) -> Json:
    """The document, in which every key is text: YAML reads the status 200 as a number."""
    left, known = [document], {id(document)}
    while left:
        node = left.pop()
        if isinstance(node, dict):
            for key in tuple(node):
                node[str(key)] = node.pop(key)
        below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        for one in below:
            if isinstance(one, dict | list) and id(one) not in known:
                known.add(id(one))
                left.append(one)
    return document
