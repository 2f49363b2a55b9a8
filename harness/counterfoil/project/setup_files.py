"""The files that `counterfoil init` writes, from what a survey saw."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from counterfoil.core.toml_tables import key, quoted
from counterfoil.project.config import NAME
from counterfoil.project.seen_pacts import pacts_table
from counterfoil.project.survey import SeenService, Survey

CONFIGURATION = "counterfoil.toml"
NOXFILE = "noxfile.py"
GITIGNORE = ".gitignore"
STATE = "/.counterfoil/"
WORKFLOW = ".github/workflows/contracts.yml"


@dataclass(frozen=True, slots=True)
class Participant:
    """A table of the file: the name that pacts use, and the service that seems to be meant."""

    name: str
    service: SeenService | None
    provides: bool
    consumes: bool


def setup_files(seen: Survey) -> dict[str, str]:
    """Each file's text by its path."""
    pact_folder, other_pacts = pacts_table(seen.pacts, seen.mixed)
    context = {
        "pact_folder": pact_folder,
        "has_pacts": bool(seen.pacts),
        "other_pacts": other_pacts,
        "schema": next(iter(seen.schemas), None),
        "other_schemas": seen.schemas[1:],
        "baseline": _baseline(seen),
        "is_released": seen.release is not None,
        "expects_pacts": bool(seen.pacts or not seen.schemas or any(service.consumer for service in seen.services)),
        "participants": _participants(seen),
        "unusable": sorted(name for name in _names(seen) if not NAME.fullmatch(name)),
    }
    templates = {CONFIGURATION: "counterfoil.toml.j2", NOXFILE: "noxfile.py.j2", WORKFLOW: "contracts.yml.j2"}
    return {path: _environment().get_template(name).render(context) for path, name in templates.items()} | {
        GITIGNORE: f"# What Counterfoil keeps between runs.\n{STATE}\n"
    }


def _baseline(seen: Survey) -> str | None:
    """The last release; without one the last commit, or the schema itself."""
    if seen.release:
        return f"git:{seen.release}"
    return "git:HEAD" if seen.has_commit else next(iter(seen.schemas), None)


def _participants(seen: Survey) -> list[Participant]:
    """Those of the pacts, or where there is no pact every service that can be started."""
    services = {_plain(service.folder.rsplit("/", maxsplit=1)[-1]): service for service in reversed(seen.services)}
    services |= {_plain(service.name): service for service in reversed(seen.services)}
    consumers = {pact.consumer for pact in seen.pacts}
    providers = {pact.provider for pact in seen.pacts}
    if not seen.pacts:
        return [
            Participant(service.name, service, provides=True, consumes=True)
            for service in {service.name: service for service in seen.services if service.start}.values()
            if NAME.fullmatch(service.name)
        ]
    return [
        Participant(name, services.get(_plain(name)), provides=name in providers, consumes=name in consumers)
        for name in sorted(consumers | providers)
        if NAME.fullmatch(name)
    ]


def _names(seen: Survey) -> set[str]:
    """What a table could be named after."""
    if seen.pacts:
        return {name for pact in seen.pacts for name in (pact.consumer, pact.provider)}
    return {service.name for service in seen.services if service.start}


def _plain(name: str) -> str:
    """By which `OrderService` and `order-service` are the same."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def _toml_array(values: Iterable[str]) -> str:
    return f"[{', '.join(map(quoted, values))}]"


def _comment(text: str) -> str:
    """Text that cannot leave its line."""
    return "".join(char if char.isprintable() else "?" for char in text)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("counterfoil.project"),
        autoescape=False,  # noqa: S701 - what it writes is TOML, Python and YAML; every value is quoted by a filter
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "text": quoted,
        "array": _toml_array,
        "key": key,
        "comment": _comment,
    }
    return environment
