"""An interaction to paste into a consumer's contract tests, in its language. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pprint import pformat
from typing import Final

from counterfoil.allowance.exchanges import NO_BODY, body_of
from counterfoil.allowance.requests import DEFAULT_STATUS, example_of_request
from counterfoil.allowance.undecided import UndecidedError
from counterfoil.core.pacts import Interaction, InteractionKind, Json

WIDTH: Final = 100
_JSON_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-f]{4})|(.))")
_RUST_ESCAPES: Final = {"b": "\\u{8}", "f": "\\u{c}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Suggested:
    """What to write: an interaction that exists, with another description and another body."""

    description: str
    states: tuple[tuple[str, Json], ...]
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    request: Json
    status: Json
    body: Json
    is_message: bool


def interaction_to_add(language: str, interaction: Interaction, description: str, body: Json) -> tuple[str, ...]:
    """Lines for pact-js, pact-python or pact_consumer; plain JSON of the body for any other language.

    Like an interaction that exists, in its provider states and its request, with another body.
    """
    write = _WRITERS.get(language.lower())
    if write is None:
        return tuple(json.dumps(body, indent=2, ensure_ascii=False).splitlines())
    parts = dict(interaction.parts)
    part = parts.get("request", {})
    try:
        request = example_of_request(part)
    except UndecidedError:
        request = example_of_request({key: value for key, value in part.items() if key != "body"})
    content, _ = body_of(part)
    suggested = _Suggested(
        description=description,
        states=tuple((one.name, json.loads(one.params)) for one in interaction.states),
        method=request.method,
        path=request.path,
        query=request.query,
        headers=tuple(pair for pair in request.headers if pair[0].lower() != "content-type"),
        request=content if isinstance(content, dict | list) else NO_BODY,
        status=parts.get("response", {}).get("status", DEFAULT_STATUS),
        body=body,
        is_message=interaction.kind is InteractionKind.MESSAGE,
    )
    return tuple("\n".join(write(suggested)).split("\n"))


def _text(value: Json) -> str:
    """A literal of JavaScript on one line."""
    return json.dumps(value, ensure_ascii=False)


def _block(value: Json, indent: str) -> str:
    """A literal of JavaScript on lines of its own, those after the first indented."""
    return json.dumps(value, indent=2, ensure_ascii=False).replace("\n", f"\n{indent}")


def _javascript(it: _Suggested) -> Iterator[str]:
    yield "pact"
    yield f"  .addAsynchronousInteraction({_text(it.description)})" if it.is_message else "  .addInteraction()"
    if not it.is_message:
        yield f"  .uponReceiving({_text(it.description)})"
    for name, params in it.states:
        yield f"  .given({_text(name)}, {_text(params)})" if params else f"  .given({_text(name)})"
    if it.is_message:
        yield f"  .withJSONContent({_block(it.body, '  ')});"
        return
    query: dict[str, Json] = {name: [value for key, value in it.query if key == name] for name, _ in it.query}
    calls = [f".query({_text(query)})"] if it.query else []
    calls += [f".headers({_text(dict(it.headers))})"] if it.headers else []
    calls += [f".jsonBody({_text(it.request)})"] if it.request is not NO_BODY else []
    builder = f", (request) => request{''.join(calls)}" if calls else ""
    yield f"  .withRequest({_text(it.method)}, {_text(it.path)}{builder})"
    yield f"  .willRespondWith({_text(it.status)}, (response) => response.jsonBody({_block(it.body, '  ')}));"


def _python(it: _Suggested) -> Iterator[str]:
    yield "("
    yield f"    pact.upon_receiving({it.description!r}{', ' + repr('Async') if it.is_message else ''})"
    for name, params in it.states:
        yield f"    .given({name!r}, {params!r})" if params else f"    .given({name!r})"
    if not it.is_message:
        yield f"    .with_request({it.method!r}, {it.path!r})"
        yield from [f"    .with_query_parameters({list(it.query)!r})"] if it.query else []
        yield from [f"    .with_headers({dict(it.headers)!r})"] if it.headers else []
        yield from [_python_body(it.request)] if it.request is not NO_BODY else []
        yield f"    .will_respond_with({it.status!r})"
    yield _python_body(it.body)
    yield ")"


def _python_body(body: Json) -> str:
    literal = pformat(body, width=WIDTH).replace("\n", "\n    ")
    return f"    .with_body({literal}, content_type='application/json')"


def _rust(it: _Suggested) -> Iterator[str]:
    kind, more = ("message_interaction", "") if it.is_message else ("interaction", ', ""')
    yield f"pact.{kind}({_rust_text(it.description)}{more}, |mut interaction| {{"
    for name, params in it.states:
        yield (
            f"    interaction.given_with_params({_rust_text(name)}, &{_rust_json(params)});"
            if params
            else f"    interaction.given({_rust_text(name)});"
        )
    if it.is_message:
        yield f"    interaction.json_body({_rust_json(it.body)});"
    else:
        calls = [f".method({_rust_text(it.method)})", f".path({_rust_text(it.path)})"]
        calls += [f".query_param({_rust_text(name)}, {_rust_text(value)})" for name, value in it.query]
        calls += [f".header({_rust_text(name)}, {_rust_text(value)})" for name, value in it.headers]
        calls += [f".json_body({_rust_json(it.request)})"] if it.request is not NO_BODY else []
        yield f"    interaction.request{''.join(calls)};"
        yield f"    interaction.response.status({_text(it.status)}).json_body({_rust_json(it.body)});"
    yield "    interaction"
    yield "});"


def _rust_json(value: Json) -> str:
    return f"serde_json::json!({_in_rust(_block(value, '    '))})"


def _rust_text(text: str) -> str:
    return _in_rust(_text(text))


def _in_rust(literal: str) -> str:
    """A string of JSON as one of Rust, which writes control characters and code points in another form."""
    return _JSON_ESCAPE.sub(
        lambda found: f"\\u{{{found[1]}}}" if found[1] else _RUST_ESCAPES.get(found[2], found[0]), literal
    )


_WRITERS: Final[dict[str, Callable[[_Suggested], Iterator[str]]]] = {
    "javascript": _javascript,
    "node": _javascript,
    "python": _python,
    "rust": _rust,
}
