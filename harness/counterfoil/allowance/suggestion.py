"""An interaction to paste into a consumer's contract tests, in its language. Pure."""

from __future__ import annotations

import json
from pprint import pformat

from counterfoil.pacts import Interaction, InteractionKind, Json


def interaction_to_add(language: str, interaction: Interaction, description: str, body: Json) -> tuple[str, ...]:
    """Lines for pact-js, pact-python or pact_consumer; plain JSON of the body for any other language.

    Like an interaction that exists, in its provider states and its request, with another body.
    """
    write = {"javascript": _javascript, "node": _javascript, "python": _python, "rust": _rust}.get(language.lower())
    lines = write(interaction, description, body) if write else json.dumps(body, indent=2, ensure_ascii=False)
    return tuple(lines.splitlines())


def _request(interaction: Interaction) -> tuple[str, str, str]:
    """Method, path and status; a message has none."""
    parts = dict(interaction.parts)
    request, response = parts.get("request", {}), parts.get("response", {})
    return str(request.get("method", "GET")), str(request.get("path", "/")), str(response.get("status", 200))


def _javascript(interaction: Interaction, description: str, body: Json) -> str:
    method, path, status = _request(interaction)
    given = "".join(f"\n  .given({json.dumps(one.name)}, {one.params})" for one in interaction.states)
    literal = json.dumps(body, indent=2, ensure_ascii=False).replace("\n", "\n    ")
    if interaction.kind is InteractionKind.MESSAGE:
        return f"pact\n  .addAsynchronousInteraction({json.dumps(description)}){given}\n  .withJSONContent({literal});"
    return (
        f"pact\n  .addInteraction()\n  .uponReceiving({json.dumps(description)}){given}\n"
        f"  .withRequest({json.dumps(method)}, {json.dumps(path)})\n"
        f"  .willRespondWith({status}, (response) => response.jsonBody({literal}));"
    )


def _python(interaction: Interaction, description: str, body: Json) -> str:
    method, path, status = _request(interaction)
    given = "".join(f"\n    .given({one.name!r}, {json.loads(one.params)!r})" for one in interaction.states)
    literal = pformat(body, width=100).replace("\n", "\n    ")
    if interaction.kind is InteractionKind.MESSAGE:
        return f'(\n    pact.upon_receiving({description!r}, "Async"){given}\n    .with_body({literal})\n)'
    return (
        f"(\n    pact.upon_receiving({description!r}){given}\n    .with_request({method!r}, {path!r})\n"
        f"    .will_respond_with({status})\n    .with_body({literal})\n)"
    )


def _rust(interaction: Interaction, description: str, body: Json) -> str:
    method, path, status = _request(interaction)
    given = "".join(f"\n    interaction.given({json.dumps(one.name)});" for one in interaction.states)
    literal = json.dumps(body, indent=2, ensure_ascii=False).replace("\n", "\n        ")
    return (
        f'pact.interaction({json.dumps(description)}, "", |mut interaction| {{{given}\n'
        f"    interaction.request.method({json.dumps(method)}).path({json.dumps(path)});\n"
        f"    interaction.response.status({status}).json_body(serde_json::json!({literal}));\n    interaction\n}});"
    )
